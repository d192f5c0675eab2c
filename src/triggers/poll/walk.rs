//! The walk through Stripe's list of events that one poll makes a part of.
//!
//! The list has the newest event first, tells no place but that of an event, and shows an event perhaps some seconds after
//! the time that is written on it. So:
//!
//! - a walk goes **up** from a known event, nearest first (`ending_before`), and reports what it meets;
//! - what is younger than [`OVERLAP`] by Stripe's own clock is not settled: the next walk begins below it and passes over
//!   what it has seen;
//! - without a known event from before the beginning, one page mostly has all there is. Where it has not, the newest
//!   event from before is asked for; where there is none either, the oldest event is **searched** by halving the time, and
//!   its second gone through **downwards**: equal times have no order, so every event is met once and oldest first.

use super::cursor::{Cursor, Descent, Walk};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::session::{Metadata, Session};
use crate::triggers::event::Event;
use crate::triggers::fingerprint::fingerprint;
use crate::triggers::listing::{self, Mark, Page, Part};
use crate::triggers::uses::{self, InUse};

/// How long after its own time an event may come to light, in seconds. Stripe states no figure; events mostly show at
/// once.
pub const OVERLAP: u64 = 30;
/// Stripe's largest page.
const PAGE: u32 = 100;
/// How much one poll takes on: pages, bytes of them, and requests for a single event.
const MOST_PAGES: u32 = 5;
const MOST_BYTES: usize = 4 * 1024 * 1024;
const MOST_PROBES: u32 = 12;

/// Whether a walk is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more.
    More,
    /// It has come to the newest event.
    Done,
}

/// A walk under way.
pub struct Walker<'a, 's> {
    session: &'a Session<'s>,
    uses: &'a [InUse],
    /// How far it has come.
    pub cursor: Cursor,
    /// What it has met, oldest first.
    pub events: Vec<Event>,
    /// What Stripe's clock showed last.
    pub now: Option<u64>,
    /// How the last page came about.
    pub metadata: Option<Metadata>,
    pages: u32,
    probes: u32,
    bytes: usize,
}

impl<'a, 's> Walker<'a, 's> {
    /// A walk that goes on where the cursor stands.
    pub fn new(session: &'a Session<'s>, uses: &'a [InUse], cursor: Cursor) -> Self {
        Self { session, uses, cursor, events: Vec::new(), now: None, metadata: None, pages: 0, probes: 0, bytes: 0 }
    }

    /// Whether it has taken on as much as one poll does.
    pub fn is_spent(&self) -> bool {
        self.pages >= MOST_PAGES || self.bytes >= MOST_BYTES || self.probes >= MOST_PROBES
    }

    /// The cursor of now: nothing that has happened is reported, whatever happens is.
    ///
    /// # Errors
    /// Stripe's refusal; no answer.
    pub fn begin(&mut self) -> Result<()> {
        // A few: events of the newest one's second have happened, too.
        let page = self.fetch(&Part { limit: 10, ..Part::default() })?;
        self.cursor = match page.marks().map(|m| m.created).max() {
            // By the events' own clock, and never ahead of Stripe's: some events are dated in the future.
            Some(newest) => Cursor::at(page.date().map_or(newest, |now| newest.min(now))),
            None => Cursor::at(self.settled_by_now()),
        };
        self.look_at(&page);
        self.anchor_in(&page);
        Ok(())
    }

    /// One page, or one request on the way to it.
    ///
    /// # Errors
    /// Stripe's refusal; no answer. The cursor stands where it stood.
    pub fn step(&mut self) -> Result<Step> {
        match self.cursor.walk.clone() {
            Walk::Start => match self.cursor.anchor.clone() {
                Some(anchor) => self.go_up(&anchor, true),
                None => self.look(),
            },
            Walk::Up { after, whole } => self.go_up(&after, whole),
            Walk::Search(until) => self.search(until),
            Walk::Down(descent) => self.go_down(descent),
        }
    }

    fn go_up(&mut self, after: &Mark, whole: bool) -> Result<Step> {
        let page = match self.fetch(&Part { limit: PAGE, newer_than: Some(&after.id), ..Part::default() }) {
            Err(error) if is_forgotten(&error) => {
                self.cursor.anchor = None;
                self.cursor.walk = Walk::Start;
                return Ok(Step::More);
            }
            page => page?,
        };
        let newest = page.marks().next().filter(|m| page.has_more() && m.id != after.id);
        let met = self.look_at(&page);
        self.events.extend(met);
        // What this page has settles nothing where something below it may still come to light.
        let by_now = self.settled_by_now();
        let settled = newest.as_ref().map_or(by_now, |n| n.created.min(by_now));
        if whole {
            self.cursor.settle(settled);
        }
        self.anchor_in(&page);
        match newest {
            Some(after) => {
                // Others of its second are settled with it, or not yet.
                let whole = whole && after.created < by_now;
                self.cursor.walk = Walk::Up { after, whole };
                Ok(Step::More)
            }
            None => {
                self.cursor.walk = Walk::Start;
                Ok(Step::Done)
            }
        }
    }

