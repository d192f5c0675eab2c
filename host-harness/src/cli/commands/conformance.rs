//! `conformance`: checks any component that claims the contract, and says which of its promises hold.

use std::path::PathBuf;

use host::{Host, HostConfig};

use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::loading;
use crate::cli::terminal::{Terminal, one_line};

const AFTER: &str = "\
Nothing leaves this machine: the component may reach nothing, but for a silent port on loopback that a deadline is tried
against. Its connection has invented secrets. The exit status is 1 when a promise is broken.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The component, with its manifest as --manifest; without it the one that is built in
    component: Option<PathBuf>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let component = arguments.component.as_deref().or(options.component.as_deref());
    if component.is_some() && options.manifest.is_none() {
        return Err(
            Failure::usage("a component is examined with its own manifest").hint("Name it with --manifest FILE.")
        );
    }
    let manifest = loading::manifest(options)?;
    let bytes = loading::component(component)?;
    let host = Host::with(HostConfig { pooling: false, ..HostConfig::default() })?;
    let examining = async { Ok::<_, Failure>(conformance::examine(&host, &bytes, &manifest).await) };
    let report = watch("Examining", examining).await?;
    if terminal.json {
        terminal.document(&report)?;
    } else {
        report.to_string().lines().try_for_each(|line| terminal.line(one_line(line)))?;
    }
    if report.conforms() { Ok(()) } else { Err(Failure::Nonconforming) }
}
