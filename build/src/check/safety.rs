//! How careful one must be with an operation, and what it does.

use stripe_table::{Method, Safety};

use crate::problem::Report;

use super::subject::Sent;

/// Queries read and only queries do; what deletes, destroys.
pub fn check(sent: Sent<'_>, report: &mut Report<'_>) {
    let Sent { file, owner, operation, request, is_query, .. } = sent;
    let safety = operation.safety.get_ref().0;
    if is_query != (safety == Safety::Read) {
        report.wrong(file, &operation.safety, format!("{owner}: queries, and only queries, have safety `read`"));
    } else if is_query != request.read_only {
        let what = format!(
            "{owner}: queries, and only queries, send what only reads: a GET, or what [read_only] in catalogue/requests.toml names"
        );
        report.wrong(file, &operation.request, what);
    } else if request.method == Method::Delete && safety != Safety::Destroy {
        report.wrong(file, &operation.safety, format!("{owner} deletes, so its safety is `destroy`"));
    }
}
