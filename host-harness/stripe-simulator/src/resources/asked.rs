//! What connected accounts are asked for: what is missing of what is known of them, under the names that it is given by.
//!
//! What follows for the account from an answer is the account's own business.

use serde_json::Value;

use super::Read;
use crate::world::{Account, Object};

/// What of the address is asked for.
const ADDRESS: &[&str] = &["city", "line1", "postal_code", "state"];
const DOB: &[&str] = &["day", "month", "year"];

/// Whether something is there at a path of members.
fn has(object: &Object, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    match object.get(*first) {
        None | Some(Value::Null) => false,
        Some(Value::Object(inner)) if !rest.is_empty() => has(inner, rest),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => rest.is_empty(),
    }
}

/// What is missing of a person, under the name that it is asked for by.
pub(super) fn missing_of(person: &Object, name: &str, country: &str, due: &mut Vec<String>) {
    let mut ask = |path: &[&str]| {
        if !has(person, path) {
            due.push(format!("{name}.{}", path.join(".")));
        }
    };
    for part in ADDRESS.iter().filter(|p| **p != "state" || country == "US") {
        ask(&["address", part]);
    }
    DOB.iter().for_each(|part| ask(&["dob", part]));
    for part in ["email", "first_name", "last_name", "phone"] {
        ask(&[part]);
    }
    let told = person.is_true("ssn_last_4_provided") || person.is_true("id_number_provided");
    if country == "US" && !told {
        due.push(format!("{name}.ssn_last_4"));
    }
    let relationship = person.object("relationship");
    if name != "individual" && relationship.is_some_and(|r| r.is_true("representative") && r.text("title").is_none()) {
        due.push(format!("{name}.relationship.title"));
    }
}

/// What an account still has to tell before it can do what was requested.
pub(super) fn due(account: &Account, known: &Object, persons: &[Object]) -> Vec<String> {
    let mut due = Vec::new();
    let country = known.text("country").unwrap_or("US");
    let mut ask = |path: &[&str]| {
        if !has(known, path) {
            due.push(path.join("."));
        }
    };
    if known.object("capabilities").is_some_and(|c| !c.is_empty()) {
        ask(&["business_profile", "mcc"]);
        ask(&["business_profile", "url"]);
        ask(&["business_type"]);
        match known.text("business_type") {
            Some("individual") => {
                missing_of(known.object("individual").unwrap_or(&Object::new()), "individual", country, &mut due);
            }
            Some(_) => {
                for part in ADDRESS.iter().filter(|p| **p != "state" || country == "US") {
                    ask(&["company", "address", part]);
                }
                ask(&["company", "name"]);
                ask(&["company", "phone"]);
                if !known.object("company").is_some_and(|c| c.is_true("tax_id_provided")) {
                    due.push("company.tax_id".to_owned());
                }
                for role in ["owner", "representative"] {
                    let told = role == "owner" && known.object("company").is_some_and(|c| c.is_true("owners_provided"));
                    if !told && !persons.iter().any(|p| p.object("relationship").is_some_and(|r| r.is_true(role))) {
                        due.push(format!("relationship.{role}"));
                    }
                }
                persons.iter().for_each(|p| missing_of(p, p.id(), country, &mut due));
            }
            None => due.push("relationship.representative".to_owned()),
        }
    }
    if account.settings().external_accounts(account.live(), known.id()).is_empty() {
        due.push("external_account".to_owned());
    }
    for part in ["date", "ip"] {
        if !has(known, &["tos_acceptance", part]) {
            due.push(format!("tos_acceptance.{part}"));
        }
    }
    due.sort();
    due
}
