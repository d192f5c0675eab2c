//! The account that the key belongs to, and those that it made as a platform.
//!
//! What a connected account still has to tell follows from what is known of it; what it can do follows from that. A
//! platform and its connected account each have the account's object: a change on one side is copied to the other by
//! an errand, and told as an event of the connected account.

use serde_json::{Value, json};
use stripe_facts::{Facts, Shape};

use super::application_fee::APPLICATION;
use super::fields::{assign, assign_metadata, deleted, object, sublist, whole};
use super::{Call, Operations, Read, Reply, asked, external_account, listing, person, token};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/account", retrieve_own),
    ("GET", "/v1/accounts", list),
    ("POST", "/v1/accounts", create),
    ("DELETE", "/v1/accounts/{account}", delete),
    ("GET", "/v1/accounts/{account}", retrieve),
    ("POST", "/v1/accounts/{account}", update),
    ("GET", "/v1/accounts/{account}/capabilities", list_capabilities),
    ("GET", "/v1/accounts/{account}/capabilities/{capability}", retrieve_capability),
    ("POST", "/v1/accounts/{account}/capabilities/{capability}", update_capability),
    ("POST", "/v1/accounts/{account}/reject", reject),
    ("POST", "/v1/accounts/{account}/unreject", unreject),
];

pub(super) const KIND: &str = "account";

/// When the simulated account was opened.
const OPENED: i64 = 1_577_836_800;

/// The account as an object.
pub(super) fn current(account: &Account) -> Object {
    match account.get(KIND, account.id()) {
        Some(known) => shown(account, known),
        None => own(account),
    }
}

/// An account with its external accounts in it.
fn shown(account: &Account, mut known: Object) -> Object {
    let id = known.id().to_owned();
    let external = account.settings().external_accounts(account.live(), &id).into_iter().rev().map(Value::Object);
    known.insert(
        "external_accounts".into(),
        sublist(external.collect(), format!("/v1/accounts/{id}/external_accounts")),
    );
    known
}

fn requirements(due: &[String], disabled: Option<&str>) -> Value {
    json!({
        "alternatives": [], "current_deadline": null, "currently_due": due, "disabled_reason": disabled, "errors": [],
        "eventually_due": due, "past_due": due, "pending_verification": [],
    })
}

