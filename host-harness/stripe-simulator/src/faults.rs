//! Faults on demand: what goes wrong, how often, and for which requests.
//!
//! Nothing goes wrong unless it is asked for, in [`Options::faults`](crate::Options::faults) or by
//! `POST /_simulator/faults`. Which requests are hit follows from the seed and the order of the requests alone.
//! This module only decides; `protocol`, `server` and `webhooks` do what was decided.

use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::Ids;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The answer comes late, by [`Fault::milliseconds`].
    Latency,
    /// 429, and nothing is done.
    RateLimit,
    /// 500, and nothing is done.
    ErrorBefore,
    /// 500 after the work was done. v1 keeps it for the idempotency key as any first answer; in v2 the next attempt
    /// under the key finds the work done.
    ErrorAfter,
    /// The connection is reset, and nothing is done.
    ResetBefore,
    /// The connection is reset after the work was done.
    ResetAfter,
    /// Half of the body arrives, then the connection ends.
    TruncatedBody,
    /// 500 before the body of the request was read, and nothing is done.
    EarlyAnswer,
    /// The body arrives in pieces, [`Fault::milliseconds`] apart.
    SlowDrip,
    /// An event is delivered twice.
    DuplicateDelivery,
    /// Events wait for [`Fault::milliseconds`] and leave in another order.
    ShuffledDeliveries,
    /// The simulator's clock is ahead by [`Fault::seconds`].
    ClockSkew,
}

const KINDS: &[(FaultKind, &str)] = &[
    (FaultKind::Latency, "latency"),
    (FaultKind::RateLimit, "rate_limit"),
    (FaultKind::ErrorBefore, "error_before"),
    (FaultKind::ErrorAfter, "error_after"),
    (FaultKind::ResetBefore, "reset_before"),
    (FaultKind::ResetAfter, "reset_after"),
    (FaultKind::TruncatedBody, "truncated_body"),
    (FaultKind::EarlyAnswer, "early_answer"),
    (FaultKind::SlowDrip, "slow_drip"),
    (FaultKind::DuplicateDelivery, "duplicate_delivery"),
    (FaultKind::ShuffledDeliveries, "shuffled_deliveries"),
    (FaultKind::ClockSkew, "clock_skew"),
];

impl FaultKind {
    /// The name that flags and the control route know it by.
    pub fn name(self) -> &'static str {
        KINDS.iter().find(|(k, _)| *k == self).map_or("", |(_, name)| name)
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|(_, n)| *n == name).map(|(kind, _)| *kind)
    }

    /// The names of every kind.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(_, name)| *name)
    }
}

/// Longest wait that can be asked for, in milliseconds: longer than any client is patient.
const LONGEST: u64 = 600_000;
/// Furthest that the clock can be moved, in seconds: ten years.
const FURTHEST: i64 = 10 * 366 * 86_400;

/// Why a text is no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// No such kind.
    #[error("there is no fault {0:?}: the faults are {list}", list = FaultKind::names().collect::<Vec<_>>().join(", "))]
    Kind(String),
    /// No such member.
    #[error("a fault has no {0:?}: it has percent, times, method, path, milliseconds and seconds")]
    Member(String),
    /// A member without a value.
    #[error("{0:?} has no value: write {0}=VALUE")]
    Bare(String),
    /// A value that the member cannot have.
    #[error("invalid {member} {value:?}: it must be {wanted}")]
    Value {
        /// The member's name.
        member: &'static str,
        /// What was said.
        value: String,
        /// What it can be.
        wanted: &'static str,
    },
}

