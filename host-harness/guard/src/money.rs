//! The money that a request moves.
//!
//! A list of requests says where each has its sum: in itself, in the object that it is about, in its lines. Of everything
//! else that may move money, and of every sum that depends on what is only known afterwards (taxes, usage, tiers), it is
//! said that it cannot be known; which counts as more than any cap. A sum is never taken too low: what a request leaves
//! out counts whole.

use serde_json::Value;

use crate::amount::{Amount, Currency};
use crate::catalogue::Template;
use crate::flow::Flow;
use crate::known::{Known, Looked, is_plain_id};
use crate::request::{Field, Outgoing};
use crate::verdict::Spend;

/// What a request moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Money {
    /// No money.
    None,
    /// This.
    Sum(Spend),
    /// It depends on the object at this path.
    Needs(String),
    /// It cannot be known, and why.
    Unknown(String),
}

/// Where a request has its sum.
#[derive(Clone, Copy)]
enum Place {
    /// In its own `amount` and `currency`.
    Own,
    /// In the object that the path names; a field of the request says less, another one of the object says how much.
    Object { less: &'static str, whole: &'static [&'static str] },
    /// In the payment that the request refers to.
    Refunded,
    /// In its lines of this name.
    Lines(&'static [&'static str]),
    /// In itself when nothing else is collected with it.
    Draft,
    /// In the object that the path names, if the request changes how much it is.
    Changed(&'static [&'static str]),
}

const OBJECT: Place = Place::Object { less: "", whole: &["amount"] };

const PLACES: &[(&str, Flow, Place)] = &[
    ("/v1/payment_intents", Flow::Payments, Place::Own),
    ("/v1/payment_intents/{}", Flow::Payments, Place::Changed(&["amount", "currency"])),
    (
        "/v1/invoiceitems/{}",
        Flow::Payments,
        Place::Changed(&["amount", "pricing", "price_data", "quantity", "quantity_decimal", "unit_amount_decimal"]),
    ),
    ("/v1/payment_intents/{}/confirm", Flow::Payments, OBJECT),
    ("/v1/payment_intents/{}/capture", Flow::Payments, Place::Object { less: "amount_to_capture", whole: &["amount"] }),
    ("/v1/payment_intents/{}/increment_authorization", Flow::Payments, Place::Object { less: "amount", whole: &[] }),
    ("/v1/charges", Flow::Payments, Place::Own),
    ("/v1/charges/{}/capture", Flow::Payments, Place::Object { less: "amount", whole: &["amount"] }),
    ("/v1/invoices/{}/pay", Flow::Payments, Place::Object { less: "", whole: &["amount_remaining", "amount_due"] }),
    (
        "/v1/invoices/{}/finalize",
        Flow::Payments,
        Place::Object { less: "", whole: &["amount_remaining", "amount_due"] },
    ),
    ("/v1/invoices", Flow::Payments, Place::Draft),
    ("/v1/invoiceitems", Flow::Payments, Place::Own),
    ("/v1/subscriptions", Flow::Payments, Place::Lines(&["items", "add_invoice_items"])),
    ("/v1/checkout/sessions", Flow::Payments, Place::Lines(&["line_items"])),
    ("/v1/refunds", Flow::Refunds, Place::Refunded),
    ("/v1/charges/{}/refund", Flow::Refunds, Place::Object { less: "amount", whole: &["amount"] }),
    ("/v1/charges/{}/refunds", Flow::Refunds, Place::Object { less: "amount", whole: &["amount"] }),
    ("/v1/payouts", Flow::Payouts, Place::Own),
    ("/v1/payouts/{}/reverse", Flow::Payouts, OBJECT),
    ("/v1/transfers", Flow::Transfers, Place::Own),
    ("/v1/transfers/{}/reversals", Flow::Transfers, Place::Object { less: "amount", whole: &["amount"] }),
    ("/v1/topups", Flow::Transfers, Place::Own),
];

/// Fields that add to lines what only the service can reckon.
const UNCERTAIN: &[&str] = &[
    "adjustable_quantity",
    "automatic_tax",
    "billing_schedules",
    "billing_thresholds",
    "default_tax_rates",
    "dynamic_tax_rates",
    "optional_items",
    "shipping_options",
    "tax_rates",
    "custom_unit_amount",
    "backdate_start_date",
];

