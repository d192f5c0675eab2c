//! Values that an entry gives, samples and defaults, as the engine would take them.

use stripe_table::model::{Field, Shape};
use toml::Value;
use toml::value::Datetime;

use crate::nearest::nearest;
use crate::shapes::describe;

/// Whether a table's values are of the shapes of their fields; `whole` when it must have what is required.
///
/// # Errors
/// The first that is not, with its path.
pub fn check(value: &Value, fields: &[Field], path: &str, whole: bool) -> Result<(), String> {
    let Value::Table(table) = value else { return Err(format!("`{path}` must be a table")) };
    for (name, value) in table {
        let path = format!("{path}.{name}");
        let field = fields.iter().find(|f| f.name == *name).ok_or_else(|| {
            format!("`{path}` is no parameter{}", nearest(name, fields.iter().map(|f| f.name.as_str())))
        })?;
        one(value, &field.shape, &path)?;
    }
    // The bytes of a file are given beside the input.
    let missing = |f: &&Field| whole && f.required && f.shape != Shape::File && !table.contains_key(&f.name);
    match fields.iter().find(missing) {
        Some(field) => Err(format!("`{path}` lacks the required `{}`", field.name)),
        None => Ok(()),
    }
}

fn one(value: &Value, shape: &Shape, path: &str) -> Result<(), String> {
    let fits = match (shape, value) {
        (Shape::File, _) => return Err(format!("`{path}` is a file, which is given beside the input")),
        (Shape::Any, _) | (Shape::String | Shape::Decimal | Shape::Expandable(_), Value::String(_)) => true,
        (Shape::Boolean, Value::Boolean(_))
        | (Shape::Integer | Shape::Timestamp | Shape::Amount, Value::Integer(_)) => true,
        (Shape::Timestamp, Value::String(text)) => is_moment(text),
        (Shape::Amount, Value::Table(table)) => is_money(table),
        (Shape::Number, Value::Integer(_) | Value::Float(_)) => true,
        (Shape::Enum(values), Value::String(text)) => values.contains(text),
        (Shape::Array(item), Value::Array(items)) => {
            return items.iter().enumerate().try_for_each(|(i, v)| one(v, item, &format!("{path}[{i}]")));
        }
        (Shape::Map(item), Value::Table(table)) => {
            return table.iter().try_for_each(|(k, v)| one(v, item, &format!("{path}.{k}")));
        }
        (Shape::Object(fields), Value::Table(_)) => return check(value, fields, path, true),
        (Shape::Union(parts), _) => {
            let mut results = parts.iter().map(|p| one(value, p, path));
            return results.clone().find(Result::is_ok).or_else(|| results.next_back()).unwrap_or(Ok(()));
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("`{path}` is `{value}`, and the facts say {}", describe(shape))) }
}

/// RFC 3339, with its time zone.
fn is_moment(text: &str) -> bool {
    text.parse::<Datetime>().is_ok_and(|m| m.date.is_some() && m.time.is_some() && m.offset.is_some())
}

/// `{decimal, currency}`
fn is_money(table: &toml::Table) -> bool {
    let text = |name: &str| matches!(table.get(name), Some(Value::String(_)));
    table.len() == 2 && text("decimal") && text("currency")
}
