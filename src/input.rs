//! From an operation's JSON input to the parameters of its request, checked to the last nested field.
//!
//! Every problem is found here, before anything is sent: a field that does not exist (with the nearest names), a
//! missing or ill-typed one (with its path), an amount that is negative, a currency that is none, metadata over
//! Stripe's limits. Values are never guessed: text is not turned into numbers.

use serde_json::{Map, Number, Value};

use crate::catalog::{self, Field, Operation, Rule, Shape, nearest};
use crate::error::{Error, Result};
use crate::stripe::{metadata, money};

/// A checked input.
#[derive(Debug, PartialEq)]
pub struct Input {
    /// The values of the path's placeholders, left to right.
    pub path: Vec<String>,
    /// The request's parameters.
    pub parameters: Map<String, Value>,
    /// The fields that the operation's hook adds.
    pub extra: Map<String, Value>,
}

/// Parses and checks an input.
///
/// # Errors
/// The first problem, with the path of its field.
pub fn check(operation: &Operation, text: &str) -> Result<Input> {
    let mut fields = parse(text)?;
    apply_defaults(operation, &mut fields);
    major_units(operation, &mut fields)?;
    one_of(operation, &fields)?;
    let mut input = Input { path: Vec::new(), parameters: Map::new(), extra: Map::new() };
    for name in operation.path_fields() {
        let value = fields.remove(name).ok_or_else(|| missing(name))?;
        input.path.push(id(operation, name, &value)?);
    }
    for name in operation.extra {
        if let Some(value) = fields.remove(*name) {
            let value = checked(name, name, value, &Shape::Boolean, None)?;
            input.extra.insert((*name).to_owned(), value);
        }
    }
    for (name, value) in fields {
        let Some(field) = operation.parameters.iter().find(|f| f.name == name) else {
            return Err(unknown(operation, &name));
        };
        let text = operation.text_of(field.name);
        if let (Some(picks), Value::String(value)) = (text.picks, &value) {
            right_resource(&name, value, picks)?;
        }
        let value = checked(&name, field.name, value, field.shape, text.rule)?;
        input.parameters.insert(name, value);
    }
    match operation.parameters.iter().find(|f| f.required && !input.parameters.contains_key(f.name)) {
        Some(field) => Err(missing(field.name)),
        None => Ok(input),
    }
}

fn parse(text: &str) -> Result<Map<String, Value>> {
    if text.len() > catalog::INPUT_BYTES {
        let (size, most) = (text.len() / 1024, catalog::INPUT_BYTES / 1024);
        return Err(Error::input("", format!("the input is {size} KiB; at most {most} KiB are read")));
    }
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(Error::input("", format!("the input must be a JSON object, not {}", describe(&other)))),
        Err(e) => Err(Error::input("", format!("the input is not JSON: {e}"))
            .hint("Send an object such as {\"email\": \"jenny@example.com\"}.")),
    }
}

fn apply_defaults(operation: &Operation, fields: &mut Map<String, Value>) {
    let defaults: Option<Map<String, Value>> = operation.defaults.and_then(|d| serde_json::from_str(d).ok());
    for (name, value) in defaults.into_iter().flatten() {
        fields.entry(name).or_insert(value);
    }
}

/// Turns `amount_major: "10.99"` into `amount: 1099`, in the input's own currency.
fn major_units(operation: &Operation, fields: &mut Map<String, Value>) -> Result<()> {
    for (major, minor) in operation.major_units {
        let Some(value) = fields.remove(*major) else { continue };
        if fields.contains_key(*minor) {
            return Err(Error::input(*major, format!("give `{major}` or `{minor}`, not both")));
        }
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if number.is_u64() => number.to_string(),
            _ => return Err(Error::input(*major, "must be a decimal number in quotes, such as \"10.99\"")),
        };
        let currency = fields.get("currency").and_then(Value::as_str).ok_or_else(|| missing("currency"))?;
        let amount = money::from_decimal(major, &text, &currency_code("currency", currency)?)?;
        fields.insert((*minor).to_owned(), Value::from(amount));
    }
    Ok(())
}

