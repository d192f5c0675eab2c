//! The page of the operations that are no one request of the API.

use std::fmt::Write;

use stripe_connector::catalogue::{self, OWN};
use stripe_connector::describe::describe;

use crate::markdown::{code, text};
use crate::operation;
use crate::place::Page;
use crate::problem::Problem;
use crate::resource::notice;

/// What there is to know about them.
pub fn page() -> Result<String, Problem> {
    let requests = catalogue::table()?.requests().len();
    let mut out = notice("the connector's own description of them");
    let _ = write!(
        out,
        "# The whole API\n\nStripe's API has {requests} operations in version {}. Those without a page of their own run by their own \
         ids, {}, and by these; they are checked before anything is sent, as all others are.\n\n",
        code(catalogue::API_VERSION),
        code("v1.customers.create"),
    );
    for own in &OWN {
        let described = describe(operation::wanted(own.id))?;
        let schema = operation::json(own.id, &described.input_schema)?;
        let care = if own.writes { "**may do anything**" } else { "only reads" };
        let _ = write!(
            out,
            "## {}\n\n{} · {} · {care}\n\n{}\n\n",
            text(own.title),
            code(own.id),
            own.kind.name(),
            text(own.description),
        );
        out.push_str(&operation::input(own.id, &described, &schema, Page::Top)?);
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    Ok(out)
}
