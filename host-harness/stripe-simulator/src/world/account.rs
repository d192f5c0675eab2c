//! One account: its shelves, its events and its kept answers.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::errands::Work;
use super::later::{Agenda, banking_days_after};
use super::{Chronicle, Event, Ids, Object, Scope, Settings, Shelf, Task, ThinEvent, clock, thin_changes};
use crate::older;
use crate::presence;
use crate::protocol::{ApiError, KeptAnswer};
use crate::webhooks::{Job, News, Target};

/// The request that changes are made for; events name it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    /// Its `Request-Id`.
    pub(crate) request_id: Option<Arc<str>>,
    /// Its `Idempotency-Key`.
    pub(crate) idempotency_key: Option<Arc<str>>,
}

/// The id of the account that keys belong to.
pub(crate) const OWN_ACCOUNT: &str = "acct_1SimulatorAccount";

/// What is known of an idempotency key.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    /// Its request is being executed.
    InFlight,
    /// Its request was answered.
    Done(KeptAnswer),
}

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    scope: Scope,
    settings: Arc<Settings>,
    ids: Ids,
    shelves: HashMap<&'static str, Shelf>,
    chronicle: Chronicle,
    pending: Vec<(&'static str, Bytes, Option<Bytes>)>,
    thin_ids: Ids,
    thin_pending: Vec<(Arc<ThinEvent>, Option<Box<str>>)>,
    cause: Cause,
    agenda: Agenda,
    jobs: UnboundedSender<Job>,
    /// Where events go, in the order that the endpoints were created.
    targets: Vec<Arc<Target>>,
    /// Answers by idempotency key.
    pub(crate) idempotency: IndexMap<Arc<str>, Slot>,
    /// Payment methods that were set up for payments while the customer is away.
    pub(crate) set_up_off_session: HashSet<String>,
    /// What payment intents and subscriptions are for, when they are part of something: its kind and id.
    pub(crate) purposes: HashMap<String, (&'static str, String)>,
    /// The subscription that is being created or changed: what becomes of its invoice meanwhile is part of that.
    pub(crate) being_created: Option<String>,
    /// The bytes of files, by their id.
    pub(crate) uploads: HashMap<String, Bytes>,
    /// What tokens stand for that do not show it, by their id.
    pub(crate) sealed: HashMap<String, Object>,
    /// What objects were made inside of, by their ids, where they do not say so themselves.
    pub(crate) made_in: HashMap<String, String>,
    /// Trials whose end was announced: subscription and time.
    pub(crate) warned: HashSet<String>,
    /// Sums by currency.
    pub(crate) balances: BTreeMap<String, Sums>,
    /// Transactions whose money is pending, by when it is available: milliseconds since 1970.
    pub(crate) settling: BTreeMap<i64, Vec<String>>,
}

/// Money of one currency, in the smallest unit.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) available: i64,
    pub(crate) pending: i64,
}

