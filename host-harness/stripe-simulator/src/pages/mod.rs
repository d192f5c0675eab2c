//! What a person sees in a browser, and the hooks that stand for what people and banks do.
//!
//! ```text
//! GET  /c/pay/{session}                   the hosted checkout page
//! POST /c/pay/{session}                   pays, or with `action=update` takes the choices alone:
//!                                           `card` (pm_card_… or a number), `email`, `name`, `phone`,
//!                                           `billing[…]`, `shipping[…]` (`name`, `line1`, `country`, …),
//!                                           `shipping_rate`, `promotion_code`, `remove_code`, `quantity[item]`,
//!                                           `custom_fields[key]`, `business_name`, `individual_name`,
//!                                           `terms_of_service`, `promotions`
//! GET  /c/recover/{session}               opens a session like one that expired
//! GET  /i/{invoice}                       an invoice
//! POST /i/{invoice}                       pays it: `card`
//! GET  /i/{invoice}/pdf                   the invoice as a PDF
//! GET  /_simulator/credit_notes/{id}/pdf  a credit note as a PDF
//! GET  /pay/{link}                        opens a checkout session of a payment link
//! GET  /setup/{kind}/{account}/{token}     what an account link asks for
//! POST /setup/{kind}/{account}/{token}     fills it in
//! GET  /express/{account}/{token}          the dashboard that a login link leads to
//! GET  /links/{token}                     the bytes of a file, by a file link
//! GET  /p/session/{session}               the billing portal
//! POST /p/session/{session}               `cancel={subscription}`, `resume={subscription}` or `card`
//! GET  /_simulator/authenticate/{intent}  the bank's 3D Secure page
//! POST /_simulator/authenticate/{intent}  `outcome=succeeded` or `outcome=failed`
//! GET  /_simulator/microdeposits/{intent} the page where a bank account is verified
//! POST /_simulator/microdeposits/{intent} `descriptor_code=SM11AA`
//! GET  /                                  objects, events, deliveries and requests, as they come
//! GET  /_simulator/{objects,events,requests}/…  one of them whole
//! GET  /_simulator/find?id={id}           goes to it
//! GET, POST, DELETE /_simulator/faults    the faults in force, one more of them, none of them
//! GET  /_simulator/violations             the answers that were not what the facts say
//! GET  /_simulator/state                  what there is, and a text that changes with any of it
//! POST /_simulator/keys                   `key`, `permissions[]`: what a restricted key may do
//! ```
//!
//! No key is asked for: like Stripe's pages, these are reached by ids that nobody guesses. What the actions do
//! is in `resources`.

mod authenticate;
mod checkout;
mod connect;
mod control;
mod html;
mod inspect;
mod invoice;
mod link;
mod microdeposits;
mod overview;
mod portal;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde_json::Value;

use crate::protocol::{ApiError, Branch, Protocol, Reply, Tree, file, read};
use crate::resources::open_file_link;
use crate::world::Object;

/// Whether a path is a page's.
pub(crate) fn owns(head: &Parts) -> bool {
    let path = head.uri.path();
    // A client with a key means the API, which has nothing there.
    let looks = path == "/" && head.method == Method::GET && !head.headers.contains_key("authorization");
    looks
        || path.starts_with("/c/pay/")
        || path.starts_with("/c/recover/")
        || path.starts_with("/i/")
        || path.starts_with("/pay/")
        || path.starts_with("/p/session/")
        || path.starts_with("/links/")
        || path.starts_with("/setup/")
        || path.starts_with("/express/")
        || path.starts_with("/_simulator/")
}

/// Whether a path is one where developers look at the simulator.
pub(crate) fn only_looks(path: &str) -> bool {
    const LOOKS: [&str; 4] = ["objects/", "events/", "requests/", "find"];
    path == "/" || path.strip_prefix("/_simulator/").is_some_and(|rest| LOOKS.iter().any(|l| rest.starts_with(l)))
}

/// A request for a page.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) id: &'a str,
}

