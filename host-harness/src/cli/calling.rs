//! A call of the connector as a command makes it: with a sign of life, and with an end when somebody wants one.
//!
//! A call that only reads is given up at once, and so is one of which nothing has left yet that may change something: the
//! host saw all that left. Otherwise the answer is waited for a little, and where it does not come, what is known is said:
//! that nobody knows, and how to run the same step again. The same holds for what was done and cannot be shown ([`Done`]).

use std::io::{BufRead, IsTerminal, stderr, stdin};
use std::time::{Duration, SystemTime};

use guard::{Acting, Permit, Rule, Stopped};
use host::contract::{Outcome, ResourceRecord, ResultMetadata};
use host::{CallReport, Invocation, Reply};

use crate::cli::failure::{Failure, Run, Untold};
use crate::cli::setup::stopping::{self, LastWords};
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::{Terminal, Unwritten};

/// So long an answer may still take when somebody wants the process to end: longer than a card payment mostly does, and
/// shorter than the ten seconds after which a supervisor kills.
const GRACE: Duration = Duration::from_secs(3);

/// Waits for a call that changes nothing.
pub async fn watch<T, E: Into<Failure>>(message: &str, call: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    let _progress = Progress::of(message);
    tokio::select! {
        biased;
        done = call => done.map_err(Into::into),
        status = stopping::wanted() => Err(Failure::Stopped(status)),
    }
}

/// Whether somebody agreed beforehand to whatever the guard asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The person at the terminal is asked.
    Asked,
    /// With `--yes`.
    Given,
}

/// Waits for the guard's verdict, and asks the person at the terminal where it wants that. Without an agreement the
/// permit still has its question, and does not run.
pub async fn permitted(
    terminal: &mut Terminal,
    consent: Consent,
    verdict: impl Future<Output = Result<Permit, Stopped>>,
) -> Result<Permit, Stopped> {
    let mut permit = {
        let _progress = Progress::of("Asking the guard");
        verdict.await?
    };
    if let Some((reason, rule)) = permit.question()
        && (consent == Consent::Given || agrees(terminal, &reason, rule).await)
    {
        permit.agree();
    }
    Ok(permit)
}

/// Asks, where there is somebody to ask.
async fn agrees(terminal: &mut Terminal, reason: &str, rule: &Rule) -> bool {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return false;
    }
    terminal.warn(format_args!("{reason}: {rule}"));
    terminal.note("Run it? Type yes to agree:");
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        stdin().lock().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        biased;
        _ = stopping::wanted() => false,
        answer = answer => answer.is_ok_and(|read| read.is_ok_and(|line| line.trim().eq_ignore_ascii_case("yes"))),
    }
}

/// A try of something that changes something at the service.
pub struct Try {
    /// What is tried: `customer.create`, `subscribing`.
    what: String,
    /// Whether an earlier try of it is in doubt.
    doubt: bool,
    untold: Untold,
    as_json: bool,
    words: LastWords,
}

impl Try {
    /// A run of a step, which can be run again as the same.
    pub fn of_step(terminal: &Terminal, operation: &str, invocation: &Invocation) -> Self {
        let run = Some(Run::in_doubt(invocation, SystemTime::now()));
        let doubt = invocation.history.is_some_and(|history| history.in_doubt);
        Self::that(terminal, operation, doubt, Untold { run, ..Untold::new("", Outcome::Unknown) })
    }

    /// Something else, and what to do when nobody knows whether it was done.
    pub fn of(terminal: &Terminal, what: &str, hint: impl Into<String>) -> Self {
        Self::that(terminal, what, false, Untold::new("", Outcome::Unknown).hint(hint))
    }