impl Account {
    pub(super) fn new(scope: Scope, settings: Arc<Settings>, ids: Ids, jobs: UnboundedSender<Job>) -> Self {
        let chronicle = Chronicle::new(scope.account.clone());
        Self {
            scope,
            settings,
            thin_ids: ids.apart(),
            ids,
            shelves: HashMap::new(),
            chronicle,
            pending: Vec::new(),
            thin_pending: Vec::new(),
            cause: Cause::default(),
            agenda: Agenda::default(),
            jobs,
            targets: Vec::new(),
            idempotency: IndexMap::new(),
            set_up_off_session: HashSet::new(),
            purposes: HashMap::new(),
            being_created: None,
            uploads: HashMap::new(),
            sealed: HashMap::new(),
            made_in: HashMap::new(),
            warned: HashSet::new(),
            balances: BTreeMap::new(),
            settling: BTreeMap::new(),
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether this is live mode.
    pub(crate) fn live(&self) -> bool {
        self.scope.live
    }

    /// The account's own id.
    pub(crate) fn id(&self) -> &str {
        self.scope.account.as_deref().unwrap_or(OWN_ACCOUNT)
    }

    /// Whether the account is one that a platform acts for.
    pub(crate) fn is_connected(&self) -> bool {
        self.scope.account.is_some()
    }

    /// Has something done by another account of the same mode, the platform when none is named, once this one is
    /// free.
    pub(crate) fn errand(&self, to: Option<&str>, work: Work, about: Object) {
        let to = Scope { live: self.scope.live, account: to.map(Into::into) };
        self.settings.errands.note(to, self.cause.clone(), work, about);
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The simulator's clock, in Unix seconds, whatever clock the operation that is carried out sees.
    pub(crate) fn clock(&self) -> i64 {
        self.clock_milliseconds() / 1_000
    }

    /// The same in milliseconds.
    pub(crate) fn clock_milliseconds(&self) -> i64 {
        clock::moment_with(self.settings.skew.load(Ordering::Relaxed))
    }

    /// A new id with this prefix.
    pub(crate) fn new_id(&mut self, prefix: &str) -> String {
        self.ids.make(prefix)
    }

    /// A new id of v2 with this prefix.
    pub(crate) fn new_v2_id(&mut self, prefix: &str) -> String {
        self.thin_ids.make_v2(prefix, self.scope.live)
    }

    /// That many random letters and digits.
    pub(crate) fn letters(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        self.ids.letters(&mut text, count);
        text
    }

    // ---- objects

    pub(crate) fn shelf(&self, kind: &str) -> Option<&Shelf> {
        self.shelves.get(kind)
    }

    /// How many objects there are of each kind.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.shelves.iter().map(|(kind, shelf)| (*kind, shelf.count())).collect()
    }

    /// A number that stays the same for as long as nothing changes: objects, events, endpoints and balances. Keys
    /// whose answers are kept are no part of it.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let kinds: BTreeMap<_, _> = self.shelves.iter().collect();
        for (kind, shelf) in kinds {
            hasher.write(kind.as_bytes());
            shelf.hash(&mut hasher);
        }
        hasher.write_usize(self.chronicle.len());
        for target in &self.targets {
            hasher.write(target.id.as_bytes());
            hasher.write_u8(u8::from(target.enabled));
        }
        for (currency, sums) in &self.balances {
            hasher.write(currency.as_bytes());
            hasher.write_i64(sums.available);
            hasher.write_i64(sums.pending);
        }
        hasher.finish()
    }

    /// The text of an object, deleted or not.
    pub(crate) fn text(&self, kind: &str, id: &str) -> Option<&Bytes> {
        self.shelves.get(kind)?.get(id)
    }

    /// Whether an object is there and not deleted.
    pub(crate) fn exists(&self, kind: &str, id: &str) -> bool {
        self.shelves.get(kind).is_some_and(|s| s.lists(id))
    }

    /// An object that is not deleted.
    pub(crate) fn get(&self, kind: &str, id: &str) -> Option<Object> {
        let shelf = self.shelves.get(kind)?;
        if shelf.lists(id) { serde_json::from_slice(shelf.get(id)?).ok() } else { None }
    }

    /// An object that is not deleted, or the error that the API gives when there is none.
    pub(crate) fn find(&self, kind: &'static str, id: &str, param: &str) -> Result<Object, ApiError> {
        self.get(kind, id).ok_or_else(|| ApiError::missing_object(kind, id, param))
    }

    /// The objects of a kind for which a test holds, newest first. `needle` is text that every one of them
    /// contains: most objects are passed over without being parsed.
    pub(crate) fn select(&self, kind: &str, needle: &str, test: impl Fn(&Object) -> bool) -> Vec<Object> {
        let shelf = self.shelves.get(kind);
        let kept = shelf.into_iter().flat_map(Shelf::newest_first).filter(|k| contains(k.text, needle));
        kept.filter_map(|k| serde_json::from_slice::<Object>(k.text).ok()).filter(|o| test(o)).collect()
    }

    /// The newest object of a kind for which a test holds; `needle` as in [`Self::select`].
    pub(crate) fn newest(&self, kind: &str, needle: &str, test: impl Fn(&Object) -> bool) -> Option<Object> {
        let mut kept = self.shelves.get(kind)?.newest_first().filter(|k| contains(k.text, needle));
        kept.find_map(|k| serde_json::from_slice::<Object>(k.text).ok().filter(|o| test(o)))
    }

    /// Keeps an object under its id, in its place or as the newest, with every member that Stripe sends of it.
    pub(crate) fn put(&mut self, kind: &'static str, object: &Object) -> Bytes {
        let text = written(&presence::settled(object));
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        // Invoice items have a date in its place.
        let created = object.get("created").or_else(|| object.get("date")).and_then(Value::as_i64).unwrap_or_default();
        self.shelves.entry(kind).or_default().put(id, created, text.clone());
        text
    }

    /// Keeps a new object and notes the event of its creation.
    pub(crate) fn create(&mut self, kind: &'static str, event: &'static str, object: &Object) -> Bytes {
        let text = self.put(kind, object);
        self.emit(event, text.clone());
        text
    }

    /// Keeps a changed object and notes the event with what changed; an object that did not change causes none.
    pub(crate) fn update(&mut self, kind: &'static str, event: &'static str, old: &Object, new: &Object) -> Bytes {
        self.change(kind, &[event], old, new)
    }

    /// Like [`Self::update`], for a change that several events tell of.
    pub(crate) fn change(&mut self, kind: &'static str, events: &[&'static str], old: &Object, new: &Object) -> Bytes {
        let previous = difference(old, new);
        let text = self.put(kind, new);
        if !previous.is_empty() {
            let previous = written(&previous);
            self.pending.extend(events.iter().map(|event| (*event, text.clone(), Some(previous.clone()))));
        }
        text
    }

