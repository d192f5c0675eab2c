//! From Stripe's object to the platform's own terms, by the manifest's mapping.
//!
//! A value that the object does not have becomes `null`: objects of older API versions, deleted objects and
//! partial ones map as far as they go.

use crate::catalogue::{self, Mapping, Resource, ValueKind};
use crate::json::{Kind, Node, Writer};
use crate::stripe::key::Mode;
use crate::stripe::{form, money};
use crate::timestamp;

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

/// Maps an object by its own `object` field; one that has none as the resource that is expected.
pub fn record(object: Node<'_, '_>, expected: &str, viewer: Viewer<'_>) -> Option<Record> {
    let resource = resource(object, expected)?;
    let id = match object.get("id") {
        Some(id) => id.as_str()?.into_owned(),
        // Reported usage goes by its identifier; there is one balance an account, and it has no id at all.
        None if resource.id_prefixes().is_empty() => {
            object.get("identifier").or_else(|| object.get("object"))?.as_str()?.into_owned()
        }
        None => return None,
    };
    Some(Record {
        resource: resource.name(),
        internal: resource.internal(),
        title: label(object, resource).unwrap_or_else(|| id.clone()),
        url: url(resource, &id, viewer),
        fields: fields(object, resource),
        id,
    })
}

/// What kind of object it is.
fn resource(object: Node<'_, '_>, expected: &str) -> Option<Resource<'static>> {
    let table = catalogue::table().ok()?;
    // A list of bank accounts that an operation on accounts answers with is no list of accounts.
    match object.get("object").and_then(Node::as_str) {
        Some(own) => table.resource_of_object(&own),
        None => table.resource(expected),
    }
}

/// What a list shows for an object.
pub fn label(object: Node<'_, '_>, resource: Resource<'static>) -> Option<String> {
    resource.label().iter().find_map(|path| shown(object, path))
}

/// What a list shows beside the label: what else there is to know it by, `10.99 USD · succeeded`.
pub fn detail(object: Node<'_, '_>, resource: Resource<'static>) -> Option<String> {
    let label = label(object, resource);
    let mut text = String::new();
    for path in resource.detail() {
        let part = shown(object, path).filter(|part| Some(part) != label.as_ref()).unwrap_or_default();
        if !text.is_empty() && !part.is_empty() {
            text.push_str(" · ");
        }
        text.push_str(&part);
    }
    Some(text).filter(|text| !text.is_empty())
}

fn shown(object: Node<'_, '_>, path: &str) -> Option<String> {
    let value = object.at(path)?;
    if is_amount(path)
        && let Some(Money { minor, currency: Some(currency) }) = Money::read(object, path, value)
    {
        let around = path.rsplit_once('.').map_or(Some(object), |(around, _)| object.at(around));
        let often = around.and_then(|price| often(price.get("recurring")?)).unwrap_or_default();
        return Some([money::shown(minor, &currency), often].concat());
    }
    match value.kind() {
        Kind::String => value.as_str().filter(|text| !text.is_empty()).map(Into::into),
        Kind::Number if is_percentage(path) => Some([value.raw(), " %"].concat()),
        // The day is what people remember.
        Kind::Number if path == "created" || path.ends_with("_date") => {
            let moment = timestamp::from_unix(value.as_i64()?)?;
            moment.split_once('T').map(|(day, _)| day.to_owned())
        }
        Kind::Number => Some(value.raw().to_owned()),
        _ => None,
    }
}

/// How often a price is due: ` a month`, ` every 3 months`.
fn often(recurring: Node<'_, '_>) -> Option<String> {
    let interval = recurring.get("interval")?.as_str()?;
    Some(match recurring.get("interval_count").map_or("1", Node::raw) {
        "1" => [" a ", &*interval].concat(),
        count => [" every ", count, " ", &*interval, "s"].concat(),
    })
}

