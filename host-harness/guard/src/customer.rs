//! One customer only: which requests are about that customer and nobody else.
//!
//! The rule. A request leaves only when all of this holds:
//!
//! 1. Nothing in it is another customer: no value of a field that names one, no part of the path, no id within any text.
//! 2. It is *bound* to the customer: its path is the customer's own; or the object in its path is known to be the
//!    customer's; or its field `customer` is the customer; or a field by which it is about one object (its payment, its
//!    subscription, …) has an object known to be the customer's; or it is a search that cannot find anybody else's. What
//!    the account sells (products, prices, coupons, tax and shipping rates) is everybody's, and may be read.
//! 3. Every other id in it is known to be the customer's, or of what the account sells.
//!
//! *Known* means: the object was read, and its `customer` is this one, or the object that it belongs to is. What has no
//! customer, cannot be read, or is of a kind that tells none, is not known, and the request does not leave. An answer that
//! has another customer in it all the same (an expansion, a mistake of the service) is withheld.

use serde_json::Value;

use crate::known::{Known, Looked, is_plain_id};
use crate::request::{Field, Outgoing};

/// Whether a request is about the customer alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It is.
    Yes,
    /// It depends on the object at this path.
    Needs(String),
    /// It is not, or nobody knows.
    No(String),
}

/// The kinds of objects that have a customer, by the beginnings of their ids, and where they are read.
const OWNED: &[(&str, &str)] = &[
    ("sub_sched_", "/v1/subscription_schedules"),
    ("pi_", "/v1/payment_intents"),
    ("ch_", "/v1/charges"),
    ("py_", "/v1/charges"),
    ("re_", "/v1/refunds"),
    ("pyr_", "/v1/refunds"),
    ("sub_", "/v1/subscriptions"),
    ("si_", "/v1/subscription_items"),
    ("in_", "/v1/invoices"),
    ("ii_", "/v1/invoiceitems"),
    ("cn_", "/v1/credit_notes"),
    ("qt_", "/v1/quotes"),
    ("cs_", "/v1/checkout/sessions"),
    ("seti_", "/v1/setup_intents"),
    ("pm_", "/v1/payment_methods"),
    ("dp_", "/v1/disputes"),
    ("du_", "/v1/disputes"),
];

/// What the account sells.
const SHARED: &[&str] =
    &["/v1/products", "/v1/prices", "/v1/plans", "/v1/coupons", "/v1/tax_rates", "/v1/shipping_rates"];

/// The ids of it.
const SHARED_IDS: &[&str] = &["prod_", "price_", "plan_", "txr_", "shr_"];

/// The fields by which a request is about one object.
const ABOUT: &[&str] =
    &["payment_intent", "charge", "subscription", "invoice", "setup_intent", "credit_note", "from_subscription"];

/// What can be searched by customer.
const SEARCHED: &[&str] =
    &["/v1/charges/search", "/v1/payment_intents/search", "/v1/invoices/search", "/v1/subscriptions/search"];

/// What an object belongs to, where it has no customer of its own.
const PARENTS: &[&str] = &["payment_intent", "charge", "subscription", "invoice"];

/// So far an object's belongings are followed.
const DEEPEST: usize = 3;

/// Whether the request is about this customer and nobody else.
pub(crate) fn bound(request: &Outgoing, customer: &str, known: &Known) -> Bound {
    match decide(request, customer, known) {
        Ok(()) => Bound::Yes,
        Err(other) => other,
    }
}

fn no<T>(reason: impl Into<String>) -> Result<T, Bound> {
    Err(Bound::No(reason.into()))
}

fn decide(request: &Outgoing, customer: &str, known: &Known) -> Result<(), Bound> {
    if request.opaque {
        return no("its body cannot be read");
    }
    let segments = request.segments();
    if segments.iter().any(|part| part.contains('/') || part == "." || part == "..") {
        return no("its path is not plain");
    }
    for text in segments.iter().chain(request.fields.iter().map(|field| &field.value)) {
        if names_another(text, customer) {
            return no("it names another customer");
        }
    }
    let whole = format!("/{}", segments.join("/"));
    let mut is_bound = by_path(&whole, &segments, request, customer, known)?;
    for field in &request.fields {
        let (name, value) = (field.name(), field.value.as_str());
        let at_the_top = field.path.len() == 1;
        if name == "customer" {
            if value != customer {
                return no("its `customer` is not the one");
            }
            is_bound |= at_the_top;
        } else if name.starts_with("customer_account") {
            return no("it names a customer's account");
        } else if is_free_text(field) {
        } else if let Some((_, collection)) = OWNED.iter().find(|(prefix, _)| value.starts_with(prefix) && is_id(value))
        {
            owner_is(&format!("{collection}/{value}"), customer, known, DEEPEST)?;
            is_bound |= at_the_top && ABOUT.contains(&name);
        } else if is_id(value) && value != customer && !SHARED_IDS.iter().any(|prefix| value.starts_with(prefix)) {
            return no(format!("whose {value} is cannot be known"));
        }
    }
    match is_bound {
        true => Ok(()),
        false => no("it is not about that customer alone"),
    }
}

