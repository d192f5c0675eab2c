//! The newest real events of a trigger, for trying a workflow out.

use super::event::Event;
use super::listing::{self, Part};
use super::uses::{self, Use};
use crate::error::{Error, Result};
use crate::operation::session::{Metadata, Session};

/// Real events of a trigger.
#[derive(Debug)]
pub struct Recent {
    /// Newest first.
    pub events: Vec<Event>,
    /// How they were found.
    pub metadata: Metadata,
}

/// Stripe's largest page, and how many are looked through for events that pass the filters.
const PAGE: u32 = 100;
const MOST_PAGES: u32 = 5;

/// The newest events, at most `limit`.
///
/// # Errors
/// An unknown trigger, a limit out of bounds; Stripe's refusal; no answer.
pub fn recent(session: &Session<'_>, trigger: &Use, limit: u32) -> Result<Recent> {
    let one = [uses::check_one("trigger", trigger)?];
    if !(1..=PAGE).contains(&limit) {
        return Err(Error::input("limit", format!("recent events are 1 to {PAGE}")));
    }
    let types = uses::listed_types(&one).map_err(|error| error.at("trigger"))?;
    let filtered = one.iter().any(|u| !u.filter.is_empty()) || types.len() > 1 && !listing::can_ask_for(&types);
    let own = session.connection.account.as_deref();
    let mut events = Vec::new();
    let mut place: Option<String> = None;
    let mut number = 0;
    loop {
        let part = Part { limit: if filtered { PAGE } else { limit }, older_than: place.as_deref(), ..Part::default() };
        let page = listing::page(session, &types, &part)?;
        for (head, event) in page.events() {
            if events.len() < limit as usize
                && let Some(event) = uses::reported(&one, &head, event, own)
            {
                events.push(event);
            }
        }
        number += 1;
        place = page.marks().last().map(|m| m.id).filter(|_| page.has_more());
        if place.is_none() || events.len() >= limit as usize || number >= MOST_PAGES {
            return Ok(Recent { events, metadata: session.metadata(&page.answer) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::triggers::model::Model;

    fn a_use(trigger: &str, input: &str) -> Use {
        Use { trigger: trigger.into(), input: input.into() }
    }

    /// 150 customers, of whom the oldest is of another account.
    fn model() -> Model {
        let model = Model::new();
        model.world(|w| {
            for number in 0..150 {
                w.happens("customer.created", 0);
                if number == 0
                    && let Some(first) = w.events.first_mut()
                {
                    first.account = Some("acct_1".into());
                }
                w.now += 1;
            }
        });
        model
    }

    #[test]
    fn the_newest_come_first_and_no_more_than_asked_for() {
        let model = model();
        let line = model.line(0);
        let found = recent(&line.session("run"), &a_use("customer.created", "{}"), 3).expect("found");
        let newest: Vec<String> = model.world(|w| w.events.iter().rev().take(3).map(|e| e.id.clone()).collect());
        assert_eq!(found.events.iter().map(|e| e.id.clone()).collect::<Vec<_>>(), newest);
        assert_eq!(model.requests().len(), 1);
        assert_eq!(recent(&line.session("run"), &a_use("invoice.paid", "{}"), 3).expect("found").events.len(), 0);
    }

    #[test]
    fn a_filter_is_looked_through_more_than_a_page_for() {
        let model = model();
        let filtered = a_use("customer.created", r#"{"accounts":["acct_1"]}"#);
        let found = recent(&model.line(0).session("run"), &filtered, 5).expect("found");
        assert_eq!((found.events.len(), model.requests().len()), (1, 2));
    }

    #[test]
    fn a_limit_out_of_bounds_sends_nothing() {
        let model = model();
        for limit in [0, 101] {
            let error =
                recent(&model.line(0).session("run"), &a_use("customer.created", "{}"), limit).expect_err("bad");
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("limit")));
        }
        assert_eq!(model.requests(), []);
    }
}