/// Whether the name at the end of a path is one that Stripe gives to amounts of money: `unit_amount`,
/// `amount_off`, `total`, `ending_balance`. A `quantity` beside a currency is none.
fn is_amount(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let last = name.rsplit('_').next().unwrap_or_default();
    name.contains("amount") || matches!(last, "total" | "subtotal" | "balance" | "fee" | "net" | "tax")
}

/// Whether the name at the end of a path is one that Stripe gives to percentages: `percent_off`, `percentage`.
fn is_percentage(path: &str) -> bool {
    path.rsplit('.').next().unwrap_or_default().contains("percent")
}

fn url(resource: Resource<'static>, id: &str, viewer: Viewer<'_>) -> Option<String> {
    let folder = Some(resource.dashboard()).filter(|folder| !folder.is_empty())?;
    let account = viewer.account.unwrap_or_default();
    let behind = if account.is_empty() { "" } else { "/" };
    let test = if viewer.mode == Mode::Test { "test/" } else { "" };
    Some(["https://dashboard.stripe.com/", account, behind, test, folder, "/", &form::escape(id)].concat())
}

/// The internal fields, as JSON.
fn fields(object: Node<'_, '_>, resource: Resource<'static>) -> String {
    let mut json = Writer::with_capacity(512);
    json.begin_object();
    for mapping in resource.mapping() {
        json.key(mapping.internal());
        if field(object, mapping, &mut json).is_none() {
            json.null();
        }
    }
    json.end_object();
    json.finish()
}

/// The internal fields that an object has no place for at all: it is rendered in a version that knows other ones.
pub fn lacking(object: Node<'_, '_>) -> Vec<&'static str> {
    let has = |path: &str| path.split('.').next().is_some_and(|first| object.get(first).is_some());
    let Some(resource) = resource(object, "") else { return Vec::new() };
    resource.mapping().iter().filter(|m| !m.paths().iter().any(has)).map(|m| m.internal()).collect()
}

/// Writes one internal field; none where the object has nothing that it could be.
fn field(object: Node<'_, '_>, mapping: Mapping<'static>, json: &mut Writer) -> Option<()> {
    let found = |path: &'static str| Some((path, object.at(path).filter(|v| !v.is_null())?));
    let (path, value) = mapping.paths().iter().find_map(found)?;
    match mapping.kind() {
        ValueKind::Text => json.raw(of_kind(value, Kind::String)?),
        ValueKind::Integer => json.integer(value.as_i64()?),
        // As it is written, so that nothing is rounded.
        ValueKind::Number => json.raw(of_kind(value, Kind::Number)?),
        ValueKind::Boolean => json.raw(of_kind(value, Kind::Boolean)?),
        ValueKind::Timestamp => match value.as_i64() {
            Some(seconds) => json.string(&timestamp::from_unix(seconds)?),
            None => json.string(&value.as_str().filter(|text| timestamp::is_written(text))?),
        },
        ValueKind::Money => Money::read(object, path, value)?.write(json),
        // An id, or the object that was asked to stand in its place.
        ValueKind::Reference => json.raw(of_kind(value.get("id").unwrap_or(value), Kind::String)?),
        ValueKind::Labels => {
            of_kind(value, Kind::Object)?;
            json.begin_object();
            for (name, label) in value.members() {
                json.key(&name).raw(label.raw());
            }
            json.end_object()
        }
    };
    Some(())
}

/// How a value of this kind is written.
fn of_kind<'a>(value: Node<'_, 'a>, kind: Kind) -> Option<&'a str> {
    (value.kind() == kind).then_some(value.raw())
}

/// An amount, and its currency where the object says it.
struct Money {
    minor: i64,
    currency: Option<String>,
}

