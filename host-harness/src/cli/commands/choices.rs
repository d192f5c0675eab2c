//! `choices`: what a drop-down of a resource shows.

use host_harness::contract::{ChoiceRequest, ToJson};

use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::terminal::{Terminal, Tone, one_line};

#[derive(clap::Args)]
pub struct Arguments {
    /// The resource, as `resources` lists it
    resource: String,
    /// An id, or a part of a name
    search: Option<String>,
    /// Where the page begins: the cursor of the page before
    #[arg(long)]
    cursor: Option<String>,
    /// How many to list
    #[arg(long)]
    limit: Option<u32>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    let request = ChoiceRequest {
        resource: arguments.resource.clone(),
        search: arguments.search.clone(),
        cursor: arguments.cursor.clone(),
        limit: arguments.limit,
    };
    let page = watch("Listing", connector.choices(&link.fresh_call()?, request)).await?.value;
    if terminal.json {
        return terminal.document(&page.to_json());
    }
    if page.choices.is_empty() {
        terminal.note("none");
        return Ok(());
    }
    let rows = page.choices.into_iter().map(|choice| {
        vec![Tone::Strong(choice.value), Tone::Plain(choice.label), Tone::Dim(choice.detail.unwrap_or_default())]
    });
    terminal.table(&["id", "label", "detail"], rows.collect())?;
    if let Some(cursor) = page.next_cursor {
        terminal.note(format_args!("next page: --cursor {}", one_line(&cursor)));
    }
    Ok(())
}