/// Answers a request for a page.
pub(crate) fn answer(protocol: &Protocol, request: &Request<'_>) -> Reply {
    let world = &*protocol.world;
    let Request { method, path, query, body, id: request_id } = *request;
    let mut form = Branch::new();
    let sent = if *method == Method::POST { body } else { query.as_bytes() };
    if let Err(error) = read(sent, &mut form) {
        return json(error.status(), error.body(None).to_string());
    }
    let page = match path.strip_prefix('/').map(|p| p.split('/').collect::<Vec<_>>()).as_deref() {
        Some(["c", "pay", id]) => checkout::answer(world, method, id, &form, request_id),
        Some(["c", "recover", id]) => checkout::recovery(world, id, request_id),
        Some(["i", id]) => invoice::answer(world, method, id, &form, request_id),
        Some(["i", id, "pdf"]) => invoice::pdf(world, id),
        Some(["_simulator", "credit_notes", id, "pdf"]) => invoice::credit_note(world, id),
        Some(["pay", _, "thanks"]) => Some(page(200, html::document("Thank you", "<h1>Thank you</h1>"))),
        Some(["pay", id]) => link::answer(world, id, request_id),
        Some(["setup", _, id, token]) => connect::setup(world, method, id, token),
        Some(["express", id, _]) => connect::express(world, id),
        Some(["links", token]) => open_file_link(world, token).map(|contents| file(contents, request_id)),
        Some(["p", "session", id]) => portal::answer(world, method, id, &form, request_id),
        Some(["_simulator", "authenticate", id]) => authenticate::answer(world, method, id, &form, request_id),
        Some(["_simulator", "microdeposits", id]) => microdeposits::answer(world, method, id, &form, request_id),
        Some(["_simulator", "faults"]) => {
            let page = control::answer(&protocol.faults, method, &form);
            // The clock may have been moved.
            world.settings().alarm.notify_one();
            Some(page)
        }
        Some(["_simulator", "objects", kind]) => inspect::objects(world, kind),
        Some(["_simulator", "objects", kind, id]) => inspect::object(world, kind, id),
        Some(["_simulator", "events", id]) => inspect::event(protocol, id),
        Some(["_simulator", "requests", id]) => inspect::request(protocol, id),
        Some(["_simulator", "find"]) => inspect::find(protocol, field(&form, "id")),
        Some(["_simulator", "violations"]) => Some(control::violations(&protocol.watch.violations)),
        Some(["_simulator", "state"]) => Some(control::state(world)),
        Some(["_simulator", "keys"]) => Some(control::keys(protocol.permissions(), method, &form)),
        Some([""]) => Some(overview::answer(world, &protocol.watch.journal, &protocol.watch.log)),
        _ => None,
    };
    page.unwrap_or_else(|| {
        let error = ApiError::invalid(format!("There is no page {path}.")).status_is(404);
        json(404, error.body(None).to_string())
    })
}

/// A field of a form.
fn field<'f>(form: &'f Branch, name: &str) -> &'f str {
    match form.get(name) {
        Some(Tree::Text(text)) => text,
        _ => "",
    }
}

/// A form as an object of the API: text and hashes of text.
fn object(form: &Branch) -> Object {
    let each = |tree: &Tree| match tree {
        Tree::Text(text) => Value::from(text.as_str()),
        Tree::Branch(inner) => Value::Object(object(inner)),
        Tree::Exact(value) => value.clone(),
    };
    form.iter().map(|(name, tree)| (name.clone(), each(tree))).collect()
}

fn json(status: u16, text: String) -> Reply {
    with_type(status, text, "application/json")
}

fn page(status: u16, text: String) -> Reply {
    with_type(status, text, "text/html; charset=utf-8")
}

fn with_type(status: u16, text: impl Into<Bytes>, kind: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    reply.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    reply
}

/// Sends the browser on.
fn redirect(url: &str) -> Reply {
    let mut reply = page(303, String::new());
    if let Ok(url) = HeaderValue::from_str(url) {
        reply.headers_mut().insert("location", url);
    }
    reply
}
