//! API versions before the pinned one: what they still take, and how they show what changed since.
//!
//! The files beside this one are in the form of the facts. A file named after a version lists what that version
//! dropped: parameters, so a request in any earlier one may send them, and members of objects, so an answer in
//! any earlier one has them; `.new` beside the version are the members of objects that it brought. Handlers know
//! the old names beside the new ones. Only what official tools still send and read is here, not the whole of
//! every version.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Operation, Shape};

use crate::resources::Read;
use crate::world::{Account, Object};

static DROPPED: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    [include_str!("2025-03-31.facts"), include_str!("2025-09-30.facts"), include_str!("2026-09-30.facts")]
        .into_iter()
        .filter_map(|text| stripe_facts::text::parse(text).ok())
        .collect()
});

static BROUGHT: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    [include_str!("2025-03-31.new.facts"), include_str!("2025-09-30.new.facts")]
        .into_iter()
        .filter_map(|text| stripe_facts::text::parse(text).ok())
        .collect()
});

/// Members of objects by their kind.
type Kinds = BTreeMap<&'static str, Vec<Field>>;

/// The members of objects before a version's date, by the date (latest first) and the kind.
static MEMBERS: LazyLock<Vec<(&'static str, Kinds)>> = LazyLock::new(|| {
    let mut merged = Kinds::new();
    let mut found = Vec::new();
    for dropped in DROPPED.iter().rev().filter(|f| !f.objects.is_empty()) {
        let brought = BROUGHT.iter().find(|f| f.api_version == dropped.api_version);
        for kind in dropped.objects.keys() {
            let bundled = || Facts::bundled().object(kind).unwrap_or_default().to_vec();
            let fields = merged.entry(kind).or_insert_with(bundled);
            let gone = brought.and_then(|f| f.object(kind)).unwrap_or_default();
            fields.retain(|f| !gone.iter().any(|g| g.name == f.name));
            merge(fields, dropped.object(kind).unwrap_or_default());
        }
        found.push((date(&dropped.api_version), merged.clone()));
    }
    found
});

static UNDOCUMENTED: LazyLock<Option<Facts>> =
    LazyLock::new(|| stripe_facts::text::parse(include_str!("undocumented.facts")).ok());

/// The version of an account whose owner never chose another: the last before invoices and subscriptions were
/// rebuilt. The official command line sends no version, and its fixtures want this or an earlier one.
pub(crate) const ACCOUNT_DEFAULT: &str = "2025-02-24.acacia";

/// Operations that official tools call and no description has.
pub(crate) fn undocumented() -> &'static [Operation] {
    UNDOCUMENTED.as_ref().map_or(&[], |f| &f.operations)
}

/// The parameters of an operation in earlier versions, newest first: what a version before the date takes.
pub(crate) fn parameters(operation: &Operation) -> Vec<(&'static str, Vec<Field>)> {
    let mut merged = operation.parameters.clone();
    let mut found = Vec::new();
    for facts in DROPPED.iter().rev() {
        let Some(dropped) = facts.operation(operation.method, &operation.path) else { continue };
        merge(&mut merged, &dropped.parameters);
        found.push((date(&facts.api_version), merged.clone()));
    }
    found
}

/// The members of the objects of a kind in a version, where they are others than today.
pub(crate) fn members(kind: &str, version: &str) -> Option<&'static [Field]> {
    let (_, kinds) = MEMBERS.iter().rev().find(|(until, _)| date(version) < *until)?;
    kinds.get(kind).map(Vec::as_slice)
}

