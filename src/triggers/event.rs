//! An event as Stripe tells it, in either of its forms, and as a trigger reports it.
//!
//! A snapshot event (`object: "event"`) carries its object as it was at that moment. A thin event
//! (`object: "v2.core.event"`) only says what it is about and where that is read.

use std::borrow::Cow;

use super::directory::{self, Trigger};
use super::extra::{self, Extra};
use super::moment;
use crate::json::Node;
use crate::mapping::{self, Record, Viewer};
use crate::stripe::key::Mode;

/// An event that triggers report; the contract documents each part.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "documented in the contract, `wit/triggers.wit`")]
pub struct Event {
    pub id: String,
    pub event_type: String,
    pub triggers: Vec<String>,
    pub occurred_at: u64,
    pub mode: Mode,
    pub account: Option<String>,
    pub api_version: Option<String>,
    pub payload: String,
    pub complete: bool,
    pub record: Option<Record>,
    pub extras: Vec<Extra>,
}

/// What every event says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// Its type.
    pub event_type: Cow<'a, str>,
    /// Whether it is thin.
    pub thin: bool,
    /// When it happened, in seconds since 1970.
    pub created: u64,
    /// Whether real money moved.
    pub mode: Mode,
    /// The account that it names: a connected one or, in a thin event, perhaps the endpoint's own.
    pub account: Option<Cow<'a, str>>,
}

/// How long ids and types may be: Stripe's have less than 100 characters.
const LONGEST: usize = 255;

impl<'a> Head<'a> {
    /// Reads an event's head.
    ///
    /// # Errors
    /// What it lacks to be an event.
    pub fn read(event: Node<'_, 'a>) -> Result<Self, &'static str> {
        if !event.is_object() {
            return Err("it is not an object");
        }
        let text = |name: &str| event.get(name).and_then(Node::as_str);
        let name = |name: &str| text(name).filter(|t| is_name(t));
        let thin = match text("object").as_deref() {
            Some("v2.core.event") => true,
            Some("event") => false,
            None if event.get("object").is_none() => false,
            _ => return Err("its `object` is another one's than an event's"),
        };
        let created = event.get("created");
        let created =
            if thin { created.and_then(|c| moment::iso(&c.as_str()?)) } else { created.and_then(Node::as_u64) };
        let live = event.get("livemode").and_then(Node::as_bool) == Some(true);
        let account = if thin { text("context").and_then(account_of_context) } else { name("account") };
        Ok(Self {
            id: name("id").ok_or("it has no id")?,
            event_type: name("type").ok_or("it has no type")?,
            thin,
            created: created.ok_or("it does not say when it happened")?,
            mode: if live { Mode::Live } else { Mode::Test },
            account,
        })
    }
}

impl Head<'_> {
    /// The type as triggers know it: a thin notification of something in v1 has the version before it.
    pub fn topic(&self) -> &str {
        let of_v1 = self.event_type.strip_prefix("v1.").filter(|_| self.thin);
        of_v1.filter(|event_type| directory::is_known(event_type)).unwrap_or(&self.event_type)
    }

    /// What the event is about, as it carries it.
    pub fn object<'d, 'a>(&self, event: Node<'d, 'a>) -> Option<Node<'d, 'a>> {
        if self.thin { None } else { event.at("data.object") }
    }
}

/// What an event says beyond its head: what changed, and the request that caused it, so that a platform knows the echo
/// of its own.
fn told(head: &Head<'_>, event: Node<'_, '_>) -> Vec<Extra> {
    let request = event.get(if head.thin { "reason" } else { "request" });
    let request = if head.thin { request.and_then(|reason| reason.get("request")) } else { request };
    let changed = event.at("data.previous_attributes").filter(|changed| changed.members().next().is_some());
    // Before 2017 the request was its id alone.
    let id = request.map(|request| request.get("id").unwrap_or(request));
    [("what-changed", changed), ("request", id), ("idempotency-key", request.and_then(|r| r.get("idempotency_key")))]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.raw().to_owned())))
        .filter(|(name, value)| name == "what-changed" || value.starts_with('"'))
        .collect()
}

/// Whether a text can be an id or a type.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_graphic())
}

/// The account in a context: `acct_…`, or the last part of `org_…/acct_…`.
fn account_of_context(context: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let last = context.rsplit('/').next().unwrap_or_default();
    if !last.starts_with("acct_") || !is_name(last) {
        return None;
    }
    let skipped = context.len() - last.len();
    Some(match context {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(skipped..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(skipped..).unwrap_or_default().to_owned()),
    })
}

