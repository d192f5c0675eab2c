//! What was spent, in a file: reserved before a call leaves, then committed, or released when it is certain that nothing
//! was done. What nobody knows stays reserved.
//!
//! The file is only ever added to, a line of JSON at a time, under a lock that holds between processes: whoever reserves
//! reads everything before it and writes within one hold of the lock, so that no two can both take the last of a cap. A
//! process that is killed leaves its reservation standing. A line that was not written to its end belongs to a
//! reservation that nobody got, and is cut off by the next. A reservation is on the disk before it holds; that a
//! settlement is lost with the machine errs on the safe side.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::amount::Amount;
use crate::flow::Span;
use crate::policy::Cap;
use crate::verdict::Spend;

/// The ledger cannot be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The file.
    #[error("the ledger {} cannot be used: {error}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A line that nobody of us wrote.
    #[error("the ledger {}, line {line}: it is none of a ledger's; begin another file", .file.display())]
    Foreign {
        /// Which.
        file: PathBuf,
        /// The line, from 1 on.
        line: usize,
    },
}

/// What came of asking for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// It is reserved under this id.
    New(String),
    /// It was reserved by an earlier try of the same.
    Already,
    /// It would be over this cap, of which so much is left.
    Over(Box<(Cap, Amount)>),
}

/// Whose money it is, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spender<'a> {
    /// What is done: the same for a try again.
    pub(crate) id: &'a str,
    /// What caps per run count together.
    pub(crate) run: &'a str,
    /// The day, counted from 1970 on.
    pub(crate) day: u64,
}

/// A line of the file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Reserve { id: String, run: String, day: u64, on: String, minor: u64, currency: String },
    Commit { id: String },
    Release { id: String },
}

/// A reservation that counts.
struct Entry {
    run: String,
    day: u64,
    on: String,
    minor: u64,
    currency: String,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
}

impl Ledger {
    pub(crate) fn open(path: impl Into<PathBuf>) -> Result<Self, LedgerError> {
        let ledger = Self { path: path.into() };
        let mut file = ledger.locked()?;
        ledger.read(&mut file)?;
        Ok(ledger)
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> LedgerError {
        |error| LedgerError::File { file: self.path.clone(), error }
    }

    /// The file, held until it is dropped.
    fn locked(&self) -> Result<File, LedgerError> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(&self.path).map_err(self.failed())?;
        file.lock().map_err(self.failed())?;
        Ok(file)
    }