fn one_of(operation: &Operation, fields: &Map<String, Value>) -> Result<()> {
    let given = operation.one_of.iter().filter(|name| fields.contains_key(**name)).count();
    match (operation.one_of, given) {
        ([], _) | (_, 1) => Ok(()),
        ([first, ..], _) => {
            let names = operation.one_of.join("` or `");
            Err(Error::input(*first, format!("give exactly one of `{names}`; the input has {given}")))
        }
    }
}

fn missing(name: &str) -> Box<Error> {
    let help = catalog::field_text(name).help;
    let error = Error::input(name, format!("`{name}` is required"));
    if help.is_empty() { error } else { error.hint(help) }
}

fn unknown(operation: &Operation, name: &str) -> Box<Error> {
    let names = operation
        .path_fields()
        .chain(operation.parameters.iter().map(|f| f.name))
        .chain(operation.extra.iter().copied())
        .chain(operation.major_units.iter().map(|(major, _)| *major));
    let near = nearest(name, names);
    let error = Error::input(name, format!("`{}` has no field `{name}`", operation.id));
    match near.as_slice() {
        [] => error.hint("Describe the operation to see its fields."),
        near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
    }
}

/// An id that goes into the path.
fn id(operation: &Operation, name: &str, value: &Value) -> Result<String> {
    let text = value.as_str().ok_or_else(|| wrong_type(name, "an id in quotes", value))?;
    if text.is_empty() {
        return Err(missing(name));
    }
    if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(Error::input(name, "an id consists of letters, digits, _ and -"));
    }
    if let Some(picks) = operation.text_of(name).picks {
        right_resource(name, text, picks)?;
    }
    Ok(text.to_owned())
}

/// Refuses an id that by its prefix belongs to something else.
fn right_resource(name: &str, id: &str, wanted: &str) -> Result<()> {
    match catalog::resource_of_id(id) {
        Some(resource) if resource.name != wanted => {
            let title = catalog::resource(wanted).map_or(wanted, |r| r.title).to_ascii_lowercase();
            let other = resource.title.to_ascii_lowercase();
            Err(Error::input(name, format!("`{name}` needs the id of a {title}, and this is the id of a {other}")))
        }
        _ => Ok(()),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(n) if n.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn wrong_type(path: &str, wanted: &str, value: &Value) -> Box<Error> {
    Error::input(path, format!("`{path}` must be {wanted}, not {}", describe(value)))
}

/// Checks a value and returns it as it is sent. `name` is the last part of `path`.
fn checked(path: &str, name: &str, value: Value, shape: &Shape, rule: Option<Rule>) -> Result<Value> {
    match shape {
        Shape::Any => Ok(value),
        Shape::Boolean => {
            if value.is_boolean() {
                Ok(value)
            } else {
                Err(wrong_type(path, "true or false", &value))
            }
        }
        Shape::True => {
            if value == true {
                Ok(value)
            } else {
                Err(wrong_type(path, "true", &value))
            }
        }
        Shape::Integer => integer(path, value, rule),
        Shape::Number => {
            if value.is_number() {
                Ok(value)
            } else {
                Err(wrong_type(path, "a number", &value))
            }
        }
        Shape::Decimal => decimal(path, value),
        Shape::String => match value {
            Value::String(text) if rule == Some(Rule::Currency) => currency_code(path, &text).map(Value::from),
            Value::String(_) => Ok(value),
            _ => Err(wrong_type(path, "text", &value)),
        },
        Shape::Enum(values) => one_of_values(path, value, values),
        Shape::Array(item) => match value {
            Value::Array(items) => {
                let items = items.into_iter().enumerate();
                items
                    .map(|(i, v)| checked(&format!("{path}[{i}]"), name, v, item, None))
                    .collect::<Result<_>>()
                    .map(Value::Array)
            }
            _ => Err(wrong_type(path, "a list", &value)),
        },
        Shape::Map(item) => match value {
            Value::Object(entries) => {
                let mut out = Map::new();
                for (entry, value) in entries {
                    let value = checked(&format!("{path}.{entry}"), &entry, value, item, None)?;
                    out.insert(entry, value);
                }
                if name == "metadata" {
                    metadata::check(path, &out)?;
                }
                Ok(Value::Object(out))
            }
            _ => Err(wrong_type(path, "an object of names and values", &value)),
        },
        Shape::Object(fields) => match value {
            Value::Object(members) => object(path, members, fields),
            _ => Err(wrong_type(path, "an object", &value)),
        },
        Shape::Union(parts) => union(path, name, value, parts, rule),
        // Parameters name objects by id.
        Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => match value {
            Value::String(_) => Ok(value),
            _ => Err(wrong_type(path, "an id in quotes", &value)),
        },
    }
}

fn integer(path: &str, value: Value, rule: Option<Rule>) -> Result<Value> {
    // 2^53: above it a JSON number with a fraction part is not exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = match &value {
        Value::Number(n) => {
            n.as_i64().or_else(|| n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < EXACT).map(|f| f as i64))
        }
        Value::String(text) if text.parse::<i64>().is_ok() => {
            return Err(wrong_type(path, "a whole number", &value).hint("Send the number without quotes."));
        }
        _ => None,
    };
    let Some(number) = number else {
        let error = wrong_type(path, "a whole number", &value);
        return Err(match rule {
            Some(Rule::Amount | Rule::PositiveAmount) => {
                error.hint("Amounts are in the currency's smallest unit: 1099 is 10.99 USD.")
            }
            _ => error,
        });
    };
    match rule {
        Some(Rule::Amount) if number < 0 => Err(Error::input(path, format!("`{path}` must not be negative"))),
        Some(Rule::PositiveAmount) if number < 1 => Err(Error::input(path, format!("`{path}` must be at least 1"))),
        _ => Ok(Value::Number(Number::from(number))),
    }
}

