//! The audit log: a line for every verdict, each bound to the one before, in a file that is only ever added to.
//!
//! A line is a JSON object with `hash`, the SHA-256 of the line without it, which holds the hash of the line before as
//! `before`. So whoever changes, removes or moves a line breaks the chain from there on. What is cut off at the end is not
//! seen by the file alone: note the last hash elsewhere, and verify against it. No line has an input or an answer: only
//! operations, rules, sums and ids of runs.
//!
//! Several processes may write the same file; each line is written under a lock of it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What the first line is bound to.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// No line is longer.
const LONGEST: u64 = 16 << 10;

/// The log cannot be written, or is not what it was.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The file.
    #[error("the audit log {} cannot be used: {error}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line that is not what was written.
    #[error("the audit log {}, line {line}: {reason}", .file.display())]
    Broken {
        /// Which file.
        file: PathBuf,
        /// The first line that is not as it was.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// An audit log that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines it has.
    pub lines: u64,
    /// The hash of the last one.
    pub last: String,
}

/// See the module.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
}

impl Audit {
    /// The log in this file, which is made if there is none.
    ///
    /// # Errors
    /// It cannot be written, or its last line is none of a log's.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, AuditError> {
        let audit = Self { path: path.into() };
        let mut file = audit.file()?;
        last(&mut file, &audit.path)?;
        Ok(audit)
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> AuditError {
        |error| AuditError::File { file: self.path.clone(), error }
    }

    fn file(&self) -> Result<File, AuditError> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        options.open(&self.path).map_err(self.failed())
    }

    /// Adds a line.
    ///
    /// # Errors
    /// It cannot be written; then what it is about must not happen.
    pub fn write(&self, what: Map<String, Value>) -> Result<(), AuditError> {
        let failed = self.failed();
        let mut file = self.file()?;
        // Released with the file.
        file.lock().map_err(&failed)?;
        let (number, before) = last(&mut file, &self.path)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let mut line = Map::new();
        line.insert("number".to_owned(), json!(number + 1));
        line.insert("time_ms".to_owned(), json!(milliseconds));
        line.extend(what);
        line.insert("before".to_owned(), json!(before));
        let hash = hash(&Value::Object(line.clone()).to_string());
        line.insert("hash".to_owned(), json!(hash));
        file.write_all(format!("{}\n", Value::Object(line)).as_bytes()).map_err(&failed)
    }
}

fn hash(line: &str) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number and the hash of the last line.
fn last(file: &mut File, path: &Path) -> Result<(u64, String), AuditError> {
    let failed = |error| AuditError::File { file: path.to_owned(), error };
    let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
    if length == 0 {
        return Ok((0, BEGINNING.to_owned()));
    }
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST))).map_err(failed)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(failed)?;
    let text = String::from_utf8_lossy(&tail);
    let line = text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
    let whole = text.ends_with('\n').then(|| serde_json::from_str::<Value>(line).ok()).flatten();
    let found = whole.and_then(|line| Some((line.get("number")?.as_u64()?, line.get("hash")?.as_str()?.to_owned())));
    found.ok_or_else(|| AuditError::Broken {
        file: path.to_owned(),
        line: 0,
        reason: "its last line is none of a log's; verify it, and begin another file".to_owned(),
    })
}

