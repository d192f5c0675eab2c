//! What happened, as `/v1/events` tells it and as endpoints are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::older::{self, Noted};

/// One event. The object is the text that it had at that moment, shared with the shelf that it was on.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: Box<str>,
    pub(crate) kind: &'static str,
    /// When it happened, in milliseconds since 1970.
    pub(crate) moment: i64,
    pub(crate) object: Bytes,
    pub(crate) previous: Option<Bytes>,
    /// What earlier versions show in the object, as it was then.
    pub(crate) apart: Noted,
    pub(crate) live: bool,
    pub(crate) request_id: Option<Arc<str>>,
    pub(crate) idempotency_key: Option<Arc<str>>,
    pub(crate) account_version: Arc<str>,
    /// How many endpoints have not taken it yet.
    pub(crate) pending: AtomicU32,
}

/// The object as it is in a version.
fn shown_in(object: &Bytes, version: &str, apart: &Noted) -> Bytes {
    if !older::differs(version) || !older::concerns(object) {
        return object.clone();
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(object) else { return object.clone() };
    older::show(&mut value, version, &|kind, id| apart.get(&(kind, id.into())).cloned());
    value.to_string().into()
}

impl Event {
    /// When it happened, in Unix seconds.
    pub(crate) fn created(&self) -> i64 {
        self.moment.div_euclid(1_000)
    }

    /// The event as JSON, in the given version or else the account's.
    pub(crate) fn text(&self, version: Option<&str>) -> Bytes {
        self.text_from(version, None)
    }

    /// The same, told to somebody else than the account that it happened in.
    pub(crate) fn text_from(&self, version: Option<&str>, account: Option<&str>) -> Bytes {
        let mut out = Vec::with_capacity(self.object.len() + 360);
        let mut put = |text: &[u8]| out.extend_from_slice(text);
        let quoted = |text: &str| Value::from(text).to_string();
        put(b"{\"id\":");
        put(quoted(&self.id).as_bytes());
        put(b",\"object\":\"event\"");
        if let Some(account) = account {
            put(format!(",\"account\":{}", quoted(account)).as_bytes());
        }
        put(b",\"api_version\":");
        put(quoted(version.unwrap_or(&self.account_version)).as_bytes());
        put(format!(",\"created\":{}", self.created()).as_bytes());
        put(b",\"data\":{\"object\":");
        put(&shown_in(&self.object, version.unwrap_or(&self.account_version), &self.apart));
        if let Some(previous) = &self.previous {
            put(b",\"previous_attributes\":");
            put(previous);
        }
        put(format!("}},\"livemode\":{}", self.live).as_bytes());
        put(format!(",\"pending_webhooks\":{}", self.pending.load(Ordering::Relaxed)).as_bytes());
        let request = json!({"id": self.request_id.as_deref(), "idempotency_key": self.idempotency_key.as_deref()});
        put(format!(",\"request\":{request},\"type\":\"{}\"}}", self.kind).as_bytes());
        out.into()
    }

    /// One endpoint has taken it.
    pub(crate) fn delivered(&self) {
        let _ = self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    }
}
