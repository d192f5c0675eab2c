//! How much there is within a shape: small things are told whole wherever they stand.

use crate::catalogue::{Fields, Shape};

/// How many members a part of a schema may have, nested ones counted, to be told whole in a short one.
const SMALL: usize = 40;

/// How many values a short schema lists.
pub const FEW_VALUES: usize = 40;

/// Whether a shape is told whole in a short schema.
pub fn is_small(shape: Shape<'_>) -> bool {
    weigh(shape, SMALL).is_some()
}

/// Whether a shape has no members of its own.
pub fn is_plain(shape: Shape<'_>) -> bool {
    weigh(shape, 0).is_some()
}

/// How much is left of what a shape may weigh; none where it weighs more.
fn weigh(shape: Shape<'_>, left: usize) -> Option<usize> {
    match shape {
        Shape::Array(item) | Shape::Map(item) => weigh(item.get(), left),
        Shape::Object(fields) => weigh_fields(fields, left),
        Shape::Union(parts) => parts.iter().try_fold(left, |left, part| weigh(part, left)),
        _ => Some(left),
    }
}

fn weigh_fields(fields: Fields<'_>, left: usize) -> Option<usize> {
    fields.iter().try_fold(left, |left, field| weigh(field.shape(), left.checked_sub(1)?))
}
