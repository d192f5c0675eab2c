//! Searchable, paged drop-downs of a resource's objects.

use serde_json::{Map, Value, json};

use crate::catalog::{self, Method, Resource, nearest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Members;
use crate::mapping;
use crate::operation::session::{Metadata, Session};
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The object's id.
    pub value: String,
    /// What to show.
    pub label: String,
    /// What to show beside it.
    pub detail: Option<String>,
}

/// One page of entries.
#[derive(Debug)]
pub struct Choices {
    /// In Stripe's order.
    pub choices: Vec<Choice>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How it came about.
    pub metadata: Metadata,
}

/// What to list.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The resource's name.
    pub resource: &'a str,
    /// What the user typed.
    pub search: Option<&'a str>,
    /// Where the page begins.
    pub cursor: Option<&'a str>,
    /// How many.
    pub limit: Option<u32>,
}

/// How many characters Stripe's search needs to find a part of a value.
const SHORTEST_SEARCH: usize = 3;

/// Lists a page of objects to choose from.
///
/// # Errors
/// A resource that cannot be listed; Stripe's refusal; no answer.
pub fn choices(session: &Session<'_>, wanted: &Wanted<'_>) -> Result<Choices> {
    let resource = find(wanted.resource)?;
    let limit = wanted.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return Err(Error::input("limit", "a page has 1 to 100 entries"));
    }
    let Some(list) = resource.choices else {
        return Err(Error::input("resource", format!("`{}` cannot be listed", resource.name)));
    };
    let typed = wanted.search.map(str::trim).filter(|s| !s.is_empty());
    if let Some(id) = typed.filter(|t| catalog::resource_of_id(t).is_some_and(|r| r.name == resource.name)) {
        return one(session, resource, list, id);
    }
    let mut parameters = Map::new();
    parameters.insert("limit".into(), json!(limit));
    let searched = resource.search.zip(typed.filter(|t| t.chars().count() >= SHORTEST_SEARCH));
    let path = match searched {
        Some((search, typed)) => {
            parameters.insert("query".into(), json!(query(resource, typed)));
            if let Some(cursor) = wanted.cursor {
                parameters.insert("page".into(), json!(cursor));
            }
            search
        }
        None => {
            if let Some(cursor) = wanted.cursor {
                parameters.insert("starting_after".into(), json!(cursor));
            }
            list
        }
    };
    let answer = get(session, path.to_owned(), &parameters)?;
    let page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let objects = page.at("data").as_array().map(Vec::as_slice).unwrap_or_default();
    let next_cursor = match page.at("has_more") == true {
        false => None,
        true => page.at("next_page").as_str().or_else(|| objects.last()?.at("id").as_str()).map(str::to_owned),
    };
    // Where Stripe has no search, the page is narrowed to what was typed.
    let narrowed = typed.filter(|_| searched.is_none()).map(str::to_ascii_lowercase);
    let fits = |c: &Choice| {
        let within = |text: &str, part: &str| text.to_ascii_lowercase().contains(part);
        narrowed.as_deref().is_none_or(|n| {
            within(&c.label, n) || within(&c.value, n) || c.detail.as_deref().is_some_and(|d| within(d, n))
        })
    };
    let choices = objects.iter().filter_map(|o| choice(o, resource)).filter(fits).collect();
    Ok(Choices { choices, next_cursor, metadata: session.metadata(&answer) })
}

fn find(name: &str) -> Result<&'static Resource> {
    catalog::resource(name).ok_or_else(|| {
        let error = Error::new(ErrorKind::UnknownOperation, format!("there is no resource `{name}`"));
        match nearest(name, catalog::RESOURCES.iter().map(|r| r.name)).as_slice() {
            [] => error,
            near => error.hint(format!("Did you mean `{}`?", near.join("` or `"))),
        }
    })
}

/// The object that the user pasted the id of; an empty page when there is none.
fn one(session: &Session<'_>, resource: &Resource, list: &str, id: &str) -> Result<Choices> {
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Error::input("search", "an id consists of letters, digits and _"));
    }
    match get(session, format!("{list}/{}", form::escape(id)), &Map::new()) {
        Ok(answer) => {
            let object: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let choices = choice(&object, resource).into_iter().collect();
            Ok(Choices { choices, next_cursor: None, metadata: session.metadata(&answer) })
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            let metadata = Metadata {
                idempotency_key: None,
                replayed: false,
                request_id: error.request_id,
                attempts: error.attempts,
                mode: session.connection.key.mode,
                account: session.connection.account.clone(),
            };
            Ok(Choices { choices: Vec::new(), next_cursor: None, metadata })
        }
        Err(error) => Err(error),
    }
}

/// `name~"jen" OR email~"jen"`, in Stripe's search language.
fn query(resource: &Resource, typed: &str) -> String {
    let escaped = typed.replace('\\', "\\\\").replace('"', "\\\"");
    resource.search_fields.iter().map(|field| format!("{field}~\"{escaped}\"")).collect::<Vec<_>>().join(" OR ")
}

fn choice(object: &Value, resource: &Resource) -> Option<Choice> {
    let value = object.at("id").as_str()?.to_owned();
    Some(Choice {
        label: mapping::label(object, resource).unwrap_or_else(|| value.clone()),
        detail: mapping::detail(object, resource),
        value,
    })
}

fn get(session: &Session<'_>, path: String, parameters: &Map<String, Value>) -> Result<Answer> {
    session.client().send(&Call { method: Method::Get, path, form: form::encode(parameters), idempotency_key: None })
}