    /// Notes an event about a change of something that is part of another object; nothing is kept.
    pub(crate) fn tell_change(&mut self, event: &'static str, old: &Object, new: &Object) {
        let previous = difference(old, new);
        if !previous.is_empty() {
            self.pending.push((event, written(new), Some(written(&previous))));
        }
    }

    /// Takes an object out of lists; `left` is what its id answers from now on.
    pub(crate) fn remove(&mut self, kind: &str, id: &str, left: Option<Bytes>) {
        if let Some(shelf) = self.shelves.get_mut(kind) {
            shelf.remove(id, left);
        }
    }

    // ---- events

    /// Sends events to a new target, or to one that changed.
    pub(crate) fn aim(&mut self, target: Arc<Target>) {
        if self.scope.account.is_none() {
            self.settings.aim(self.scope.live, &target.id, Some(Arc::clone(&target)));
        }
        match self.targets.iter_mut().find(|t| t.id == target.id) {
            Some(old) => *old = target,
            None => self.targets.push(target),
        }
    }

    /// Sends nothing more to a target; attempts that are still to come are not made.
    pub(crate) fn turn_away(&mut self, id: &str) {
        self.settings.aim(self.scope.live, id, None);
        self.targets.retain(|t| {
            let gone = *t.id == *id;
            t.gone.fetch_or(gone, Ordering::Relaxed);
            !gone
        });
    }

    /// The target of an endpoint or a destination.
    pub(crate) fn target(&self, id: &str) -> Option<&Arc<Target>> {
        self.targets.iter().find(|t| *t.id == *id)
    }

    /// Where an event goes: each a target, and this account if the target is another's.
    fn hearers(&self, wants: impl Fn(&Target) -> bool) -> Vec<(Arc<Target>, Option<Box<str>>)> {
        let own = self.targets.iter().filter(|t| t.own && wants(t));
        let mut found: Vec<_> = own.map(|t| (Arc::clone(t), None)).collect();
        if let Some(account) = &self.scope.account {
            let platform = self.settings.platform_targets(self.scope.live).into_iter();
            found.extend(platform.filter(|t| wants(t)).map(|t| (t, Some(account.clone()))));
        }
        found
    }

    /// Begins a request: what was due before it is done, and the changes from here on are its doing.
    pub(crate) fn begin(&mut self, cause: Cause) {
        self.catch_up();
        self.cause = cause;
        self.pending.clear();
        self.thin_pending.clear();
    }

