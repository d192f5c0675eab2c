//! `audit`: whether the guard's log is what was written.

use std::path::PathBuf;

use guard::{AuditError, Verified};
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::terminal::{GOOD, Terminal, paint};

const AFTER: &str = "\
Each line is bound to the one before: what was changed, removed or moved is found. What was cut off at the end is found
with the hash of a later line, noted elsewhere: --expect. The exit status is 1 when the log is not what was written.";

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Check every line of a log
    #[command(after_help = AFTER)]
    Verify(Verify),
}

#[derive(clap::Args)]
struct Verify {
    /// The log, as the guard's file names it
    file: PathBuf,
    /// A hash that was noted before: the log must still have its line
    #[arg(long, value_name = "HASH")]
    expect: Option<String>,
}

pub fn run(terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let Command::Verify(Verify { file, expect }) = &arguments.command;
    let Verified { lines, last } = guard::verify(file, expect.as_deref()).map_err(|error| match error {
        AuditError::Broken { .. } => Failure::Unexpected(error.to_string()),
        AuditError::File { .. } => Failure::usage(error.to_string()),
    })?;
    if terminal.json {
        return Ok(terminal.document(&json!({ "lines": lines, "last": last }))?);
    }
    terminal.line(format_args!("{}  {lines} lines", paint(GOOD, "whole")))?;
    Ok(terminal.row(8, "last", last)?)
}
