//! `--store`: where events that were taken are kept.
//!
//! Without it that is a file of the user's own, one for each connector, so that nothing has to be installed and nothing is
//! lost. A password of a database belongs into the variable and not onto the command line, where every user of the machine
//! sees it.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use store::{Place, Store};
use tempfile::TempDir;

use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;

/// What keeps events for as long as the process lives, and no longer.
const MEMORY: &str = "memory";

/// The flag, wherever it is taken.
#[derive(clap::Args)]
pub struct StoreOption {
    /// Where events are kept: a file (SQLite), postgres://…, or `memory` to forget them at the end. Without it a file in the
    /// state folder
    #[arg(long, global = true, value_name = "STORE", env = "HARNESS_STORE", hide_env_values = true)]
    store: Option<String>,
}

/// A store that is open.
pub struct Opened {
    pub store: Arc<dyn Store>,
    /// Where it is, without a password.
    pub shown: String,
    /// What is gone with the process.
    _folder: Option<TempDir>,
}

impl StoreOption {
    /// Or the one that a file names.
    pub fn or(&self, other: Option<&str>) -> Self {
        Self { store: self.store.clone().or_else(|| other.map(str::to_owned)) }
    }

    /// Opens the store of this connector, and makes it where it is not there.
    pub async fn open(&self, terminal: &mut Terminal, connector: &str) -> Result<Opened, Failure> {
        if self.store.as_deref() == Some(MEMORY) {
            return of_this_process().await;
        }
        let address = self.place(terminal, connector)?;
        let store = store::open(&address).await?;
        Ok(Opened { store, shown: address.to_string(), _folder: None })
    }

    /// Opens it where it is there. A file whose name was mistyped does not become a store.
    pub async fn existing(&self, terminal: &mut Terminal, connector: &str) -> Result<Opened, Failure> {
        if self.store.as_deref() == Some(MEMORY) {
            return Err(Failure::usage("what is kept in memory is with its process"));
        }
        let address = self.place(terminal, connector)?;
        if let Place::Sqlite(path) = &address
            && !path.exists()
        {
            let message = format!("there is no store at {}", path.display());
            return Err(Failure::usage(message).hint("`harness serve` makes one; --store names another."));
        }
        let store = store::open(&address).await?;
        Ok(Opened { store, shown: address.to_string(), _folder: None })
    }

    fn place(&self, terminal: &mut Terminal, connector: &str) -> Result<Place, Failure> {
        let Some(text) = &self.store else { return Ok(Place::Sqlite(own_file(connector)?)) };
        let from_the_variable = env::var("HARNESS_STORE").is_ok_and(|variable| variable == *text);
        if !from_the_variable && has_password(text) {
            terminal.warn(
                "a password on the command line is seen by every user of this machine; HARNESS_STORE takes the same address",
            );
        }
        Ok(Place::parse(text)?)
    }
}

/// Whether an address has a password in it.
fn has_password(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password"))
}

/// A store that is over with the process.
pub async fn of_this_process() -> Result<Opened, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Machine(format!("no temporary folder: {error}")))?;
    let store = store::open(&Place::Sqlite(folder.path().join("events.db"))).await?;
    Ok(Opened { store, shown: MEMORY.to_owned(), _folder: Some(folder) })
}

/// The file in the user's state folder.
fn own_file(connector: &str) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let Some(state) = state else {
        return Err(Failure::usage("there is no home folder to keep events in")
            .hint("Name a file with --store FILE, or set XDG_STATE_HOME."));
    };
    let folder = state.join("host-harness").join(connector);
    make(&folder).map_err(|error| Failure::Machine(format!("{} cannot be made: {error}", folder.display())))?;
    Ok(folder.join("events.db"))
}

/// Makes a folder that nobody else looks into: events hold what customers have told a shop.
#[cfg(unix)]
fn make(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_seen_wherever_it_is() {
        for text in ["postgres://a:b@c/d", "postgres://c/d?password=b"] {
            assert!(has_password(text), "{text}");
        }
        for text in ["postgres://a@c/d", "sqlite:a:b@c", "events.db", "memory"] {
            assert!(!has_password(text), "{text}");
        }
    }
}
