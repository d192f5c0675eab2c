//! Customers.

use serde_json::{Value, json};

use super::fields::{assign, assign_metadata, deleted, new_metadata, object, whole};
use super::{
    Call, Operations, Read, Reply, cash_balance, discount, listing, money, payment_method, search, source, tax_id,
    test_clock,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/customers", list),
    ("POST", "/v1/customers", create),
    ("GET", "/v1/customers/search", find),
    ("GET", "/v1/customers/{customer}", retrieve),
    ("POST", "/v1/customers/{customer}", update),
    ("DELETE", "/v1/customers/{customer}", delete),
    ("GET", "/v1/customers/{customer}/payment_methods", list_payment_methods),
    ("GET", "/v1/customers/{customer}/payment_methods/{payment_method}", retrieve_payment_method),
    ("GET", "/v1/customers/{customer}/balance_transactions", list_balance_transactions),
    ("POST", "/v1/customers/{customer}/balance_transactions", create_balance_transaction),
    ("GET", "/v1/customers/{customer}/balance_transactions/{transaction}", retrieve_balance_transaction),
    ("POST", "/v1/customers/{customer}/balance_transactions/{transaction}", update_balance_transaction),
];

const BALANCE_TRANSACTION: &str = "customer_balance_transaction";

const FIELDS: &[&str] = &[
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
];

fn blank(account: &mut Account) -> Object {
    let prefix = account.letters(8).to_uppercase();
    object(json!({
        "id": account.new_id("cus"),
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": now(),
        "currency": null,
        "customer_account": null,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "discount": null,
        "email": null,
        "invoice_prefix": prefix,
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": null,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": account.live(),
        "metadata": {},
        "name": null,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    }))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let clock = match call.parameters.text("test_clock") {
        Some(id) => Some(call.account.find(test_clock::KIND, id, "test_clock")?),
        None => None,
    };
    if let Some(clock) = &clock {
        test_clock::enter(clock);
    }
    let redeemed = discount::redeem(call.account, &call.parameters)?;
    tax_id::check_all(&call.parameters)?;
    let mut customer = blank(call.account);
    customer.insert("test_clock".into(), clock.as_ref().map(Read::id).into());
    change(&mut customer, &call.parameters)?;
    let card = match call.parameters.text("source") {
        Some(token) => Some((token.to_owned(), source::card_of(call.account, token, "source")?)),
        None => None,
    };
    customer.insert("metadata".into(), new_metadata(&call.parameters));
    // The payment method is attached to a customer that is there already.
    let attached = match call.parameters.text("payment_method") {
        Some(id) => Some(payment_method::check_attachable(call.account, id, "payment_method")?),
        None => None,
    };
    let settings = call.parameters.object("invoice_settings").and_then(|s| s.text("default_payment_method"));
    if let Some(id) = settings
        && attached.as_ref().is_none_or(|a| a.id() != id)
        && call.parameters.text("payment_method") != Some(id)
    {
        return Err(ApiError::missing_object("payment_method", id, "invoice_settings[default_payment_method]"));
    }
    // A ready-made payment method becomes one of the account's own, under another id.
    if let (Some(method), Some(_), Some(Value::Object(settings))) =
        (&attached, settings, customer.get_mut("invoice_settings"))
    {
        settings.insert("default_payment_method".into(), method.id().into());
    }
    let text = call.account.create("customer", "customer.created", &customer);
    let stays = card.is_none() && redeemed.is_none();
    tax_id::add_all(call.account, &call.parameters, customer.id());
    if let Some(method) = attached {
        payment_method::attach_to(call.account, method, customer.id());
    }
    if let Some((token, card)) = card {
        source::attach(call.account, &mut customer, &token, card);
    }
    if redeemed.is_some() {
        discount::set_customer(call.account, &mut customer, redeemed);
    }
    if stays { Ok(Reply::Kept(text)) } else { Ok(customer.into()) }
}

