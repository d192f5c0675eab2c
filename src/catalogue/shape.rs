//! What a shape says beyond itself.

use stripe_table::Shape;

/// Whether nothing in a value's place (`null`, the empty text) unsets it.
pub fn unsets(shape: Shape<'_>) -> bool {
    match shape {
        Shape::Union(parts) => parts.iter().any(unsets),
        _ => shape.is_empty_string(),
    }
}