impl FaultError {
    /// The member that it is about.
    pub(crate) fn member(&self) -> &str {
        match self {
            Self::Kind(_) => "kind",
            Self::Member(name) | Self::Bare(name) => name,
            Self::Value { member, .. } => member,
        }
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// In how many of a hundred requests (or deliveries) it does.
    pub percent: u32,
    /// How often it does at most; `None` is without end.
    pub times: Option<u32>,
    /// Only requests with this method.
    pub method: Option<String>,
    /// Only requests whose path begins with this.
    pub path: Option<String>,
    /// For what lasts: how long.
    pub milliseconds: u64,
    /// For the clock: how far.
    pub seconds: i64,
}

impl Fault {
    /// A fault that hits everything.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, percent: 100, times: None, method: None, path: None, milliseconds: 50, seconds: 0 }
    }

    /// Sets a member by its name.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), FaultError> {
        let invalid = |member, wanted| FaultError::Value { member, value: text.to_owned(), wanted };
        match name {
            "percent" => {
                let percent = text.parse().ok().filter(|p| *p <= 100);
                self.percent = percent.ok_or_else(|| invalid("percent", "a whole number from 0 to 100"))?;
            }
            "times" => self.times = Some(text.parse().map_err(|_| invalid("times", "a whole number"))?),
            "method" => self.method = Some(text.to_owned()),
            "path" if text.starts_with('/') => self.path = Some(text.to_owned()),
            "path" => return Err(invalid("path", "the beginning of a path, as in /v1/refunds")),
            "milliseconds" => {
                let time = text.parse().ok().filter(|m| *m <= LONGEST);
                self.milliseconds = time.ok_or_else(|| invalid("milliseconds", "a whole number up to 600000"))?;
            }
            "seconds" => {
                let time = text.parse().ok().filter(|s: &i64| s.abs() <= FURTHEST);
                self.seconds = time.ok_or_else(|| invalid("seconds", "a whole number, ten years at most"))?;
            }
            other => return Err(FaultError::Member(other.to_owned())),
        }
        Ok(())
    }

    fn json(&self) -> Value {
        json!({
            "kind": self.kind.name(), "percent": self.percent, "times": self.times, "method": self.method,
            "path": self.path, "milliseconds": self.milliseconds, "seconds": self.seconds,
        })
    }

    /// Whether it concerns this request. Latency concerns what is not the API too.
    fn concerns(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|p| path.starts_with(p))
    }
}

/// Reads `KIND` or `KIND:MEMBER=VALUE,…`, as in `error_after:percent=20,path=/v1/refunds`.
impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, members) = text.split_once(':').unwrap_or((text, ""));
        let kind = FaultKind::parse(kind).ok_or_else(|| FaultError::Kind(kind.to_owned()))?;
        let mut fault = Self::new(kind);
        for member in members.split(',').filter(|m| !m.is_empty()) {
            let (name, value) = member.split_once('=').ok_or_else(|| FaultError::Bare(member.to_owned()))?;
            fault.set(name, value)?;
        }
        Ok(fault)
    }
}

/// What goes wrong with one request.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) latency: Duration,
    pub(crate) drip: Option<Duration>,
    pub(crate) fault: Option<FaultKind>,
}

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
    skew: Arc<AtomicI64>,
}