/// Checks every line of a log.
///
/// # Errors
/// The first line that is not what was written; `expected`, where it is given, is not the hash of any line's.
pub fn verify(path: &Path, expected: Option<&str>) -> Result<Verified, AuditError> {
    let failed = |error| AuditError::File { file: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    let mut reader = BufReader::new(file);
    let (mut before, mut lines, mut seen) = (BEGINNING.to_owned(), 0_u64, expected.is_none());
    loop {
        let mut line = String::new();
        let read = reader.by_ref().take(LONGEST).read_line(&mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        lines += 1;
        let broken =
            |reason: &str| AuditError::Broken { file: path.to_owned(), line: lines, reason: reason.to_owned() };
        let text = line.strip_suffix('\n').ok_or_else(|| broken("it is not whole"))?;
        let Ok(Value::Object(mut members)) = serde_json::from_str::<Value>(text) else {
            return Err(broken("it is none of a log's"));
        };
        // A line that reads the same written in another way is not the line.
        let is_as_written = serde_json::to_string(&members).is_ok_and(|written| written == text);
        let said = members.shift_remove("hash").and_then(|hash| hash.as_str().map(str::to_owned)).unwrap_or_default();
        if !is_as_written || hash(&Value::Object(members.clone()).to_string()) != said {
            return Err(broken("it was changed"));
        }
        if members.get("before").and_then(Value::as_str) != Some(&before) {
            return Err(broken("it does not follow the line before: lines were removed, added or moved"));
        }
        if members.get("number").and_then(Value::as_u64) != Some(lines) {
            return Err(broken("its number is not its place"));
        }
        seen |= expected == Some(said.as_str());
        before = said;
    }
    if !seen {
        let reason = "no line has the hash that was noted: the end was cut off, or it is another log".to_owned();
        return Err(AuditError::Broken { file: path.to_owned(), line: lines, reason });
    }
    Ok(Verified { lines, last: before })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: &str) -> Map<String, Value> {
        [("operation".to_owned(), json!(what))].into_iter().collect()
    }

    fn log(lines: usize) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let audit = Audit::open(&path).unwrap();
        (0..lines).for_each(|index| audit.write(entry(&format!("operation.{index}"))).unwrap());
        (folder, path)
    }

    #[test]
    fn a_log_that_was_only_added_to_is_whole() {
        let (_folder, path) = log(5);
        let verified = verify(&path, None).unwrap();
        assert_eq!(verified.lines, 5);
        Audit::open(&path).unwrap().write(entry("more")).unwrap();
        assert_eq!(verify(&path, Some(&verified.last)).unwrap().lines, 6);
    }

    #[test]
    fn whatever_is_changed_is_seen() {
        let (_folder, path) = log(5);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4]];
        let spaced = lines[1].replacen(':', ": ", 1);
        for (changed, at) in [
            (text.replacen("operation.2", "operation.9", 1), 3),
            (joined(&[lines[0], lines[2], lines[3], lines[4]]), 2),
            (joined(&lines[1..]), 1),
            (joined(&swapped), 2),
            (joined(&[lines[0], lines[0], lines[1]]), 2),
            (joined(&[lines[0], &spaced]), 2),
            (joined(&[lines[0], "{}", lines[1]]), 2),
            (text.trim_end().to_owned(), 5),
            (format!("{text}x\n"), 6),
        ] {
            std::fs::write(&path, &changed).unwrap();
            match verify(&path, None) {
                Err(AuditError::Broken { line, .. }) => assert_eq!(line, at, "{changed}"),
                other => panic!("{other:?}: {changed}"),
            }
        }
    }

    #[test]
    fn an_end_that_was_cut_off_is_seen_by_the_hash_that_was_noted() {
        let (_folder, path) = log(3);
        let noted = verify(&path, None).unwrap().last;
        let text = std::fs::read_to_string(&path).unwrap();
        let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, cut).unwrap();
        assert!(verify(&path, None).is_ok());
        assert!(verify(&path, Some(&noted)).is_err());
    }

    #[test]
    fn many_writers_make_one_chain() {
        let (_folder, path) = log(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let audit = Audit::open(&path).unwrap();
                    (0..25).for_each(|_| audit.write(entry("x")).unwrap());
                });
            }
        });
        assert_eq!(verify(&path, None).unwrap().lines, 200);
    }

    #[test]
    fn a_file_that_is_no_log_is_not_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "shopping list").unwrap();
        assert!(Audit::open(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "shopping list");
    }
}
