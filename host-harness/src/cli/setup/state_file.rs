//! `--state-file FILE`: a subscription that outlives the process that made it.
//!
//! The state is secret: the key that deliveries are signed with is in it. So the file is readable by its owner alone, is
//! replaced as a whole, and no message repeats a part of it. A platform that has a vault keeps states there instead.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use host::contract::SubscriptionState;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::cli::failure::Failure;
use crate::cli::setup::connection_file::is_open_to_others;
use crate::cli::terminal::Terminal;
use crate::cli::wording;

/// More than any state has.
const MOST_BYTES: u64 = 1 << 20;

/// A subscription as it is kept.
pub struct Kept {
    /// Where the service delivers.
    pub url: String,
    /// What the connector gave for it.
    pub state: SubscriptionState,
}

#[derive(Serialize, Deserialize)]
struct Form {
    connector: String,
    url: String,
    state: String,
}

/// The file of a connector's subscription.
pub struct StateFile<'a> {
    path: &'a Path,
    connector: &'a str,
}

impl<'a> StateFile<'a> {
    pub fn new(path: &'a Path, connector: &'a str) -> Self {
        Self { path, connector }
    }

    /// What it holds; nothing, where it is not there.
    pub fn read(&self, terminal: &mut Terminal) -> Result<Option<Kept>, Failure> {
        let file = match fs::File::open(self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| self.wrong(format_args!("it cannot be read: {error}")))?,
        };
        if file.metadata().is_ok_and(|found| is_open_to_others(&found)) {
            terminal.warn(format_args!(
                "{} can be read by other users of this machine; `chmod 600 {}` keeps it yours",
                self.path.display(),
                wording::shell_word(&self.path.to_string_lossy())
            ));
        }
        let mut text = String::new();
        let read = file.take(MOST_BYTES).read_to_string(&mut text);
        read.map_err(|error| self.wrong(format_args!("it cannot be read: {error}")))?;
        let Form { connector, url, state } =
            serde_json::from_str(&text).map_err(|_| self.wrong("it is not what `harness subscribe` wrote"))?;
        if connector != self.connector {
            return Err(self.wrong(format_args!("it is of the connector {connector:?}, not {:?}", self.connector)));
        }
        Ok(Some(Kept { url, state: SubscriptionState::new(state) }))
    }

    /// What it must hold.
    pub fn existing(&self, terminal: &mut Terminal) -> Result<Kept, Failure> {
        let kept = self.read(terminal)?;
        kept.ok_or_else(|| self.wrong("it is not there").hint("`harness subscribe` makes one."))
    }

    /// Whether it can be written; asked before a subscription is made whose state would be lost.
    pub fn check(&self) -> Result<(), Failure> {
        NamedTempFile::new_in(self.folder()).map(drop).map_err(|error| self.unwritten(&error))
    }

    /// Replaces what it holds.
    pub fn write(&self, url: &str, state: &SubscriptionState) -> Result<(), Failure> {
        let form = Form { connector: self.connector.to_owned(), url: url.to_owned(), state: state.expose().to_owned() };
        let write = || -> io::Result<()> {
            // It is made for its owner alone.
            let mut file = NamedTempFile::new_in(self.folder())?;
            serde_json::to_writer(&mut file, &form)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(self.path)?;
            Ok(())
        };
        write().map_err(|error| self.unwritten(&error))
    }

    /// Forgets it.
    pub fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.unwritten(&error)),
            _ => Ok(()),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.path.to_owned()
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn wrong(&self, reason: impl std::fmt::Display) -> Failure {
        Failure::usage(format!("the state file {}: {reason}", self.path.display()))
    }

    fn unwritten(&self, error: &io::Error) -> Failure {
        Failure::Machine(format!("the state file {} cannot be written: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::Color;

    fn terminal() -> Terminal {
        Terminal::new(Color::Never, true)
    }

    #[test]
    fn what_was_written_is_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stripe.state");
        let file = StateFile::new(&path, "stripe");
        assert!(file.read(&mut terminal()).unwrap().is_none());
        file.check().unwrap();
        for state in ["one", "two"] {
            file.write("https://example.com/hook", &SubscriptionState::new(state.to_owned())).unwrap();
            let kept = file.existing(&mut terminal()).unwrap();
            assert_eq!((kept.url.as_str(), kept.state.expose()), ("https://example.com/hook", state));
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(file.existing(&mut terminal()).err().unwrap().to_string().contains("it is not there"));
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stripe.state");
        fs::write(&path, r#"{"connector":"other","url":"u","state":"whsec_secret"}"#).unwrap();
        let refused = StateFile::new(&path, "stripe").read(&mut terminal()).err().unwrap().to_string();
        assert!(refused.contains("\"other\"") && !refused.contains("whsec"), "{refused}");
        fs::write(&path, "whsec_secret").unwrap();
        let refused = StateFile::new(&path, "stripe").read(&mut terminal()).err().unwrap().to_string();
        assert!(refused.contains("harness subscribe") && !refused.contains("whsec"), "{refused}");
    }
}
