//! What the customer chooses and writes on the page.
//!
//! Choices (quantities, shipping, a promotion code) change what is to be paid; details (addresses, a phone number,
//! the merchant's own fields, consent) are wanted before it is paid.

use serde_json::{Value, json};

use super::totals::sum;
use super::{DATA, KIND, LINE_ITEMS, items_of};
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::resources::{Read, discount, rates};
use crate::world::{Account, Object};

const ADDRESS: &[&str] = &["city", "country", "line1", "line2", "postal_code", "state"];

/// Takes `quantity[…]`, `shipping_rate`, `promotion_code` and `remove_code` from the form of the page.
pub(super) fn choose(account: &mut Account, session: &mut Object, form: &Object) -> Result<(), ApiError> {
    // What was subscribed to is on an invoice already, and waits for another card.
    if session.text("subscription").is_some() || session.text("mode") == Some("setup") {
        return Ok(());
    }
    let items = quantities(account, session, form)?;
    let shipping = match form.text("shipping_rate") {
        Some(id) => {
            let offered = session.objects("shipping_options").any(|o| o.text("shipping_rate") == Some(id));
            let rate = account.get("shipping_rate", id).filter(|_| offered);
            Some(rate.ok_or_else(|| ApiError::missing_object("shipping_rate", id, "shipping_rate"))?)
        }
        None => None,
    };
    let code = form.text("promotion_code").map(str::trim).filter(|c| !c.is_empty());
    let redeemed = match code {
        Some(code) if session.is_true("allow_promotion_codes") => Some(redeem(account, session, code)?),
        Some(_) => return Err(invalid_code()),
        None => None,
    };
    if let Some(items) = items {
        let kept = json!({"id": session.id(), "created": session.get("created"), "data": items});
        account.put(LINE_ITEMS, &object(kept));
    }
    if let Some(rate) = shipping {
        session.insert("shipping_cost".into(), rates::shipping_cost(&rate));
    }
    let removed = session.is_true("allow_promotion_codes") && form.text("remove_code").is_some();
    if redeemed.is_some() || removed {
        let redeemed = redeemed.unwrap_or_default();
        let named: Vec<Value> = redeemed.iter().map(discount::named).collect();
        let id = session.id().to_owned();
        let mut data = account.get(DATA, &id).unwrap_or_default();
        let ids = discount::prepare(account, redeemed, &[("checkout_session", &id)]);
        data.insert("discounts".into(), ids.into());
        account.put(DATA, &data);
        session.insert("discounts".into(), named.into());
    }
    sum(account, session);
    account.put(KIND, session);
    Ok(())
}

/// The items with the quantities that the customer chose, if it chose any.
fn quantities(account: &Account, session: &Object, form: &Object) -> Result<Option<Vec<Value>>, ApiError> {
    let Some(chosen) = form.object("quantity") else { return Ok(None) };
    let mut items = items_of(account, session.id());
    for (id, quantity) in chosen {
        let param = format!("quantity[{id}]");
        let found = items.iter_mut().find(|i| i.get("id").is_some_and(|i| i == id)).and_then(Value::as_object_mut);
        let Some(item) = found else { return Err(ApiError::missing_object("item", id, &param)) };
        let quantity: Option<i64> = quantity.as_str().and_then(|q| q.trim().parse().ok());
        let bounds = item.object("adjustable_quantity");
        let least = bounds.and_then(|b| b.integer("minimum")).unwrap_or_default();
        let most = bounds.and_then(|b| b.integer("maximum")).unwrap_or_default();
        match quantity {
            Some(quantity) if bounds.is_some() && (least..=most).contains(&quantity) => {
                item.insert("quantity".into(), quantity.into());
            }
            Some(quantity) if item.integer("quantity") == Some(quantity) => {}
            _ => {
                let message = format!("The quantity must be between {least} and {most}.");
                return Err(ApiError::invalid(message).param(param));
            }
        }
    }
    Ok(Some(items))
}

fn invalid_code() -> ApiError {
    ApiError::invalid("This code is invalid.").param("promotion_code")
}

fn redeem(account: &Account, session: &Object, code: &str) -> Result<Vec<discount::Redeemed>, ApiError> {
    let redeemed = discount::by_text(account, code).ok_or_else(invalid_code)?;
    let redeemed = vec![redeemed];
    let currency = session.text("currency").unwrap_or_default();
    discount::check_currency(&redeemed, currency).map_err(|_| invalid_code())?;
    let subtotal = session.integer("amount_subtotal").unwrap_or_default();
    if !discount::suits(account, &redeemed, session.text("customer"), subtotal, currency) {
        return Err(invalid_code());
    }
    Ok(redeemed)
}

