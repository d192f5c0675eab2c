//! What the engine can send. Forms and JSON carry whatever their parameters are; a file travels in parts, beside plain
//! values: a part has a name and a value, and no members.

use stripe_table::Encoding;
use stripe_table::model::{Field, Shape};

use crate::problem::Report;
use crate::shapes::{describe, offers};

use super::subject::Sent;

/// What an operation offers can be sent by its request.
pub fn check(sent: Sent<'_>, report: &mut Report<'_>) {
    let Sent { file, owner, operation, request, .. } = sent;
    let files = request.parameters.iter().filter(|p| p.shape == Shape::File).count();
    let line = operation.request.get_ref();
    match (request.encoding, files) {
        (Encoding::Form | Encoding::Json, 0) => return,
        (Encoding::Multipart, 1) => {}
        (Encoding::Multipart, _) => {
            let what = format!(
                "{owner} cannot be sent: `{line}` is multipart and has {files} files; one can be sent, beside plain values"
            );
            return report.wrong(file, &operation.request, what);
        }
        (encoding, _) => {
            let what = format!(
                "{owner} cannot be sent: `{line}` takes a file and travels as {}; files travel as multipart",
                encoding.name()
            );
            return report.wrong(file, &operation.request, what);
        }
    }
    let nested = |name: &str| request.parameters.iter().find(|f: &&Field| f.name == name && !plain(&f.shape));
    for name in &operation.show {
        if let Some(field) = nested(name.get_ref()) {
            let what = format!(
                "{owner} shows `{}`, which is {}: beside a file only plain values can be sent",
                field.name,
                describe(&field.shape)
            );
            report.wrong(file, name, what);
        }
    }
    for table in std::iter::once(&operation.sample).chain(&operation.defaults).chain(&operation.fixed) {
        if let Some(field) = table.get_ref().keys().find_map(|name| nested(name)) {
            let what = format!(
                "{owner} gives `{}`, which is {}: beside a file only plain values can be sent",
                field.name,
                describe(&field.shape)
            );
            report.wrong(file, table, what);
        }
    }
}

fn plain(shape: &Shape) -> bool {
    offers(shape, &|s| {
        matches!(
            s,
            Shape::Boolean
                | Shape::Integer
                | Shape::Timestamp
                | Shape::Amount
                | Shape::Number
                | Shape::Decimal
                | Shape::String
                | Shape::Enum(_)
                | Shape::File
        )
    })
}
