//! One thing whole: an object and what happened to it, an event and its deliveries, a request as it came.
//!
//! ```text
//! GET /_simulator/objects/{kind}        the newest of a kind
//! GET /_simulator/objects/{kind}/{id}   one object, and its events
//! GET /_simulator/events/{id}           one event, and its deliveries
//! GET /_simulator/requests/{id}         one request
//! GET /_simulator/find?id={id}          goes to whichever of these it is
//! ```

use serde_json::Value;

use super::html::{clock, escape, link, table, wide};
use super::overview::{delivery, event as event_row, name, row};
use super::{page, redirect};
use crate::protocol::{Protocol, Reply};
use crate::resources::{Read, format_amount};
use crate::world::{Object, World, contains, lock};

/// Rows of each table.
const ROWS: usize = 200;

const BACK: &str = "<p><a href=\"/\">Everything</a></p>";

/// The newest objects of a kind, in every account.
pub(super) fn objects(world: &World, kind: &str) -> Option<Reply> {
    let mut rows = Vec::new();
    for (scope, account) in world.accounts() {
        let account = lock(&account);
        let newest = account.shelf(kind).into_iter().flat_map(|s| s.newest_first().take(ROWS));
        rows.extend(newest.filter_map(|kept| {
            let object: Object = serde_json::from_slice(kept.text).ok()?;
            let id = link(&format!("/_simulator/objects/{kind}/{}", object.id()), object.id());
            Some(row(&[&escape(&name(&scope)), &clock(kept.created), &escape(&summary(&object)), &id]))
        }));
    }
    if rows.is_empty() {
        return None;
    }
    let body = format!("{BACK}{}", table(kind, &["account", "created", "", "id"], &rows));
    Some(page(200, wide(kind, &body)))
}

/// What a person knows an object by.
fn summary(object: &Object) -> String {
    let amount = ["amount", "amount_due", "amount_total", "unit_amount", "amount_paid"];
    let amount = amount.iter().find_map(|name| object.integer(name)).zip(object.text("currency"));
    let words = ["name", "email", "description", "url", "event_name", "status"].iter().filter_map(|n| object.text(n));
    let amount = amount.map(|(amount, currency)| format_amount(amount, currency));
    amount.into_iter().chain(words.map(str::to_owned)).take(3).collect::<Vec<_>>().join(" · ")
}

/// One object, and the events that it is in.
pub(super) fn object(world: &World, kind: &str, id: &str) -> Option<Reply> {
    for (scope, account) in world.accounts() {
        let account = lock(&account);
        let Some(text) = account.text(kind, id).filter(|t| !t.is_empty()) else { continue };
        let of_it = account.events().iter().rev().filter(|e| contains(&e.object, id)).take(ROWS);
        let events: Vec<String> = of_it.map(|e| event_row(&name(&scope), e)).collect();
        let body = format!(
            "{BACK}<h1>{}</h1><p>{} · {}</p>{}{}",
            escape(id),
            escape(&name(&scope)),
            link(&format!("/_simulator/objects/{kind}"), kind),
            json(text),
            table("Events that mention it", &["account", "time", "type", "id"], &events)
        );
        return Some(page(200, wide(id, &body)));
    }
    None
}

/// One event, and the attempts to deliver it.
pub(super) fn event(protocol: &Protocol, id: &str) -> Option<Reply> {
    for (scope, account) in protocol.world.accounts() {
        let account = lock(&account);
        let found = account.events().get(id);
        let Some(event) = found else { continue };
        let request = event.request_id.as_deref();
        let cause = request.map(|r| format!(" · caused by {}", link(&format!("/_simulator/requests/{r}"), r)));
        let attempts = protocol.watch.log.newest(usize::MAX);
        let deliveries: Vec<String> = attempts.iter().filter(|a| &*a.event == id).map(delivery).collect();
        let body = format!(
            "{BACK}<h1>{}</h1><p>{} · {}{}</p>{}{}",
            escape(event.kind),
            escape(&name(&scope)),
            clock(event.created()),
            cause.unwrap_or_default(),
            json(&event.text(None)),
            table("Deliveries", &["time", "type", "endpoint", "outcome", "event"], &deliveries)
        );
        return Some(page(200, wide(event.kind, &body)));
    }
    None
}