impl Money {
    /// Reads v1's `{"amount": 1099, "currency": "usd"}`, of which `value` is the first, and v2's
    /// `{"amount": {"value": 1099, "currency": "usd"}}`.
    fn read(object: Node<'_, '_>, path: &str, value: Node<'_, '_>) -> Option<Self> {
        let text = |node: Node<'_, '_>| node.as_str().map(|currency| currency.to_ascii_lowercase());
        if let Some(minor) = value.get("value") {
            return Some(Self { minor: minor.as_i64()?, currency: value.get("currency").and_then(text) });
        }
        // The currency stands beside the amount.
        let beside = path.rsplit_once('.').and_then(|(parent, _)| object.at(parent)?.get("currency"));
        let currency = beside.or_else(|| object.get("currency")).and_then(text);
        Some(Self { minor: value.as_i64()?, currency })
    }

    fn write<'w>(&self, json: &'w mut Writer) -> &'w mut Writer {
        json.begin_object().key("minor").integer(self.minor);
        match &self.currency {
            Some(currency) => {
                json.key("currency").string(currency);
                json.key("decimal").string(&money::to_decimal(self.minor, currency));
                json.key("display").string(&money::shown(self.minor, currency))
            }
            None => json.key("currency").null().key("decimal").null().key("display").null(),
        };
        json.end_object()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Doc;

    const TEST: Viewer<'_> = Viewer { mode: Mode::Test, account: None };

    fn mapped(object: &Value) -> Record {
        let text = object.to_string();
        record(Doc::scan_str(&text).expect("JSON").root(), "", TEST).expect("mapped")
    }

    fn fields(object: Value) -> Value {
        serde_json::from_str(&mapped(&object).fields).expect("JSON")
    }

    #[test]
    fn maps_a_payment_with_its_money() {
        let payment = json!({"object": "payment_intent", "id": "pi_1", "amount": 1099, "amount_received": 0, "currency": "usd",
            "status": "succeeded", "customer": {"id": "cus_1", "object": "customer"}, "latest_charge": "ch_1", "created": 1767225600,
            "metadata": {"order": "1", "a \"b\"": "é\n"}});
        let record = mapped(&payment);
        assert_eq!((record.resource, record.internal, record.id.as_str()), ("payment_intent", "payment", "pi_1"));
        assert_eq!(record.url.as_deref(), Some("https://dashboard.stripe.com/test/payments/pi_1"));
        let fields = fields(payment);
        assert_eq!(
            fields["amount"],
            json!({"minor": 1099, "currency": "usd", "decimal": "10.99", "display": "10.99 USD"})
        );
        assert_eq!(fields["contact"], "cus_1");
        assert_eq!(fields["created_at"], "2026-01-01T00:00:00Z");
        assert_eq!(fields["labels"], json!({"order": "1", "a \"b\"": "é\n"}));
        assert_eq!(fields["description"], Value::Null);
    }

    #[test]
    fn a_value_of_another_type_maps_to_null() {
        let payment = json!({"object": "payment_intent", "id": "pi_1", "amount": "1099", "amount_received": 1.5, "currency": 7,
            "status": 1, "customer": ["cus_1"], "latest_charge": {"object": "charge"}, "created": 1e20, "metadata": [], "description": {}});
        let fields = fields(payment);
        assert!(fields.as_object().expect("fields").values().all(Value::is_null), "{fields}");
        // A number that is an amount in a currency that is not said is still an amount.
        let charge = json!({"object": "charge", "id": "ch_1", "amount": 5, "currency": null, "created": "2026-01-01T00:00:00.000Z",
            "paid": "true", "refunded": false});
        let fields = self::fields(charge);
        assert_eq!(fields["amount"], json!({"minor": 5, "currency": null, "decimal": null, "display": null}));
        assert_eq!((&fields["paid"], &fields["refunded"]), (&Value::Null, &json!(false)));
        assert_eq!(fields["created_at"], "2026-01-01T00:00:00.000Z");
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
    fn finds_the_charge_of_a_payment_of_any_api_version() {
        let payment = |rest: Value| {
            let mut payment = json!({"object": "payment_intent", "id": "pi_1"});
            payment.as_object_mut().expect("object").extend(rest.as_object().expect("object").clone());
            fields(payment)["charge"].clone()
        };
        assert_eq!(payment(json!({"latest_charge": "ch_1"})), "ch_1");
        assert_eq!(payment(json!({"latest_charge": {"id": "ch_1", "object": "charge"}})), "ch_1");
        // Until 2022-11-15 a payment had a list of its charges, the newest first.
        let charges = json!({"object": "list", "data": [{"id": "ch_2", "object": "charge"}, {"id": "ch_1"}]});
        assert_eq!(payment(json!({"charges": charges})), "ch_2");
        assert_eq!(payment(json!({"latest_charge": null, "charges": {"data": []}})), Value::Null);
    }

    #[test]
    fn maps_what_a_deleted_object_still_has() {
        let record = mapped(&json!({"object": "customer", "id": "cus_1", "deleted": true}));
        assert_eq!((record.id.as_str(), record.title.as_str()), ("cus_1", "cus_1"));
    }

    #[test]
    fn maps_a_balance_which_has_no_id() {
        let balance = json!({"object": "balance", "available": [{"amount": 5, "currency": "jpy"}], "pending": []});
        assert_eq!(mapped(&balance).id, "balance");
        assert_eq!(
            fields(balance)["available"],
            json!({"minor": 5, "currency": "jpy", "decimal": "5", "display": "5 JPY"})
        );
    }

    #[test]
    fn what_is_no_object_of_stripe_is_not_mapped() {
        for text in [
            "null",
            "[]",
            "{}",
            "\"customer\"",
            "7",
            r#"{"id": "cus_1"}"#,
            r#"{"object": "customer"}"#,
            r#"{"object": "customer", "id": 7}"#,
            r#"{"object": "customer", "id": null}"#,
        ] {
            let doc = Doc::scan_str(text).expect("JSON");
            assert_eq!(record(doc.root(), "", TEST), None, "{text}");
        }
    }

    #[test]
    fn an_object_of_a_kind_that_is_not_mapped_is_not_taken_for_what_was_expected() {
        let of = |text: &str| {
            let doc = Doc::scan_str(text).expect("JSON");
            record(doc.root(), "account", TEST).map(|r| (r.resource, r.id))
        };
        assert_eq!(of(r#"{"object": "bank_account", "id": "ba_1"}"#), None);
        assert_eq!(of(r#"{"object": "invoice", "id": "in_1"}"#), Some(("invoice", "in_1".to_owned())));
        assert_eq!(of(r#"{"id": "acct_1"}"#), Some(("account", "acct_1".to_owned())));
    }

    #[test]
    fn an_id_cannot_lead_out_of_its_dashboard_page() {
        let record = mapped(&json!({"object": "product", "id": "../a?b#c"}));
        assert_eq!(record.url.as_deref(), Some("https://dashboard.stripe.com/test/products/..%2Fa%3Fb%23c"));
    }

    #[test]
    fn shows_money_where_the_name_says_so_and_nowhere_else() {
        let text = json!({"unit_amount": 1099, "total": -5, "quantity": 3, "percent_off": 12.5, "created": 1767225600, "currency": "usd",
            "amount": {"value": 1099, "currency": "JPY"}, "amount_off": null, "network": 7,
            "first": {"ending_balance": 1099, "currency": "bhd"}, "tiers": [{"flat_amount": 150}], "name": "", "free": {"amount": 5, "currency": "jpy"}})
        .to_string();
        let doc = Doc::scan_str(&text).expect("JSON");
        for (path, expected) in [
            ("unit_amount", Some("10.99 USD")),
            ("total", Some("-0.05 USD")),
            ("first.ending_balance", Some("1.099 BHD")),
            ("tiers.0.flat_amount", Some("1.50 USD")),
            ("free.amount", Some("5 JPY")),
            ("amount", Some("1099 JPY")),
            ("quantity", Some("3")),
            ("percent_off", Some("12.5 %")),
            ("created", Some("2026-01-01")),
            ("network", Some("7")),
            ("name", None),
            ("amount_off", None),
            ("missing.amount", None),
        ] {
            assert_eq!(shown(doc.root(), path).as_deref(), expected, "{path}");
        }
        let free = Doc::scan_str(r#"{"amount": 5}"#).expect("JSON");
        assert_eq!(shown(free.root(), "amount").as_deref(), Some("5"));
    }

    #[test]
    fn a_percentage_is_the_number_that_stripe_wrote() {
        let coupon = fields(json!({"object": "coupon", "id": "SUMMER", "percent_off": 33.33, "valid": true}));
        assert_eq!((&coupon["percent_off"], &coupon["amount"]), (&json!(33.33), &Value::Null));
        let text = fields(json!({"object": "coupon", "id": "SUMMER", "percent_off": "33"}));
        assert_eq!(text["percent_off"], Value::Null);
    }

    #[test]
    fn reported_usage_goes_by_its_identifier() {
        let usage = json!({"object": "billing.meter_event", "event_name": "calls", "identifier": "run 7",
            "payload": {"value": "25"}, "timestamp": 1767225600});
        let record = mapped(&usage);
        assert_eq!((record.resource, record.internal, record.id.as_str()), ("billing_meter_event", "usage", "run 7"));
        assert_eq!(fields(usage)["usage"], json!({"value": "25"}));
        let adjustment = json!({"object": "billing.meter_event_adjustment", "event_name": "calls"}).to_string();
        let doc = Doc::scan_str(&adjustment).expect("JSON");
        assert_eq!(super::record(doc.root(), "billing_meter_event", TEST), None);
    }

    #[test]
    fn a_price_shows_what_it_costs_how_often_and_of_what() {
        let price = catalogue::table().expect("opens").resource("price").expect("price");
        let shown = |recurring: Value, nickname: Value, product: Value| {
            let text = json!({"object": "price", "id": "price_1", "unit_amount": 1200, "currency": "usd",
                "nickname": nickname, "recurring": recurring, "product": product})
            .to_string();
            let doc = Doc::scan_str(&text).expect("JSON");
            (label(doc.root(), price).expect("a label"), detail(doc.root(), price).unwrap_or_default())
        };
        let every = |interval: &str, count: u8| json!({"interval": interval, "interval_count": count});
        let pro = json!({"object": "product", "id": "prod_1", "name": "Pro"});
        let pair = |label: &str, detail: &str| (label.to_owned(), detail.to_owned());
        assert_eq!(shown(every("month", 1), Value::Null, pro.clone()), pair("12.00 USD a month", "Pro"));
        assert_eq!(shown(every("month", 3), Value::Null, pro.clone()), pair("12.00 USD every 3 months", "Pro"));
        assert_eq!(shown(Value::Null, Value::Null, pro.clone()), pair("12.00 USD", "Pro"));
        assert_eq!(shown(every("year", 1), json!("Gold"), pro), pair("Gold", "12.00 USD a year · Pro"));
        // Where only the product's id is known, the price is all there is to tell.
        assert_eq!(shown(every("day", 1), Value::Null, json!("prod_1")), pair("12.00 USD a day", ""));
    }

    #[test]
    fn a_list_shows_a_label_and_something_else_beside_it() {
        let text = json!({"object": "customer", "id": "cus_1", "name": "", "email": "jenny@example.com", "description": "VIP"}).to_string();
        let doc = Doc::scan_str(&text).expect("JSON");
        let customer = catalogue::table().expect("opens").resource("customer").expect("customer");
        assert_eq!(label(doc.root(), customer).as_deref(), Some("jenny@example.com"));
        assert_eq!(detail(doc.root(), customer).as_deref(), Some("VIP"));
    }
}
