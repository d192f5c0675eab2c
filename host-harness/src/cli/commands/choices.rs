//! `choices`: what a drop-down of a resource shows.

use host::contract::{ChoiceField, ChoiceRequest};

use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::input;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{Terminal, Tone};
use crate::cli::wording;

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
    /// The operation that a choice is for, by its id or alias
    #[arg(long = "for", value_name = "OPERATION", requires = "field")]
    operation: Option<String>,
    /// The field of that operation, as a path: `items[0].price`
    #[arg(long, value_name = "PATH", requires = "operation")]
    field: Option<String>,
    /// The input so far, on which the choices may depend: JSON, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON", default_value = "{}", requires = "operation")]
    input: String,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let field = match (&arguments.operation, &arguments.field) {
        (Some(operation), Some(field)) => {
            let input = input::read(&arguments.input, manifest.limits.input)?;
            Some(ChoiceField { operation: operation.clone(), field: field.clone(), input })
        }
        _ => None,
    };
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let request = ChoiceRequest {
        resource: arguments.resource.clone(),
        for_field: field,
        search: arguments.search.clone(),
        cursor: arguments.cursor.clone(),
        limit: arguments.limit,
    };
    let page = watch("Listing", connector.choices(&link.fresh_call()?, request)).await?.value;
    if terminal.json {
        return Ok(terminal.document(&page)?);
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
        terminal.note(format_args!("next page: --cursor {}", wording::shell_word(&cursor)));
    }
    Ok(())
}
