//! The events of an account, in the order that they happened.
//!
//! Both namespaces tell of the same changes. What v2 tells under the name of a snapshot is not kept but made from the
//! snapshot when somebody asks, its id too, so that a million events cost no more than once.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexSet;

use super::{Event, Ids, ThinEvent, thin_events};

/// What has an id of its own.
trait Identified {
    fn id(&self) -> &str;
}

impl Identified for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for ThinEvent {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Something in a set, found by its id.
#[derive(Debug)]
struct Named<T>(Arc<T>);

impl<T: Identified> Hash for Named<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
    }
}

impl<T: Identified> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl<T: Identified> Eq for Named<T> {}

impl<T: Identified> Borrow<str> for Named<T> {
    fn borrow(&self) -> &str {
        self.0.id()
    }
}

/// A thin event: one that is made from the snapshot at a place, or one that only v2 tells.
#[derive(Debug)]
enum Thin {
    Counterpart(u32),
    Own(u32),
}

/// What happened in an account.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    /// The connected account that this is of.
    context: Option<Box<str>>,
    snapshots: IndexSet<Named<Event>>,
    own: IndexSet<Named<ThinEvent>>,
    thin: Vec<Thin>,
}

/// A place in a set; past four thousand million events memory ended long ago.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

impl Chronicle {
    pub(super) fn new(context: Option<Box<str>>) -> Self {
        Self { context, ..Self::default() }
    }

    /// Something happened. What v2 tells under the same name, if it does.
    pub(super) fn note(&mut self, event: &Arc<Event>) -> Option<Arc<ThinEvent>> {
        let (place, _) = self.snapshots.insert_full(Named(Arc::clone(event)));
        let thin = self.counterpart(event)?;
        self.thin.push(Thin::Counterpart(narrow(place)));
        Some(thin)
    }

    /// Something happened that v2 alone tells.
    pub(super) fn note_thin(&mut self, event: &Arc<ThinEvent>) {
        let (place, _) = self.own.insert_full(Named(Arc::clone(event)));
        self.thin.push(Thin::Own(narrow(place)));
    }

    /// How many snapshots there are.
    pub(crate) fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// The snapshots, oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Event>> + DoubleEndedIterator {
        self.snapshots.iter().map(|named| &named.0)
    }

    /// The snapshot of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Event>> {
        self.snapshots.get(id).map(|named| &named.0)
    }

    /// Where the snapshot of an id stands.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.snapshots.get_index_of(id)
    }

    /// How many thin events there are.
    pub(crate) fn thin_len(&self) -> usize {
        self.thin.len()
    }

    /// The thin event at a place, oldest first.
    pub(crate) fn thin_at(&self, place: usize) -> Option<Arc<ThinEvent>> {
        match self.thin.get(place)? {
            Thin::Own(of) => Some(Arc::clone(&self.own.get_index(*of as usize)?.0)),
            Thin::Counterpart(of) => self.counterpart(&self.snapshots.get_index(*of as usize)?.0),
        }
    }

    /// The thin event of an id.
    pub(crate) fn thin(&self, id: &str) -> Option<Arc<ThinEvent>> {
        if let Some(own) = self.own.get(id) {
            return Some(Arc::clone(&own.0));
        }
        self.counterpart(self.get(&snapshot_id(id)?)?).filter(|event| *event.id == *id)
    }

    /// The thin event that tells the same as a snapshot, where there is such a type.
    fn counterpart(&self, event: &Arc<Event>) -> Option<Arc<ThinEvent>> {
        let kind = thin_events::known(&format!("v1.{}", event.kind))?;
        Some(Arc::new(ThinEvent {
            id: counterpart_id(event).into(),
            kind,
            created: event.moment,
            live: event.live,
            context: self.context.clone(),
            request_id: event.request_id.clone(),
            idempotency_key: event.idempotency_key.clone(),
            object: event.object.clone(),
            data: None,
            snapshot: Some(Arc::clone(event)),
        }))
    }
}

const HEADS: [&str; 2] = ["evt_65", "evt_test_65"];
/// Letters that the ids of a snapshot and of its counterpart share.
const SHARED: usize = 23;
/// Letters that follow them in the counterpart's.
const REST: usize = 21;

/// The id of a snapshot's counterpart: it begins with the same letters.
fn counterpart_id(snapshot: &Event) -> String {
    let shared = snapshot.id.strip_prefix("evt_1").unwrap_or(&snapshot.id);
    let [live, test] = HEADS;
    let mut id = format!("{}{shared}", if snapshot.live { live } else { test });
    let seed = shared.bytes().fold(0x65_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    Ids::new(seed).letters(&mut id, REST);
    id
}

/// The id of the snapshot that a thin event would be the counterpart of.
fn snapshot_id(thin: &str) -> Option<String> {
    let letters = HEADS.iter().find_map(|head| thin.strip_prefix(head))?;
    Some(format!("evt_1{}", letters.get(..SHARED)?))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use bytes::Bytes;

    use super::*;

    fn event(ids: &mut Ids, kind: &'static str, live: bool) -> Arc<Event> {
        Arc::new(Event {
            id: ids.make("evt").into(),
            kind,
            moment: 1_800_000_000_123,
            object: Bytes::from_static(b"{}"),
            previous: None,
            apart: Default::default(),
            live,
            request_id: None,
            idempotency_key: None,
            account_version: "2026-10-28.endive".into(),
            pending: AtomicU32::new(0),
        })
    }

    #[test]
    fn counterparts_are_found_by_ids_that_none_was_given() {
        let (mut ids, mut chronicle) = (Ids::new(1), Chronicle::default());
        for live in [false, true, false] {
            let snapshot = event(&mut ids, "customer.created", live);
            let thin = chronicle.note(&snapshot).unwrap();
            assert_eq!(thin.id.len(), Ids::new(2).make_v2("evt", live).len());
            let found = chronicle.thin(&thin.id).unwrap();
            assert_eq!((&found.id, found.kind), (&thin.id, "v1.customer.created"));
            assert_eq!(found.snapshot.as_ref().unwrap().id, snapshot.id);
            let other = format!("{}x", thin.id.get(..thin.id.len() - 1).unwrap());
            assert!(chronicle.thin(&other).is_none());
        }
        assert!(chronicle.note(&event(&mut ids, "no.such_type", false)).is_none());
        assert_eq!((chronicle.len(), chronicle.thin_len()), (4, 3));
        assert!(chronicle.thin("evt_test_65").is_none() && chronicle.thin("").is_none());
    }
}