/// What the request moves. `moves` says whether the catalogue takes it for one that may move any.
pub(crate) fn moved(request: &Outgoing, template: Option<&Template>, moves: bool, known: &Known) -> Money {
    let place = template.filter(|template| template.method == "POST").and_then(|template| {
        let shape = template.shape();
        PLACES.iter().find(|(path, ..)| *path == shape)
    });
    let Some((_, flow, place)) = place else {
        return match moves {
            false => Money::None,
            true => Money::Unknown("how much it moves is not in the request".to_owned()),
        };
    };
    if request.opaque {
        return Money::Unknown("its body cannot be read".to_owned());
    }
    let found = match place {
        Place::Own => own(request),
        Place::Object { less, whole } => object(request, less, whole, known),
        Place::Refunded => refunded(request, known),
        Place::Lines(names) => lines(request, names, known),
        Place::Draft => return draft(request),
        Place::Changed(names) => {
            let changes = |field: &Field| field.path.first().is_some_and(|first| names.contains(&first.as_str()));
            if !request.fields.iter().any(changes) {
                return Money::None;
            }
            changed(request, known)
        }
    };
    match found {
        Ok(amount) => Money::Sum(Spend { flow: *flow, amount }),
        Err(other) => other,
    }
}

fn unknown<T>(why: impl Into<String>) -> Result<T, Money> {
    Err(Money::Unknown(why.into()))
}

fn sum(minor: &str, code: &str) -> Result<Amount, Money> {
    let Some(currency) = Currency::new(code) else { return unknown("its currency is none that is known") };
    match minor.parse() {
        Ok(minor) => Ok(Amount { minor, currency }),
        Err(_) => unknown("its amount is no whole number above 0"),
    }
}

/// The only value of a field at the top. One that stands twice means nobody knows which.
fn only<'r>(request: &'r Outgoing, name: &str) -> Result<Option<&'r str>, Money> {
    let mut all = request.fields.iter().filter(|field| field.is(&[name]));
    match (all.next(), all.next()) {
        (Some(_), Some(_)) => unknown(format!("`{name}` stands there twice")),
        (found, _) => Ok(found.map(|field| field.value.as_str())),
    }
}

fn own(request: &Outgoing) -> Result<Amount, Money> {
    match (only(request, "amount")?, only(request, "currency")?) {
        (Some(amount), Some(currency)) => sum(amount, currency),
        (None, _) => unknown("it has no amount of its own"),
        (_, None) => unknown("it has no currency of its own"),
    }
}

fn look(known: &Known, path: String) -> Result<&Value, Money> {
    match known.at(&path) {
        Looked::Found(object) => Ok(object),
        Looked::NotYet(path) => Err(Money::Needs(path)),
        Looked::Nothing => unknown(format!("{path} cannot be read")),
    }
}

fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| object.get(name)).and_then(Value::as_u64).map(|number| number.to_string())
}

fn object(request: &Outgoing, less: &str, whole: &[&str], known: &Known) -> Result<Amount, Money> {
    let segments = request.segments();
    let [version, collection, id, ..] = segments.as_slice() else { return unknown("it names no object") };
    if !is_plain_id(id) {
        return unknown("it names no object");
    }
    let found = look(known, format!("/{version}/{collection}/{id}"))?;
    let given = if less.is_empty() { None } else { only(request, less)?.map(str::to_owned) };
    match given.or_else(|| number(found, whole)) {
        Some(minor) => sum(&minor, text(found, "currency")),
        None => unknown("the object that it is about tells no amount"),
    }
}

/// What an object is to be from now on. What is collected of it afterwards is judged by itself, but not what it is then.
fn changed(request: &Outgoing, known: &Known) -> Result<Amount, Money> {
    match (only(request, "amount")?, only(request, "currency")?) {
        (Some(amount), Some(currency)) => sum(amount, currency),
        (Some(_), None) => object(request, "amount", &[], known),
        (None, _) => unknown("how much it becomes is not in the request"),
    }
}

fn refunded(request: &Outgoing, known: &Known) -> Result<Amount, Money> {
    let of = match (only(request, "payment_intent")?, only(request, "charge")?) {
        (Some(id), None) if is_plain_id(id) => format!("/v1/payment_intents/{id}"),
        (None, Some(id)) if is_plain_id(id) => format!("/v1/charges/{id}"),
        (None, None) => return own(request),
        _ => return unknown("it names no payment, or two"),
    };
    let found = look(known, of)?;
    match only(request, "amount")?.map(str::to_owned).or_else(|| number(found, &["amount"])) {
        Some(minor) => sum(&minor, text(found, "currency")),
        None => unknown("the payment tells no amount"),
    }
}

