//! From the facts' shapes to those of the table, which know times, amounts and files.

use stripe_facts as facts;
use stripe_table::model::{Field, Shape};

use crate::kinds::{Kind, Kinds};

/// Members below `path`.
pub fn fields(path: &str, fields: &[facts::Field], kinds: &mut Kinds<'_>) -> Vec<Field> {
    let convert = |f: &facts::Field| Field {
        name: f.name.clone(),
        required: f.required,
        nullable: f.nullable,
        shape: shape(&format!("{path}.{}", f.name), &f.shape, kinds),
    };
    fields.iter().map(convert).collect()
}

/// The shape of the value at `path`.
pub fn shape(path: &str, from: &facts::Shape, kinds: &mut Kinds<'_>) -> Shape {
    let inner = |from: &facts::Shape, kinds: &mut Kinds<'_>| Box::new(shape(path, from, kinds));
    match from {
        facts::Shape::Any => Shape::Any,
        facts::Shape::Boolean => Shape::Boolean,
        facts::Shape::True => Shape::True,
        facts::Shape::Integer => match kinds.of(path) {
            Kind::Timestamp => Shape::Timestamp,
            Kind::Amount => Shape::Amount,
            Kind::Plain => Shape::Integer,
        },
        facts::Shape::Number => Shape::Number,
        facts::Shape::Decimal => Shape::Decimal,
        facts::Shape::String => Shape::String,
        facts::Shape::Enum(values) => Shape::Enum(values.to_vec()),
        facts::Shape::Array(item) => Shape::Array(inner(item, kinds)),
        facts::Shape::Map(item) => Shape::Map(Box::new(shape(&format!("{path}.*"), item, kinds))),
        facts::Shape::Object(members) => Shape::Object(fields(path, members, kinds)),
        facts::Shape::Union(parts) => Shape::Union(parts.iter().map(|p| shape(path, p, kinds)).collect()),
        facts::Shape::Ref(name) => Shape::Ref(name.clone()),
        facts::Shape::Expandable(names) => Shape::Expandable(names.clone()),
        facts::Shape::List(item) => Shape::List(inner(item, kinds)),
        facts::Shape::Search(item) => Shape::Search(inner(item, kinds)),
        facts::Shape::Pages(item) => Shape::Pages(inner(item, kinds)),
    }
}

/// What a shape is, for people.
pub fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".into(),
        Shape::Boolean | Shape::True => "a boolean".into(),
        Shape::Integer => "an integer".into(),
        Shape::Timestamp => "a point in time".into(),
        Shape::Amount => "an amount".into(),
        Shape::Number => "a number".into(),
        Shape::Decimal => "a decimal number as text".into(),
        Shape::String => "text".into(),
        Shape::File => "a file".into(),
        Shape::Enum(values) if values.len() <= 12 => format!("one of {}", values.join(", ")),
        Shape::Enum(_) => "a closed list of values".into(),
        Shape::Array(_) => "a list".into(),
        Shape::Map(_) | Shape::Object(_) | Shape::Ref(_) => "an object".into(),
        Shape::Union(parts) => parts.iter().map(describe).collect::<Vec<_>>().join(" or "),
        Shape::Expandable(_) => "an id".into(),
        Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => "a page of objects".into(),
    }
}

/// Whether a shape, or one of those that a union offers, is of a kind.
pub fn offers(shape: &Shape, fits: &dyn Fn(&Shape) -> bool) -> bool {
    match shape {
        Shape::Union(parts) => parts.iter().any(|p| offers(p, fits)),
        other => fits(other),
    }
}
