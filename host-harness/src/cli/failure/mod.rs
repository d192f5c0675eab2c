//! What can end a command, how it reads and its exit status.
//!
//! The connector's own errors are shown whole, so that "did it charge the card?" and "may I try again?" are answered
//! where the user looks; so is a run whose answer or result nobody saw. Nothing in here holds a secret: the connector's
//! error record has none by contract, and the rest is of the command line's own making. Data flows one way: `run` (what is
//! known of a run of a step), `clip` → `kind` → `readable`, `record` → here, where one of the two goes to standard error.

mod clip;
mod kind;
mod readable;
mod record;
mod run;

use std::process::ExitCode;

pub use self::kind::{Failure, USAGE, Untold};
pub use self::run::Run;
use crate::cli::terminal::{Terminal, json, plain};

impl Failure {
    /// Says it on standard error, and returns the exit status.
    pub fn report(&self, terminal: &mut Terminal) -> ExitCode {
        match self {
            Self::NobodyReads => {}
            Self::DryRun(_) if !terminal.json => terminal.note(self),
            _ if terminal.json => terminal.error_record(&record::of(self)),
            _ => terminal.error_block(&readable::block(self)),
        }
        ExitCode::from(self.status())
    }

    /// The same as a text without colours, for who has no terminal at hand any more.
    pub fn text(&self, as_json: bool) -> String {
        if as_json { json::line(&record::of(self)) } else { plain(&readable::block(self)) }
    }
}
