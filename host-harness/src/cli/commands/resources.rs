//! `resources`: the kinds of object, and what they are in the platform's terms.

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::{Terminal, Tone};

pub async fn run(options: &Options, terminal: &mut Terminal) -> Result<(), Failure> {
    let connector = loading::load_offline(options)?;
    let resources = connector.list_resources().await?.value;
    if terminal.json {
        return Ok(terminal.document(&resources)?);
    }
    let rows = resources.into_iter().map(|resource| {
        let fields = resource.mapping.iter().map(|field| match field.internal == field.external {
            true => field.internal.clone(),
            false => format!("{} ← {}", field.internal, field.external),
        });
        vec![
            Tone::Strong(resource.name),
            Tone::Plain(resource.internal),
            Tone::Dim(resource.id_prefixes.join(" ")),
            Tone::Dim(fields.collect::<Vec<_>>().join(", ")),
        ]
    });
    Ok(terminal.table(&["resource", "internal", "ids", "mapped fields"], rows.collect())?)
}
