//! A session is paid and completed.

use serde_json::{Value, json};

use super::entered::{choose, describe};
use super::{DATA, KIND, items_of, lapse, named};
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::resources::payment_intent::{self, Terms};
use crate::resources::{
    Call, Read, Reply, customer, discount, invoice, invoice_payment, money, payment_method, setup_intent, subscription,
};
use crate::world::{Account, Object};

/// What the page does when its customer pays, for tools that do without the page.
pub(super) fn confirm_page(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let session = named(call)?;
    let id = call.parameters.text("payment_method").unwrap_or_default().to_owned();
    let method = payment_method::named(call.account, &id, "payment_method")?;
    if method.text("type") != Some("card") {
        return confirm_later(call.account, session, &method).map(Reply::from);
    }
    let billing = method.object("billing_details").cloned().unwrap_or_default();
    let card = payment_method::card(&method).handle();
    let form = json!({"card": card, "email": billing.get("email"), "name": billing.get("name")});
    pay(call.account, session.id(), &object(form))?;
    named(call).map(Reply::from)
}

/// A debit: the session is complete before the money is there, and what comes of it is told later.
fn confirm_later(account: &mut Account, mut session: Object, method: &Object) -> Result<Object, ApiError> {
    if session.text("status") != Some("open") {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    let sent = object(json!({"customer": session.get("customer")}));
    let currency = session.text("currency").unwrap_or("eur").to_owned();
    let amount = session.integer("amount_total").unwrap_or_default();
    let mut intent = payment_intent::build(account, amount, &currency, &sent);
    intent.insert("payment_method".into(), method.id().into());
    intent.insert("payment_method_types".into(), json!([method.get("type")]));
    account.create("payment_intent", "payment_intent.created", &intent);
    intent.insert("status".into(), "processing".into());
    let text = account.put("payment_intent", &intent);
    account.emit("payment_intent.processing", text);
    session.insert("payment_intent".into(), intent.id().into());
    close(account, &mut session);
    let bank = method.text("type").and_then(|t| method.object(t));
    let fails = bank.and_then(|b| b.text("last4")).is_some_and(|l| payment_method::FAILING_DEBITS.contains(&l));
    if fails {
        payment_intent::fail_debit(account, &mut intent);
        let text = account.put(KIND, &session);
        account.emit("checkout.session.async_payment_failed", text);
    } else {
        payment_intent::settle_debit(account, &mut intent, method);
        session.insert("payment_status".into(), "paid".into());
        let text = account.put(KIND, &session);
        account.emit("checkout.session.async_payment_succeeded", text);
    }
    Ok(session)
}

/// What came of paying.
#[derive(Debug)]
pub(crate) enum Paid {
    /// The session is complete; the page where the customer goes, if there is one.
    Complete(Option<String>),
    /// The customer has to authenticate at this URL first.
    Authenticate(String),
    /// The customer changed what is to be paid, and did not pay yet.
    Changed,
}

/// What the customer does with the form of the hosted page: chooses (`action=update`), or pays with a test card,
/// named by its ready-made payment method or by number.
///
/// # Errors
/// When the session is not open, when the form is incomplete, and when the card is declined; the customer can try
/// again.
pub(crate) fn pay(account: &mut Account, id: &str, form: &Object) -> Result<Paid, ApiError> {
    let session = account.find(KIND, id, "id")?;
    let mut session = lapse(account, session);
    if session.text("status") != Some("open") {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    choose(account, &mut session, form)?;
    if form.text("action") == Some("update") || form.text("remove_code").is_some() {
        return Ok(Paid::Changed);
    }
    describe(account, &mut session, form)?;
    let mode = session.text("mode").unwrap_or("payment").to_owned();
    let free = session.integer("amount_total") == Some(0) && mode != "setup";
    let spared = free && session.text("payment_method_collection") == Some("if_required");
    let entered = form.text("number").or_else(|| form.text("card"));
    let method = match entered {
        None if spared => None,
        entered => Some(method(account, &session, entered.unwrap_or_default(), &mode)?),
    };
    let data = account.get(DATA, id).unwrap_or_default();
    ensure_customer(account, &mut session, &data);
    account.put(KIND, &session);
    match (mode.as_str(), method) {
        ("subscription", method) => subscribe(account, &session, &data, method)?,
        ("setup", Some(method)) => {
            let intent =
                account.find("setup_intent", session.text("setup_intent").unwrap_or_default(), "setup_intent")?;
            account.purposes.insert(intent.id().to_owned(), (KIND, id.to_owned()));
            setup_intent::attempt(account, intent, method, &Terms::default())?;
        }
        (_, method) => charge(account, session, &data, method)?,
    }
    Ok(result(account, id))
}

/// The payment method that the card on the page becomes.
fn method(account: &mut Account, session: &Object, card: &str, mode: &str) -> Result<Object, ApiError> {
    let empty = Object::new();
    let details = session.object("customer_details").unwrap_or(&empty);
    let billing = json!({
        "address": details.get("address").filter(|a| a.is_object()), "email": details.text("email"),
        "name": details.text("name"), "phone": details.text("phone"),
    });
    payment_method::entered(account, card, &billing, mode != "payment")
}

/// The customer that the session is for is created, or learns what was written on the page.
fn ensure_customer(account: &mut Account, session: &mut Object, data: &Object) {
    let empty = Object::new();
    let details = session.object("customer_details").unwrap_or(&empty).clone();
    let shipping = session
        .object("collected_information")
        .and_then(|c| c.object("shipping_details"))
        .map(|s| json!({"address": s.get("address"), "name": s.get("name"), "phone": details.get("phone")}));
    if let Some(id) = session.text("customer") {
        let update = data.object("customer_update").unwrap_or(&empty);
        let automatic = |name: &str| update.text(name) == Some("auto");
        let mut changes = Object::new();
        for name in ["name", "address"] {
            if let Some(value) = details.get(name).filter(|v| automatic(name) && !v.is_null()) {
                changes.insert(name.into(), value.clone());
            }
        }
        if let Some(shipping) = shipping.filter(|_| automatic("shipping")) {
            changes.insert("shipping".into(), shipping);
        }
        customer::change_by_checkout(account, id, &changes);
        return;
    }
    let usage = data.object("payment").and_then(|p| p.text("setup_future_usage"));
    let invoiced = session.object("invoice_creation").is_some_and(|i| i.is_true("enabled"));
    if session.text("customer_creation") == Some("always") || usage.is_some() || invoiced {
        let id = customer::create_for_checkout(account, &details, shipping);
        session.insert("customer".into(), id.into());
    }
}

fn result(account: &Account, id: &str) -> Paid {
    let session = account.get(KIND, id).unwrap_or_default();
    if session.text("status") == Some("open")
        && let Some(intent) = intent_of(account, &session).or_else(|| setup_of(account, &session))
        && intent.text("status") == Some("requires_action")
    {
        return Paid::Authenticate(format!("{}/_simulator/authenticate/{}", account.settings().base_url, intent.id()));
    }
    let url = session.text("success_url").or_else(|| session.text("return_url"));
    Paid::Complete(url.map(|u| u.replace("{CHECKOUT_SESSION_ID}", id)))
}

fn setup_of(account: &Account, session: &Object) -> Option<Object> {
    account.get("setup_intent", session.text("setup_intent")?)
}

/// The payment intent that the session is paid by.
pub(super) fn intent_of(account: &Account, session: &Object) -> Option<Object> {
    if let Some(id) = session.text("payment_intent") {
        return account.get("payment_intent", id);
    }
    let subscription = account.get("subscription", session.text("subscription")?)?;
    invoice_payment::intent_of(account, subscription.text("latest_invoice")?)
}

/// Why the last attempt to pay failed, in Stripe's words to the customer.
pub(crate) fn problem(account: &Account, session: &Object) -> Option<String> {
    let intent = intent_of(account, session).filter(|_| session.text("status") == Some("open"))?;
    intent.object("last_payment_error")?.text("message").map(str::to_owned)
}

fn charge(account: &mut Account, mut session: Object, data: &Object, method: Option<Object>) -> Result<(), ApiError> {
    let amount = session.integer("amount_total").unwrap_or_default();
    let Some(method) = method.filter(|_| amount > 0) else {
        complete(account, session.id());
        return Ok(());
    };
    let currency = session.text("currency").unwrap_or("usd").to_owned();
    money::check_charge(amount, &currency, "line_items")?;
    let mut intent = match intent_of(account, &session) {
        Some(mut intent) => {
            // The customer may have chosen otherwise since the last attempt.
            intent.insert("amount".into(), amount.into());
            intent
        }
        None => {
            let mut sent = data.object("payment").cloned().unwrap_or_default();
            sent.insert("customer".into(), session.get("customer").cloned().unwrap_or_default());
            let intent = payment_intent::build(account, amount, &currency, &sent);
            account.purposes.insert(intent.id().to_owned(), (KIND, session.id().to_owned()));
            account.create("payment_intent", "payment_intent.created", &intent);
            session.insert("payment_intent".into(), intent.id().into());
            account.put(KIND, &session);
            intent
        }
    };
    if let Some(shipping) = session.object("collected_information").and_then(|c| c.object("shipping_details")) {
        let phone = session.object("customer_details").and_then(|d| d.get("phone"));
        let shipping = json!({
            "address": shipping.get("address"), "carrier": null, "name": shipping.get("name"), "phone": phone,
            "tracking_number": null,
        });
        intent.insert("shipping".into(), shipping);
    }
    payment_intent::attempt(account, &mut intent, &method, &Terms::default())?;
    if intent.text("status") == Some("requires_capture") {
        // The money is held: for the customer that is all.
        complete(account, session.id());
    }
    Ok(())
}

/// What a session of this kind subscribes to, as the parameters of a subscription's creation.
fn subscription_of(account: &Account, session: &Object, data: &Object) -> Object {
    let mut sent = data.object("subscription").cloned().unwrap_or_default();
    let (mut items, mut once) = (Vec::new(), Vec::new());
    for (index, item) in items_of(account, session.id()).iter().enumerate() {
        let mut line = object(json!({"price": item.pointer("/price/id"), "quantity": item.get("quantity")}));
        if let Some(Value::Array(rates)) = data.list("rates").get(index)
            && !rates.is_empty()
        {
            line.insert("tax_rates".into(), rates.as_slice().into());
        }
        let recurs = item.pointer("/price/recurring").is_some_and(|r| !r.is_null());
        if recurs {
            items.push(line)
        } else {
            once.push(line)
        };
    }
    sent.insert("customer".into(), session.get("customer").cloned().unwrap_or_default());
    sent.insert("items".into(), items.into_iter().map(Value::Object).collect());
    if !once.is_empty() {
        sent.insert("add_invoice_items".into(), once.into_iter().map(Value::Object).collect());
    }
    if !session.list("discounts").is_empty() {
        let discounts = session.objects("discounts").map(|d| match d.text("promotion_code") {
            Some(code) => json!({"promotion_code": code}),
            None => json!({"coupon": d.get("coupon")}),
        });
        sent.insert("discounts".into(), discounts.collect::<Vec<_>>().into());
    }
    sent
}

fn subscribe(account: &mut Account, session: &Object, data: &Object, method: Option<Object>) -> Result<(), ApiError> {
    let owner = session.text("customer").unwrap_or_default();
    let method = method.map(|m| payment_method::attach_to(account, m, owner));
    if let (Some(mut intent), Some(method)) = (intent_of(account, session), &method) {
        return payment_intent::attempt(account, &mut intent, method, &Terms::default());
    }
    let mut sent = subscription_of(account, session, data);
    if let Some(method) = &method {
        sent.insert("default_payment_method".into(), method.id().into());
    }
    let start = subscription::Start { session: Some(session.id()), ..Default::default() };
    let created = subscription::create(account, &sent, &start)?;
    let Some(mut session) = account.get(KIND, session.id()) else { return Ok(()) };
    if session.text("status") != Some("open") {
        return Ok(());
    }
    session.insert("subscription".into(), created.id().into());
    session.insert("invoice".into(), created.get("latest_invoice").cloned().unwrap_or_default());
    account.put(KIND, &session);
    if matches!(created.text("status"), Some("active" | "trialing")) {
        complete(account, session.id());
        return Ok(());
    }
    match problem(account, &session) {
        Some(message) => Err(ApiError::card("card_declined", message)),
        None => Ok(()),
    }
}

/// What the session is for happened.
pub(in crate::resources) fn complete(account: &mut Account, id: &str) {
    let Some(mut session) = account.get(KIND, id) else { return };
    let being_created = account.being_created.is_some();
    if session.text("status") != Some("open") || being_created {
        return;
    }
    let intent = intent_of(account, &session);
    let captured = intent.as_ref().is_none_or(|i| i.text("status") != Some("requires_capture"));
    let due = session.integer("amount_total").unwrap_or_default() > 0;
    let data = account.get(DATA, id).unwrap_or_default();
    let payment = match session.text("mode") {
        Some("setup") => "no_payment_required",
        _ if !due => "no_payment_required",
        _ if captured => "paid",
        _ => "unpaid",
    };
    session.insert("payment_status".into(), payment.into());
    if session.text("mode") == Some("payment") {
        discount::count(account, data.list("discounts"));
        if session.object("invoice_creation").is_some_and(|i| i.is_true("enabled")) && captured {
            let invoice = invoice::of_session(account, &session, &data, &items_of(account, id), intent.as_ref());
            session.insert("invoice".into(), invoice.id().into());
        }
    }
    close(account, &mut session);
}

/// Nothing more can be done with the session.
fn close(account: &mut Account, session: &mut Object) {
    session.insert("status".into(), "complete".into());
    session.insert("url".into(), Value::Null);
    if let Some(Value::Object(automatic)) = session.get_mut("automatic_tax")
        && automatic.is_true("enabled")
    {
        automatic.insert("status".into(), "complete".into());
    }
    let text = account.put(KIND, session);
    account.emit("checkout.session.completed", text);
}
