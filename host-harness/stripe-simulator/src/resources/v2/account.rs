//! Accounts of v2 and their persons. What an account may do is shown as it was asked for: nobody checks anybody.

use serde_json::{Value, json};

use super::super::{Call, Operations, Read, Reply};
use super::{deleted, includes, pages, plain};
use crate::protocol::ApiError;
use crate::resources::fields::object;
use crate::world::{Object, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v2/core/accounts", list),
    ("POST", "/v2/core/accounts", create),
    ("GET", "/v2/core/accounts/{id}", retrieve),
    ("POST", "/v2/core/accounts/{id}", update),
    ("POST", "/v2/core/accounts/{id}/close", close),
    ("GET", "/v2/core/accounts/{account_id}/persons", list_persons),
    ("POST", "/v2/core/accounts/{account_id}/persons", create_person),
    ("GET", "/v2/core/accounts/{account_id}/persons/{id}", retrieve_person),
    ("POST", "/v2/core/accounts/{account_id}/persons/{id}", update_person),
    ("DELETE", "/v2/core/accounts/{account_id}/persons/{id}", delete_person),
];

const KIND: &str = "v2.core.account";
const PERSON: &str = "v2.core.account_person";

/// Parts that are shown only when they are included.
const INCLUDED: [&str; 4] = ["defaults", "future_requirements", "identity", "requirements"];
const CONFIGURATIONS: [&str; 3] = ["customer", "merchant", "recipient"];

/// What an answer shows of an account.
fn shown(mut account: Object, call: &Call<'_>) -> Object {
    for part in INCLUDED.iter().filter(|p| !includes(&call.parameters, p)) {
        account.insert((*part).into(), Value::Null);
    }
    let mut any = false;
    if let Some(Value::Object(configuration)) = account.get_mut("configuration") {
        for name in CONFIGURATIONS {
            let included = includes(&call.parameters, &format!("configuration.{name}"));
            any |= included;
            if !included {
                configuration.insert(name.into(), Value::Null);
            }
        }
    }
    if !any {
        account.insert("configuration".into(), Value::Null);
    }
    account
}

/// The configurations that an account has: those that were sent, unless they were taken away again.
fn apply(account: &mut Object) {
    let configuration = account.object("configuration");
    let is_applied = |name: &&str| configuration.and_then(|c| c.object(name)).is_some_and(|one| one.is_true("applied"));
    let applied: Vec<&str> = CONFIGURATIONS.into_iter().filter(is_applied).collect();
    account.insert("applied_configurations".into(), applied.into());
}

/// The configurations in a request, unless they say otherwise, are applied by it.
fn mark_applied(parameters: &mut Object) {
    if let Some(Value::Object(configuration)) = parameters.get_mut("configuration") {
        for one in configuration.values_mut().filter_map(Value::as_object_mut) {
            one.entry("applied").or_insert(true.into());
        }
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    mark_applied(&mut call.parameters);
    let mut account = plain::create(call, KIND, object(json!({"closed": false})))?;
    apply(&mut account);
    call.account.put(KIND, &account);
    Ok(shown(account, call).into())
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let account = plain::named(call, KIND)?;
    Ok(shown(account, call).into())
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut account = plain::named(call, KIND)?;
    if account.is_true("closed") {
        return Err(ApiError::invalid("A closed account cannot be changed.").param("id"));
    }
    mark_applied(&mut call.parameters);
    let old = account.clone();
    plain::change(call, KIND, &mut account)?;
    apply(&mut account);
    let text = call.account.put(KIND, &account);
    if old != account {
        plain::tell(call, KIND, "updated", text.clone(), None);
    }
    let at = |account: &Object, part: &str| account.get("configuration").and_then(|c| c.get(part)).cloned();
    for name in CONFIGURATIONS.iter().filter(|n| at(&old, n) != at(&account, n)) {
        plain::tell(call, &format!("{KIND}[configuration.{name}]"), "updated", text.clone(), None);
    }
    for part in INCLUDED.iter().filter(|p| old.get(**p) != account.get(**p)) {
        plain::tell(call, &format!("{KIND}[{part}]"), "updated", text.clone(), None);
    }
    Ok(shown(account, call).into())
}

fn close(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut account = plain::named(call, KIND)?;
    account.insert("closed".into(), true.into());
    let text = call.account.put(KIND, &account);
    plain::tell(call, KIND, "closed", text, None);
    Ok(shown(account, call).into())
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let closed = call.parameters.is_true("closed");
    let wanted = call.parameters.list("applied_configurations");
    let test = |account: &Object| {
        let applied = account.list("applied_configurations");
        account.is_true("closed") == closed && (wanted.is_empty() || wanted.iter().any(|w| applied.contains(w)))
    };
    pages::shelf(call, KIND, test, |account| shown(account, call))
}

/// The account that the path begins with.
fn owner(call: &Call<'_>) -> Result<String, ApiError> {
    Ok(call.account.find(KIND, call.id(), "id")?.id().to_owned())
}

fn person(call: &Call<'_>) -> Result<Object, ApiError> {
    let account = owner(call)?;
    let person = plain::named(call, PERSON)?;
    if person.text("account") == Some(account.as_str()) {
        return Ok(person);
    }
    Err(ApiError::missing_object(PERSON, person.id(), "id"))
}

fn create_person(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let account = owner(call)?;
    // What is told of a person says whose it is, which nothing plain does.
    let known = object(json!({"account": account}));
    let person = plain::create_untold(call, PERSON, known)?;
    tell(call, "created", &person);
    Ok(person.into())
}

fn tell(call: &mut Call<'_>, what: &str, person: &Object) {
    let data = json!({"account_id": person.get("account")});
    plain::tell(call, PERSON, what, written(person), Some(data));
}

fn retrieve_person(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    person(call).map(Reply::from)
}

fn update_person(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut person = person(call)?;
    plain::change(call, PERSON, &mut person)?;
    call.account.put(PERSON, &person);
    tell(call, "updated", &person);
    Ok(person.into())
}

fn delete_person(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let person = person(call)?;
    call.account.remove(PERSON, person.id(), None);
    tell(call, "deleted", &person);
    Ok(deleted(PERSON, person.id()))
}

fn list_persons(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let account = owner(call)?;
    pages::shelf(call, PERSON, |p| p.text("account") == Some(account.as_str()), |person| person)
}
