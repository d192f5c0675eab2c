//! API versions before the pinned one: what they still take, and how they show what changed since.
//!
//! The files beside this one are in the form of the facts, one file a version; each lists what that version
//! dropped, so a request in any earlier one may send it. Handlers know the old names beside the new ones.
//! Only what official tools still send and read is here, not the whole of every version.

use std::sync::LazyLock;

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Operation, Shape};

use crate::resources::Read;
use crate::world::Object;

static DROPPED: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    [include_str!("2025-03-31.facts"), include_str!("2025-09-30.facts"), include_str!("2026-09-30.facts")]
        .into_iter()
        .filter_map(|text| stripe_facts::text::parse(text).ok())
        .collect()
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
        found.push((facts.api_version.split('.').next().unwrap_or_default(), merged.clone()));
    }
    found
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
    ["\"invoice\"", "\"subscription\"", "\"promotion_code\"", "\"line_item\""]
        .iter()
        .any(|kind| memchr::memmem::find(text, format!("\"object\":{kind}").as_bytes()).is_some())
}

/// Shows a value as an earlier version does. `intent_of` finds what an invoice is paid by.
pub(crate) fn show(value: &mut Value, version: &str, intent_of: &dyn Fn(&str) -> Option<Object>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|i| show(i, version, intent_of)),
        Value::Object(object) => {
            object.values_mut().for_each(|v| show(v, version, intent_of));
            match object.text("object") {
                Some("promotion_code") => promotion_code(object),
                Some("invoice") if version < "2025-03-31" => invoice(object, intent_of),
                Some("subscription") if version < "2025-03-31" => subscription(object),
                Some("line_item") if version < "2025-03-31" => line(object),
                _ => {}
            }
        }
        _ => {}
    }
}

fn promotion_code(code: &mut Object) {
    if let Some(promotion) = code.remove("promotion") {
        code.insert("coupon".into(), promotion.get("coupon").cloned().unwrap_or_default());
    }
}

fn invoice(invoice: &mut Object, intent_of: &dyn Fn(&str) -> Option<Object>) {
    let Some(parent) = invoice.remove("parent") else { return };
    let at = |path: &str| parent.pointer(path).cloned().unwrap_or_default();
    let intent = intent_of(invoice.id());
    let paid = invoice.text("status") == Some("paid");
    let taxes: i64 = invoice.objects("total_taxes").filter_map(|t| t.integer("amount")).sum();
    let older = [
        ("subscription", at("/subscription_details/subscription")),
        ("subscription_details", json!({"metadata": at("/subscription_details/metadata")})),
        ("quote", at("/quote_details/quote")),
        ("payment_intent", intent.as_ref().map(Read::id).into()),
        ("charge", intent.as_ref().and_then(|i| i.text("latest_charge")).into()),
        ("paid", paid.into()),
        ("paid_out_of_band", (paid && intent.is_none()).into()),
        ("discount", Value::Null),
        ("tax", if taxes == 0 { Value::Null } else { taxes.into() }),
        ("total_tax_amounts", json!([])),
        ("application_fee_amount", Value::Null),
        ("transfer_data", Value::Null),
    ];
    invoice.extend(older.map(|(name, value)| (name.to_owned(), value)));
}

fn subscription(subscription: &mut Object) {
    let Some(items) = subscription.object("items") else { return };
    let Some(first) = items.objects("data").next().cloned() else { return };
    for name in ["current_period_start", "current_period_end", "plan", "quantity"] {
        subscription.insert(name.to_owned(), first.get(name).cloned().unwrap_or_default());
    }
    subscription.insert("discount".into(), Value::Null);
}

fn line(line: &mut Object) {
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
        ("price", pricing.pointer("/price_details/price").cloned().unwrap_or_default()),
        ("tax_amounts", json!([])),
    ];
    line.extend(older.map(|(name, value)| (name.to_owned(), value)));
}

#[cfg(test)]
mod tests {
    use stripe_facts::Method;

    use super::*;

    #[test]
    fn every_file_is_read_and_names_operations_of_the_api() {
        assert_eq!(DROPPED.len(), 3);
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
