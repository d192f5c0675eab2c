//! Persons of a connected account: who owns it and who speaks for it.
//!
//! Like the account itself they are with the platform and with the account, and what happens to them is told there.

use serde_json::{Value, json};
use stripe_facts::Facts;

use super::fields::{assign_metadata, deleted, object, whole};
use super::{Call, Operations, Read, Reply, account, asked, listing, token};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/accounts/{account}/persons", list),
    ("POST", "/v1/accounts/{account}/persons", create),
    ("DELETE", "/v1/accounts/{account}/persons/{person}", delete),
    ("GET", "/v1/accounts/{account}/persons/{person}", retrieve),
    ("POST", "/v1/accounts/{account}/persons/{person}", update),
];

const KIND: &str = "person";

/// Numbers that are never shown, and what says that they are known.
const SECRETS: &[(&str, &str)] = &[
    ("id_number", "id_number_provided"),
    ("id_number_secondary", "id_number_secondary_provided"),
    ("ssn_last_4", "ssn_last_4_provided"),
];

/// The persons of an account, in the order that they were added.
pub(super) fn of(account: &Account, owner: &str) -> Vec<Object> {
    let mut all = account.select(KIND, owner, |p| p.text("account") == Some(owner));
    all.reverse();
    all
}

/// A person out of parameters, kept nowhere yet.
pub(super) fn build(account: &mut Account, owner: &str, sent: &Object) -> Result<Object, ApiError> {
    let blank = json!({"back": null, "details": null, "details_code": null, "front": null});
    let new = whole(
        KIND,
        json!({
            "id": account.new_id("person"), "object": KIND, "account": owner, "created": now(),
            "full_name_aliases": [], "id_number_provided": false, "id_number_secondary_provided": false,
            "metadata": {}, "relationship": {
                "authorizer": false, "director": false, "executive": false, "legal_guardian": false, "owner": false,
                "percent_ownership": null, "representative": false, "title": null,
            },
            "ssn_last_4_provided": false,
            "verification": {
                "additional_document": blank, "details": null, "details_code": null, "document": blank,
                "status": "unverified",
            },
        }),
    );
    changed(new, sent)
}

/// A person with what parameters say put in.
pub(super) fn changed(person: Object, sent: &Object) -> Result<Object, ApiError> {
    let mut all = Value::Object(person);
    let mut given = sent.clone();
    given.remove("metadata");
    account::merge(&mut all, &Value::Object(given));
    let mut person = object(all);
    for (secret, told) in SECRETS {
        if let Some(value) = person.remove(*secret) {
            person.insert((*told).to_owned(), (!value.is_null()).into());
        }
    }
    // The last four digits of a whole number are known with it.
    if person.is_true("id_number_provided") {
        person.insert("ssn_last_4_provided".into(), true.into());
    }
    let fields = Facts::bundled().object(KIND).unwrap_or_default();
    person.retain(|name, _| fields.iter().any(|f| f.name == *name));
    assign_metadata(&mut person, sent)?;
    let mut due = Vec::new();
    asked::missing_of(&person, "", "US", &mut due);
    let due: Vec<&str> = due.iter().map(|d| d.trim_start_matches('.')).collect();
    let status = if due.is_empty() { "verified" } else { "unverified" };
    if let Some(Value::Object(verification)) = person.get_mut("verification") {
        verification.insert("status".into(), status.into());
    }
    let nothing: [&str; 0] = [];
    let requirements = |due: &[&str]| {
        json!({
            "alternatives": [], "currently_due": due, "errors": [], "eventually_due": due, "past_due": due,
            "pending_verification": [],
        })
    };
    person.insert("requirements".into(), requirements(&due));
    person.insert("future_requirements".into(), requirements(&nothing));
    Ok(whole(KIND, Value::Object(person)))
}

/// Keeps a person on both sides; the event is the connected account's.
fn keep(account: &mut Account, old: Option<&Object>, new: &Object) {
    let about = object(json!({"old": old, "new": new}));
    let owner = new.text("account").unwrap_or_default().to_owned();
    share(account, &owner, about, receive);
}

fn share(account: &mut Account, owner: &str, about: Object, hear: crate::world::Work) {
    if account.id() == owner {
        hear(account, &about);
        account.errand(None, copy, about);
    } else {
        copy(account, &about);
        account.errand(Some(owner), hear, about);
    }
    account::refresh(account, owner);
}

fn copy(account: &mut Account, about: &Object) {
    match (about.object("old"), about.object("new")) {
        (_, Some(new)) => {
            account.put(KIND, new);
        }
        (Some(gone), None) => account.remove(KIND, gone.id(), None),
        (None, None) => {}
    }
}

fn receive(account: &mut Account, about: &Object) {
    match (about.object("old"), about.object("new")) {
        (Some(old), Some(new)) => {
            account.update(KIND, "person.updated", old, new);
        }
        (None, Some(new)) => {
            account.create(KIND, "person.created", new);
        }
        (Some(gone), None) => {
            account.remove(KIND, gone.id(), None);
            account.emit("person.deleted", written(gone));
        }
        (None, None) => {}
    }
}

/// Adds a person whose details are known to be right.
pub(super) fn add(account: &mut Account, owner: &str, sent: &Object) {
    if let Ok(person) = build(account, owner, sent) {
        keep(account, None, &person);
    }
}

/// The parameters with those of a token of a person among them.
fn unfold(call: &mut Call<'_>) -> Result<Object, ApiError> {
    let mut sent = std::mem::take(&mut call.parameters);
    if let Some(Value::String(id)) = sent.remove("person_token") {
        let details = token::details(call.account, &id, KIND, "person_token")?;
        sent.extend(details);
        token::spend(call.account, &id);
    }
    Ok(sent)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = account::made(call)?;
    if owner.text("business_type") == Some("individual") {
        let message = "You cannot create a person for an account that is an individual: update `individual` instead.";
        return Err(ApiError::invalid(message));
    }
    let sent = unfold(call)?;
    let person = build(call.account, owner.id(), &sent)?;
    keep(call.account, None, &person);
    Ok(person.into())
}

fn one(call: &Call<'_>) -> Result<Object, ApiError> {
    let owner = account::made(call)?;
    let id = call.values.get(1).map_or("", String::as_str);
    let found = call.account.find(KIND, id, "id")?;
    if found.text("account") == Some(owner.id()) { Ok(found) } else { Err(ApiError::missing_object(KIND, id, "id")) }
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    one(call).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = one(call)?;
    let sent = unfold(call)?;
    let new = changed(old.clone(), &sent)?;
    keep(call.account, Some(&old), &new);
    Ok(new.into())
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let gone = one(call)?;
    let owner = gone.text("account").unwrap_or_default().to_owned();
    share(call.account, &owner, object(json!({"old": gone})), receive);
    Ok(deleted(KIND, gone.id()).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = account::named(call)?.id().to_owned();
    let wanted = call.parameters.object("relationship").cloned().unwrap_or_default();
    listing::shelf_where(call, KIND, &[], |p| {
        let has = |(role, wanted): (&String, &Value)| {
            p.object("relationship").is_some_and(|r| r.is_true(role)) == (*wanted == true)
        };
        p.text("account") == Some(&owner) && wanted.iter().all(has)
    })
}
