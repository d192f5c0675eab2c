//! The guard that every call of a command passes: the file that was named, else `harness-guard.toml` in the folder that
//! the command runs in, else none. A file that is named and cannot be used ends the command.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use guard::{Caller, GuardError, Guarded};
use host::{Connector, Invocation, Manifest};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::loading;
use crate::cli::terminal::Terminal;

/// The file that holds where none is named.
pub const DEFAULT: &str = "harness-guard.toml";

/// Who calls, as the audit log has it.
const CALLER: &str = "command-line";

/// Names the run that caps per run count together; without it a process is a run of its own.
const RUN: &str = "HARNESS_RUN";

fn caller() -> Result<Caller, Failure> {
    let run = match std::env::var(RUN) {
        Ok(run) if !run.trim().is_empty() => run.trim().to_owned(),
        Ok(_) => return Err(Failure::usage(format!("{RUN} is set, and there is nothing in it"))),
        Err(std::env::VarError::NotPresent) => Invocation::fresh()?.id,
        Err(std::env::VarError::NotUnicode(_)) => return Err(Failure::usage(format!("{RUN} is not text in UTF-8"))),
    };
    Ok(Caller { name: CALLER.into(), run: run.into() })
}

/// More than any policy has.
const MOST_BYTES: u64 = 1 << 20;

/// The loaded connector behind its guard.
pub async fn load(
    options: &Options,
    terminal: &mut Terminal,
    manifest: &Manifest,
    link: &Link,
) -> Result<Guarded, Failure> {
    stand(options, terminal, manifest, link, false).await
}

/// As [`load`], for calls that only show what they would send.
pub async fn rehearsing(
    options: &Options,
    terminal: &mut Terminal,
    manifest: &Manifest,
    link: &Link,
) -> Result<Guarded, Failure> {
    stand(options, terminal, manifest, link, true).await
}

async fn stand(
    options: &Options,
    terminal: &mut Terminal,
    manifest: &Manifest,
    link: &Link,
    dry_run: bool,
) -> Result<Guarded, Failure> {
    let connector = loading::load(options, manifest, &link.grants)?;
    guarded(options, terminal, link, connector, dry_run).await
}

/// The same for a connector that was loaded with others.
pub async fn behind(
    options: &Options,
    terminal: &mut Terminal,
    link: &Link,
    connector: Connector,
) -> Result<Guarded, Failure> {
    guarded(options, terminal, link, connector, false).await
}

async fn guarded(
    options: &Options,
    terminal: &mut Terminal,
    link: &Link,
    connector: Connector,
    dry_run: bool,
) -> Result<Guarded, Failure> {
    let Some(path) = file(options, terminal) else { return Ok(Guarded::open(connector, caller()?, dry_run)) };
    let text = read(&path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.display().to_string();
    Guarded::behind(connector, &link.connection, (&name, &text, folder), caller()?, dry_run).await.map_err(refused)
}

/// Which file holds.
fn file(options: &Options, terminal: &mut Terminal) -> Option<PathBuf> {
    if let Some(named) = &options.guard {
        return Some(named.clone());
    }
    let default = PathBuf::from(DEFAULT);
    // What is there and cannot be looked at is a guard as well: reading it says what is wrong.
    let is_there = default.try_exists().unwrap_or(true);
    if is_there && !terminal.json {
        terminal.note(format_args!("guarded by {DEFAULT}"));
    }
    is_there.then_some(default)
}

fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |reason: String| Failure::usage(format!("the guard's file {}: {reason}", path.display()));
    let file = File::open(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(wrong("it is over 1 MiB, and so is no policy".to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is not text in UTF-8".to_owned()))
}

fn refused(error: GuardError) -> Failure {
    match error {
        GuardError::Policy(problem) => {
            let guard::PolicyError { file, line, column, message, fix } = problem;
            Failure::usage(format!("{file}:{line}:{column}: {message}")).hint(fix)
        }
        GuardError::Connector(error) => error.into(),
        GuardError::Audit(error) => Failure::Machine(error.to_string()),
        GuardError::Ledger(error) => Failure::Machine(error.to_string()),
    }
}