fn date(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn merge(into: &mut Vec<Field>, more: &[Field]) {
    for field in more {
        match into.iter_mut().find(|f| f.name == field.name) {
            Some(known) => {
                known.required &= field.required;
                merge_shape(&mut known.shape, &field.shape);
            }
            None => into.push(field.clone()),
        }
    }
}

fn merge_shape(into: &mut Shape, more: &Shape) {
    match (into, more) {
        (Shape::Object(into), Shape::Object(more)) => merge(into, more),
        (Shape::Array(into), Shape::Array(more)) => merge_shape(into, more),
        (Shape::Union(parts), more) => parts.iter_mut().for_each(|p| merge_shape(p, more)),
        _ => {}
    }
}

/// Whether answers in this version differ from how objects are kept.
pub(crate) fn differs(version: &str) -> bool {
    version < "2025-09-30"
}

/// Whether objects of this kind, or with such objects in them, look different in earlier versions.
pub(crate) fn concerns(text: &[u8]) -> bool {
    ["invoice", "subscription", "promotion_code", "line_item"].iter().any(|kind| has(text, kind))
}

/// Whether there are objects of a kind in a text.
fn has(text: &[u8], kind: &str) -> bool {
    memchr::memmem::find(text, format!("\"object\":\"{kind}\"").as_bytes()).is_some()
}

/// What an earlier version shows in an object that is now apart from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Apart {
    /// The payment intent of the invoice of this id.
    IntentOf,
    /// The price of this id.
    Price,
    /// The coupon of this id.
    Coupon,
}

/// Finds what is apart.
pub(crate) type LookUp<'a> = &'a dyn Fn(Apart, &str) -> Option<Object>;

/// What was apart from an object at a moment.
pub(crate) type Noted = HashMap<(Apart, Box<str>), Object>;

/// Finds what is apart in an account.
pub(crate) fn look_up(account: &Account, apart: Apart, id: &str) -> Option<Object> {
    match apart {
        Apart::IntentOf => {
            let payment = account.newest("invoice_payment", id, |p| p.text("invoice") == Some(id))?;
            account.get("payment_intent", payment.object("payment")?.text("payment_intent")?)
        }
        Apart::Price => account.get("price", id),
        Apart::Coupon => account.get("coupon", id),
    }
}

/// Notes what an earlier version would show of an object, for when the account is not at hand.
pub(crate) fn note(account: &Account, text: &[u8]) -> Noted {
    if !["invoice", "promotion_code"].iter().any(|kind| has(text, kind)) {
        return Noted::new();
    }
    let Ok(mut value) = serde_json::from_slice(text) else { return Noted::new() };
    let noted = RefCell::new(Noted::new());
    show(&mut value, "", &|apart, id| {
        let found = look_up(account, apart, id)?;
        noted.borrow_mut().insert((apart, id.into()), found.clone());
        Some(found)
    });
    noted.into_inner()
}

/// Shows a value as an earlier version does.
pub(crate) fn show(value: &mut Value, version: &str, look_up: LookUp<'_>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|i| show(i, version, look_up)),
        Value::Object(object) => {
            object.values_mut().for_each(|v| show(v, version, look_up));
            match object.text("object") {
                Some("promotion_code") => promotion_code(object, look_up),
                Some("invoice") if version < "2025-03-31" => invoice(object, look_up),
                Some("subscription") if version < "2025-03-31" => subscription(object),
                Some("line_item") if version < "2025-03-31" => line(object, look_up),
                _ => {}
            }
        }
        _ => {}
    }
}

/// An id with the object that it names in its place, where that is found.
fn whole(id: Option<&Value>, apart: Apart, look_up: LookUp<'_>) -> Value {
    match id {
        Some(Value::String(id)) => look_up(apart, id).map_or(Value::Null, Value::Object),
        other => other.cloned().unwrap_or_default(),
    }
}

fn promotion_code(code: &mut Object, look_up: LookUp<'_>) {
    if let Some(promotion) = code.remove("promotion") {
        code.insert("coupon".into(), whole(promotion.get("coupon"), Apart::Coupon, look_up));
    }
}

/// Taxes as they were told: by rate.
fn tax_amounts(object: &Object, name: &str) -> Value {
    let amount = |tax: &Object| {
        let rate = tax.object("tax_rate_details").and_then(|d| d.get("tax_rate")).cloned();
        json!({
            "amount": tax.get("amount"),
            "inclusive": tax.text("tax_behavior") == Some("inclusive"),
            "tax_rate": rate.unwrap_or_default(),
            "taxability_reason": tax.get("taxability_reason"),
            "taxable_amount": tax.get("taxable_amount"),
        })
    };
    object.objects(name).map(amount).collect()
}

