//! Whether what a component says of its outcome can be true.
//!
//! A platform decides by the outcome whether a step is run again. A component that says that nothing was done is believed
//! only as far as the host's own record of its requests allows; one that says that something was done is believed.

use crate::contract::{Error, Extra, Outcome};
use crate::report::CallReport;

/// The name of the extra with what the component had said.
const OVERRULED: &str = "outcome-said-by-component";

/// Puts right what cannot be true, and leaves in an extra what was said.
pub(super) fn overrule(error: &mut Error, report: &CallReport) {
    let sent = report.acted().count();
    // An answer that it was done says nothing about a refusal; no answer says nothing at all.
    let refused = report.acted().any(|request| request.status.is_some_and(|status| !(200..300).contains(&status)));
    let impossible = match error.outcome {
        Outcome::NotSent => sent > 0,
        Outcome::Rejected => sent > 0 && !refused,
        Outcome::Unknown | Outcome::Committed => false,
    };
    if impossible {
        let said = error.outcome.name();
        error.outcome = Outcome::Unknown;
        error.extras.push(Extra { name: OVERRULED.to_owned(), value: format!("\"{said}\"") });
    }
}