impl Event {
    /// The event for these triggers, its payload still empty. `own` is the account that the connection names.
    pub fn new(head: &Head<'_>, event: Node<'_, '_>, triggers: &[Trigger], own: Option<&str>) -> Self {
        let account = head.account.as_deref().or(own).map(str::to_owned);
        let mut built = Self {
            id: head.id.to_string(),
            event_type: head.event_type.to_string(),
            triggers: triggers.iter().map(|t| t.id().into_owned()).collect(),
            occurred_at: head.created,
            mode: head.mode,
            account,
            api_version: event.get("api_version").and_then(Node::as_str).map(Cow::into_owned),
            payload: String::new(),
            complete: !head.thin,
            record: None,
            extras: told(head, event),
        };
        if let Some(object) = head.object(event) {
            built.record = built.map(object, triggers);
            if built.api_version.as_deref().is_some_and(|version| version != directory::api_version()) {
                let lacking = mapping::lacking(object);
                if !lacking.is_empty() {
                    built.extras.push(extra::texts("not-mapped", lacking));
                }
            }
        }
        built
    }

    /// The object that it is about, in the platform's terms.
    pub fn map(&self, object: Node<'_, '_>, triggers: &[Trigger]) -> Option<Record> {
        let viewer = Viewer { mode: self.mode, account: self.account.as_deref() };
        mapping::record(object, triggers.first().map_or("", |t| t.resource()), viewer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Doc;

    const THIN: &str = r#"{"id":"evt_test_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered",
        "created":"2026-01-31T10:00:00.123Z","livemode":false,"context":"org_1/acct_2",
        "related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}"#;
    const SNAPSHOT: &str = r#"{"id":"evt_1","object":"event","type":"customer.created","created":1769853600,"livemode":true,
        "account":"acct_1","api_version":"2024-06-20","data":{"object":{"id":"cus_1","object":"customer","email":"a@example.com"}}}"#;

    fn head(text: &str) -> Result<String, &'static str> {
        let doc = Doc::scan_str(text).expect("JSON");
        Head::read(doc.root()).map(|h| format!("{h:?}"))
    }

    #[test]
    fn a_thin_event_is_dated_in_text_and_carries_no_object() {
        let doc = Doc::scan_str(THIN).expect("JSON");
        let head = Head::read(doc.root()).expect("an event");
        let event = Event::new(&head, doc.root(), &[], None);
        assert_eq!((event.occurred_at, event.complete, event.mode), (1_769_853_600, false, Mode::Test));
        assert_eq!((event.account.as_deref(), event.api_version), (Some("acct_2"), None));
        assert!(event.record.is_none());
    }

    #[test]
    fn a_snapshot_event_is_complete_and_its_object_is_mapped() {
        let doc = Doc::scan_str(SNAPSHOT).expect("JSON");
        let head = Head::read(doc.root()).expect("an event");
        let triggers = directory::listening_to("customer.created");
        let event = Event::new(&head, doc.root(), &triggers, Some("acct_9"));
        assert_eq!((event.occurred_at, event.complete, event.mode), (1_769_853_600, true, Mode::Live));
        assert_eq!((event.account.as_deref(), event.api_version.as_deref()), (Some("acct_1"), Some("2024-06-20")));
        assert_eq!(
            (event.triggers, event.record.expect("mapped").id.as_str()),
            (vec!["customer.created".to_owned(), "*".to_owned()], "cus_1")
        );
    }

    #[test]
    fn what_is_no_event_says_what_it_lacks() {
        for (text, lacks) in [
            ("[]", "object"),
            ("\"evt_1\"", "object"),
            (r#"{"object":"event","type":"a","created":1}"#, "id"),
            (r#"{"object":"event","id":"","type":"a","created":1}"#, "id"),
            (r#"{"object":"event","id":5,"type":"a","created":1}"#, "id"),
            (r#"{"object":"event","id":"evt_1","created":1}"#, "type"),
            (r#"{"object":"event","id":"evt_1","type":"a"}"#, "when"),
            (r#"{"object":"event","id":"evt_1","type":"a","created":"2026-01-31T10:00:00Z"}"#, "when"),
            (r#"{"object":"v2.core.event","id":"evt_1","type":"a","created":5}"#, "when"),
            (r#"{"object":"customer","id":"cus_1","type":"a","created":5}"#, "another"),
            (r#"{"object":null,"id":"cus_1","type":"a","created":5}"#, "another"),
        ] {
            assert!(head(text).is_err_and(|e| e.contains(lacks)), "{text}: {:?}", head(text));
        }
    }
}