fn change(customer: &mut Object, sent: &Object) -> Result<(), ApiError> {
    if let Some(email) = sent.text("email")
        && !email.contains('@')
    {
        return Err(ApiError::invalid(format!("Invalid email address: {email}")).code("email_invalid").param("email"));
    }
    assign("customer", customer, sent, FIELDS);
    for name in ["balance", "tax_exempt", "invoice_prefix", "next_invoice_sequence"] {
        if let Some(value) = sent.get(name) {
            customer.insert(name.into(), value.clone());
        }
    }
    if let (Some(Value::Object(settings)), Some(sent)) =
        (customer.get_mut("invoice_settings"), sent.object("invoice_settings"))
    {
        for (name, value) in sent {
            settings.insert(name.clone(), if value == "" { Value::Null } else { value.clone() });
        }
    }
    Ok(())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let text = call.account.text("customer", call.id());
    text.cloned().map(Reply::Kept).ok_or_else(|| ApiError::missing_object("customer", call.id(), "id"))
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("customer")?;
    let mut new = old.clone();
    change(&mut new, &call.parameters)?;
    assign_metadata(&mut new, &call.parameters)?;
    let settings = call.parameters.object("invoice_settings").and_then(|s| s.text("default_payment_method"));
    if let Some(id) = settings {
        let method = call.account.find("payment_method", id, "invoice_settings[default_payment_method]")?;
        if method.text("customer") != Some(old.id()) {
            return Err(payment_method::not_attached(id, "invoice_settings[default_payment_method]"));
        }
    }
    if call.parameters.contains_key("coupon") || call.parameters.contains_key("promotion_code") {
        let redeemed = discount::redeem(call.account, &call.parameters)?;
        discount::set_customer(call.account, &mut new, redeemed);
    }
    if let Some(token) = call.parameters.text("source") {
        let card = source::card_of(call.account, token, "source")?;
        source::attach(call.account, &mut new, token, card);
    }
    Ok(Reply::Kept(call.account.update("customer", "customer.updated", &old, &new)))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?;
    let id = customer.id().to_owned();
    super::subscription::cancel_all_of(call.account, &id);
    for method in call.account.select("payment_method", &id, |m| m.text("customer") == Some(&id)) {
        payment_method::detach_from(call.account, method);
    }
    let left = deleted("customer", &id);
    let text = written(&left);
    call.account.remove("customer", &id, Some(text));
    let last = written(&customer);
    call.account.emit("customer.deleted", last);
    Ok(left.into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, "customer", &[("email", "email"), ("test_clock", "test_clock")])
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    search::answer(call, "customer", &["created", "email", "metadata", "name", "phone"])
}

fn list_payment_methods(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    payment_method::list_of(call, Some(customer))
}

fn retrieve_payment_method(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    let id = call.values.get(1).map_or("", String::as_str);
    let method = call.account.find("payment_method", id, "id")?;
    if method.text("customer") != Some(&customer) {
        return Err(ApiError::missing_object("payment_method", id, "id"));
    }
    Ok(method.into())
}

/// A customer that can be charged, named by a parameter.
pub(super) fn named(account: &Account, id: &str, param: &str) -> Result<Object, ApiError> {
    let customer = account.find("customer", id, param)?;
    test_clock::enter_of(account, &customer);
    Ok(customer)
}

/// `subscriptions`, `sources`, … of a customer, when expanded.
pub(super) fn include(account: &Account, field: &str, customer: &Object) -> Option<Value> {
    let id = customer.id();
    if customer.is_true("deleted") {
        return None;
    }
    match field {
        "subscriptions" => {
            Some(listing::newest(account, "subscription", id, format!("/v1/customers/{id}/subscriptions"), |s| {
                s.text("customer") == Some(id) && s.text("status") != Some("canceled")
            }))
        }
        "sources" => Some(source::of_customer(account, id)),
        "tax_ids" => Some(tax_id::in_customer(account, id)),
        "tax" => Some(json!({
            "automatic_tax": "unrecognized_location", "ip_address": null, "location": null, "provider": "stripe",
        })),
        "cash_balance" => Some(Value::Object(cash_balance::of_customer(account, id))),
        "invoice_credit_balance" => Some(json!({})),
        _ => None,
    }
}

