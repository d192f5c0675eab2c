//! From Stripe's object to the platform's own terms, by the manifest's mapping.
//!
//! A value that the object does not have becomes `null`: objects of older API versions, deleted objects and
//! partial ones map as far as they go.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::catalog::{self, Mapping, Resource, ValueKind};
use crate::json::Members;
use crate::stripe::key::Mode;
use crate::stripe::money;

/// An object in the platform's terms; the contract documents each part.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "documented in the contract, `wit/types.wit`")]
pub struct Record {
    pub resource: &'static str,
    pub internal: &'static str,
    pub id: String,
    pub title: String,
    pub url: Option<String>,
    pub fields: String,
}

/// Whose dashboard an object is shown in.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// The mode of the key.
    pub mode: Mode,
    /// The connected account.
    pub account: Option<&'a str>,
}

/// Maps an object by its own `object` field, or as the resource that is expected.
pub fn record(object: &Value, expected: &str, viewer: Viewer<'_>) -> Option<Record> {
    let resource =
        object.at("object").as_str().and_then(catalog::resource_of_object).or_else(|| catalog::resource(expected))?;
    // A balance has no id: there is one an account.
    let id = object.at("id").as_str().or_else(|| object.at("object").as_str())?.to_owned();
    let mut fields = Map::new();
    for mapping in resource.mapping {
        fields.insert(mapping.internal.to_owned(), mapped(object, mapping));
    }
    Some(Record {
        resource: resource.name,
        internal: resource.internal,
        title: label(object, resource).unwrap_or_else(|| id.clone()),
        url: url(resource, &id, viewer),
        id,
        fields: Value::Object(fields).to_string(),
    })
}

/// What a list shows for an object.
pub fn label(object: &Value, resource: &Resource) -> Option<String> {
    resource.label.iter().find_map(|path| shown(object, path))
}

/// What a list shows beside the label: something else than the label.
pub fn detail(object: &Value, resource: &Resource) -> Option<String> {
    let label = label(object, resource);
    resource.detail.iter().filter_map(|path| shown(object, path)).find(|d| Some(d) != label.as_ref())
}

fn shown(object: &Value, path: &str) -> Option<String> {
    match at(object, path)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(match (number.as_i64(), object.at("currency").as_str()) {
            (Some(minor), Some(currency)) => {
                format!("{} {}", money::to_decimal(minor, currency), currency.to_ascii_uppercase())
            }
            _ => number.to_string(),
        }),
        _ => None,
    }
}

fn url(resource: &Resource, id: &str, viewer: Viewer<'_>) -> Option<String> {
    let folder = resource.dashboard?;
    let account = viewer.account.map(|a| format!("{a}/")).unwrap_or_default();
    let test = if viewer.mode == Mode::Test { "test/" } else { "" };
    Some(format!("https://dashboard.stripe.com/{account}{test}{folder}/{id}"))
}

/// The value at `a.b.0.c`.
fn at<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(object, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

fn mapped(object: &Value, mapping: &Mapping) -> Value {
    let found = mapping.paths.iter().find_map(|path| Some((path, at(object, path).filter(|v| !v.is_null())?)));
    let Some((path, value)) = found else { return Value::Null };
    match mapping.kind {
        ValueKind::Text => value.as_str().map_or(Value::Null, Value::from),
        ValueKind::Integer => value.as_i64().map_or(Value::Null, Value::from),
        ValueKind::Boolean => value.as_bool().map_or(Value::Null, Value::from),
        ValueKind::Timestamp => value.as_i64().and_then(timestamp).map_or(Value::Null, Value::from),
        ValueKind::Money => {
            // The currency stands beside the amount.
            let beside = path.rsplit_once('.').map(|(parent, _)| format!("{parent}.currency"));
            let currency =
                beside.and_then(|p| at(object, &p)).or_else(|| object.get("currency")).and_then(Value::as_str);
            value.as_i64().map_or(Value::Null, |minor| {
                json!({"minor": minor, "currency": currency, "decimal": currency.map(|c| money::to_decimal(minor, c))})
            })
        }
        // An id, or the object that was asked to stand in its place.
        ValueKind::Reference => value.as_str().or_else(|| value.at("id").as_str()).map_or(Value::Null, Value::from),
        ValueKind::Labels => {
            if value.is_object() {
                value.clone()
            } else {
                Value::Null
            }
        }
    }
}

/// Seconds since 1970 as RFC 3339 in UTC.
fn timestamp(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: Viewer<'_> = Viewer { mode: Mode::Test, account: None };

    fn fields(object: Value) -> Value {
        serde_json::from_str(&record(&object, "", TEST).expect("mapped").fields).expect("JSON")
    }

    #[test]
    fn maps_a_payment_with_its_money() {
        let payment = json!({"object": "payment_intent", "id": "pi_1", "amount": 1099, "amount_received": 0, "currency": "usd",
            "status": "succeeded", "customer": {"id": "cus_1", "object": "customer"}, "latest_charge": "ch_1", "created": 1767225600,
            "metadata": {"order": "1"}});
        let record = record(&payment, "", TEST).expect("mapped");
        assert_eq!((record.resource, record.internal, record.id.as_str()), ("payment_intent", "payment", "pi_1"));
        assert_eq!(record.url.as_deref(), Some("https://dashboard.stripe.com/test/payments/pi_1"));
        let fields = fields(payment);
        assert_eq!(fields["amount"], json!({"minor": 1099, "currency": "usd", "decimal": "10.99"}));
        assert_eq!(fields["contact"], "cus_1");
        assert_eq!(fields["created_at"], "2026-01-01T00:00:00Z");
        assert_eq!(fields["labels"], json!({"order": "1"}));
        assert_eq!(fields["description"], Value::Null);
    }

    #[test]
    fn reads_both_shapes_of_objects_that_moved_a_field() {
        let new =
            json!({"object": "subscription", "id": "sub_1", "items": {"data": [{"current_period_end": 1767225600}]}});
        let old = json!({"object": "subscription", "id": "sub_1", "current_period_end": 1767225600});
        assert_eq!(fields(new)["period_ends_at"], "2026-01-01T00:00:00Z");
        assert_eq!(fields(old)["period_ends_at"], "2026-01-01T00:00:00Z");
        let new =
            json!({"object": "invoice", "id": "in_1", "parent": {"subscription_details": {"subscription": "sub_1"}}});
        let old = json!({"object": "invoice", "id": "in_1", "subscription": "sub_1"});
        assert_eq!(fields(new)["subscription"], "sub_1");
        assert_eq!(fields(old)["subscription"], "sub_1");
    }

    #[test]
    fn maps_what_a_deleted_object_still_has() {
        let record = record(&json!({"object": "customer", "id": "cus_1", "deleted": true}), "", TEST).expect("mapped");
        assert_eq!((record.id.as_str(), record.title.as_str()), ("cus_1", "cus_1"));
    }

    #[test]
    fn maps_a_balance_which_has_no_id() {
        let balance = json!({"object": "balance", "available": [{"amount": 5, "currency": "jpy"}], "pending": []});
        assert_eq!(record(&balance, "", TEST).expect("mapped").id, "balance");
        assert_eq!(fields(balance)["available"], json!({"minor": 5, "currency": "jpy", "decimal": "5"}));
    }
}