    /// Does what is due. No request is the cause of it.
    pub(crate) fn catch_up(&mut self) {
        clock::set_skew(self.settings.skew.load(Ordering::Relaxed));
        while let Some((task, id)) = self.agenda.take(clock::moment()) {
            self.cause = Cause::default();
            self.pending.clear();
            self.thin_pending.clear();
            task(self, &id);
            self.commit();
        }
    }

    /// Notes something to be done at a moment: milliseconds since 1970.
    pub(crate) fn later(&mut self, due: i64, task: Task, id: &str) {
        if self.agenda.note(due, task, id) {
            self.settings.alarm.notify_one();
        }
    }

    /// When the next thing is due.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.agenda.next()
    }

    /// The moment that many banking days from now, in milliseconds since 1970: as objects tell it, and when it
    /// comes. They differ for objects of a test clock that is ahead: no bank works faster for it.
    pub(crate) fn in_banking_days(&self, days: u32) -> (i64, i64) {
        let after = |from| banking_days_after(from, days, self.settings.banking_day);
        let told = after(clock::milliseconds());
        (told, told.min(after(clock::moment())))
    }

    /// Notes an event; it happens when the request ends.
    pub(crate) fn emit(&mut self, kind: &'static str, object: Bytes) {
        self.pending.push((kind, object, None));
    }

    /// The place of the next event among those of this request.
    pub(crate) fn next_event(&self) -> usize {
        self.pending.len()
    }

    /// Notes an event at an earlier place.
    pub(crate) fn emit_at(&mut self, place: usize, kind: &'static str, object: Bytes) {
        self.pending.insert(place.min(self.pending.len()), (kind, object, None));
    }

    /// Notes a thin event about an object; it happens when the request ends, after those of v1. With a target's
    /// id it goes there and nowhere else, whatever was enabled.
    pub(crate) fn emit_thin(
        &mut self,
        kind: &'static str,
        object: Bytes,
        data: Option<Value>,
        only_to: Option<&str>,
    ) -> Arc<ThinEvent> {
        let event = Arc::new(self.thin_event(kind, object, data));
        self.thin_pending.push((Arc::clone(&event), only_to.map(Into::into)));
        event
    }

    fn thin_event(&mut self, kind: &'static str, object: Bytes, data: Option<Value>) -> ThinEvent {
        ThinEvent {
            id: self.thin_ids.make_v2("evt", self.scope.live).into(),
            kind,
            created: self.clock_milliseconds(),
            live: self.scope.live,
            context: self.scope.account.clone(),
            request_id: self.cause.request_id.clone(),
            idempotency_key: self.cause.idempotency_key.clone(),
            object,
            data,
            snapshot: None,
        }
    }

    /// Tells a thin event to those that want it, or to the one that it is for.
    fn tell(&self, event: &Arc<ThinEvent>, only_to: Option<&str>) {
        let hearers = match only_to {
            Some(id) => self.target(id).filter(|t| t.enabled).map(|t| (Arc::clone(t), None)).into_iter().collect(),
            None => self.hearers(|t| t.wants_thin(event.kind)),
        };
        self.tell_to(hearers, event);
    }

    fn tell_to(&self, hearers: Vec<(Arc<Target>, Option<Box<str>>)>, event: &Arc<ThinEvent>) {
        for (target, account) in hearers {
            self.deliver(target, News::Thin(Arc::clone(event)), account);
        }
    }

    /// Ends a request: its events happen, in the order that they were noted.
    pub(crate) fn commit(&mut self) {
        // Events happen when they happen, whatever a test clock says.
        super::freeze(None);
        let moment = self.clock_milliseconds();
        for (kind, object, previous) in std::mem::take(&mut self.pending) {
            let targets = self.hearers(|t| t.wants(kind));
            let versions = targets.iter().filter_map(|(t, _)| t.api_version.as_deref());
            let older = versions.chain([&*self.settings.account_version]).any(older::differs);
            let apart = if older { older::note(self, &object) } else { older::Noted::new() };
            let event = Arc::new(Event {
                id: self.ids.make("evt").into(),
                kind,
                moment,
                object: object.clone(),
                previous,
                apart,
                live: self.scope.live,
                request_id: self.cause.request_id.clone(),
                idempotency_key: self.cause.idempotency_key.clone(),
                account_version: Arc::clone(&self.settings.account_version),
                pending: AtomicU32::new(u32::try_from(targets.len()).unwrap_or(u32::MAX)),
            });
            let counterpart = self.chronicle.note(&event);
            for (target, account) in targets {
                self.deliver(target, News::Snapshot(Arc::clone(&event)), account);
            }
            // It is made only for those that want it.
            let hearers = counterpart.map(|kind| self.hearers(|t| t.wants_thin(kind))).unwrap_or_default();
            if !hearers.is_empty()
                && let Some(thin) = self.chronicle.counterpart(&event)
            {
                self.tell_to(hearers, &thin);
            }
            for kind in thin_changes::of_snapshot(kind, &object, event.previous.as_ref()) {
                let thin = Arc::new(self.thin_event(kind, object.clone(), None));
                self.chronicle.note_thin(&thin);
                self.tell(&thin, None);
            }
        }
        for (event, only_to) in std::mem::take(&mut self.thin_pending) {
            self.chronicle.note_thin(&event);
            self.tell(&event, only_to.as_deref());
        }
    }

    /// The clients that listen.
    pub(crate) fn listeners(&self) -> Vec<Arc<Target>> {
        self.targets.iter().filter(|t| t.socket.is_some()).cloned().collect()
    }

    /// Those that hear of an event of a type.
    pub(crate) fn wanting(&self, kind: &str) -> Vec<Arc<Target>> {
        self.targets.iter().filter(|t| t.wants(kind)).cloned().collect()
    }

    /// Sends an event on its way; `account` is this one where the target is another's.
    pub(crate) fn deliver(&self, target: Arc<Target>, news: News, account: Option<Box<str>>) {
        // The courier is gone only when the simulator is stopping.
        let _ = self.jobs.send(Job { target, news, account });
    }

    /// Every event.
    pub(crate) fn events(&self) -> &Chronicle {
        &self.chronicle
    }
}