fn own(account: &Account) -> Object {
    let nothing = requirements(&[], None);
    let known = object(json!({
        "id": account.id(),
        "object": KIND,
        "business_profile": {
            "annual_revenue": null, "estimated_worker_count": null, "mcc": "5734",
            "minority_owned_business_designation": null, "name": "Simulated Shop", "product_description": null,
            "specified_commercial_transactions_act_url": null, "support_address": null, "support_email": null, "support_phone": null, "support_url": null,
            "url": "https://shop.example",
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": true,
        "controller": {"type": "account"},
        "country": "US",
        "created": OPENED,
        "default_currency": "usd",
        "details_submitted": true,
        "email": "owner@shop.example",
        "future_requirements": nothing,
        "metadata": {},
        "payouts_enabled": true,
        "requirements": nothing,
        "settings": {
            "bacs_debit_payments": {"display_name": null, "service_user_number": null},
            "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
            "card_issuing": {"tos_acceptance": {"date": null, "ip": null}},
            "card_payments": {
                "decline_on": {"avs_failure": false, "cvc_failure": false}, "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null, "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": {"display_name": "Simulated Shop", "timezone": "Etc/UTC"},
            "invoices": {"default_account_tax_ids": null, "hosted_payment_method_save": "offer"},
            "payments": {
                "statement_descriptor": "SIMULATED SHOP", "statement_descriptor_kana": null,
                "statement_descriptor_kanji": null, "statement_descriptor_prefix_kana": null,
                "statement_descriptor_prefix_kanji": null,
            },
            "payouts": {
                "debit_negative_balances": true, "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": null,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": {"date": null, "ip": null, "user_agent": null},
        "type": "standard",
    }));
    shown(account, known)
}

/// The account in the path, which the caller made or is.
pub(super) fn named(call: &Call<'_>) -> Result<Object, ApiError> {
    let id = call.id();
    let found = call.account.get(KIND, id).or_else(|| (id == call.account.id()).then(|| own(call.account)));
    found.ok_or_else(|| {
        ApiError::invalid(format!(
            "The provided key does not have access to account '{id}' (or that account does not exist). Application \
             access may have been revoked."
        ))
        .status_is(403)
        .code("account_invalid")
    })
}

/// An account that was made, in the path.
pub(super) fn made(call: &Call<'_>) -> Result<Object, ApiError> {
    named(call)?;
    call.account.find(KIND, call.id(), "id")
}

/// Whether an account can be paid to.
pub(super) fn check_destination(account: &Account, id: &str, param: &str) -> Result<(), ApiError> {
    if account.exists(KIND, id) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("No such destination: '{id}'")).code("resource_missing").param(param))
}

/// What follows from what is known of an account: what it still has to tell and what it can do.
fn conclude(account: &Account, known: &mut Object) {
    let persons = person::of(account, known.id());
    let due = asked::due(account, known, &persons);
    let disabled = known.object("requirements").and_then(|r| r.text("disabled_reason")).map(str::to_owned);
    let rejected = disabled.filter(|reason| reason.starts_with("rejected."));
    let disabled = rejected.as_deref().or((!due.is_empty()).then_some("requirements.past_due"));
    let active = disabled.is_none();
    if let Some(Value::Object(capabilities)) = known.get_mut("capabilities") {
        capabilities.values_mut().for_each(|status| *status = if active { "active" } else { "inactive" }.into());
    }
    let capable = |name: &str| known.object("capabilities").is_some_and(|c| c.text(name) == Some("active"));
    let (charges, any) = (capable("card_payments"), known.object("capabilities").is_some_and(|c| !c.is_empty()));
    known.insert("charges_enabled".into(), charges.into());
    known.insert("payouts_enabled".into(), (active && any).into());
    let told = due.iter().all(|d| d == "external_account");
    known.insert("details_submitted".into(), told.into());
    known.insert("requirements".into(), requirements(&due, disabled));
    *known = shown(account, std::mem::take(known));
}

// ---- changes, on both sides

/// Keeps a changed account: here, and with the one that shares it. Events are the connected account's.
pub(super) fn keep(account: &mut Account, old: &Object, mut new: Object) -> Object {
    conclude(account, &mut new);
    let mut told = Vec::new();
    let (before, after) = (old.object("capabilities"), new.object("capabilities"));
    for (name, status) in after.into_iter().flatten() {
        let was = before.and_then(|b| b.get(name));
        if was != Some(status) {
            told.push((json!(capability(&new, name)), json!(was.map_or_else(|| json!("unrequested"), Clone::clone))));
        }
    }
    let about = object(json!({"old": old, "new": new, "capabilities": told}));
    if account.id() == new.id() {
        receive(account, &about);
        account.errand(None, copy, about);
    } else {
        account.put(KIND, &new);
        account.errand(Some(new.id()), receive, about);
    }
    new
}

fn copy(account: &mut Account, about: &Object) {
    if let Some(new) = about.object("new") {
        account.put(KIND, new);
    }
}

/// The connected account hears of its change.
fn receive(account: &mut Account, about: &Object) {
    let (Some(old), Some(new)) = (about.object("old"), about.object("new")) else { return };
    if old.is_empty() {
        account.put(KIND, new);
    } else {
        account.update(KIND, "account.updated", old, new);
    }
    for told in about.list("capabilities").iter().filter_map(Value::as_array) {
        let [Value::Object(capability), was] = told.as_slice() else { continue };
        let mut before = capability.clone();
        before.insert("status".into(), was.clone());
        account.tell_change("capability.updated", &before, capability);
    }
}

/// What follows from a change of what belongs to an account: its persons and external accounts.
pub(super) fn refresh(account: &mut Account, id: &str) {
    if let Some(old) = account.get(KIND, id) {
        keep(account, &old, old.clone());
    }
}

// ---- parameters

/// Merges parameters into a member that is an object, one level after the other.
pub(super) fn merge(target: &mut Value, sent: &Value) {
    match (target, sent) {
        (Value::Object(target), Value::Object(sent)) => {
            for (name, value) in sent {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, Value::String(text)) if text.is_empty() => *target = Value::Null,
        (target, sent) => *target = sent.clone(),
    }
}

/// The fields of a member that is an object.
fn fields_of(member: &str) -> Vec<&'static str> {
    let fields = Facts::bundled().object(KIND).unwrap_or_default();
    match fields.iter().find(|f| f.name == member).map(|f| &f.shape) {
        Some(Shape::Object(fields)) => fields.iter().map(|f| f.name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// What parameters say of an account, put into it.
pub(super) fn change(account: &mut Account, known: &mut Object, sent: &Object) -> Result<(), ApiError> {
    assign(KIND, known, sent, &["business_type", "default_currency", "email"]);
    for member in ["business_profile", "company", "settings", "tos_acceptance"] {
        let Some(given) = sent.get(member).filter(|v| v.is_object()) else { continue };
        let mut all = json!(known.object(member).cloned().unwrap_or_default());
        merge(&mut all, given);
        let mut all = object(all);
        // Numbers of identity are not shown; that they are known is.
        for (secret, told) in [("tax_id", "tax_id_provided"), ("vat_id", "vat_id_provided")] {
            if let Some(value) = all.remove(secret) {
                all.insert(told.into(), (!value.is_null()).into());
            }
        }
        let fields = fields_of(member);
        all.retain(|name, _| fields.contains(&name.as_str()));
        let completed = whole(KIND, json!({member: all})).remove(member).unwrap_or_default();
        known.insert(member.into(), completed);
    }
    if let Some(given) = sent.object("individual") {
        let person = match known.object("individual") {
            Some(known) => person::changed(known.clone(), given)?,
            None => person::build(account, known.id(), given)?,
        };
        known.insert("individual".into(), Value::Object(person));
    }
    let requested = sent.object("capabilities").into_iter().flatten();
    for (name, wanted) in requested {
        if let (Some(Value::Object(all)), Some(wanted)) =
            (known.get_mut("capabilities"), wanted.get("requested").and_then(Value::as_bool))
        {
            if wanted {
                all.entry(name.clone()).or_insert_with(|| "inactive".into());
            } else {
                all.remove(name);
            }
        }
    }
    assign_metadata(known, sent)
}

/// Who pays, who answers and who sees what, for a type of account.
fn controller(kind: &str, sent: Option<&Object>) -> Value {
    let (payer, losses, requirements, dashboard) = match kind {
        "custom" => ("application_custom", "application", "application", "none"),
        "express" => ("application_express", "application", "stripe", "express"),
        _ => ("account", "stripe", "stripe", "full"),
    };
    let given = |path: &str, otherwise: &str| {
        let mut parts = path.split('.');
        let mut value = parts.next().and_then(|p| sent?.get(p));
        for part in parts {
            value = value.and_then(|v| v.get(part));
        }
        value.and_then(Value::as_str).unwrap_or(otherwise).to_owned()
    };
    json!({
        "fees": {"payer": given("fees.payer", payer)}, "is_controller": true,
        "losses": {"payments": given("losses.payments", losses)},
        "requirement_collection": given("requirement_collection", requirements),
        "stripe_dashboard": {"type": given("stripe_dashboard.type", dashboard)}, "type": "application",
    })
}

// ---- operations

fn retrieve_own(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(current(call.account).into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    named(call).map(|known| shown(call.account, known).into())
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut sent = std::mem::take(&mut call.parameters);
    if let Some(id) = sent.text("account_token").map(str::to_owned) {
        sent.extend(token::details(call.account, &id, "account", "account_token")?);
        accept_terms(&mut sent);
    }
    if sent.contains_key("type") && sent.contains_key("controller") {
        return Err(ApiError::exclusive("type", "controller"));
    }
    let kind = if sent.contains_key("controller") { "none" } else { sent.text("type").unwrap_or("standard") };
    let id = call.account.new_id("acct");
    let country = sent.text("country").unwrap_or("US").to_ascii_uppercase();
    let mut account = own(call.account);
    for (name, value) in [
        ("id", json!(id)),
        ("business_type", Value::Null),
        ("capabilities", json!({})),
        ("controller", controller(kind, sent.object("controller"))),
        ("country", json!(country)),
        ("created", json!(now())),
        ("default_currency", json!(currency_of(&country))),
        ("email", Value::Null),
        ("metadata", json!({})),
        ("type", json!(kind)),
    ] {
        account.insert(name.into(), value);
    }
    for (member, part) in [
        ("business_profile", "mcc"),
        ("business_profile", "name"),
        ("business_profile", "url"),
        ("settings", "dashboard"),
        ("settings", "payments"),
    ] {
        if let Some(inner) = account.get_mut(member).and_then(|m| m.get_mut(part)) {
            match inner {
                Value::Object(texts) => {
                    texts.iter_mut().filter(|(name, _)| *name != "timezone").for_each(|(_, v)| *v = Value::Null);
                }
                other => *other = Value::Null,
            }
        }
    }
    change(call.account, &mut account, &sent)?;
    if sent.contains_key("external_account") {
        external_account::add(call.account, &id, &sent)?;
    }
    if let Some(used) = sent.text("account_token") {
        token::spend(call.account, used);
    }
    Ok(keep(call.account, &Object::new(), account).into())
}

/// A token in which the terms were shown and accepted says when.
fn accept_terms(sent: &mut Object) {
    if sent.remove("tos_shown_and_accepted") == Some(Value::Bool(true)) {
        sent.insert("tos_acceptance".into(), json!({"date": now(), "ip": "127.0.0.1"}));
    }
}

/// The currency that an account is paid out in when it names none.
fn currency_of(country: &str) -> &'static str {
    match country {
        "AT" | "BE" | "CY" | "DE" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "IE" | "IT" | "LT" | "LU" | "LV"
        | "MT" | "NL" | "PT" | "SI" | "SK" => "eur",
        "AU" => "aud",
        "BR" => "brl",
        "CA" => "cad",
        "CH" | "LI" => "chf",
        "DK" => "dkk",
        "GB" => "gbp",
        "HK" => "hkd",
        "JP" => "jpy",
        "MX" => "mxn",
        "NO" => "nok",
        "NZ" => "nzd",
        "PL" => "pln",
        "SE" => "sek",
        "SG" => "sgd",
        _ => "usd",
    }
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = named(call)?;
    if !call.account.exists(KIND, old.id()) {
        return Err(ApiError::invalid(
            "You cannot use this method on your own account: you may only use it on connected accounts.",
        )
        .status_is(403));
    }
    let mut sent = std::mem::take(&mut call.parameters);
    if let Some(id) = sent.text("account_token").map(str::to_owned) {
        sent.extend(token::details(call.account, &id, "account", "account_token")?);
        accept_terms(&mut sent);
    }
    let mut new = old.clone();
    change(call.account, &mut new, &sent)?;
    if sent.contains_key("external_account") {
        external_account::add(call.account, old.id(), &sent)?;
    }
    if let Some(used) = sent.text("account_token") {
        token::spend(call.account, used);
    }
    Ok(keep(call.account, &old, new).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let own = call.account.id().to_owned();
    listing::shelf_where(call, KIND, &[], |a| a.id() != own)
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let known = made(call)?;
    call.account.remove(KIND, known.id(), None);
    call.account.errand(Some(known.id()), close, known.clone());
    Ok(deleted(KIND, known.id()).into())
}

/// The platform has left.
fn close(account: &mut Account, known: &Object) {
    account.remove(KIND, known.id(), None);
    let application = json!({"id": APPLICATION, "object": "application", "name": "Simulated Shop"});
    account.emit("account.application.deauthorized", application.to_string().into());
}

fn reject(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = made(call)?;
    let reason = match call.parameters.text("reason") {
        Some("terms_of_service") => "rejected.platform_terms_of_service",
        Some(fraud) if fraud.starts_with("fraud") => "rejected.platform_fraud",
        _ => "rejected.platform_other",
    };
    let mut new = old.clone();
    new.insert("requirements".into(), requirements(&[], Some(reason)));
    Ok(keep(call.account, &old, new).into())
}

fn unreject(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = made(call)?;
    let reason = old.object("requirements").and_then(|r| r.text("disabled_reason"));
    if !reason.is_some_and(|r| r.starts_with("rejected.")) {
        return Err(ApiError::invalid(format!("Account {} is not rejected.", old.id())));
    }
    let mut new = old.clone();
    new.insert("requirements".into(), requirements(&[], None));
    Ok(keep(call.account, &old, new).into())
}

// ---- capabilities

fn capability(known: &Object, name: &str) -> Object {
    let status = known.object("capabilities").and_then(|c| c.text(name));
    let due: Vec<String> = match (status, known.object("requirements")) {
        (Some(_), Some(r)) => r.list("currently_due").iter().filter_map(|d| d.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let disabled = (!due.is_empty()).then_some("requirements.fields_needed");
    object(json!({
        "id": name, "object": "capability", "account": known.id(), "future_requirements": requirements(&[], None),
        "requested": status.is_some(), "requested_at": status.and(known.get("created")),
        "requirements": requirements(&due, disabled), "status": status.unwrap_or("unrequested"),
    }))
}

fn named_capability(call: &Call<'_>) -> Result<(Object, String), ApiError> {
    let known = named(call)?;
    let name = call.values.get(1).cloned().unwrap_or_default();
    if fields_of("capabilities").contains(&name.as_str()) {
        return Ok((known, name));
    }
    Err(ApiError::missing_object("capability", &name, "id"))
}

fn retrieve_capability(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    named_capability(call).map(|(known, name)| capability(&known, &name).into())
}

fn list_capabilities(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let known = named(call)?;
    let names = known.object("capabilities").into_iter().flatten().map(|(name, _)| name);
    let all: Vec<Value> = names.map(|name| Value::Object(capability(&known, name))).collect();
    let url = call.path();
    Ok(Reply::Made(json!({"object": "list", "data": all, "has_more": false, "url": url})))
}

fn update_capability(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let (_, name) = named_capability(call)?;
    let old = made(call)?;
    let Some(wanted) = call.parameters.get("requested").cloned() else {
        return Ok(capability(&old, &name).into());
    };
    let mut new = old.clone();
    let sent = object(json!({"capabilities": {&name: {"requested": wanted}}}));
    change(call.account, &mut new, &sent)?;
    let new = keep(call.account, &old, new);
    Ok(capability(&new, &name).into())
}
