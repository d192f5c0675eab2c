//! File links: addresses that show a file to whoever has them, until they expire.

use serde_json::{Value, json};

use super::fields::{assign_metadata, new_metadata, whole};
use super::file::{self, Contents};
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, World, lock, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/file_links", list),
    ("POST", "/v1/file_links", create),
    ("GET", "/v1/file_links/{link}", retrieve),
    ("POST", "/v1/file_links/{link}", update),
];

pub(super) const KIND: &str = "file_link";

/// The purposes of files that can be linked to.
const LINKED: &[&str] = &[
    "business_icon",
    "business_logo",
    "customer_signature",
    "dispute_evidence",
    "finance_report_run",
    "financial_account_statement",
    "identity_document_downloadable",
    "issuing_regulatory_reporting",
    "pci_document",
    "selfie",
    "sigma_scheduled_query",
    "tax_document_user_upload",
    "terminal_android_apk",
    "terminal_reader_splashscreen",
];

/// Whether a link can be made as asked, to a file of this purpose.
pub(super) fn check(sent: &Object, purpose: &str, param: &str) -> Result<(), ApiError> {
    if !LINKED.contains(&purpose) {
        let message = format!("You cannot create a file link for a file with the purpose {purpose}.");
        return Err(ApiError::invalid(message).param("file"));
    }
    check_expiry(sent, param)
}

fn check_expiry(sent: &Object, param: &str) -> Result<(), ApiError> {
    match sent.integer("expires_at") {
        Some(end) if end <= now() => Err(ApiError::invalid("The expiration time must be in the future.").param(param)),
        _ => Ok(()),
    }
}

/// Makes a link that was checked.
pub(super) fn make(account: &mut Account, file: &str, sent: &Object) -> Object {
    let token = account.letters(44);
    let url = format!("{}/links/{token}", account.settings().base_url);
    let link = whole(
        KIND,
        json!({
            "id": account.new_id("link"), "object": KIND, "created": now(), "expired": false,
            "expires_at": sent.integer("expires_at"), "file": file, "livemode": account.live(),
            "metadata": new_metadata(sent), "url": url,
        }),
    );
    keep(account, &link);
    link
}

fn keep(account: &mut Account, link: &Object) {
    account.put(KIND, link);
    file::show_links(account, link.text("file").unwrap_or_default());
    if let Some(end) = link.integer("expires_at").filter(|_| !link.is_true("expired")) {
        account.later(end.saturating_mul(1000), expire, link.id());
    }
}

/// A link has expired, unless its time was changed meanwhile.
fn expire(account: &mut Account, id: &str) {
    let Some(mut link) = account.get(KIND, id) else { return };
    if link.integer("expires_at").is_some_and(|end| end <= now()) && !link.is_true("expired") {
        link.insert("expired".into(), true.into());
        keep(account, &link);
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let file = call.account.find(file::KIND, sent.text("file").unwrap_or_default(), "file")?;
    check(&sent, file.text("purpose").unwrap_or_default(), "expires_at")?;
    Ok(make(call.account, file.id(), &sent).into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut link = call.named(KIND)?;
    let sent = &call.parameters;
    if sent.contains_key("expires_at") && link.is_true("expired") {
        return Err(ApiError::invalid("You cannot change when a file link expires once it has.").param("expires_at"));
    }
    check_expiry(sent, "expires_at")?;
    assign_metadata(&mut link, sent)?;
    match sent.get("expires_at") {
        Some(Value::String(text)) if text == "now" => {
            link.insert("expires_at".into(), now().into());
            link.insert("expired".into(), true.into());
        }
        Some(Value::String(_)) => {
            link.insert("expires_at".into(), Value::Null);
        }
        Some(end) => {
            link.insert("expires_at".into(), end.clone());
        }
        None => {}
    }
    keep(call.account, &link);
    Ok(link.into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let expired = call.parameters.get("expired").cloned();
    listing::shelf_where(call, KIND, &[("file", "file")], |l| {
        expired.as_ref().is_none_or(|e| l.get("expired") == Some(e))
    })
}

/// What a link leads to, as long as it has not expired. Nobody who opens one has a key.
pub(crate) fn open(world: &World, token: &str) -> Option<Contents> {
    let end = format!("/links/{token}");
    world.accounts().into_iter().find_map(|(_, account)| {
        let mut account = lock(&account);
        account.catch_up();
        let found = account.select(KIND, &end, |l| l.text("url").is_some_and(|url| url.ends_with(&end)));
        let link = found.first().filter(|l| !l.is_true("expired"))?;
        file::contents(&mut account, link.text("file")?).ok()
    })
}