/// Changes what a customer owes (positive) or has to its credit (negative), and notes why.
pub(super) fn move_balance(account: &mut Account, id: &str, amount: i64, kind: &str, about: &[(&str, &str)]) -> Object {
    let mut customer = account.get("customer", id).unwrap_or_default();
    let after = customer.integer("balance").unwrap_or_default().saturating_add(amount);
    customer.insert("balance".into(), after.into());
    let mut moved = whole(
        BALANCE_TRANSACTION,
        json!({
            "id": account.new_id("cbtxn"), "object": BALANCE_TRANSACTION, "amount": amount, "created": now(),
            "currency": customer.text("currency").unwrap_or("usd"), "customer": id, "ending_balance": after,
            "livemode": account.live(), "metadata": {}, "type": kind,
        }),
    );
    for (name, value) in about {
        moved.insert((*name).to_owned(), (*value).into());
    }
    account.put(BALANCE_TRANSACTION, &moved);
    account.put("customer", &customer);
    moved
}

fn create_balance_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("customer")?;
    let currency = money::currency(call.parameters.text("currency").unwrap_or_default(), "currency")?;
    let amount = call.parameters.integer("amount").unwrap_or_default();
    if amount.unsigned_abs() > money::LARGEST_TOTAL.unsigned_abs() {
        return Err(money::too_large("amount", &currency, money::LARGEST_TOTAL));
    }
    if old.text("currency").is_some_and(|c| c != currency) {
        return Err(ApiError::invalid("The customer has a balance in another currency.").param("currency"));
    }
    let mut owner = old.clone();
    owner.insert("currency".into(), currency.into());
    call.account.put("customer", &owner);
    let mut moved = move_balance(call.account, old.id(), amount, "adjustment", &[]);
    moved.insert("description".into(), call.parameters.text("description").into());
    moved.insert("metadata".into(), new_metadata(&call.parameters));
    let text = call.account.put(BALANCE_TRANSACTION, &moved);
    if let Some(new) = call.account.get("customer", old.id()) {
        call.account.update("customer", "customer.updated", &old, &new);
    }
    Ok(Reply::Kept(text))
}

fn balance_transaction(call: &Call<'_>) -> Result<Object, ApiError> {
    let customer = call.named("customer")?;
    let id = call.values.get(1).map_or("", String::as_str);
    let found = call.account.find(BALANCE_TRANSACTION, id, "id")?;
    if found.text("customer") == Some(customer.id()) {
        Ok(found)
    } else {
        Err(ApiError::missing_object(BALANCE_TRANSACTION, id, "id"))
    }
}

fn retrieve_balance_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    balance_transaction(call).map(Reply::from)
}

fn update_balance_transaction(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut moved = balance_transaction(call)?;
    assign(BALANCE_TRANSACTION, &mut moved, &call.parameters, &["description"]);
    assign_metadata(&mut moved, &call.parameters)?;
    Ok(Reply::Kept(call.account.put(BALANCE_TRANSACTION, &moved)))
}

fn list_balance_transactions(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    listing::shelf_where(call, BALANCE_TRANSACTION, &[("invoice", "invoice")], |t| {
        t.text("customer") == Some(&customer)
    })
}

/// A customer that checkout creates, out of what was written on its page.
pub(super) fn create_for_checkout(account: &mut Account, details: &Object, shipping: Option<Value>) -> String {
    let mut customer = blank(account);
    for name in ["address", "business_name", "email", "individual_name", "name", "phone"] {
        customer.insert(name.into(), details.get(name).cloned().unwrap_or_default());
    }
    customer.insert("shipping".into(), shipping.unwrap_or_default());
    account.create("customer", "customer.created", &customer);
    customer.id().to_owned()
}

/// A customer learns what was written on the page of checkout.
pub(super) fn change_by_checkout(account: &mut Account, id: &str, changes: &Object) {
    let Some(old) = account.get("customer", id) else { return };
    let mut new = old.clone();
    new.extend(changes.clone());
    account.update("customer", "customer.updated", &old, &new);
}