fn decimal(path: &str, value: Value) -> Result<Value> {
    let text = match &value {
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_i64() => n.to_string(),
        _ => return Err(wrong_type(path, "a decimal number in quotes", &value)),
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if plain(whole) && plain(fraction) {
        Ok(Value::from(text))
    } else {
        Err(wrong_type(path, "a decimal number in quotes, such as \"0.5\"", &value))
    }
}

/// A currency code as Stripe writes it.
fn currency_code(path: &str, text: &str) -> Result<String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::input(path, format!("`{path}` must be a currency's three letters, such as usd")))
}

fn one_of_values(path: &str, value: Value, values: &[&str]) -> Result<Value> {
    let Value::String(text) = &value else {
        // The empty string that unsets, written as null.
        if value.is_null() && values == [""] {
            return Ok(Value::from(""));
        }
        return Err(wrong_type(path, "text", &value));
    };
    if values.contains(&text.as_str()) {
        return Ok(value);
    }
    let error = Error::input(path, format!("`{path}` cannot be {text:?}"));
    let near = nearest(text, values.iter().copied());
    Err(match (near.as_slice(), values.len()) {
        (_, ..=12) => error.hint(format!("It is one of {}.", values.join(", "))),
        ([], _) => error.hint(format!("It is one of {} values; describe the operation to see them.", values.len())),
        (near, _) => error.hint(format!("Did you mean {}?", near.join(" or "))),
    })
}

fn object(path: &str, members: Map<String, Value>, fields: &[Field]) -> Result<Value> {
    let mut out = Map::new();
    for (name, value) in members {
        let at = format!("{path}.{name}");
        let Some(field) = fields.iter().find(|f| f.name == name) else {
            let near = nearest(&name, fields.iter().map(|f| f.name));
            let error = Error::input(at, format!("`{path}` has no field `{name}`"));
            return Err(match near.as_slice() {
                [] => error
                    .hint(format!("Its fields are {}.", fields.iter().map(|f| f.name).collect::<Vec<_>>().join(", "))),
                near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
            });
        };
        let value = checked(&at, field.name, value, field.shape, catalog::field_text(field.name).rule)?;
        out.insert(name, value);
    }
    match fields.iter().find(|f| f.required && !out.contains_key(f.name)) {
        Some(field) => {
            Err(Error::input(format!("{path}.{}", field.name), format!("`{path}.{}` is required", field.name)))
        }
        None => Ok(Value::Object(out)),
    }
}

