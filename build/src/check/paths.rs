//! Paths into objects: `customer_details.email`, `items.data.0.current_period_end`.

use stripe_table::model::Shape;
use toml::Spanned;

use crate::nearest::nearest;
use crate::problem::Report;

use super::subject::Subject;

/// The shape at a path of an object; that there is none is reported.
pub fn shape<'a, T>(
    subject: Subject<'a>,
    file: &str,
    owner: &str,
    (object, path): (&str, &str),
    place: &Spanned<T>,
    report: &mut Report<'_>,
) -> Option<&'a Shape> {
    let api = subject.api;
    let mut fields = api.object(object)?;
    let mut found: Option<&'a Shape> = None;
    for segment in path.split('.') {
        let index = segment.parse::<usize>().is_ok();
        let next = match (found, index) {
            (Some(Shape::Array(item)), true) => Some(&**item),
            (Some(Shape::List(_)), false) if segment == "data" => found,
            // The index after `data`.
            (Some(Shape::List(item)), true) => Some(&**item),
            _ => fields.iter().find(|f| f.name == segment).map(|f| &f.shape),
        };
        let Some(next) = next else {
            let hint = nearest(segment, fields.iter().map(|f| f.name.as_str()));
            let what = format!("{owner} reads `{path}`: object `{object}` has no `{segment}`{hint}");
            report.wrong(file, place, what);
            return None;
        };
        found = Some(next);
        fields = api.members(next);
    }
    found
}