/// Whether the path binds the request. What no path may be is refused.
fn by_path(whole: &str, segments: &[String], request: &Outgoing, customer: &str, known: &Known) -> Result<bool, Bound> {
    if let ["v1", "customers", rest @ ..] = segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        return match rest {
            [id, ..] if *id == customer => Ok(true),
            _ => no("it is about other customers as well"),
        };
    }
    let under =
        |collection: &str| whole.strip_prefix(collection).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if SHARED.iter().any(|collection| under(collection)) {
        return match request.method.as_str() {
            "GET" => Ok(true),
            _ => no("it changes what the account sells"),
        };
    }
    if SEARCHED.contains(&whole) {
        return match request.top("query").is_some_and(|query| finds_only(query, customer)) {
            true => Ok(true),
            false => no(format!("a search needs `customer:\"{customer}\"` in it, and only AND")),
        };
    }
    let Some((_, collection)) = OWNED.iter().find(|(_, collection)| under(collection)) else {
        // What has no customer in its path may have one in its fields.
        return if segments.iter().skip(1).any(|part| is_id(part)) {
            no("it is about something without a customer")
        } else {
            Ok(false)
        };
    };
    let rest = whole.get(collection.len()..).unwrap_or_default().trim_start_matches('/');
    match rest.split('/').next().unwrap_or_default() {
        // What is read of no one object: a list, and words of the API's own.
        "" | "search" | "create_preview" | "preview" => Ok(false),
        id => owner_is(&format!("{collection}/{id}"), customer, known, DEEPEST).map(|()| true),
    }
}

fn owner_is(path: &str, customer: &str, known: &Known, depth: usize) -> Result<(), Bound> {
    let id = path.rsplit('/').next().unwrap_or_default();
    if !is_plain_id(id) || depth == 0 {
        return no("whose object it is about cannot be known");
    }
    let object = match known.at(path) {
        Looked::NotYet(path) => return Err(Bound::Needs(path)),
        Looked::Nothing => return no(format!("whose {id} is cannot be known")),
        Looked::Found(object) => object,
    };
    if object.get("id").and_then(Value::as_str) != Some(id) {
        return no(format!("whose {id} is cannot be known"));
    }
    let id_of = |value: &Value| value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned);
    if let Some(owner) = object.get("customer").and_then(id_of) {
        return if owner == customer { Ok(()) } else { no(format!("{id} is another customer's")) };
    }
    // A refund's own is only that of a refund to a balance: else it is its payment's.
    let parent = PARENTS.iter().find_map(|name| object.get(*name).and_then(id_of));
    let at = parent.and_then(|parent| {
        let (_, collection) = OWNED.iter().find(|(prefix, _)| parent.starts_with(prefix))?;
        Some(format!("{collection}/{parent}"))
    });
    match at {
        Some(at) => owner_is(&at, customer, known, depth - 1),
        None => no(format!("whose {id} is cannot be known")),
    }
}

/// Whether a text is the id of an object: words, then letters and digits in a way that no word is written.
fn is_id(text: &str) -> bool {
    let Some((prefix, rest)) = text.split_once('_') else { return false };
    let is_word = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_odd = rest.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_word && is_odd && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What people write, in which an id refers to nothing.
fn is_free_text(field: &Field) -> bool {
    field.path.iter().any(|part| part == "metadata")
}

/// Whether another customer's id is anywhere within a text.
pub(crate) fn names_another(text: &str, customer: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("cus_") {
        let from = rest.get(at..).unwrap_or_default();
        let length = from.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let is_whole = !rest
            .get(..at)
            .unwrap_or_default()
            .ends_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        let id = from.get(..length).unwrap_or_default();
        if length > "cus_".len() && (id != customer || !is_whole) {
            return true;
        }
        rest = from.get(length.max("cus_".len())..).unwrap_or_default();
    }
    false
}

/// Whether a search finds nothing but the customer's: clauses with AND between them, one of which is the customer.
fn finds_only(query: &str, customer: &str) -> bool {
    let Some(words) = words(query) else { return false };
    let wanted = [format!("customer:\"{customer}\""), format!("customer:'{customer}'")];
    let mut has = false;
    for (index, word) in words.iter().enumerate() {
        match index % 2 {
            0 if word.eq_ignore_ascii_case("AND") || word.eq_ignore_ascii_case("OR") => return false,
            0 => has |= wanted.contains(word),
            _ if !word.eq_ignore_ascii_case("AND") => return false,
            _ => {}
        }
    }
    has && words.len() % 2 == 1
}

/// The words of a search, with what is quoted in one piece. None where a quote does not end.
fn words(query: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for letter in query.chars() {
        match quote {
            None if letter.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == '(' || letter == ')' => return None,
            Some(open) if letter == open && !escaped => quote = None,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        word.push(letter);
    }
    if !word.is_empty() {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

/// Whether an answer has nobody but the customer in it. What is no JSON is not known to.
#[must_use]
pub(crate) fn shows_only(answer: &str, customer: &str) -> bool {
    fn walk(value: &Value, customer: &str) -> bool {
        match value {
            Value::String(text) => !names_another(text, customer),
            Value::Array(entries) => entries.iter().all(|entry| walk(entry, customer)),
            Value::Object(members) => members.iter().all(|(name, value)| {
                let is_another = name == "customer" && value.as_str().is_some_and(|id| id != customer);
                !is_another && !names_another(name, customer) && walk(value, customer)
            }),
            _ => true,
        }
    }
    serde_json::from_str::<Value>(answer).is_ok_and(|value| walk(&value, customer))
}

#[cfg(test)]
mod tests;