/// An object as text. It is written in a place of its own first: what is kept has no spare room, and leaves no
/// holes behind.
pub(crate) fn written(object: &Object) -> Bytes {
    thread_local! {
        static PAPER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    PAPER.with_borrow_mut(|paper| {
        paper.clear();
        match serde_json::to_writer(&mut *paper, object) {
            Ok(()) => Bytes::copy_from_slice(paper),
            Err(_) => Bytes::new(),
        }
    })
}

/// Whether a text contains another.
pub(crate) fn contains(text: &[u8], needle: &str) -> bool {
    needle.is_empty() || memchr::memmem::find(text, needle.as_bytes()).is_some()
}

/// What an object's members were before they changed; members of members where both sides are objects.
fn difference(old: &Object, new: &Object) -> Object {
    let mut previous = Object::new();
    for (name, value) in new {
        let before = old.get(name).unwrap_or(&Value::Null);
        if before == value {
            continue;
        }
        let told = match (before, value) {
            (Value::Object(before), Value::Object(value)) => Value::Object(difference(before, value)),
            _ => before.clone(),
        };
        previous.insert(name.clone(), told);
    }
    for (name, value) in old {
        if !new.contains_key(name) {
            previous.insert(name.clone(), value.clone());
        }
    }
    previous
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn previous_attributes_hold_what_changed_and_nothing_else() {
        let old = object(json!({"a": 1, "b": {"x": 1, "y": 2}, "metadata": {"gone": "1"}}));
        let new = object(json!({"a": 1, "b": {"x": 5, "y": 2}, "metadata": {"new": "2"}}));
        let expected = json!({"b": {"x": 1}, "metadata": {"gone": "1", "new": null}});
        assert_eq!(Value::Object(difference(&old, &new)), expected);
    }
}
