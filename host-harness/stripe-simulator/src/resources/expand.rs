//! `expand[]`: ids in an answer replaced by the objects that they name.
//!
//! Whether a path can be expanded follows from the facts and is checked before anything is executed; what is
//! put in follows from the state.

use serde_json::Value;
use stripe_facts::{Facts, Field, Shape};

use super::Read;
use crate::older;
use crate::protocol::ApiError;
use crate::world::{Account, Object};

const DEEPEST: usize = 4;

/// Whether the answer of an operation can be expanded as asked, in a version.
pub(crate) fn check(parameters: &Object, response: &Shape, version: &str) -> Result<(), ApiError> {
    for (index, path) in parameters.list("expand").iter().enumerate() {
        let path = path.as_str().unwrap_or_default();
        let param = format!("expand[{index}]");
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > DEEPEST {
            let message = format!("You cannot expand more than {DEEPEST} levels of a property. Property: {path}");
            return Err(ApiError::invalid(message).param(param));
        }
        if !leads(&[response], &segments, false, version) {
            let message = format!("This property cannot be expanded ({path}).");
            return Err(ApiError::invalid(message).param(param));
        }
    }
    Ok(())
}

/// The members of the objects of a kind in a version.
fn members(kind: &str, version: &str) -> Option<&'static [Field]> {
    older::members(kind, version).or_else(|| Facts::bundled().object(kind))
}

/// Whether a path leads from any of these shapes to something that can be expanded.
fn leads(from: &[&Shape], path: &[&str], expandable: bool, version: &str) -> bool {
    let Some((first, rest)) = path.split_first() else { return expandable };
    let through = |fields: &[Field]| {
        fields
            .iter()
            .filter(|f| f.name == *first)
            .any(|f| leads(&[&f.shape], rest, can_expand(&f.shape) || f.is_includable(), version))
    };
    from.iter().any(|shape| match shape {
        Shape::Union(parts) => leads(&parts.iter().collect::<Vec<_>>(), path, expandable, version),
        Shape::Ref(name) => members(name, version).is_some_and(through),
        Shape::Expandable(names) => names.iter().filter_map(|n| members(n, version)).any(through),
        Shape::List(inner) | Shape::Search(inner) | Shape::Pages(inner) => {
            (*first == "data" && (rest.is_empty() || leads(&[inner], rest, false, version)))
                || (*first == "total_count" && rest.is_empty())
        }
        Shape::Array(inner) => leads(&[inner], path, expandable, version),
        Shape::Object(fields) => through(fields),
        _ => false,
    })
}

fn can_expand(shape: &Shape) -> bool {
    match shape {
        Shape::Expandable(_) | Shape::List(_) | Shape::Ref(_) => true,
        Shape::Union(parts) => parts.iter().any(can_expand),
        Shape::Array(inner) => can_expand(inner),
        _ => false,
    }
}

/// Fields that are no objects and yet appear only when they are asked for.
trait Includable {
    fn is_includable(&self) -> bool;
}

impl Includable for Field {
    fn is_includable(&self) -> bool {
        const NAMES: &[&str] = &[
            "applies_to",
            "tiers",
            "currency_options",
            "tax",
            "cash_balance",
            "invoice_credit_balance",
            "confirmation_secret",
            "breakdown",
            "total_count",
        ];
        // Taxes and discounts of a line item: a list of what has an object in it.
        let whole = |f: &Field| matches!(f.shape, Shape::Ref(_));
        let list = matches!(&self.shape, Shape::Array(inner)
            if matches!(inner.as_ref(), Shape::Object(fields) if fields.iter().any(whole)));
        list || NAMES.contains(&self.name.as_str())
    }
}

/// Expands one path in an answer, as far as it leads in a version.
pub(super) fn apply(account: &Account, value: &mut Value, path: &str, response: &Shape, version: &str) {
    let segments: Vec<&str> = path.split('.').collect();
    walk(account, value, &segments, response, version);
}

fn walk(account: &Account, value: &mut Value, path: &[&str], shape: &Shape, version: &str) {
    match value {
        // Lists inside lists: `items.data.price`.
        Value::Array(items) => {
            let inner = if let Shape::Array(inner) = shape { inner } else { shape };
            items.iter_mut().for_each(|item| walk(account, item, path, inner, version));
        }
        Value::String(id) => {
            if let Some(object) = names(shape).iter().find_map(|name| fetch(account, name, id)) {
                *value = object;
                walk(account, value, path, shape, version);
            }
        }
        Value::Object(object) => {
            let Some((first, rest)) = path.split_first() else { return };
            let kind = object.text("object").unwrap_or_default().to_owned();
            let schema = members(&kind, version);
            let inner = match shape {
                Shape::List(inner) | Shape::Search(inner) if *first == "data" => Some(inner.as_ref()),
                Shape::Union(parts) if schema.is_none() => {
                    parts.iter().find_map(|p| if let Shape::List(inner) = p { Some(inner.as_ref()) } else { None })
                }
                Shape::Object(fields) if schema.is_none() => shape_of(fields, first),
                _ => schema.and_then(|fields| shape_of(fields, first)),
            };
            let Some(inner) = inner else { return };
            // What makes up the totals is known of the session, not of the totals.
            if let ("checkout.session", ["total_details", "breakdown", ..]) = (kind.as_str(), path)
                && let Some(breakdown) = super::checkout_session::breakdown(account, object)
                && let Some(Value::Object(totals)) = object.get_mut("total_details")
            {
                totals.insert("breakdown".into(), breakdown);
            }
            if !object.contains_key(*first)
                && let Some(included) = super::include(account, &kind, first, object)
            {
                object.insert((*first).to_owned(), included);
            }
            if let Some(member) = object.get_mut(*first) {
                walk(account, member, rest, inner, version);
            }
        }
        _ => {}
    }
}

fn shape_of<'f>(fields: &'f [Field], name: &str) -> Option<&'f Shape> {
    fields.iter().find(|f| f.name == name).map(|f| &f.shape)
}

fn names(shape: &Shape) -> Vec<&str> {
    match shape {
        Shape::Expandable(names) => names.iter().map(String::as_str).collect(),
        Shape::Union(parts) => parts.iter().flat_map(names).collect(),
        Shape::Array(inner) => names(inner),
        _ => Vec::new(),
    }
}

fn fetch(account: &Account, kind: &str, id: &str) -> Option<Value> {
    if kind == "account" && id == account.id() {
        return Some(Value::Object(super::account::current(account)));
    }
    if kind == "plan" && account.text(kind, id).is_none() {
        // A recurring price is a plan too.
        let price = account.get("price", id).filter(|p| !p.get("recurring").is_none_or(Value::is_null))?;
        return Some(super::price::plan(&price));
    }
    serde_json::from_slice(account.text(kind, id)?).ok()
}