    /// Everything from `settled` on, where that is no more than a page; otherwise where to begin.
    fn look(&mut self) -> Result<Step> {
        let settled = self.cursor.settled;
        let page = self.fetch(&Part { limit: PAGE, from: Some(settled), ..Part::default() })?;
        let oldest = page.marks().last().filter(|_| page.has_more());
        let Some(oldest) = oldest else {
            let met = self.look_at(&page);
            self.events.extend(met);
            self.cursor.settle(self.settled_by_now());
            self.anchor_in(&page);
            return Ok(Step::Done);
        };
        let before = if settled == 0 { None } else { self.probe(settled)?.marks().next() };
        match before {
            Some(before) => self.begin_above(before),
            None => self.cursor.walk = Walk::Search(oldest.created),
        }
        Ok(Step::More)
    }

    fn begin_above(&mut self, mark: Mark) {
        self.cursor.anchor = Some(mark.clone());
        self.cursor.walk = Walk::Up { after: mark, whole: true };
    }

    /// Halves the time in which the oldest event happened.
    fn search(&mut self, until: u64) -> Result<Step> {
        let settled = self.cursor.settled;
        if until <= settled {
            self.descend_from(until);
            return Ok(Step::More);
        }
        let middle = settled + (until - settled).div_ceil(2);
        let page = self.probe(middle)?;
        match page.marks().next() {
            Some(found) if found.created < settled => self.begin_above(found),
            Some(found) if page.has_more() && found.created < until => self.cursor.walk = Walk::Search(found.created),
            Some(found) => self.descend_from(found.created.min(until)),
            None if middle <= self.settled_by_now() => self.cursor.settle(middle),
            // So young that something older may still come to light.
            None => self.descend_from(until),
        }
        Ok(Step::More)
    }

    fn descend_from(&mut self, until: u64) {
        let began = self.now.unwrap_or(self.cursor.settled);
        self.cursor.walk = Walk::Down(Descent { until, began, place: None });
    }

    fn go_down(&mut self, descent: Descent) -> Result<Step> {
        let Descent { until, began, place } = descent;
        let older_than = place.as_ref().map(|(_, at)| at.as_str());
        let part = Part { limit: PAGE, before: Some(until + 1), older_than, ..Part::default() };
        let page = match self.fetch(&part) {
            Err(error) if is_forgotten(&error) && older_than.is_some() => {
                self.cursor.walk = Walk::Start;
                return Ok(Step::More);
            }
            page => page?,
        };
        let mut met = self.look_at(&page);
        met.append(&mut self.events);
        self.events = met;
        let last = page.marks().last().filter(|last| page.has_more() && older_than != Some(last.id.as_str()));
        let top = place.as_ref().map(|(top, _)| top.clone()).or_else(|| page.marks().next());
        self.cursor.walk = match (top, last) {
            (Some(top), Some(last)) => Walk::Down(Descent { until, began, place: Some((top, last.id)) }),
            (Some(top), None) => {
                let by_then = began.saturating_sub(OVERLAP);
                self.cursor.settle(top.created.min(by_then));
                let whole = top.created < by_then;
                Walk::Up { after: top, whole }
            }
            (None, _) => Walk::Start,
        };
        Ok(Step::More)
    }

    /// Takes what is new of a page, oldest first.
    fn look_at(&mut self, page: &Page) -> Vec<Event> {
        let own = self.session.connection.account.as_deref();
        let mut met = Vec::new();
        for (head, event) in page.events() {
            if head.created < self.cursor.settled {
                continue;
            }
            if self.cursor.seen.insert(fingerprint(&head.id), head.created) {
                met.extend(uses::reported(self.uses, &head, event, own));
            }
        }
        met.reverse();
        met
    }

    /// Remembers the newest event of a page that is settled.
    fn anchor_in(&mut self, page: &Page) {
        let settled = self.cursor.settled;
        if let Some(anchor) = page.marks().find(|m| m.created < settled) {
            self.cursor.anchor = Some(anchor);
        }
    }

    /// The second before which everything has come to light.
    fn settled_by_now(&self) -> u64 {
        self.now.map_or(0, |now| now.saturating_sub(OVERLAP))
    }

    /// The newest event from before a second.
    fn probe(&mut self, before: u64) -> Result<Page> {
        self.probes += 1;
        self.request(&Part { limit: 1, before: Some(before), ..Part::default() })
    }

    fn fetch(&mut self, part: &Part<'_>) -> Result<Page> {
        self.pages += 1;
        self.request(part)
    }

    fn request(&mut self, part: &Part<'_>) -> Result<Page> {
        let page = listing::page(self.session, &uses::listed_types(self.uses)?, part)?;
        self.bytes += page.answer.body.text().len();
        self.metadata = Some(self.session.metadata(&page.answer));
        // Without a clock of Stripe's the newest event tells that it is at least that late.
        let told = page.date().or_else(|| page.marks().next().map(|m| m.created));
        self.now = told.max(self.now);
        Ok(page)
    }
}

/// Whether Stripe does not know the event any more that a place in the list was given by.
fn is_forgotten(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
}