    /// The reservations that count, by their ids. What was not written to its end is cut off.
    fn read(&self, file: &mut File) -> Result<BTreeMap<String, Vec<Entry>>, LedgerError> {
        let failed = self.failed();
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).map_err(&failed)?;
        file.read_to_end(&mut bytes).map_err(&failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        // Only what begins as a line of ours is cut off; another file is left as it is.
        let rest = bytes.get(whole..).unwrap_or_default();
        let lines = bytes.get(..whole).unwrap_or_default();
        let mut entries: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        let mut count = 0;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            count += 1;
            match serde_json::from_slice(line) {
                Ok(Line::Reserve { id, run, day, on, minor, currency }) => {
                    entries.entry(id).or_default().push(Entry { run, day, on, minor, currency });
                }
                Ok(Line::Release { id }) => drop(entries.remove(&id)),
                Ok(Line::Commit { .. }) => {}
                Err(_) => return Err(LedgerError::Foreign { file: self.path.clone(), line: count }),
            }
        }
        if !rest.is_empty() {
            if !b"{\"what\":\"".starts_with(rest) && !rest.starts_with(b"{\"what\":\"") {
                return Err(LedgerError::Foreign { file: self.path.clone(), line: count + 1 });
            }
            file.set_len(whole as u64).map_err(&failed)?;
        }
        Ok(entries)
    }

    fn write(&self, file: &mut File, lines: &[Line]) -> Result<(), LedgerError> {
        let text: Vec<String> = lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
        let text: String = text.into_iter().map(|line| line + "\n").collect();
        file.write_all(text.as_bytes()).map_err(self.failed())
    }

    /// Reserves what a call spends, under all of these caps or not at all.
    pub(crate) fn reserve(&self, who: Spender<'_>, spends: &[Spend], caps: &[Cap]) -> Result<Reserved, LedgerError> {
        let mut file = self.locked()?;
        let entries = self.read(&mut file)?;
        if entries.contains_key(who.id) {
            return Ok(Reserved::Already);
        }
        for spend in spends {
            let (on, currency) = (spend.flow.name(), &spend.amount.currency);
            let of_spend = |cap: &&Cap| cap.on == spend.flow && cap.amount.currency == *currency;
            for cap in caps.iter().filter(of_spend) {
                let counts = |entry: &&Entry| {
                    let together = match cap.per {
                        Span::Call => false,
                        Span::Run => entry.run == who.run,
                        Span::Day => entry.day == who.day,
                    };
                    together && entry.on == on && entry.currency == currency.code()
                };
                let all = entries.values().flatten();
                let spent = all.filter(counts).fold(0, |sum: u64, entry| sum.saturating_add(entry.minor));
                let own = spends.iter().filter(|other| other.flow == spend.flow && other.amount.currency == *currency);
                let own = own.fold(0, |sum: u64, other| sum.saturating_add(other.amount.minor));
                if spent.saturating_add(own) > cap.amount.minor {
                    let left = cap.amount.minor.saturating_sub(spent);
                    let left = Amount { minor: left, currency: currency.clone() };
                    return Ok(Reserved::Over(Box::new((cap.clone(), left))));
                }
            }
        }
        let line = |spend: &Spend| Line::Reserve {
            id: who.id.to_owned(),
            run: who.run.to_owned(),
            day: who.day,
            on: spend.flow.name().to_owned(),
            minor: spend.amount.minor,
            currency: spend.amount.currency.code().to_owned(),
        };
        self.write(&mut file, &spends.iter().map(line).collect::<Vec<_>>())?;
        file.sync_data().map_err(self.failed())?;
        Ok(Reserved::New(who.id.to_owned()))
    }

    /// It was done.
    pub(crate) fn commit(&self, id: &str) -> Result<(), LedgerError> {
        let mut file = self.locked()?;
        self.read(&mut file)?;
        self.write(&mut file, &[Line::Commit { id: id.to_owned() }])
    }

    /// It is certain that nothing was done.
    pub(crate) fn release(&self, id: &str) -> Result<(), LedgerError> {
        let mut file = self.locked()?;
        self.read(&mut file)?;
        self.write(&mut file, &[Line::Release { id: id.to_owned() }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;
    use crate::flow::Flow;
    use crate::verdict::Rule;

    fn amount(minor: u64) -> Amount {
        Amount { minor, currency: Currency::new("usd").unwrap() }
    }

    fn cap(per: Span, minor: u64) -> Cap {
        let rule = Rule { name: "cap".to_owned(), line: 1 };
        Cap { on: Flow::Payments, per, amount: amount(minor), rule }
    }

    fn pay(minor: u64) -> Vec<Spend> {
        vec![Spend { flow: Flow::Payments, amount: amount(minor) }]
    }

    fn open() -> (tempfile::TempDir, Ledger) {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path().join("ledger.jsonl")).unwrap();
        (folder, ledger)
    }

    fn reserve(ledger: &Ledger, (id, run, day): (&str, &str, u64), minor: u64, cap: &Cap) -> Reserved {
        ledger.reserve(Spender { id, run, day }, &pay(minor), std::slice::from_ref(cap)).unwrap()
    }

    fn left(reserved: &Reserved) -> Option<u64> {
        match reserved {
            Reserved::Over(over) => Some(over.1.minor),
            _ => None,
        }
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_released() {
        let (_folder, ledger) = open();
        let cap = cap(Span::Day, 100);
        assert_eq!(reserve(&ledger, ("a", "r", 1), 60, &cap), Reserved::New("a".to_owned()));
        assert_eq!(left(&reserve(&ledger, ("b", "r", 1), 60, &cap)), Some(40));
        assert_eq!(reserve(&ledger, ("a", "r", 1), 60, &cap), Reserved::Already, "a try again spends nothing twice");
        ledger.release("a").unwrap();
        assert_eq!(reserve(&ledger, ("b", "r", 1), 60, &cap), Reserved::New("b".to_owned()));
        ledger.commit("b").unwrap();
        assert_eq!(left(&reserve(&ledger, ("c", "r", 1), 60, &cap)), Some(40));
        assert_eq!(reserve(&ledger, ("d", "r", 2), 60, &cap), Reserved::New("d".to_owned()), "another day");
    }

    #[test]
    fn a_run_a_currency_and_a_way_have_caps_of_their_own() {
        let (_folder, ledger) = open();
        let cap = cap(Span::Run, 100);
        reserve(&ledger, ("a", "one", 1), 100, &cap);
        assert_eq!(left(&reserve(&ledger, ("b", "one", 2), 1, &cap)), Some(0));
        assert_eq!(reserve(&ledger, ("c", "two", 1), 100, &cap), Reserved::New("c".to_owned()));
        let refund = [Spend { flow: Flow::Refunds, amount: amount(100) }];
        let caps = [cap.clone(), Cap { on: Flow::Refunds, ..cap }];
        let refunded = ledger.reserve(Spender { id: "d", run: "one", day: 1 }, &refund, &caps).unwrap();
        assert_eq!(refunded, Reserved::New("d".to_owned()));
    }

    #[test]
    fn whatever_was_not_written_to_its_end_is_no_reservation() {
        let (folder, ledger) = open();
        let (path, cap) = (folder.path().join("ledger.jsonl"), cap(Span::Day, 100));
        reserve(&ledger, ("a", "r", 1), 60, &cap);
        let whole = std::fs::read_to_string(&path).unwrap();
        for end in 1..whole.len() {
            let torn = whole.replace("\"a\"", "\"b\"");
            std::fs::write(&path, format!("{whole}{}", &torn[..end])).unwrap();
            let is_cut = end < torn.len();
            assert_eq!(left(&reserve(&ledger, ("c", "r", 1), 41, &cap)), Some(40), "{end} {is_cut}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }

    #[test]
    fn a_file_that_is_no_ledger_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        for text in ["shopping list", "shopping\nlist\n", "{\"what\":\"else\"}\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Ledger::open(&path).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_race_never_takes_more_than_the_cap() {
        let (folder, _) = open();
        let (path, cap) = (folder.path().join("ledger.jsonl"), cap(Span::Day, 100));
        let got: usize = std::thread::scope(|scope| {
            let racer = |racer: usize| {
                let (path, cap) = (&path, &cap);
                scope.spawn(move || {
                    // Each has the file open by itself, as another process would.
                    let ledger = Ledger::open(path).unwrap();
                    let id = |index: usize| format!("{racer}-{index}");
                    let taken = (0..10).filter(|index| {
                        let reserved = reserve(&ledger, (&id(*index), "r", 1), 3, cap);
                        if matches!(reserved, Reserved::New(_)) && index % 2 == 0 {
                            ledger.commit(&id(*index)).unwrap();
                        }
                        matches!(reserved, Reserved::New(_))
                    });
                    taken.count()
                })
            };
            let racers: Vec<_> = (0..10).map(racer).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(got, 33);
    }
}
