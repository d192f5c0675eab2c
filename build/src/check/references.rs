//! Names that lead elsewhere: to a request of the API, to a resource of the catalogue.

use stripe_table::model::Request;
use toml::Spanned;

use crate::api::line;
use crate::nearest::nearest;
use crate::problem::Report;

use super::subject::Subject;

/// The request of a line; that there is none is reported.
pub fn request<'a>(
    subject: Subject<'a>,
    file: &str,
    owner: &str,
    wanted: &Spanned<String>,
    report: &mut Report<'_>,
) -> Option<&'a Request> {
    let found = subject.api.find(wanted.get_ref());
    if found.is_none() {
        let lines: Vec<String> = subject.api.requests.iter().map(line).collect();
        let hint = nearest(wanted.get_ref(), lines.iter().map(String::as_str));
        let what =
            format!("{owner} sends `{}`, which the API {} does not have{hint}", wanted.get_ref(), subject.api.version);
        report.wrong(file, wanted, what);
    }
    found
}

/// Reports a resource that has no file.
pub fn resource(subject: Subject<'_>, file: &str, owner: &str, name: &Spanned<String>, report: &mut Report<'_>) {
    if subject.catalogue.resource(name.get_ref()).is_none() {
        let hint = nearest(name.get_ref(), subject.catalogue.resource_names());
        report.wrong(file, name, format!("{owner} names resource `{}`, which has no file{hint}", name.get_ref()));
    }
}
