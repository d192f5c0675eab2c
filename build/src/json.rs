//! TOML values as JSON text: samples and defaults.

use std::fmt::Write as _;

use toml::Value;

/// A table as a JSON object.
pub fn object(table: &toml::Table) -> String {
    let mut out = String::new();
    put_table(table, &mut out);
    out
}

fn put_table(table: &toml::Table, out: &mut String) {
    out.push('{');
    for (index, (name, item)) in table.iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        put_text(name, out);
        out.push(':');
        put(item, out);
    }
    out.push('}');
}

fn put(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => put_text(text, out),
        Value::Datetime(moment) => put_text(&moment.to_string(), out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                put(item, out);
            }
            out.push(']');
        }
        Value::Table(table) => put_table(table, out),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

fn put_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
