//! Where polling stands, as a text that the host keeps between polls.
//!
//! `1.FINGERPRINT.JSON`: the version of the form, a guard against damage, the parts. A cursor stands by time, and what it
//! names of events is only there to save requests, so it outlives the events that Stripe forgets.

use std::fmt::Write as _;

use crate::error::{Error, Result};
use crate::json::{Doc, Node, Writer};
use crate::triggers::fingerprint;
use crate::triggers::listing::Mark;

/// Where polling stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Every event from before this second was reported, or is not wanted. In seconds since 1970.
    pub settled: u64,
    /// The newest event known from before that second.
    pub anchor: Option<Mark>,
    /// How far a walk has come.
    pub walk: Walk,
    /// The events from `settled` on that were looked at.
    pub seen: Seen,
}

/// Events that were looked at: their fingerprints and times, in the order of the fingerprints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen(Vec<(u64, u64)>);

impl Seen {
    /// Notes an event; says whether it is new.
    pub fn insert(&mut self, print: u64, time: u64) -> bool {
        match self.0.binary_search_by_key(&print, |(print, _)| *print) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, (print, time));
                true
            }
        }
    }

    /// Forgets what happened before this second.
    fn since(&mut self, second: u64) {
        self.0.retain(|(_, time)| *time >= second);
    }

    /// Without the oldest, of which there is no room for.
    fn newest(&self, most: usize) -> Self {
        let mut newest = self.clone();
        while newest.0.len() > most
            && let Some(oldest) = newest.0.iter().map(|(_, time)| *time).min()
        {
            // Of one second, no more than there must.
            let mut over = newest.0.len() - most;
            newest.0.retain(|(_, time)| {
                let goes = *time == oldest && over > 0;
                over -= usize::from(goes);
                !goes
            });
        }
        newest
    }
}

/// How far a walk through the list has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Walk {
    /// Nowhere: the next one begins at `settled`.
    Start,
    /// Upwards: everything up to this event was looked at. `whole`: and all of it had come to light by then.
    Up {
        /// The event.
        after: Mark,
        /// Whether nothing can be added below it.
        whole: bool,
    },
    /// Looking for the oldest event: it happened at `settled` or later, and no later than this second.
    Search(u64),
    /// Downwards, among the oldest events.
    Down(Descent),
}

/// A walk from some event down to the oldest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descent {
    /// The last second that it covers.
    pub until: u64,
    /// What Stripe's clock showed when it began.
    pub began: u64,
    /// The event that it began at, and the id of the one that it has come to.
    pub place: Option<(Mark, String)>,
}

const VERSION: &str = "1";
/// How many events are remembered: more than this in the time that polls overlap are reported again.
const MOST_SEEN: usize = 1000;
const LONGEST: usize = 64 * 1024;

impl Cursor {
    /// A cursor of this moment.
    pub fn at(settled: u64) -> Self {
        Self { settled, anchor: None, walk: Walk::Start, seen: Seen::default() }
    }

    /// Notes that everything from before this second was reported.
    pub fn settle(&mut self, second: u64) {
        if second > self.settled {
            self.settled = second;
            self.seen.since(second);
        }
    }

    /// The text.
    pub fn write(&self) -> String {
        let mut json = Writer::with_capacity(200);
        let mark = |json: &mut Writer, mark: &Mark| {
            json.begin_array().string(&mark.id).raw(&mark.created.to_string()).end_array();
        };
        json.begin_object();
        json.key("settled").raw(&self.settled.to_string());
        if let Some(anchor) = &self.anchor {
            mark(json.key("anchor"), anchor);
        }
        match &self.walk {
            Walk::Start => {}
            Walk::Up { after, whole } => {
                mark(json.key("up"), after);
                json.key("whole").boolean(*whole);
            }
            Walk::Search(until) => {
                json.key("search").raw(&until.to_string());
            }
            Walk::Down(Descent { until, began, place }) => {
                json.key("down").raw(&until.to_string());
                json.key("began").raw(&began.to_string());
                if let Some((top, at)) = place {
                    mark(json.key("top"), top);
                    json.key("at").string(at);
                }
            }
        }
        if !self.seen.0.is_empty() {
            json.key("seen").string(&self.seen_text());
        }
        json.end_object();
        let json = json.finish();
        format!("{VERSION}.{}.{json}", fingerprint::written(&json))
    }

