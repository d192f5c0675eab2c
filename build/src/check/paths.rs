//! Paths into objects: `customer_details.email`, `items.data.0.current_period_end`.

use stripe_table::model::Shape;
use toml::Spanned;

use crate::nearest::nearest;
use crate::problem::Report;

use super::subject::Subject;

/// What may stand where the path of a value goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// An id is the end of a path.
    AsTheyAre,
    /// The object that an id stands for is asked for.
    Expanded,
}

/// The shape at a path of an object; that there is none is reported.
pub fn shape<'a, T>(
    subject: Subject<'a>,
    (file, owner): (&str, &str),
    (object, path): (&str, &str),
    ids: Ids,
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
        fields = match next {
            Shape::Expandable(objects) if ids == Ids::Expanded => {
                objects.first().and_then(|object| api.object(object)).unwrap_or_default()
            }
            _ => api.members(next),
        };
    }
    found
}
