//! The errors of values that are missing or of another kind, in words.

use crate::catalogue::{Operation, Shape};
use crate::error::Error;
use crate::json::{Kind, Node};

use super::number;

/// How times are written.
pub const TIME: &str = "a time: whole seconds since 1970, or text such as \"2026-01-31T10:00:00Z\" or \"2026-01-31\"";

/// The error of a field that has to be there.
pub fn missing(operation: Operation, name: &str) -> Box<Error> {
    let error = Error::input(name, ["`", name, "` is required"].concat());
    match operation.meaning(name) {
        Some(meaning) if !meaning.help().is_empty() => error.hint(meaning.help()),
        _ => error,
    }
}

/// The error of a value that is of another type.
pub fn wrong_type(path: &str, wanted: &str, value: Node<'_, '_>) -> Box<Error> {
    Error::input(path, ["`", path, "` must be ", wanted, ", not ", noun_of(value)].concat())
}

/// What a value is, in words.
pub fn noun_of(value: Node<'_, '_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Boolean => "true or false",
        Kind::Number if number::whole(value.raw()).is_some() => "a number",
        Kind::Number if value.raw().contains(['.', 'e', 'E']) => "a number with a fraction",
        Kind::Number => "a number of that size",
        Kind::String => "text",
        Kind::Array => "a list",
        Kind::Object => "an object",
    }
}

/// The error of a value that is of another type; where it only has quotes too many, with the hint to leave them out.
pub fn unquoted(path: &str, wanted: &str, value: Node<'_, '_>) -> Box<Error> {
    let error = wrong_type(path, wanted, value);
    let text = value.as_str().unwrap_or_default();
    if matches!(text.as_ref(), "true" | "false") || number::is_decimal(&text) {
        return error.hint("Send the value without quotes.");
    }
    error
}

/// What a shape wants, in words.
pub fn noun(shape: Shape<'_>) -> String {
    let plain = match shape {
        Shape::Any => "anything",
        Shape::Boolean => "true or false",
        Shape::True => "true",
        Shape::Integer => "a whole number",
        Shape::Amount => "an amount",
        Shape::Timestamp => TIME,
        Shape::Number => "a number",
        Shape::Decimal => "a decimal number in quotes",
        Shape::File => "a file",
        Shape::Array(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "an object",
        Shape::String | Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => {
            "text"
        }
        Shape::Enum(values) => return values.iter().collect::<Vec<_>>().join(" or "),
        Shape::Union(parts) => {
            let parts = parts.iter().filter(|p| !p.is_empty_string());
            return parts.map(noun).collect::<Vec<_>>().join(" or ");
        }
    };
    plain.to_owned()
}
