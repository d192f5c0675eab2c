//! Values of one piece, as they are sent; and values of which nothing is known.

use serde_json::{Map, Value};

use crate::catalogue::{Texts, did_you_mean};
use crate::error::{Error, Result};
use crate::json::{self, Kind, Node};

use super::refusal::{TIME, unquoted, wrong_type};
use super::{number, time};

/// A moment in whole seconds since 1970.
pub fn moment(path: &str, value: Node<'_, '_>) -> Result<Value> {
    /// The year 5138; of milliseconds it is the spring of 1973, when nobody had anything to do with Stripe.
    const LATEST: i64 = 99_999_999_999;
    let seconds = match value.kind() {
        Kind::Number => number::whole(value.raw()),
        Kind::String => time::seconds(&value.as_str().unwrap_or_default()),
        _ => None,
    };
    let seconds = seconds.ok_or_else(|| {
        let error = unquoted(path, TIME, value);
        match (&error.hint, value.kind()) {
            (None, Kind::String) => error.hint("A moment needs its offset from UTC: Z, or one such as +01:00."),
            _ => error,
        }
    })?;
    if seconds > LATEST {
        return Err(Error::input(path, ["`", path, "` is too far in the future"].concat())
            .hint("Stripe counts in seconds since 1970, not in milliseconds."));
    }
    Ok(Value::from(seconds))
}

pub fn decimal(path: &str, value: Node<'_, '_>) -> Result<Value> {
    let text = match value.kind() {
        Kind::String => value.as_str(),
        // As it is written, and so exact.
        Kind::Number => Some(value.raw().into()),
        _ => None,
    };
    text.filter(|t| number::is_decimal(t))
        .map(|t| Value::from(t.into_owned()))
        .ok_or_else(|| wrong_type(path, "a decimal number in quotes, such as \"0.5\"", value))
}

pub fn one_of(path: &str, value: Node<'_, '_>, values: Texts<'static>) -> Result<Value> {
    let Some(text) = value.as_str() else { return Err(wrong_type(path, "text", value)) };
    if values.contains(&text) {
        return Ok(Value::from(text.into_owned()));
    }
    let error = Error::input(path, ["`", path, "` cannot be ", &json::quoted(&text)].concat());
    let all: Vec<&str> = values.iter().collect();
    // As many as one can read.
    const READABLE: usize = 1_000;
    let listed = all.join(", ");
    if listed.len() <= READABLE {
        return Err(error.hint(["It is one of ", &listed, "."].concat()));
    }
    let otherwise = ["It is one of ", &all.len().to_string(), " values; describe the operation to see them."].concat();
    Err(did_you_mean(error, &text, &mut all.into_iter(), &otherwise))
}

/// A number. One with a fraction is sent as it is written: no digit is lost on the way through a binary fraction.
pub fn number(path: &str, value: Node<'_, '_>) -> Result<Value> {
    let raw = value.raw();
    match number::whole(raw) {
        _ if value.kind() != Kind::Number => Err(unquoted(path, "a number", value)),
        Some(whole) => Ok(Value::from(whole)),
        None if number::is_decimal(raw) => Ok(Value::from(raw)),
        None => Err(Error::input(path, ["`", path, "` is a number that cannot be sent as it is written"].concat())
            .hint("Write it without an exponent.")),
    }
}

/// A value of which nothing is known, as it came.
pub fn anything(path: &str, value: Node<'_, '_>) -> Result<Value> {
    Ok(match value.kind() {
        Kind::Null => Value::Null,
        Kind::Boolean => Value::from(value.as_bool()),
        Kind::String => Value::from(value.as_str().unwrap_or_default().into_owned()),
        Kind::Number => number(path, value)?,
        Kind::Array => Value::Array(value.items().map(|item| anything(path, item)).collect::<Result<_>>()?),
        Kind::Object => {
            let mut out = Map::new();
            for (name, member) in value.members() {
                out.insert(name.into_owned(), anything(path, member)?);
            }
            Value::Object(out)
        }
    })
}
