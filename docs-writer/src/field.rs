//! The fields of an input as the rows of a table: those that a form shows first, and within them what people have said
//! something of or what must be there.

use serde_json::Value;

use crate::kind::{is_money, kind, list, text};
use crate::markdown::{self, code};
use crate::place::Page;

/// How deep fields within fields are told.
const DEPTH: usize = 3;

/// The table of an input's fields; nothing where it takes none.
pub fn table(schema: &Value, page: Page) -> String {
    let mut rows = Vec::new();
    let mut fields = members(schema);
    fields.sort_by_key(|field| field.schema.get("x-order").and_then(Value::as_u64).unwrap_or(u64::MAX));
    let alternatives: Vec<&str> =
        list(schema, "x-one-of").filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    for field in fields {
        let required = match field.required {
            true => "yes",
            false if alternatives.contains(&field.name) => "one of",
            false => "",
        };
        row(&mut rows, field.name, &field, required, page);
        within(&mut rows, field.name, field.schema, DEPTH, page);
    }
    for file in list(schema, "x-files") {
        let required = if file.get("required") == Some(&Value::Bool(true)) { "yes" } else { "" };
        let name = code(text(file, "field").unwrap_or_default());
        rows.push([name, "file".to_owned(), required.to_owned(), "Beside the input.".to_owned()]);
    }
    markdown::table(["field", "type", "required", "what it is"], rows)
}

/// The groups of which one has to be given, a sentence each.
pub fn groups(schema: &Value) -> String {
    list(schema, "x-one-of")
        .filter_map(Value::as_array)
        .map(|names| {
            let names = markdown::codes(names.iter().filter_map(Value::as_str), usize::MAX);
            format!("Exactly one of {names} must be given.\n\n")
        })
        .collect()
}

struct Member<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

fn members(schema: &Value) -> Vec<Member<'_>> {
    let required = |name: &str| list(schema, "required").any(|r| r.as_str() == Some(name));
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties.map(|(name, schema)| Member { name, schema, required: required(name) }).collect()
}

fn row(rows: &mut Vec<[String; 4]>, path: &str, field: &Member<'_>, required: &str, page: Page) {
    let mut said = String::new();
    if let Some(title) = text(field.schema, "title") {
        said = format!("**{}**", markdown::text(title));
    }
    if let Some(help) = text(field.schema, "description") {
        let between = if said.is_empty() { "" } else { ": " };
        said = format!("{said}{between}{}", markdown::text(help));
    }
    if let Some(value) = field.schema.get("default") {
        let between = if said.is_empty() { "" } else { " " };
        said = format!("{said}{between}Unless given: {}.", code(&value.to_string()));
    }
    rows.push([code(path), kind(field.schema, page), required.to_owned(), said]);
}

/// The fields within a field, whatever it is wrapped in.
fn within(rows: &mut Vec<[String; 4]>, path: &str, schema: &Value, depth: usize, page: Page) {
    if depth == 0 || is_money(schema) {
        return;
    }
    for part in list(schema, "anyOf") {
        within(rows, path, part, depth, page);
    }
    if let Some(items) = schema.get("items") {
        within(rows, &format!("{path}[]"), items, depth, page);
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        within(rows, &format!("{path}.*"), values, depth, page);
    }
    for field in members(schema) {
        let path = format!("{path}.{}", field.name);
        let is_said = ["title", "description", "x-choices"].iter().any(|key| field.schema.get(key).is_some());
        if is_said || field.required {
            row(rows, &path, &field, if field.required { "within it" } else { "" }, page);
        }
        within(rows, &path, field.schema, depth - 1, page);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_stand_in_the_order_of_the_form() {
        let schema = json!({
            "properties": {"late": {"type": "string"}, "b": {"type": "string", "x-order": 1}, "a": {"type": "string", "x-order": 0}},
            "required": ["late"],
        });
        let told = table(&schema, Page::Top);
        let at = |name: &str| told.find(name).expect(name);
        assert!(at("`a`") < at("`b`") && at("`b`") < at("`late` | text | yes"), "{told}");
    }

    #[test]
    fn of_fields_within_only_those_worth_telling_have_a_row() {
        let schema = json!({"properties": {"items": {"type": "array", "items": {
            "type": "object",
            "properties": {"price": {"type": "string", "title": "Price"}, "must": {"type": "integer"}, "silent": {"type": "string"}},
            "required": ["must"],
        }}}});
        let told = table(&schema, Page::Top);
        assert!(told.contains("| `items[].price` | text |  | **Price** |"), "{told}");
        assert!(told.contains("| `items[].must` | whole number | within it |"), "{told}");
        assert!(!told.contains("`items[].silent`") && told.contains("`silent`"), "{told}");
    }

    #[test]
    fn alternatives_are_told_in_the_table_and_below_it() {
        let schema = json!({
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "x-one-of": [["a", "b"]],
        });
        assert!(table(&schema, Page::Top).contains("| `a` | text | one of |"));
        assert_eq!(groups(&schema), "Exactly one of `a`, `b` must be given.\n\n");
    }
}