    /// `FINGERPRINT-SECONDS` with spaces between, the newest that there is room for.
    fn seen_text(&self) -> String {
        let mut text = String::new();
        for (print, time) in &self.seen.newest(MOST_SEEN).0 {
            let space = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}{print:x}-{:x}", time - self.settled);
        }
        text
    }

    /// Reads a text.
    ///
    /// # Errors
    /// That it came from no poll.
    pub fn read(text: &str) -> Result<Self> {
        let foreign = || {
            Error::input("cursor", "this cursor did not come from a poll before")
                .hint("Leave it out to start from now.")
        };
        let (version, rest) = text.split_once('.').filter(|_| text.len() <= LONGEST).ok_or_else(foreign)?;
        if version != VERSION && !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::input("cursor", "this cursor was made by a newer version of this connector")
                .hint("Use that version, or leave the cursor out to start from now."));
        }
        let (guard, json) = rest.split_once('.').filter(|_| version == VERSION).ok_or_else(foreign)?;
        if guard != fingerprint::written(json) {
            return Err(foreign());
        }
        let doc = Doc::scan_str(json).map_err(|_| foreign())?;
        Self::parts(doc.root()).ok_or_else(foreign)
    }

    fn parts(root: Node<'_, '_>) -> Option<Self> {
        let settled = second(root.get("settled")?)?;
        let walk = match (root.get("up"), root.get("search"), root.get("down")) {
            (None, None, None) => Walk::Start,
            (Some(after), None, None) => Walk::Up { after: mark(after)?, whole: root.get("whole")?.as_bool()? },
            (None, Some(until), None) => Walk::Search(second(until)?),
            (None, None, Some(until)) => Walk::Down(Descent {
                until: second(until)?,
                began: second(root.get("began")?)?,
                place: match (root.get("top"), root.get("at")) {
                    (None, None) => None,
                    (Some(top), Some(at)) => Some((mark(top)?, id(at)?)),
                    _ => return None,
                },
            }),
            _ => return None,
        };
        let anchor = match root.get("anchor") {
            None => None,
            Some(anchor) => Some(mark(anchor)?),
        };
        let mut seen = Seen::default();
        if let Some(text) = root.get("seen") {
            for one in text.as_str()?.split(' ') {
                let (print, time) = seen_one(one, settled)?;
                seen.insert(print, time);
            }
        }
        Some(Self { settled, anchor, walk, seen })
    }
}

fn seen_one(text: &str, settled: u64) -> Option<(u64, u64)> {
    let (print, after) = text.split_once('-')?;
    let time = settled.checked_add(u64::from_str_radix(after, 16).ok()?)?;
    Some((u64::from_str_radix(print, 16).ok()?, time))
}

/// A time that arithmetic cannot carry beyond bounds.
fn second(node: Node<'_, '_>) -> Option<u64> {
    node.as_u64().filter(|s| *s <= 1 << 40)
}

fn id(node: Node<'_, '_>) -> Option<String> {
    let id = node.as_str()?;
    let sound = !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    sound.then(|| id.into_owned())
}

fn mark(node: Node<'_, '_>) -> Option<Mark> {
    let mut parts = node.items();
    Some(Mark { id: id(parts.next()?)?, created: second(parts.next()?)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn marks() -> impl Strategy<Value = Mark> {
        ("evt_[A-Za-z0-9]{1,20}", 0u64..1 << 40).prop_map(|(id, created)| Mark { id, created })
    }

    fn walks() -> impl Strategy<Value = Walk> {
        let place = proptest::option::of((marks(), "evt_[A-Za-z0-9]{1,20}"));
        prop_oneof![
            Just(Walk::Start),
            (marks(), any::<bool>()).prop_map(|(after, whole)| Walk::Up { after, whole }),
            (0u64..1 << 40).prop_map(Walk::Search),
            (0u64..1 << 40, 0u64..1 << 40, place).prop_map(|(until, began, place)| Walk::Down(Descent {
                until,
                began,
                place
            })),
        ]
    }

    prop_compose! {
        fn cursors()(
            settled in 0u64..1 << 40,
            anchor in proptest::option::of(marks()),
            walk in walks(),
            seen in proptest::collection::btree_map(any::<u64>(), 0u64..1000, 0..20),
        ) -> Cursor {
            let seen = Seen(seen.into_iter().map(|(print, after)| (print, settled + after)).collect());
            Cursor { settled, anchor, walk, seen }
        }
    }

    #[test]
    fn a_cursor_stays_small_and_forgets_the_oldest_first() {
        let mut cursor = Cursor::at(1_000);
        for i in 0..10_000u64 {
            assert!(cursor.seen.insert(i.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1_000 + i / 3));
        }
        let text = cursor.write();
        assert!(text.len() < 24_000, "{}", text.len());
        let read = Cursor::read(&text).expect("a cursor");
        assert_eq!((read.seen.0.len(), read.seen.0.iter().map(|(_, time)| *time).min()), (MOST_SEEN, Some(4_000)));
    }

    #[test]
    fn foreign_and_newer_cursors_are_refused_as_input() {
        let text = Cursor::at(5).write();
        let newer = text.replacen("1.", "2.", 1);
        for (bad, says) in
            [("", "poll before"), ("evt_1", "poll before"), ("since:0", "poll before"), (&newer, "newer version")]
        {
            let error = Cursor::read(bad).expect_err(bad);
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("cursor")));
            assert!(error.message.contains(says), "{}", error.message);
        }
    }

    proptest! {
        #[test]
        fn survives_the_trip(cursor in cursors()) {
            prop_assert_eq!(Cursor::read(&cursor.write()).expect("a cursor"), cursor);
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in prop_oneof![".{0,60}", "1\\.[0-9a-f]{16}\\.\\{.{0,40}\\}"]) {
            let _ = Cursor::read(&text);
        }

        #[test]
        fn any_json_under_a_right_guard_is_a_cursor_or_an_error(
            json in r#"\{("(settled|anchor|up|whole|search|down|began|top|at|seen)":("a-b"|"e"|5|-1|1e9|99999999999999999999|true|\["evt_1",5\]|\["x"\]|null|\{\}),?){0,6}\}"#,
        ) {
            let json = json.replace(",}", "}");
            if let Ok(cursor) = Cursor::read(&format!("1.{}.{json}", fingerprint::written(&json))) {
                let _ = cursor.write();
            }
        }

        #[test]
        fn one_changed_character_is_noticed(cursor in cursors(), at in any::<prop::sample::Index>(), other in "[ -~]") {
            let text = cursor.write();
            let at = at.index(text.len());
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(Cursor::read(&changed).is_ok(), changed == text);
        }
    }
}
