//! The account that the key belongs to.

use serde_json::json;

use super::fields::{assign_metadata, new_metadata, object};
use super::{Call, Operations, Read, Reply, external_account, listing, synthetic};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/account", retrieve_own),
    ("GET", "/v1/accounts", list),
    ("POST", "/v1/accounts", create),
    ("GET", "/v1/accounts/{account}", retrieve),
    ("POST", "/v1/accounts/{account}", update),
];

const KIND: &str = "account";

/// When the simulated account was opened.
const OPENED: i64 = 1_577_836_800;

/// The account as an object.
pub(super) fn current(account: &Account) -> Object {
    let requirements = json!({
        "alternatives": [], "current_deadline": null, "currently_due": [], "disabled_reason": null, "errors": [],
        "eventually_due": [], "past_due": [], "pending_verification": [],
    });
    object(json!({
        "id": account.id(),
        "object": "account",
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
        "external_accounts": external_account::of_account(account, account.id()),
        "future_requirements": requirements,
        "metadata": {},
        "payouts_enabled": true,
        "requirements": requirements,
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
    }))
}

fn retrieve_own(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    Ok(current(call.account).into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if call.id() == call.account.id() {
        return retrieve_own(call);
    }
    let Some(mut found) = call.account.get(KIND, call.id()) else { return synthetic::answer(call) };
    found.insert("external_accounts".into(), external_account::of_account(call.account, call.id()));
    Ok(found.into())
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let mut account = current(call.account);
    let id = call.account.new_id("acct");
    account.insert("id".into(), id.as_str().into());
    account.insert("created".into(), now().into());
    let external = match sent.get("external_account") {
        Some(_) => Some(external_account::build(call.account, &id, &sent)?),
        None => None,
    };
    for name in ["charges_enabled", "details_submitted", "payouts_enabled"] {
        account.insert(name.into(), false.into());
    }
    account.insert("email".into(), sent.text("email").into());
    for name in ["type", "country", "business_type", "default_currency"] {
        if let Some(value) = sent.text(name) {
            account.insert(name.into(), value.into());
        }
    }
    account.insert("capabilities".into(), json!({}));
    account.insert("metadata".into(), new_metadata(&sent));
    if let Some(external) = external {
        external_account::add(call.account, &id, external, false);
    }
    account.insert("external_accounts".into(), external_account::of_account(call.account, &id));
    Ok(Reply::Kept(call.account.put(KIND, &account)))
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let Some(old) = call.account.get(KIND, call.id()) else { return synthetic::answer(call) };
    let mut new = old.clone();
    for name in ["email", "business_type", "default_currency"] {
        if let Some(value) = call.parameters.text(name) {
            new.insert(name.into(), value.into());
        }
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(KIND, "account.updated", &old, &new)))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[])
}