fn invoice(invoice: &mut Object, look_up: LookUp<'_>) {
    let Some(parent) = invoice.remove("parent") else { return };
    let at = |path: &str| parent.pointer(path).cloned().unwrap_or_default();
    // A draft has no payment yet, and what is not tried has no charge.
    let intent = match invoice.text("status") {
        Some("draft") | None => None,
        Some(_) => look_up(Apart::IntentOf, invoice.id()),
    };
    let paid = invoice.text("status") == Some("paid");
    let tried = paid || invoice.is_true("attempted");
    let charge = intent.as_ref().filter(|_| tried).and_then(|i| i.text("latest_charge"));
    let taxes: i64 = invoice.objects("total_taxes").filter_map(|t| t.integer("amount")).sum();
    let older = [
        ("subscription", at("/subscription_details/subscription")),
        ("subscription_details", json!({"metadata": at("/subscription_details/metadata")})),
        ("quote", at("/quote_details/quote")),
        ("payment_intent", intent.as_ref().map(Read::id).into()),
        ("charge", charge.into()),
        ("paid", paid.into()),
        ("paid_out_of_band", (paid && intent.is_none()).into()),
        ("discount", Value::Null),
        ("tax", if taxes == 0 { Value::Null } else { taxes.into() }),
        ("total_tax_amounts", tax_amounts(invoice, "total_taxes")),
        ("application_fee_amount", Value::Null),
        ("transfer_data", Value::Null),
    ];
    invoice.extend(older.map(|(name, value)| (name.to_owned(), value)));
}

fn subscription(subscription: &mut Object) {
    let first = subscription.object("items").and_then(|i| i.objects("data").next().cloned()).unwrap_or_default();
    for name in ["plan", "quantity"] {
        subscription.insert(name.to_owned(), first.get(name).cloned().unwrap_or_default());
    }
    // Without items no period is told; it begins and ends with the anchor.
    let anchor = subscription.get("billing_cycle_anchor").cloned().unwrap_or_default();
    for name in ["current_period_start", "current_period_end"] {
        subscription.insert(name.to_owned(), first.get(name).cloned().unwrap_or_else(|| anchor.clone()));
    }
    subscription.insert("discount".into(), Value::Null);
}

fn line(line: &mut Object, look_up: LookUp<'_>) {
    let Some(parent) = line.remove("parent") else { return };
    let at = |path: &str| parent.pointer(path).cloned().unwrap_or_default();
    let kind = if at("/subscription_item_details").is_null() { "invoiceitem" } else { "subscription" };
    let proration = at("/subscription_item_details/proration") == true || at("/invoice_item_details/proration") == true;
    let pricing = line.remove("pricing").unwrap_or_default();
    let older = [
        ("type", kind.into()),
        ("proration", proration.into()),
        ("invoice_item", at("/invoice_item_details/invoice_item")),
        ("subscription_item", at("/subscription_item_details/subscription_item")),
        ("price", whole(pricing.pointer("/price_details/price"), Apart::Price, look_up)),
        ("tax_amounts", tax_amounts(line, "taxes")),
    ];
    line.extend(older.map(|(name, value)| (name.to_owned(), value)));
}

#[cfg(test)]
mod tests {
    use stripe_facts::Method;

    use super::*;

    #[test]
    fn every_file_is_read_and_names_operations_of_the_api() {
        assert_eq!((DROPPED.len(), BROUGHT.len()), (3, 2));
        for dropped in DROPPED.iter().flat_map(|f| &f.operations) {
            assert!(Facts::bundled().operation(dropped.method, &dropped.path).is_some(), "{}", dropped.path);
        }
        assert!(!undocumented().is_empty());
        assert!(undocumented().iter().all(|o| Facts::bundled().operation(o.method, &o.path).is_none()));
    }

    #[test]
    fn earlier_versions_take_what_later_ones_dropped() {
        let operation = Facts::bundled().operation(Method::Post, "/v1/promotion_codes").unwrap();
        let older = parameters(operation);
        let (until, fields) = &older[0];
        assert_eq!(*until, "2025-09-30");
        assert!(fields.iter().any(|f| f.name == "coupon"));
        assert!(!fields.iter().find(|f| f.name == "promotion").unwrap().required);
    }
}
