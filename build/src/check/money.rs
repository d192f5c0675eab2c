//! Amounts in major units: "10.99" is 1099 only in a currency that is known.

use stripe_table::model::Shape;

use crate::problem::Report;
use crate::shapes::{describe, offers};

use super::subject::Sent;

/// Each stands for an amount, and a currency stands beside it.
pub fn check(sent: Sent<'_>, report: &mut Report<'_>) {
    let Sent { file, owner, operation, request, inputs, .. } = sent;
    for (major, minor) in &operation.major_units {
        if request.parameters.iter().any(|p| p.name == *major.get_ref()) {
            let what = format!("{owner} takes `{}` in major units, which is a parameter already", major.get_ref());
            report.wrong(file, major, what);
        }
        match inputs.iter().find(|p| p.name == *minor.get_ref()) {
            None => sent.no_parameter("takes in major units", minor, report),
            Some(amount) if !offers(&amount.shape, &|s| matches!(s, Shape::Amount)) => {
                let what = format!(
                    "{owner} takes `{}` in major units, and the facts say {}",
                    minor.get_ref(),
                    describe(&amount.shape)
                );
                report.wrong(file, minor, what);
            }
            Some(_) => {
                let text = |s: &Shape| matches!(s, Shape::String | Shape::Enum(_));
                if !request.parameters.iter().any(|p| p.name == "currency" && offers(&p.shape, &text)) {
                    let what = format!(
                        "{owner} takes `{}` in major units, and `{}` has no currency beside it to tell what they are",
                        minor.get_ref(),
                        operation.request.get_ref()
                    );
                    report.wrong(file, minor, what);
                }
            }
        }
    }
}