#[derive(Debug)]
struct State {
    faults: Vec<Fault>,
    dice: Ids,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>, seed: u64, skew: Arc<AtomicI64>) -> Self {
        let made = Self { state: Mutex::new(State { faults: Vec::new(), dice: Ids::new(seed ^ 0xfa17) }), skew };
        faults.into_iter().for_each(|f| made.add(f));
        made
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more thing goes wrong from now on.
    pub(crate) fn add(&self, fault: Fault) {
        if fault.kind == FaultKind::ClockSkew {
            self.skew.store(fault.seconds, Ordering::Relaxed);
        }
        self.lock().faults.push(fault);
    }

    /// Nothing goes wrong any more.
    pub(crate) fn clear(&self) {
        self.skew.store(0, Ordering::Relaxed);
        self.lock().faults.clear();
    }

    /// The faults in force, as the control route shows them.
    pub(crate) fn list(&self) -> Value {
        Value::Array(self.lock().faults.iter().map(Fault::json).collect())
    }

    /// How far the clock is ahead, in seconds.
    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Decides about a request.
    pub(crate) fn draw(&self, method: &str, path: &str) -> Drawn {
        let mut drawn = Drawn::default();
        let state = &mut *self.lock();
        for fault in &mut state.faults {
            let deliveries = matches!(
                fault.kind,
                FaultKind::DuplicateDelivery | FaultKind::ShuffledDeliveries | FaultKind::ClockSkew
            );
            if deliveries || !fault.concerns(method, path) || !hits(fault, &mut state.dice) {
                continue;
            }
            let time = Duration::from_millis(fault.milliseconds);
            match fault.kind {
                FaultKind::Latency => drawn.latency = drawn.latency.saturating_add(time),
                FaultKind::SlowDrip => drawn.drip = Some(time),
                kind => drawn.fault = drawn.fault.or(Some(kind)),
            }
        }
        drawn
    }

    /// How often an event is delivered.
    pub(crate) fn copies(&self) -> usize {
        1 + usize::from(self.hit(FaultKind::DuplicateDelivery).is_some())
    }

    /// How long deliveries are gathered before they leave in another order.
    pub(crate) fn shuffle(&self) -> Option<Duration> {
        self.hit(FaultKind::ShuffledDeliveries).map(|f| Duration::from_millis(f.milliseconds))
    }

    /// Another order.
    pub(crate) fn reorder<T>(&self, items: &mut [T]) {
        let mut state = self.lock();
        for end in (1..items.len()).rev() {
            let place = state.dice.below(end as u64 + 1);
            items.swap(end, usize::try_from(place).unwrap_or(0));
        }
    }

    fn hit(&self, kind: FaultKind) -> Option<Fault> {
        let state = &mut *self.lock();
        let fault = state.faults.iter_mut().find(|f| f.kind == kind)?;
        hits(fault, &mut state.dice).then(|| fault.clone())
    }
}

fn hits(fault: &mut Fault, dice: &mut Ids) -> bool {
    if fault.times == Some(0) {
        return false;
    }
    if fault.percent < 100 && dice.below(100) >= u64::from(fault.percent) {
        return false;
    }
    if let Some(times) = &mut fault.times {
        *times -= 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_hits_the_same_requests() {
        let draw = || {
            let fault = Fault { percent: 30, ..Fault::new(FaultKind::ErrorAfter) };
            let faults = Faults::new(vec![fault], 7, Arc::default());
            (0..100).map(|_| faults.draw("POST", "/v1/customers").fault.is_some()).collect::<Vec<_>>()
        };
        let hits = draw();
        assert_eq!(hits, draw());
        let count = hits.iter().filter(|h| **h).count();
        assert!((15..45).contains(&count), "{count}");
    }

    #[test]
    fn a_fault_is_read_from_text() {
        let read = |text: &str| text.parse::<Fault>();
        let expected = Fault { percent: 20, path: Some("/v1/refunds".into()), ..Fault::new(FaultKind::ErrorAfter) };
        assert_eq!(read("error_after:percent=20,path=/v1/refunds"), Ok(expected));
        assert_eq!(read("latency"), Ok(Fault::new(FaultKind::Latency)));
        for wrong in ["", "late", "latency:percent", "latency:percent=101", "latency:often=1", "latency:path=v1"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.len() > 20, "{wrong}: {error}");
        }
    }

    #[test]
    fn a_fault_keeps_to_its_path_and_its_number() {
        let fault = Fault { times: Some(1), path: Some("/v1/refunds".into()), ..Fault::new(FaultKind::ResetBefore) };
        let faults = Faults::new(vec![fault], 1, Arc::default());
        assert_eq!(faults.draw("POST", "/v1/customers").fault, None);
        assert_eq!(faults.draw("POST", "/v1/refunds").fault, Some(FaultKind::ResetBefore));
        assert_eq!(faults.draw("POST", "/v1/refunds").fault, None);
    }
}
