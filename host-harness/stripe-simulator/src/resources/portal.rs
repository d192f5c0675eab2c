//! Billing portal sessions: links to a page where a customer manages its subscriptions.

use serde_json::{Value, json};

use super::fields::{object, whole};
use super::{Call, Operations, Read, Reply, customer, payment_method, subscription, test_clock};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[("POST", "/v1/billing_portal/sessions", create)];

const KIND: &str = "billing_portal.session";

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let Some(owner) = sent.text("customer") else { return Err(ApiError::missing_param("customer")) };
    let owner = customer::named(call.account, owner, "customer")?;
    let configuration = match sent.text("configuration") {
        Some(id) => call.account.find("billing_portal.configuration", id, "configuration")?.id().to_owned(),
        None => "bpc_1SimulatorDefault".to_owned(),
    };
    let id = call.account.new_id("bps");
    let url = format!("{}/p/session/{id}", call.account.settings().base_url);
    let session = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "configuration": configuration, "created": now(), "customer": owner.id(),
            "livemode": call.account.live(), "locale": sent.get("locale"), "return_url": sent.text("return_url"),
            "url": url,
        }),
    );
    Ok(Reply::Kept(call.account.create(KIND, "billing_portal.session.created", &session)))
}

/// What a customer does on the page of the portal.
#[derive(Debug)]
pub(crate) enum Action<'a> {
    /// Ends this subscription with its period.
    Cancel(&'a str),
    /// Lets this subscription go on after all.
    Resume(&'a str),
    /// Pays with this card from now on.
    Card(&'a str),
}

/// A customer does something on the page of the portal.
///
/// # Errors
/// When the subscription is not the customer's, or is over; when the card is refused.
pub(crate) fn act(account: &mut Account, customer: &str, action: &Action<'_>) -> Result<(), ApiError> {
    let (id, ends) = match *action {
        Action::Cancel(id) => (id, true),
        Action::Resume(id) => (id, false),
        Action::Card(card) => return change_card(account, customer, card),
    };
    let old = account.find("subscription", id, "subscription")?;
    test_clock::enter_of(account, &old);
    if old.text("customer") != Some(customer) {
        return Err(ApiError::missing_object("subscription", id, "subscription"));
    }
    let sent = object(json!({"cancel_at_period_end": ends}));
    subscription::change(account, &old, &sent).map(drop)
}

/// The card becomes what the customer's invoices are charged to, those of all its subscriptions too.
fn change_card(account: &mut Account, customer: &str, card: &str) -> Result<(), ApiError> {
    let owner = customer::named(account, customer, "customer")?;
    let billing = json!({"email": owner.get("email"), "name": owner.get("name")});
    let method = payment_method::entered(account, card, &billing, true)?;
    let method = payment_method::attach_to(account, method, customer);
    let Some(old) = account.get("customer", customer) else { return Ok(()) };
    let mut new = old.clone();
    if let Some(Value::Object(settings)) = new.get_mut("invoice_settings") {
        settings.insert("default_payment_method".into(), method.id().into());
    }
    account.update("customer", "customer.updated", &old, &new);
    let own = |s: &Object| {
        s.text("customer") == Some(customer)
            && s.text("default_payment_method").is_some()
            && !matches!(s.text("status"), Some("canceled" | "incomplete_expired"))
    };
    for old in account.select("subscription", customer, own) {
        let sent = object(json!({"default_payment_method": method.id()}));
        subscription::change(account, &old, &sent)?;
    }
    Ok(())
}