/// Takes the details that the merchant wants; everything is checked before anything is taken.
pub(super) fn describe(account: &mut Account, session: &mut Object, form: &Object) -> Result<(), ApiError> {
    let known = session.text("customer_email").map(str::to_owned);
    let before = session.object("customer_details").cloned();
    let email = known.as_deref().or_else(|| form.text("email"));
    if email.is_some_and(|e| !e.contains('@')) {
        return Err(ApiError::invalid("Your email is invalid.").code("email_invalid").param("email"));
    }
    let wanted = |name: &str| session.object(name).is_some_and(|p| p.is_true("enabled"));
    if wanted("phone_number_collection") && form.text("phone").is_none() {
        return Err(incomplete("phone", "phone number"));
    }
    let required = session.text("billing_address_collection") == Some("required");
    let billing = address(form, "billing", required)?;
    let allowed = session.object("shipping_address_collection").map(|s| s.list("allowed_countries"));
    let shipping = match allowed {
        Some(allowed) => {
            let address = address(form, "shipping", true)?;
            let country = address.as_ref().and_then(|a| a.get("country").cloned()).unwrap_or_default();
            if !allowed.contains(&country) {
                let message = "This country is not one that can be shipped to.";
                return Err(ApiError::invalid(message).param("shipping[country]"));
            }
            let name = form.object("shipping").and_then(|s| s.text("name")).or_else(|| form.text("name"));
            let name = name.ok_or_else(|| incomplete("shipping[name]", "name"))?;
            Some(json!({"address": address, "name": name}))
        }
        None => None,
    };
    let fields = custom_fields(session, form)?;
    let consent = consent(session, form)?;
    let (business, individual) = (named(session, form, "business")?, named(session, form, "individual")?);
    let mut details = before.unwrap_or_else(|| object(super::opening::details(None, None)));
    for (name, value) in [
        ("email", email),
        ("name", form.text("name")),
        ("phone", form.text("phone")),
        ("business_name", business),
        ("individual_name", individual),
    ] {
        if let Some(value) = value {
            details.insert(name.into(), value.into());
        }
    }
    if let Some(billing) = billing {
        details.insert("address".into(), billing);
    }
    session.insert("customer_details".into(), details.into());
    session.insert("custom_fields".into(), fields.into());
    session.insert("consent".into(), consent);
    if shipping.is_some() || business.is_some() || individual.is_some() {
        let collected = json!({
            "business_name": business, "individual_name": individual, "shipping_details": shipping,
        });
        session.insert("collected_information".into(), collected);
    }
    account.put(KIND, session);
    Ok(())
}

fn incomplete(param: &str, what: &str) -> ApiError {
    ApiError::invalid(format!("Your {what} is incomplete.")).param(param)
}

/// An address of the form; what it must have is the street and the country.
fn address(form: &Object, name: &str, required: bool) -> Result<Option<Value>, ApiError> {
    let empty = Object::new();
    let sent = form.object(name).unwrap_or(&empty);
    let complete = sent.text("line1").is_some() && sent.text("country").is_some();
    if required && !complete {
        let missing = if sent.text("line1").is_some() { "country" } else { "line1" };
        return Err(incomplete(&format!("{name}[{missing}]"), &format!("{name} address")));
    }
    if ADDRESS.iter().all(|member| sent.text(member).is_none()) {
        return Ok(None);
    }
    let members = ADDRESS.iter().map(|member| ((*member).to_owned(), sent.text(member).into()));
    Ok(Some(Value::Object(members.collect())))
}

/// A name that the merchant asks for.
fn named<'f>(session: &Object, form: &'f Object, which: &str) -> Result<Option<&'f str>, ApiError> {
    let asked = session.object("name_collection").and_then(|n| n.object(which)).filter(|n| n.is_true("enabled"));
    let name = format!("{which}_name");
    let given = form.text(&name);
    match asked {
        Some(asked) if given.is_none() && !asked.is_true("optional") => {
            Err(incomplete(&name, &format!("{which} name")))
        }
        Some(_) => Ok(given),
        None => Ok(None),
    }
}

/// The merchant's own fields with what was written into them.
fn custom_fields(session: &Object, form: &Object) -> Result<Vec<Value>, ApiError> {
    let empty = Object::new();
    let written = form.object("custom_fields").unwrap_or(&empty);
    let mut fields = session.list("custom_fields").to_vec();
    for field in fields.iter_mut().filter_map(Value::as_object_mut) {
        let key = field.text("key").unwrap_or_default().to_owned();
        let param = format!("custom_fields[{key}]");
        let refused = |message: String| Err(ApiError::invalid(message).param(param.as_str()));
        let label = field.object("label").and_then(|l| l.text("custom")).unwrap_or(&key).to_owned();
        let kind = field.text("type").unwrap_or("text").to_owned();
        let optional = field.is_true("optional");
        let Some(Value::Object(of_kind)) = field.get_mut(&kind) else { continue };
        let Some(value) = written.text(&key).or_else(|| of_kind.text("default_value")).map(str::to_owned) else {
            if optional {
                continue;
            }
            return refused(format!("{label} is required."));
        };
        let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
        if of_kind.integer("minimum_length").is_some_and(|least| length < least) {
            return refused(format!("{label} is too short."));
        }
        if length > of_kind.integer("maximum_length").unwrap_or(255) {
            return refused(format!("{label} is too long."));
        }
        if kind == "numeric" && !value.bytes().all(|b| b.is_ascii_digit()) {
            return refused(format!("{label} must be a number."));
        }
        if kind == "dropdown" && !of_kind.objects("options").any(|o| o.text("value") == Some(&value)) {
            return refused(format!("{label} must be one of the options."));
        }
        of_kind.insert("value".into(), value.into());
    }
    Ok(fields)
}

fn consent(session: &Object, form: &Object) -> Result<Value, ApiError> {
    let Some(asked) = session.object("consent_collection") else { return Ok(Value::Null) };
    let must = asked.text("terms_of_service") == Some("required");
    if must && form.text("terms_of_service").is_none() {
        let message = "You must agree to the terms of service to continue.";
        return Err(ApiError::invalid(message).param("terms_of_service"));
    }
    let promotions = (asked.text("promotions") == Some("auto"))
        .then(|| if form.text("promotions").is_some() { "opt_in" } else { "opt_out" });
    Ok(json!({"promotions": promotions, "terms_of_service": must.then_some("accepted")}))
}