    /// Nothing of it has left yet; but where an earlier try of it is in doubt, so is all of it.
    fn that(terminal: &Terminal, what: &str, doubt: bool, mut untold: Untold) -> Self {
        untold.message = format!("{what} was stopped before it ended");
        let before = if doubt { untold.clone().into() } else { unsent(what, &untold, untold.run.clone(), None) };
        let words = LastWords::new(before.text(terminal.json), doubt.then(|| before.status()));
        Self { what: what.to_owned(), doubt, untold, as_json: terminal.json, words }
    }

    /// Waits for its end, for a little while also when somebody wants the process to end: but only where something that
    /// may change something has left.
    pub async fn watch<T>(
        &self,
        terminal: &mut Terminal,
        message: &str,
        mut call: Acting<'_, T>,
    ) -> Result<Reply<T>, Failure> {
        let in_doubt = Failure::from(self.untold.clone());
        self.words.are(in_doubt.text(self.as_json), Some(in_doubt.status()));
        let status = {
            let _progress = Progress::of(message);
            tokio::select! {
                biased;
                done = &mut call => return done.map_err(Into::into),
                status = stopping::wanted() => status,
            }
        };
        if call.report().is_some_and(|report| report.may_have_acted()) {
            terminal.note(format_args!(
                "stopping: waiting up to {} s for the answer, which may be on its way",
                GRACE.as_secs()
            ));
            tokio::select! {
                biased;
                done = &mut call => return done.map_err(Into::into),
                _ = stopping::wanted() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        }
        Err(self.given_up(status, call.cancel().as_ref()))
    }

    /// What is known of it by what the host saw leave.
    fn given_up(&self, status: u8, report: Option<&CallReport>) -> Failure {
        let Some(report) = report else {
            // Nothing of this try has begun; what is known of it is what was known before.
            return match self.doubt {
                true => self.untold.clone().into(),
                false => unsent(&self.what, &self.untold, self.untold.run.clone(), Some(status)),
            };
        };
        let outcome = report.outcome_of_run();
        let run = Run::after(report, report.history_after(outcome));
        match outcome {
            Outcome::NotSent => unsent(&self.what, &self.untold, run, Some(status)),
            _ => Untold { run, ..self.untold.clone() }.into(),
        }
    }

    /// It was done; what is said of it, should the result reach nobody.
    pub fn done(mut self, metadata: &ResultMetadata, record: Option<&ResourceRecord>) -> Done {
        let untold = &mut self.untold;
        untold.message = "it was done, and its result was not shown".to_owned();
        untold.outcome = Outcome::Committed;
        untold.run = untold.run.take().map(Run::settled);
        untold.key.clone_from(&metadata.idempotency_key);
        untold.key_protects_until = metadata.key_protects_until;
        untold.request_id.clone_from(&metadata.request_id);
        untold.concerns = record.map(|record| (record.resource.clone(), record.id.clone()));
        let failure = Failure::from(self.untold.clone());
        self.words.are(failure.text(self.as_json), Some(failure.status()));
        Done { untold: self.untold, _words: self.words }
    }
}

/// It was stopped before anything of it left that may change something.
fn unsent(what: &str, untold: &Untold, run: Option<Run>, status: Option<u8>) -> Failure {
    let message = format!("{what} was stopped before it changed anything");
    let run = run.map(Run::settled);
    let unsent = Untold { message, outcome: Outcome::NotSent, run, ..untold.clone() };
    Failure::Unsent { status: status.unwrap_or_default(), unsent: Box::new(unsent) }
}

/// Something that was done, while its result is being shown.
pub struct Done {
    untold: Untold,
    _words: LastWords,
}

impl Done {
    /// With another hint, now that it was done.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.untold.hint = Some(hint.into());
        self
    }

    /// The result was shown, or why not, with what was done.
    pub fn shown(&self, shown: Result<(), Unwritten>) -> Result<(), Failure> {
        shown.map_err(|unwritten| self.but(&unwritten.to_string()))
    }

    /// Something failed afterwards.
    pub fn but(&self, failure: &str) -> Failure {
        Untold { message: failure.to_owned(), ..self.untold.clone() }.into()
    }
}
