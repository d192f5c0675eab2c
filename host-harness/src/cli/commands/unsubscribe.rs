//! `unsubscribe`: stops deliveries, of some triggers or all.

use std::path::PathBuf;

use super::subscribe::end;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{Terminal, one_line};

#[derive(clap::Args)]
pub struct Arguments {
    /// Only these triggers; all of them without any
    triggers: Vec<String>,
    /// Where `harness subscribe` keeps the subscription's state. It is removed when nothing is left
    #[arg(long, value_name = "FILE")]
    state_file: PathBuf,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let file = StateFile::new(&arguments.state_file, &manifest.id);
    let kept = file.existing(terminal)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let named = (!arguments.triggers.is_empty()).then(|| arguments.triggers.clone());
    let (done, known) = end(terminal, &connector, &link, &kept.state, named).await?;
    match &done.state {
        Some(state) => file.write(&kept.url, state)?,
        None => file.remove()?,
    }
    known.shown(match done.state {
        _ if terminal.json => terminal.document(&done),
        Some(_) => terminal.line(format_args!("still delivered: {}", one_line(&done.event_types.join(", ")))),
        None => terminal.line(format_args!("nothing is delivered to {} any more", one_line(&kept.url))),
    })
}
