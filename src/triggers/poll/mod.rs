//! Events by polling, for platforms that no webhook can reach.
//!
//! Stripe lists events newest first and forgets them after 30 days. A poll takes a bounded part of what has happened since
//! the last one (`walk`) and says with its `cursor` where the next begins. An event that comes to light late is
//! reported late; one that was reported may be reported again; none is passed over.

pub mod cursor;
mod walk;

use self::cursor::Cursor;
use self::walk::{Step, Walker};
use super::event::Event;
use super::extra;
use super::uses::{self, Use};
use crate::error::{Error, Result};
use crate::json::Writer;
use crate::operation::session::{Metadata, Session};

/// One page of events; the contract documents each part.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the contract, `wit/triggers.wit`")]
pub struct Polled {
    pub events: Vec<Event>,
    pub cursor: String,
    pub has_more: bool,
    pub metadata: Metadata,
}

/// How long Stripe keeps events, in seconds.
const KEPT: u64 = 30 * 24 * 60 * 60;

/// Fetches the events of these triggers since the cursor.
///
/// # Errors
/// Unknown triggers, a foreign cursor; Stripe's refusal; no answer. Where some events were fetched before it failed,
/// those are the result.
pub fn poll(session: &Session<'_>, triggers: &[Use], cursor: Option<&str>) -> Result<Polled> {
    if triggers.is_empty() {
        return Err(Error::input("triggers", "name at least one trigger"));
    }
    let uses = uses::check("triggers", triggers)?;
    let Some(cursor) = cursor else {
        let mut walker = Walker::new(session, &uses, Cursor::at(0));
        walker.begin()?;
        return finish(session, walker, false, None);
    };
    let since = Cursor::read(cursor)?;
    let mut walker = Walker::new(session, &uses, since.clone());
    loop {
        match walker.step() {
            Ok(Step::Done) => return finish(session, walker, false, Some(&since)),
            Ok(Step::More) if walker.is_spent() => return finish(session, walker, true, Some(&since)),
            Ok(Step::More) => {}
            Err(error) if walker.cursor == since || walker.metadata.is_none() => return Err(error),
            Err(error) => {
                let mut polled = finish(session, walker, true, Some(&since))?;
                polled.metadata.extras.push(extra::text("interrupted", &error.message));
                return Ok(polled);
            }
        }
    }
}

fn finish(session: &Session<'_>, walker: Walker<'_, '_>, has_more: bool, since: Option<&Cursor>) -> Result<Polled> {
    let Walker { cursor, events, now, metadata, .. } = walker;
    let mut metadata = metadata.ok_or_else(|| Error::input("cursor", "nothing was asked for"))?;
    metadata.attempts = session.attempts();
    let forgotten = now.map_or(0, |now| now.saturating_sub(KEPT));
    if let Some(since) = since.map(|s| s.settled).filter(|s| (1..forgotten).contains(s)) {
        let mut json = Writer::new();
        json.begin_object();
        json.key("from").raw(&since.to_string());
        json.key("until").raw(&forgotten.to_string());
        json.end_object();
        metadata.extras.push(("possible-gap".to_owned(), json.finish()));
        metadata.extras.push(("missed-before".to_owned(), forgotten.to_string()));
    }
    Ok(Polled { events, cursor: cursor.write(), has_more, metadata })
}

#[cfg(test)]
mod tests;