/// A price's own amount and currency, where one piece costs the same as every other.
fn priced(id: &str, known: &Known) -> Result<Amount, Money> {
    if !is_plain_id(id) {
        return unknown("it names no price");
    }
    let price = look(known, format!("/v1/prices/{id}"))?;
    let recurring = price.get("recurring").unwrap_or(&Value::Null);
    let metered = text(recurring, "usage_type") == "metered";
    let divided = price.get("transform_quantity").is_some_and(|transform| !transform.is_null());
    if metered || divided || text(price, "billing_scheme") == "tiered" {
        return unknown(format!("what {id} costs depends on its use"));
    }
    match number(price, &["unit_amount"]) {
        Some(minor) => sum(&minor, text(price, "currency")),
        None => unknown(format!("{id} has no amount in whole units")),
    }
}

fn lines(request: &Outgoing, names: &[&str], known: &Known) -> Result<Amount, Money> {
    let on = |field: &&Field| !matches!(field.value.as_str(), "false" | "");
    let uncertain = |field: &&Field| field.path.iter().any(|part| UNCERTAIN.contains(&part.as_str()));
    let off = |field: &&Field| field.name() == "enabled" && !on(field);
    if let Some(field) = request.fields.iter().filter(uncertain).find(|field| !off(field)) {
        let name = field.path.first().map_or("", String::as_str);
        return unknown(format!("what `{name}` adds is reckoned afterwards"));
    }
    let mut of_lines: Vec<(&str, &str)> = Vec::new();
    for field in &request.fields {
        if let [list, index, ..] = field.path.as_slice()
            && names.contains(&list.as_str())
            && !of_lines.contains(&(list.as_str(), index.as_str()))
        {
            of_lines.push((list.as_str(), index.as_str()));
        }
    }
    let mut total: Option<Amount> = None;
    for (list, index) in of_lines {
        let at = |path: &[&str]| {
            let whole: Vec<&str> = [list, index].iter().chain(path).copied().collect();
            request.fields.iter().find(|field| field.is(&whole)).map(|field| field.value.as_str())
        };
        let unit = match (at(&["price"]), at(&["price_data", "unit_amount"]), at(&["price_data", "currency"])) {
            (Some(price), None, None) => priced(price, known)?,
            (None, Some(amount), Some(currency)) => sum(amount, currency)?,
            _ => return unknown("a line of it has no price that can be known"),
        };
        let quantity: u64 = match at(&["quantity"]).unwrap_or("1").parse() {
            Ok(quantity) => quantity,
            Err(_) => return unknown("a line of it has no quantity that can be known"),
        };
        let before = total.as_ref().map_or(0, |total| total.minor);
        if total.as_ref().is_some_and(|total| total.currency != unit.currency) {
            return unknown("its lines are in several currencies");
        }
        match unit.minor.checked_mul(quantity).and_then(|line| line.checked_add(before)) {
            Some(minor) => total = Some(Amount { minor, currency: unit.currency }),
            None => return unknown("it is more than can be counted"),
        }
    }
    match total {
        Some(total) => Ok(total),
        None => unknown("it has no lines"),
    }
}