/// One request as it came, without its key.
pub(super) fn request(protocol: &Protocol, id: &str) -> Option<Reply> {
    let all = protocol.watch.journal.newest(usize::MAX);
    let request = all.iter().find(|r| r.request_id == id)?;
    let mut target = request.path.clone();
    if !request.query.is_empty() {
        target = format!("{target}?{}", request.query);
    }
    let headers: Vec<String> =
        request.headers.iter().map(|(name, value)| row(&[&escape(name), &escape(value)])).collect();
    let mut caused = Vec::new();
    for (scope, account) in protocol.world.accounts() {
        let account = lock(&account);
        let events = account.events().iter().filter(|e| e.request_id.as_deref() == Some(id));
        caused.extend(events.map(|e| event_row(&name(&scope), e)));
    }
    let body = format!(
        "{BACK}<h1>{} {}</h1><p>{} · answered {}</p><pre>{}</pre>{}{}",
        escape(&request.method),
        escape(&target),
        clock(request.time),
        request.status,
        escape(&request.body.replace('&', "\n&")),
        table("Headers", &["name", "value"], &headers),
        table("Events that it caused", &["account", "time", "type", "id"], &caused)
    );
    Some(page(200, wide(id, &body)))
}

/// Goes to the page of whatever has this id.
pub(super) fn find(protocol: &Protocol, id: &str) -> Option<Reply> {
    let id = id.trim();
    if protocol.watch.journal.newest(usize::MAX).iter().any(|r| r.request_id == id) {
        return Some(redirect(&format!("/_simulator/requests/{id}")));
    }
    for (_, account) in protocol.world.accounts() {
        let account = lock(&account);
        if account.events().get(id).is_some() {
            return Some(redirect(&format!("/_simulator/events/{id}")));
        }
        let kind = account.counts().into_keys().find(|kind| account.text(kind, id).is_some_and(|t| !t.is_empty()));
        if let Some(kind) = kind {
            return Some(redirect(&format!("/_simulator/objects/{kind}/{id}")));
        }
    }
    None
}

/// JSON for the eye: indented, ids leading to what they name.
fn json(text: &[u8]) -> String {
    let value: Value = serde_json::from_slice(text).unwrap_or_default();
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    let mut out = String::with_capacity(text.len() * 2);
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            out.push('"');
        }
        // What is between strings, or has an escape in it, is no id.
        if is_id(piece) {
            out.push_str(&link(&format!("/_simulator/find?id={piece}"), piece));
        } else {
            out.push_str(&escape(piece));
        }
    }
    format!("<pre>{out}</pre>")
}

/// Whether text looks like an id: `cus_…`, `sub_sched_…`.
fn is_id(text: &str) -> bool {
    let Some((prefix, rest)) = text.rsplit_once('_') else { return false };
    let plain = prefix.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let digit = rest.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    plain && digit && (8..80).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_words() {
        assert!(is_id("cus_W1F2XD3Rjn7mO2") && is_id("sub_sched_1QSr8sw9M3L2vSp3gSKVJn2F"));
        for word in ["requires_confirmation", "off_session", "usd", "", "pm_card_visa", "cus_<b>12345678"] {
            assert!(!is_id(word), "{word}");
        }
    }

    #[test]
    fn json_is_shown_and_not_run() {
        let shown = json(br#"{"name":"<script>\"cus_W1F2XD3Rjn7mO2","customer":"cus_W1F2XD3Rjn7mO2"}"#);
        assert!(!shown.contains("<script>"), "{shown}");
        assert!(shown.contains("<a href=\"/_simulator/find?id=cus_W1F2XD3Rjn7mO2\">"), "{shown}");
    }
}
