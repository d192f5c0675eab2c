//! `poll`: events since a cursor, where no webhook can reach.

use host_harness::Connector;
use host_harness::contract::{Event, OperationFilter, OperationKind, ToJson};
use serde_json::{Value, json};

use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::terminal::{DIM, STRONG, Terminal, one_line, paint};
use crate::cli::wording;

#[derive(clap::Args)]
pub struct Arguments {
    /// The triggers; all of the connector's without any
    triggers: Vec<String>,
    /// Where to begin: the cursor of the poll before. Without it there are no events, only the cursor of now
    #[arg(long)]
    cursor: Option<String>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    let triggers = triggers(&connector, &arguments.triggers).await?;
    let mut cursor = arguments.cursor.clone();
    loop {
        let call = link.fresh_call()?;
        let page = watch("Polling", connector.poll(&call, triggers.clone(), cursor.as_deref())).await?.value;
        for event in &page.events {
            if terminal.json { terminal.json_line(&event_record(event))? } else { terminal.line(event_line(event))? }
        }
        // A service that says "more" and moves nothing would never end.
        if page.has_more && cursor.as_deref() != Some(&page.cursor) {
            cursor = Some(page.cursor);
            continue;
        }
        if terminal.json {
            return terminal.json_line(&json!({ "type": "cursor", "cursor": page.cursor }));
        }
        terminal.note(format_args!("from here on: --cursor {}", one_line(&page.cursor)));
        return Ok(());
    }
}

/// The triggers that were named, or all.
pub async fn triggers(connector: &Connector, named: &[String]) -> Result<Vec<String>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let filter = OperationFilter { kind: Some(OperationKind::Trigger), resource: None, search: None };
    let found = connector.list_operations(filter).await?.value;
    Ok(found.into_iter().map(|trigger| trigger.id).collect())
}

/// An event as a line of JSON.
pub fn event_record(event: &Event) -> Value {
    json!({ "type": "event", "event": event.to_json() })
}

/// An event as a line: when, what happened, what it is in the platform's terms.
pub fn event_line(event: &Event) -> String {
    let record = event.record.as_ref().map(wording::record).unwrap_or_default();
    format!(
        "{}  {}  {}",
        paint(STRONG, format!("{:<30}", one_line(&event.trigger))),
        one_line(&record),
        paint(DIM, one_line(&event.id))
    )
}