/// A draft collects nothing until it is finalized, which is judged by itself.
fn draft(request: &Outgoing) -> Money {
    let finalizes_itself = request.top("auto_advance").is_some_and(|value| value != "false");
    match finalizes_itself {
        true => Money::Unknown("it finalizes itself, and what it collects is reckoned then".to_owned()),
        false => Money::None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue::tests::template;

    fn known() -> Known {
        let mut known = Known::default();
        known.keep("/v1/payment_intents/pi_1".into(), Some(json!({"amount": 5000, "currency": "eur"})));
        known.keep("/v1/charges/ch_1".into(), Some(json!({"amount": 700, "currency": "usd"})));
        known.keep("/v1/invoices/in_1".into(), Some(json!({"amount_remaining": 900, "currency": "usd"})));
        known.keep("/v1/prices/price_1".into(), Some(json!({"unit_amount": 250, "currency": "usd"})));
        let metered = json!({"unit_amount": 1, "currency": "usd", "recurring": {"usage_type": "metered"}});
        known.keep("/v1/prices/price_m".into(), Some(metered));
        known.keep("/v1/prices/price_gone".into(), None);
        known
    }

    fn of(path: &str, target: &str, body: &str) -> String {
        let template = template("x", "POST", path, "");
        match moved(&Outgoing::made("POST", target, body), Some(&template), true, &known()) {
            Money::None => "none".to_owned(),
            Money::Sum(spend) => spend.to_string(),
            Money::Needs(path) => format!("needs {path}"),
            Money::Unknown(why) => format!("unknown: {why}"),
        }
    }

    #[test]
    fn a_sum_is_where_the_request_has_it() {
        for (path, target, body, says) in [
            ("/v1/payment_intents", "/v1/payment_intents", "amount=1099&currency=usd", "10.99 USD (payments)"),
            ("/v1/payment_intents/{intent}", "/v1/payment_intents/pi_1", "amount=99999", "999.99 EUR (payments)"),
            ("/v1/payment_intents/{intent}", "/v1/payment_intents/pi_1", "description=x", "none"),
            ("/v1/payouts", "/v1/payouts", "amount=500&currency=jpy", "500 JPY (payouts)"),
            ("/v1/transfers", "/v1/transfers", "amount=1&currency=EUR&destination=acct_1", "0.01 EUR (transfers)"),
            ("/v1/payment_intents/{intent}/confirm", "/v1/payment_intents/pi_1/confirm", "", "50.00 EUR (payments)"),
            (
                "/v1/payment_intents/{intent}/capture",
                "/v1/payment_intents/pi_1/capture",
                "amount_to_capture=10",
                "0.10 EUR (payments)",
            ),
            ("/v1/payment_intents/{intent}/capture", "/v1/payment_intents/pi_1/capture", "", "50.00 EUR (payments)"),
            ("/v1/invoices/{invoice}/pay", "/v1/invoices/in_1/pay", "", "9.00 USD (payments)"),
            ("/v1/refunds", "/v1/refunds", "charge=ch_1", "7.00 USD (refunds)"),
            ("/v1/refunds", "/v1/refunds", "payment_intent=pi_1&amount=20", "0.20 EUR (refunds)"),
            ("/v1/refunds", "/v1/refunds", "payment_intent=pi_2", "needs /v1/payment_intents/pi_2"),
            (
                "/v1/subscriptions",
                "/v1/subscriptions",
                "items[0][price]=price_1&items[0][quantity]=3&items[1][price]=price_1",
                "10.00 USD (payments)",
            ),
            (
                "/v1/checkout/sessions",
                "/v1/checkout/sessions",
                "line_items[0][price_data][unit_amount]=400&line_items[0][price_data][currency]=usd&line_items[0][quantity]=2&automatic_tax[enabled]=false",
                "8.00 USD (payments)",
            ),
            ("/v1/invoices", "/v1/invoices", "customer=cus_1&auto_advance=false", "none"),
        ] {
            assert_eq!(of(path, target, body), says, "{target} {body}");
        }
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        for (path, body) in [
            ("/v1/payment_intents", "amount=1099"),
            ("/v1/payment_intents", "amount=1099&currency=xyz"),
            ("/v1/payment_intents", "amount=-5&currency=usd"),
            ("/v1/payment_intents", "amount=1&amount=100000&currency=usd"),
            ("/v1/payment_intents/{intent}", "currency=usd"),
            ("/v1/invoiceitems/{item}", "quantity=100"),
            ("/v1/refunds", "payment_intent=pi_1&charge=ch_1"),
            ("/v1/refunds", "charge=../payouts"),
            ("/v1/subscriptions", "items[0][price]=price_m"),
            ("/v1/subscriptions", "items[0][price]=price_gone"),
            ("/v1/subscriptions", "items[0][price]=price_1&automatic_tax[enabled]=true"),
            ("/v1/subscriptions", "items[0][price]=price_1&items[0][quantity]=18446744073709551615"),
            (
                "/v1/subscriptions",
                "items[0][price]=price_1&items[1][price_data][unit_amount]=1&items[1][price_data][currency]=eur",
            ),
            ("/v1/subscriptions", "items[0][plan]=gold"),
            ("/v1/subscriptions", "customer=cus_1"),
            ("/v1/invoices", "auto_advance=true"),
            ("/v1/anything_else", "amount=1&currency=usd"),
        ] {
            let says = of(path, path, body);
            assert!(says.starts_with("unknown: "), "{path} {body}: {says}");
        }
    }

    #[test]
    fn what_may_move_nothing_moves_nothing() {
        let template = template("x", "POST", "/v1/customers", "");
        let request = Outgoing::made("POST", "/v1/customers", "email=a@b.c");
        assert_eq!(moved(&request, Some(&template), false, &known()), Money::None);
        assert!(matches!(moved(&request, None, true, &known()), Money::Unknown(_)));
    }
}
