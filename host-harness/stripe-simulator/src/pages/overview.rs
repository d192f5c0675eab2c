//! What there is and what happened, for a person to look at: objects, events, deliveries, requests.

use super::html::{document, escape};
use super::page;
use crate::journal::Journal;
use crate::protocol::Reply;
use crate::webhooks::Log;
use crate::world::{World, lock};

/// Rows of each table.
const ROWS: usize = 50;

fn table(title: &str, heads: &str, rows: &[String]) -> String {
    let heads: String = heads.split(' ').map(|h| format!("<th>{h}</th>")).collect();
    format!("<h2>{title}</h2><table><tr>{heads}</tr>{}</table>", rows.concat())
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|c| format!("<td>{}</td>", escape(c))).collect();
    format!("<tr>{cells}</tr>")
}

pub(super) fn answer(world: &World, journal: &Journal, log: &Log) -> Reply {
    let mut objects = Vec::new();
    let mut events = Vec::new();
    for (scope, account) in world.accounts() {
        let account = lock(&account);
        let mode = if scope.live { "live" } else { "test" };
        let name = scope.account.as_deref().unwrap_or(mode);
        for (kind, count) in account.counts() {
            objects.push(row(&[name, kind, &count.to_string()]));
        }
        let newest = account.events().iter().rev().take(ROWS);
        events.extend(newest.map(|e| row(&[name, &e.created.to_string(), e.kind, &e.id])));
    }
    let deliveries: Vec<String> = log
        .newest(ROWS)
        .iter()
        .map(|d| row(&[&d.time.to_string(), d.kind, &d.url, if d.taken { "taken" } else { "failed" }, &d.event]))
        .collect();
    let requests: Vec<String> =
        journal.newest(ROWS).iter().map(|r| row(&[&r.method, &r.path, &r.status.to_string(), &r.request_id])).collect();
    let body = format!(
        "<meta http-equiv=\"refresh\" content=\"2\"><h1>Simulated Stripe</h1>{}{}{}{}",
        table("Objects", "account kind count", &objects),
        table("Events", "account time type id", &events),
        table("Deliveries", "time type endpoint outcome event", &deliveries),
        table("Requests", "method path status id", &requests),
    );
    page(200, document("Simulated Stripe", &body).replace("max-width:30rem", "max-width:70rem"))
}
