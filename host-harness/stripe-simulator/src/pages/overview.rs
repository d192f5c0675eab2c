//! The page at `/`: what there is and what happened, while it happens.
//!
//! It renews itself in place every second; without scripts it is loaded anew. Every row leads to the whole of what
//! it is about, which [`inspect`](super::inspect) shows.

use super::html::{clock, escape, link, table, wide};
use super::page;
use crate::journal::{Journal, RecordedRequest};
use crate::protocol::Reply;
use crate::webhooks::{Attempt, Log};
use crate::world::{Account, Event, Scope, World, lock};

/// Rows of each table.
const ROWS: usize = 50;

/// Puts the newest `<main>` in place of the one that is shown, unless the page is hidden or text is selected.
const LIVE: &str = "<script>setInterval(async()=>{if(document.hidden||String(getSelection()))return;try{\
    const t=await(await fetch(location.href)).text();\
    const m=new DOMParser().parseFromString(t,'text/html').querySelector('main');\
    if(m)document.querySelector('main').replaceWith(m)}catch{}},1000)</script>\
    <noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>";

/// What an account is called on these pages.
pub(super) fn name(scope: &Scope) -> String {
    let mode = if scope.live { "live" } else { "test" };
    scope.account.as_deref().map_or_else(|| mode.to_owned(), |account| format!("{mode} {account}"))
}

pub(super) fn answer(world: &World, journal: &Journal, log: &Log) -> Reply {
    let mut objects = String::new();
    let mut events = Vec::new();
    for (scope, account) in world.accounts() {
        let account = lock(&account);
        let name = name(&scope);
        objects.push_str(&kinds(&name, &account));
        events.extend(account.events().iter().rev().take(ROWS).map(|e| (e.created(), event(&name, e))));
    }
    // Every account's newest were taken; the newest of all are among them.
    events.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
    let events: Vec<String> = events.into_iter().take(ROWS).map(|(_, row)| row).collect();
    let deliveries: Vec<String> = log.newest(ROWS).iter().map(delivery).collect();
    let requests: Vec<String> = journal.newest(ROWS).iter().map(request).collect();
    let body = format!(
        "<h1>Simulated Stripe</h1><form action=\"/_simulator/find\"><input name=\"id\" \
         placeholder=\"Go to an object, event or request by its id\"></form>{LIVE}\
         <main><h2>Objects</h2>{}{}{}{}</main>",
        if objects.is_empty() { "<p>None yet.</p>" } else { &objects },
        table("Requests", &["time", "method", "path", "status", "id"], &requests),
        table("Events", &["account", "time", "type", "id"], &events),
        table("Deliveries", &["time", "type", "endpoint", "outcome", "event"], &deliveries),
    );
    page(200, wide("Simulated Stripe", &body))
}

fn kinds(name: &str, account: &Account) -> String {
    let kinds = account.counts().into_iter().filter(|(_, count)| *count > 0);
    let kinds: Vec<String> =
        kinds.map(|(kind, count)| format!("{} {count}", link(&format!("/_simulator/objects/{kind}"), kind))).collect();
    if kinds.is_empty() { String::new() } else { format!("<p>{}: {}</p>", escape(name), kinds.join(" · ")) }
}

pub(super) fn event(name: &str, event: &Event) -> String {
    let id = link(&format!("/_simulator/events/{}", event.id), &event.id);
    row(&[&escape(name), &clock(event.created()), &escape(event.kind), &id])
}

pub(super) fn delivery(attempt: &Attempt) -> String {
    let id = link(&format!("/_simulator/events/{}", attempt.event), &attempt.event);
    let outcome = if attempt.taken { "taken" } else { "<b class=\"problem\">failed</b>" };
    row(&[&clock(attempt.time), &escape(attempt.kind), &escape(&attempt.url), outcome, &id])
}

fn request(request: &RecordedRequest) -> String {
    let id = link(&format!("/_simulator/requests/{}", request.request_id), &request.request_id);
    let path = match request.query.as_str() {
        "" => escape(&request.path),
        query => escape(&format!("{}?{query}", request.path)),
    };
    let status = match request.status {
        0 => "…".to_owned(),
        status @ 400.. => format!("<b class=\"problem\">{status}</b>"),
        status => status.to_string(),
    };
    row(&[&clock(request.time), &escape(&request.method), &path, &status, &id])
}

/// A row of cells that are HTML already.
pub(super) fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{cells}</tr>")
}