/// The first part that fits; or the error of the part that is of the value's own kind, which says most.
fn union(path: &str, name: &str, value: Value, parts: &[&Shape], rule: Option<Rule>) -> Result<Value> {
    let mut best: Option<Box<Error>> = None;
    for part in parts {
        match checked(path, name, value.clone(), part, rule) {
            Ok(value) => return Ok(value),
            Err(error) => {
                let same_kind = match part {
                    Shape::Object(_) | Shape::Map(_) => value.is_object(),
                    Shape::Array(_) => value.is_array(),
                    Shape::Integer | Shape::Number => value.is_number(),
                    Shape::Enum(_) => value.is_string() && !part.is_empty_string(),
                    Shape::String | Shape::Decimal => value.is_string(),
                    _ => false,
                };
                if same_kind || (best.is_none() && !part.is_empty_string()) {
                    best = Some(error);
                }
            }
        }
    }
    Err(best.unwrap_or_else(|| wrong_type(path, "something else", &value)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn operation(id: &str) -> &'static Operation {
        catalog::operation(id, None).expect(id)
    }

    fn ok(id: &str, input: Value) -> Input {
        check(operation(id), &input.to_string()).unwrap_or_else(|e| panic!("{id} {input}: {e:?}"))
    }

    fn refused(id: &str, input: &str) -> (String, String) {
        let error = check(operation(id), input).expect_err(input);
        assert_eq!(error.outcome, crate::error::Outcome::NotSent);
        assert_eq!(error.kind, crate::error::ErrorKind::InvalidInput);
        (error.field.unwrap_or_default(), format!("{} {}", error.message, error.hint.unwrap_or_default()))
    }

    #[test]
    fn every_sample_is_a_valid_input() {
        for operation in catalog::OPERATIONS {
            check(operation, operation.sample).unwrap_or_else(|e| panic!("{}: {e:?}", operation.id));
        }
    }

    #[test]
    fn names_the_missing_field() {
        assert_eq!(refused("payment_intent.create", r#"{"currency":"usd"}"#).0, "amount");
        assert_eq!(refused("payment_intent.confirm", "{}").0, "payment_intent");
        assert_eq!(
            refused("checkout_session.create", r#"{"line_items":[{"price_data":{"unit_amount":1}}]}"#).0,
            "line_items[0].price_data.currency"
        );
    }

    #[test]
    fn names_an_unknown_field_and_the_nearest() {
        let (field, text) = refused("customer.create", r#"{"emial":"a@b.c"}"#);
        assert_eq!(field, "emial");
        assert!(text.contains("`email`"), "{text}");
        let (field, text) = refused("customer.create", r#"{"address":{"zip":"1"}}"#);
        assert_eq!(field, "address.zip");
        assert!(text.contains("postal_code"), "{text}");
    }

    #[test]
    fn names_the_path_of_an_ill_typed_value() {
        for (id, input, field) in [
            ("customer.create", r#"{"email":5}"#, "email"),
            ("payment_intent.create", r#"{"amount":"1099","currency":"usd"}"#, "amount"),
            ("payment_intent.create", r#"{"amount":10.5,"currency":"usd"}"#, "amount"),
            ("payment_intent.create", r#"{"amount":true,"currency":"usd"}"#, "amount"),
            ("payment_intent.create", r#"{"amount":99999999999999999999,"currency":"usd"}"#, "amount"),
            ("payment_intent.create", r#"{"amount":1,"currency":"usd","confirm":"yes"}"#, "confirm"),
            (
                "subscription.create",
                r#"{"customer":"cus_1","items":[{"price":"price_1"},{"quantity":"2"}]}"#,
                "items[1].quantity",
            ),
            ("subscription.create", r#"{"customer":"cus_1","items":{"price":"price_1"}}"#, "items"),
            ("customer.create", r#"{"metadata":{"a":1}}"#, "metadata.a"),
            ("customer.create", r#"{"tax_exempt":"perhaps"}"#, "tax_exempt"),
            ("payment_intent.confirm", r#"{"payment_intent":"pi_1/../x"}"#, "payment_intent"),
        ] {
            assert_eq!(refused(id, input).0, field, "{input}");
        }
    }

    #[test]
    fn refuses_amounts_that_stripe_would_not_take() {
        assert!(refused("payment_intent.create", r#"{"amount":-5,"currency":"usd"}"#).1.contains("at least 1"));
        assert!(refused("payment_intent.create", r#"{"amount":0,"currency":"usd"}"#).1.contains("at least 1"));
        assert!(
            refused("price.create", r#"{"unit_amount":-1,"currency":"usd","product":"prod_1"}"#).1.contains("negative")
        );
        ok("price.create", json!({"unit_amount": 0, "currency": "usd", "product": "prod_1"}));
    }

    #[test]
    fn takes_a_whole_number_however_json_writes_it() {
        assert_eq!(
            ok("payment_intent.create", json!({"amount": 1099.0, "currency": "usd"})).parameters["amount"],
            json!(1099)
        );
    }

    #[test]
    fn currencies_have_three_letters_and_are_sent_in_lower_case() {
        for bad in ["us", "usdd", "us1", "u$d", "", "€"] {
            assert_eq!(
                refused("payment_intent.create", &json!({"amount": 1, "currency": bad}).to_string()).0,
                "currency"
            );
        }
        assert_eq!(ok("payment_intent.create", json!({"amount": 1, "currency": "EUR"})).parameters["currency"], "eur");
    }

    #[test]
    fn amounts_in_major_units_become_minor_ones() {
        let input = ok("payment_intent.create", json!({"amount_major": "10.99", "currency": "usd"}));
        assert_eq!(input.parameters["amount"], json!(1099));
        assert!(!input.parameters.contains_key("amount_major"));
        assert_eq!(
            ok("payment_intent.create", json!({"amount_major": "500", "currency": "JPY"})).parameters["amount"],
            json!(500)
        );
        assert_eq!(
            refused("payment_intent.create", r#"{"amount_major":"1","amount":100,"currency":"usd"}"#).0,
            "amount_major"
        );
        assert_eq!(refused("payment_intent.create", r#"{"amount_major":"10.999","currency":"usd"}"#).0, "amount_major");
        assert_eq!(refused("payment_intent.create", r#"{"amount_major":"1"}"#).0, "currency");
        assert_eq!(refused("payment_intent.create", r#"{"amount_major":"0.00","currency":"usd"}"#).0, "amount");
    }

    #[test]
    fn exactly_one_of_alternatives_is_wanted() {
        assert!(refused("refund.create", "{}").1.contains("exactly one"));
        assert!(refused("refund.create", r#"{"payment_intent":"pi_1","charge":"ch_1"}"#).1.contains("exactly one"));
        ok("refund.create", json!({"charge": "ch_1"}));
    }

    #[test]
    fn an_id_of_something_else_is_refused() {
        assert!(refused("payment_intent.confirm", r#"{"payment_intent":"cus_1"}"#).1.contains("id of a customer"));
        assert!(
            refused("subscription.create", r#"{"customer":"sub_1","items":[]}"#).1.contains("id of a subscription")
        );
    }

    #[test]
    fn metadata_limits_are_kept_locally() {
        let long = json!({"metadata": {"k": "v".repeat(501)}}).to_string();
        assert_eq!(refused("customer.create", &long).0, "metadata.k");
    }

    #[test]
    fn null_and_empty_text_unset_where_stripe_lets_them() {
        assert_eq!(ok("customer.create", json!({"metadata": null})).parameters["metadata"], "");
        assert_eq!(ok("customer.create", json!({"metadata": ""})).parameters["metadata"], "");
        assert_eq!(refused("customer.create", r#"{"email":null}"#).0, "email");
    }

    #[test]
    fn only_a_json_object_of_bearable_size_is_read() {
        assert!(refused("customer.create", "{").1.contains("not JSON"));
        assert!(refused("customer.create", "[1]").1.contains("not a list"));
        let big = json!({"description": "x".repeat(2 * 1024 * 1024)}).to_string();
        assert!(refused("customer.create", &big).1.contains("at most 1024 KiB"));
        assert!(check(operation("customer.create"), "").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            for operation in catalog::OPERATIONS {
                let _ = check(operation, &text);
            }
        }

        #[test]
        fn no_value_of_any_type_panics(name in "amount|currency|metadata|items|customer|confirm|address", value in arbitrary()) {
            let text = json!({ name: value }).to_string();
            for operation in catalog::OPERATIONS {
                let _ = check(operation, &text);
            }
        }
    }

    fn arbitrary() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map("[a-z_]{1,10}", inner, 0..5)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }
}
