//! Subscription items by themselves; every change is one of their subscription.

use serde_json::{Value, json};

use super::{Call, Operations, Read, Reply, listing, subscription, test_clock};
use crate::protocol::ApiError;
use crate::world::{Account, Object};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/subscription_items", list),
    ("POST", "/v1/subscription_items", create),
    ("GET", "/v1/subscription_items/{item}", retrieve),
    ("POST", "/v1/subscription_items/{item}", update),
    ("DELETE", "/v1/subscription_items/{item}", delete),
];

const KIND: &str = "subscription_item";

fn items(subscription: &Object) -> Vec<Value> {
    subscription.object("items").map(|i| i.list("data").to_vec()).unwrap_or_default()
}

/// The subscription that an item is of, and the item.
fn of(account: &Account, id: &str) -> Result<(Object, Value), ApiError> {
    let quoted = format!("\"{}\"", id.replace(['"', '\\'], ""));
    let found = account.select("subscription", &quoted, |s| items(s).iter().any(|i| i["id"] == id));
    let found = found.into_iter().next().ok_or_else(|| ApiError::missing_object(KIND, id, "id"))?;
    test_clock::enter_of(account, &found);
    let item = items(&found).into_iter().find(|i| i["id"] == id).unwrap_or_default();
    Ok((found, item))
}

fn change(call: &mut Call<'_>, old: &Object, item: Object) -> Result<Object, ApiError> {
    let mut sent = Object::new();
    for name in ["payment_behavior", "proration_behavior", "proration_date", "off_session"] {
        if let Some(value) = call.parameters.get(name) {
            sent.insert(name.into(), value.clone());
        }
    }
    sent.insert("items".into(), json!([item]));
    subscription::change(call.account, old, &sent)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.parameters.text("subscription").unwrap_or_default().to_owned();
    let old = call.account.find("subscription", &id, "subscription")?;
    test_clock::enter_of(call.account, &old);
    let item = call.parameters.clone();
    let new = change(call, &old, item)?;
    Ok(Reply::Made(items(&new).pop().unwrap_or_default()))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    of(call.account, call.id()).map(|(_, item)| Reply::Made(item))
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.id().to_owned();
    let (old, _) = of(call.account, &id)?;
    let mut item = call.parameters.clone();
    item.insert("id".into(), id.as_str().into());
    let new = change(call, &old, item)?;
    Ok(Reply::Made(items(&new).into_iter().find(|i| i["id"] == id.as_str()).unwrap_or_default()))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.id().to_owned();
    let (old, _) = of(call.account, &id)?;
    let mut item = Object::new();
    item.insert("id".into(), id.as_str().into());
    item.insert("deleted".into(), true.into());
    change(call, &old, item)?;
    Ok(Reply::Made(json!({"id": id, "object": KIND, "deleted": true})))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let id = call.parameters.text("subscription").unwrap_or_default().to_owned();
    let found = call.account.find("subscription", &id, "subscription")?;
    listing::parts(call, KIND, items(&found))
}
