//! The types of JSON Schema in the words of these pages. The words are explained on the first page (`index`).

use serde_json::Value;
use stripe_connector::catalogue;

use crate::markdown::{code, codes};
use crate::place::Page;

/// How many values of a closed list, or members of an object, are told.
const MOST_VALUES: usize = 8;

/// What a schema takes, in markdown.
pub fn kind(schema: &Value, page: Page) -> String {
    if let Some(resource) = text(schema, "x-choices").and_then(|name| catalogue::table().ok()?.resource(name)) {
        let id = format!("id of: {}", page.link(resource));
        return if text(schema, "type") == Some("array") { format!("list, each the {id}") } else { id };
    }
    let parts: Vec<&Value> = list(schema, "anyOf").collect();
    if parts.is_empty() { plain(schema, page) } else { any_of(&parts, page) }
}

/// Whether a schema is of an amount with its currency.
pub fn is_money(schema: &Value) -> bool {
    let has = |name| schema.pointer(&format!("/properties/{name}")).is_some();
    has("decimal") && has("currency")
}

fn any_of(parts: &[&Value], page: Page) -> String {
    let clears = parts.iter().any(|part| text(part, "type") == Some("null"));
    let has = |kind: &str| parts.iter().any(|part| text(part, "type") == Some(kind));
    let is_time = parts.iter().any(|part| text(part, "format") == Some("date-time"));
    let is_amount = parts.iter().any(|part| is_money(part));
    let is_decimal = has("number") && parts.iter().any(|part| part.get("pattern").is_some());
    let mut words: Vec<String> = Vec::new();
    for part in parts {
        let word = match text(part, "type") {
            Some("null") => continue,
            Some("string")
                if list(part, "enum").all(|value| value.as_str() == Some("")) && part.get("enum").is_some() =>
            {
                continue;
            }
            Some("integer" | "string") if is_time && part.get("enum").is_none() => "time".to_owned(),
            Some("integer") if is_amount => "amount".to_owned(),
            Some("object") if is_money(part) => "amount".to_owned(),
            Some("number" | "string") if is_decimal && part.get("enum").is_none() => "decimal".to_owned(),
            _ => kind(part, page),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let words = words.join(" or ");
    if clears { format!("{words}; `null` clears it") } else { words }
}

fn plain(schema: &Value, page: Page) -> String {
    if schema.get("const") == Some(&Value::Bool(true)) {
        return code("true");
    }
    match text(schema, "type") {
        Some("string") if schema.get("enum").is_some() => {
            codes(list(schema, "enum").filter_map(Value::as_str), MOST_VALUES)
        }
        Some("string") if text(schema, "format") == Some("date-time") => "time".to_owned(),
        Some("string") => match text(schema, "pattern") {
            Some("^[A-Za-z]{3}$") => "currency".to_owned(),
            Some(pattern) if pattern.starts_with("^-?[0-9]+") => "decimal".to_owned(),
            _ if schema.get("x-more").is_some() => "text out of a long list".to_owned(),
            _ => "text".to_owned(),
        },
        Some("integer") => "whole number".to_owned(),
        Some("number") => "number".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("array") => match schema.get("items").map(|items| kind(items, page)) {
            Some(item) if item != "any" => format!("list of {}", many(&item)),
            _ => "list".to_owned(),
        },
        Some("object") => object(schema, page),
        _ => "any".to_owned(),
    }
}

fn object(schema: &Value, page: Page) -> String {
    let members: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect();
    match schema.get("additionalProperties").filter(|more| more.is_object()) {
        _ if !members.is_empty() => format!("object with {}", codes(members, MOST_VALUES)),
        Some(values) => format!("names of your own, each with {}", kind(&without_null(values), page)),
        None => "object".to_owned(),
    }
}

/// The word for several of what a word is of.
fn many(word: &str) -> String {
    const COUNTED: [&str; 7] = ["object", "whole number", "number", "text", "amount", "time", "decimal"];
    let begins = |one: &&str| word.strip_prefix(*one).is_some_and(|rest| rest.is_empty() || rest.starts_with(" with "));
    match COUNTED.into_iter().find(begins) {
        Some(one) => format!("{one}s{}", word.strip_prefix(one).unwrap_or_default()),
        None => word.to_owned(),
    }
}

/// A value of a map: that it may be cleared goes without saying.
fn without_null(values: &Value) -> Value {
    let parts: Vec<&Value> = list(values, "anyOf").filter(|part| text(part, "type") != Some("null")).collect();
    match parts.as_slice() {
        [only] => (*only).clone(),
        _ => values.clone(),
    }
}

/// A text that a schema has under this name.
pub fn text<'a>(schema: &'a Value, name: &str) -> Option<&'a str> {
    schema.get(name).and_then(Value::as_str)
}

/// The entries of a list that a schema has under this name.
pub fn list<'a>(schema: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn word(schema: Value) -> String {
        kind(&schema, Page::OfResource)
    }

    #[test]
    fn types_have_everyday_names() {
        assert_eq!(word(json!({"type": "string"})), "text");
        assert_eq!(word(json!({"type": "string", "pattern": "^[A-Za-z]{3}$"})), "currency");
        assert_eq!(word(json!({"const": true})), "`true`");
        assert_eq!(word(json!({"type": "array", "items": {"type": "integer"}})), "list of whole numbers");
        assert_eq!(word(json!({"anyOf": [{"type": "integer"}, {"type": "string", "format": "date-time"}]})), "time");
        assert_eq!(word(json!({})), "any");
        let prices = json!({"type": "array", "items": {"type": "object", "properties": {"price": {}}}});
        assert_eq!(word(prices), "list of objects with `price`");
    }

    #[test]
    fn an_amount_is_one_word_though_it_is_written_in_two_ways() {
        let money = json!({"type": "object", "properties": {"decimal": {}, "currency": {}}});
        assert_eq!(word(json!({"anyOf": [{"type": "integer"}, money]})), "amount");
    }

    #[test]
    fn what_can_be_cleared_says_so_once() {
        let clears = [json!({"type": "string", "enum": [""]}), json!({"type": "null"})];
        let parts = [json!({"type": "string"}), clears[0].clone(), clears[1].clone()];
        assert_eq!(word(json!({"anyOf": parts})), "text; `null` clears it");
    }

    #[test]
    fn long_lists_of_values_are_clipped() {
        let values: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
        let told = word(json!({"type": "string", "enum": values}));
        assert!(told.starts_with("`v0`, ") && told.ends_with(" and 12 more"), "{told}");
    }

    #[test]
    fn a_drop_down_links_to_what_it_lists() {
        let told = word(json!({"type": "string", "x-choices": "customer"}));
        assert_eq!(told, "id of: [Customer](customer.md)");
    }
}
