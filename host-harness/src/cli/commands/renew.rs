//! `renew`: looks whether a subscription is still as it was made, mends what is not, and prolongs it where it expires.

use std::path::PathBuf;

use super::subscribe::show;
use crate::cli::calling::Try;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::Terminal;

#[derive(clap::Args)]
pub struct Arguments {
    /// Where `harness subscribe` keeps the subscription's state
    #[arg(long, value_name = "FILE")]
    state_file: PathBuf,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let file = StateFile::new(&arguments.state_file, &manifest.id);
    let kept = file.existing(terminal)?;
    file.check()?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let call = link.fresh_call()?;
    let attempt = Try::of(terminal, "renewing", "Renew again: what is as it should be stays as it is.");
    let renewing = connector.renew(&call, &kept.state);
    let renewed = attempt.watch(terminal, "Looking after the subscription", renewing).await?.value;
    let known = attempt.done(&renewed.metadata, None);
    file.write(&kept.url, &renewed.state)?;
    known.shown(show(terminal, &renewed))
}
