//! Payment links: a page that opens a checkout session for everybody who visits it.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, new_metadata, object, whole};
use super::{Call, Operations, Read, Reply, checkout_session, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/payment_links", list),
    ("POST", "/v1/payment_links", create),
    ("GET", "/v1/payment_links/{payment_link}", retrieve),
    ("POST", "/v1/payment_links/{payment_link}", update),
    ("GET", "/v1/payment_links/{payment_link}/line_items", list_items),
];

const KIND: &str = "payment_link";
/// Where the line items are: they are part of no answer unless expanded.
const ITEMS: &str = "payment_link.line_items";

/// What a link was made with that each of its sessions is opened with.
const PASSED_ON: &[&str] = &[
    "billing_address_collection",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "invoice_creation",
    "name_collection",
    "payment_intent_data",
    "payment_method_collection",
    "phone_number_collection",
    "shipping_address_collection",
    "shipping_options",
    "submit_type",
    "subscription_data",
    "tax_id_collection",
];

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let account = &mut *call.account;
    let cart = checkout_session::cart(account, &sent)?;
    if cart.items.is_empty() {
        return Err(ApiError::missing_param("line_items"));
    }
    let mut shipping = Vec::new();
    for (index, option) in sent.objects("shipping_options").enumerate() {
        let param = format!("shipping_options[{index}][shipping_rate]");
        let rate = account.find("shipping_rate", option.text("shipping_rate").unwrap_or_default(), &param)?;
        let amount = rate.object("fixed_amount").and_then(|f| f.integer("amount")).unwrap_or_default();
        shipping.push(json!({"shipping_amount": amount, "shipping_rate": rate.id()}));
    }
    checkout_session::keep_new(account, &cart.new);
    let id = account.new_id("plink");
    let completion = sent.object("after_completion");
    let redirect = completion.and_then(|c| c.object("redirect")).and_then(|r| r.text("url"));
    let done = match redirect {
        Some(url) => json!({"redirect": {"url": url}, "type": "redirect"}),
        None => json!({"hosted_confirmation": {"custom_message": null}, "type": "hosted_confirmation"}),
    };
    let mode = if cart.recurring { "subscription" } else { "payment" };
    let url = format!("{}/pay/{id}", account.settings().base_url);
    let mut link = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "active": true, "after_completion": done,
            "allow_promotion_codes": sent.is_true("allow_promotion_codes"),
            "automatic_tax": {"enabled": false, "liability": null},
            "billing_address_collection": sent.text("billing_address_collection").unwrap_or("auto"),
            "currency": cart.currency, "custom_fields": [],
            "custom_text": {
                "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
            },
            "customer_creation": sent.text("customer_creation").unwrap_or(if mode == "payment" { "if_required" } else { "always" }),
            "inactive_message": sent.text("inactive_message"), "livemode": account.live(),
            "metadata": new_metadata(&sent), "payment_method_collection": "always",
            "phone_number_collection": {"enabled": false}, "shipping_options": shipping,
            "submit_type": sent.text("submit_type").unwrap_or("auto"),
            "tax_id_collection": {"enabled": false, "required": "never"}, "url": url,
        }),
    );
    link.remove("line_items");
    assign(
        KIND,
        &mut link,
        &sent,
        &["consent_collection", "custom_text", "phone_number_collection", "shipping_address_collection"],
    );
    let items = json!({
        "id": id, "created": now(), "data": cart.items, "mode": mode, "sent": sent,
    });
    account.put(ITEMS, &object(items));
    Ok(Reply::Kept(account.create(KIND, "payment_link.created", &link)))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(KIND)?;
    let mut new = old.clone();
    for name in ["active", "allow_promotion_codes", "inactive_message", "billing_address_collection", "submit_type"] {
        if let Some(value) = call.parameters.get(name) {
            new.insert(name.into(), if value == "" { Value::Null } else { value.clone() });
        }
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(KIND, "payment_link.updated", &old, &new)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let active = call.parameters.get("active");
    listing::shelf_where(call, KIND, &[], |l| active.is_none_or(|a| l.get("active") == Some(a)))
}

fn items_of(account: &Account, link: &str) -> Vec<Value> {
    account.get(ITEMS, link).map(|i| i.list("data").to_vec()).unwrap_or_default()
}

fn list_items(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let link = call.named(KIND)?;
    let items = items_of(call.account, link.id());
    listing::parts(call, "item", items)
}

/// `line_items` of a link, when expanded.
pub(super) fn line_items(account: &Account, link: &Object) -> Value {
    let id = link.id();
    super::fields::sublist(items_of(account, id), format!("/v1/payment_links/{id}/line_items"))
}

/// Somebody visits the link: a session of its own, and the page where it is paid.
pub(crate) fn visit(account: &mut Account, id: &str) -> Result<String, ApiError> {
    let link = account.find(KIND, id, "id")?;
    if !link.is_true("active") {
        return Err(ApiError::invalid(link.text("inactive_message").unwrap_or("The link is no longer active.")));
    }
    let kept = account.get(ITEMS, id).unwrap_or_default();
    let items: Vec<Value> = kept
        .objects("data")
        .map(|i| {
            let mut line = object(json!({"price": i.object("price").map(Read::id), "quantity": i.get("quantity")}));
            if let Some(bounds) = i.get("adjustable_quantity").filter(|b| b.is_object()) {
                line.insert("adjustable_quantity".into(), bounds.clone());
            }
            Value::Object(line)
        })
        .collect();
    let done = link.object("after_completion").and_then(|a| a.object("redirect")).and_then(|r| r.text("url"));
    let thanks = format!("{}/pay/{id}/thanks", account.settings().base_url);
    let mut sent = object(json!({
        "mode": kept.get("mode"), "line_items": items, "success_url": done.unwrap_or(&thanks),
        "metadata": link.get("metadata"),
    }));
    if link.is_true("allow_promotion_codes") {
        sent.insert("allow_promotion_codes".into(), true.into());
    }
    let opened_with = kept.object("sent").cloned().unwrap_or_default();
    sent.extend(opened_with.into_iter().filter(|(name, _)| PASSED_ON.contains(&name.as_str())));
    let mut session = checkout_session::open(account, &sent)?;
    session.insert("payment_link".into(), id.into());
    account.put("checkout.session", &session);
    Ok(session.text("url").unwrap_or_default().to_owned())
}
