//! Products.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, deleted, new_metadata, object};
use super::{Call, Operations, Read, Reply, listing, price, search};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/products", list),
    ("POST", "/v1/products", create),
    ("GET", "/v1/products/search", find),
    ("GET", "/v1/products/{id}", retrieve),
    ("POST", "/v1/products/{id}", update),
    ("DELETE", "/v1/products/{id}", delete),
];

const FIELDS: &[&str] = &[
    "description",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "tax_details",
    "unit_label",
    "url",
];

/// A product out of parameters: those of its own creation, or `product_data` of a price.
pub(super) fn build(account: &mut Account, sent: &Object) -> Result<Object, ApiError> {
    let id = match sent.text("id") {
        Some(id) if account.exists("product", id) => {
            let message = "Product already exists.";
            return Err(ApiError::invalid(message).code("resource_already_exists").param("id"));
        }
        Some(id) => id.to_owned(),
        None => account.new_id("prod"),
    };
    let Some(name) = sent.text("name") else { return Err(ApiError::empty_param("name")) };
    let created = now();
    let mut product = object(json!({
        "id": id,
        "object": "product",
        "active": sent.get("active").is_none_or(|a| *a == true),
        "created": created,
        "default_price": null,
        "description": null,
        "images": sent.list("images"),
        "livemode": account.live(),
        "marketing_features": sent.list("marketing_features"),
        "metadata": new_metadata(sent),
        "name": name,
        "package_dimensions": null,
        "shippable": null,
        "statement_descriptor": null,
        "tax_code": null,
        "tax_details": null,
        "type": sent.text("type").unwrap_or("service"),
        "unit_label": null,
        "updated": created,
        "url": null,
    }));
    assign("product", &mut product, sent, FIELDS);
    Ok(product)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut product = build(call.account, &call.parameters)?;
    let price = match call.parameters.object("default_price_data") {
        Some(data) => Some(price::build(call.account, data, product.id(), "default_price_data")?),
        None => None,
    };
    if let Some(price) = &price {
        product.insert("default_price".into(), price.id().into());
    }
    let text = call.account.create("product", "product.created", &product);
    if let Some(price) = price {
        price::keep(call.account, &price);
    }
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named("product").map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("product")?;
    let mut new = old.clone();
    let sent = &call.parameters;
    if sent.get("name").is_some_and(|n| n == "") {
        return Err(ApiError::empty_param("name"));
    }
    assign("product", &mut new, sent, FIELDS);
    for name in ["active", "name"] {
        if let Some(value) = sent.get(name) {
            new.insert(name.into(), value.clone());
        }
    }
    for name in ["images", "marketing_features"] {
        if sent.contains_key(name) {
            new.insert(name.into(), Value::from(sent.list(name)));
        }
    }
    if let Some(id) = sent.text("default_price") {
        let price = call.account.find("price", id, "default_price")?;
        if price.text("product") != Some(old.id()) {
            let message = format!("The price `{id}` does not belong to the product `{}`.", old.id());
            return Err(ApiError::invalid(message).param("default_price"));
        }
        new.insert("default_price".into(), id.into());
    } else if sent.contains_key("default_price") {
        new.insert("default_price".into(), Value::Null);
    }
    assign_metadata(&mut new, sent)?;
    if new != old {
        new.insert("updated".into(), now().into());
    }
    Ok(Reply::Kept(call.account.update("product", "product.updated", &old, &new)))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let product = call.named("product")?;
    let id = product.id().to_owned();
    if !call.account.select("price", &id, |p| p.text("product") == Some(&id)).is_empty() {
        return Err(ApiError::invalid(
            "This product cannot be deleted because it has one or more user-created prices.",
        ));
    }
    call.account.remove("product", &id, None);
    let last = written(&product);
    call.account.emit("product.deleted", last);
    Ok(deleted("product", &id).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let ids = sent.list("ids");
    listing::shelf_where(call, "product", &[("type", "type"), ("url", "url")], |p| {
        sent.get("active").is_none_or(|a| p.get("active") == Some(a))
            && sent.get("shippable").is_none_or(|s| p.get("shippable") == Some(s))
            && (!sent.contains_key("ids") || ids.iter().any(|id| p.get("id") == Some(id)))
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, "product", &["active", "description", "metadata", "name", "shippable", "url"])
}
