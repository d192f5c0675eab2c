//! The last line before a caller: a connection's secrets are taken out of everything that a component returns.
//!
//! A component sees a secret only where it needs it, and answers come to it without; one that gives away what it needed
//! all the same gives away `(secret)`. A subscription's state is left as it is: it is the one result that is a secret.

use super::bindings::automation::connector::types::{
    Error, ErrorKind, Extra, File, ResourceRecord, ResourceRef, ResultMetadata,
};
use super::bindings::exports::automation::connector::actions::ActionResult;
use super::bindings::exports::automation::connector::connection::{ConnectionReport, Permission};
use super::bindings::exports::automation::connector::operations::{Operation, OperationPage};
use super::bindings::exports::automation::connector::queries::QueryResult;
use super::bindings::exports::automation::connector::resources::{Choice, ChoicePage};
use super::bindings::exports::automation::connector::triggers::{
    Event, IgnoredEvent, PollResult, Receipt, RecentEvents, Subscription, Unsubscribed, WebhookResponse,
};
use crate::secret::Scrubber;

/// What secrets can be taken out of.
pub(crate) trait Hide {
    /// Takes these out.
    fn hide(&mut self, secrets: &Scrubber);
}

impl Hide for String {
    fn hide(&mut self, secrets: &Scrubber) {
        secrets.hide(self);
    }
}

/// Bytes keep their length.
impl Hide for Vec<u8> {
    fn hide(&mut self, secrets: &Scrubber) {
        secrets.overwrite(self);
    }
}

impl<T: Hide> Hide for Option<T> {
    fn hide(&mut self, secrets: &Scrubber) {
        if let Some(value) = self {
            value.hide(secrets);
        }
    }
}

impl<T: Hide, E: Hide> Hide for Result<T, E> {
    fn hide(&mut self, secrets: &Scrubber) {
        match self {
            Ok(value) => value.hide(secrets),
            Err(error) => error.hide(secrets),
        }
    }
}

impl Hide for (String, String) {
    fn hide(&mut self, secrets: &Scrubber) {
        self.0.hide(secrets);
        self.1.hide(secrets);
    }
}

impl Hide for ErrorKind {
    fn hide(&mut self, secrets: &Scrubber) {
        if let Self::Other(name) = self {
            name.hide(secrets);
        }
    }
}

/// One macro line a record: every field that is text or has one. Numbers, truth values and closed kinds have none.
macro_rules! records {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Hide for $type {
            fn hide(&mut self, secrets: &Scrubber) {
                let Self { $($field,)* .. } = self;
                $($field.hide(secrets);)*
            }
        }
    )*};
}

macro_rules! lists {
    ($($type:ty,)*) => {$(
        impl Hide for Vec<$type> {
            fn hide(&mut self, secrets: &Scrubber) {
                self.iter_mut().for_each(|value| value.hide(secrets));
            }
        }
    )*};
}

lists! { String, (String, String), Choice, Event, Extra, File, IgnoredEvent, Permission, ResourceRecord, ResourceRef, }

records! {
    Error {
        kind, message, hint, field, service_type, code, decline_code, request_id, doc_url, related, idempotency_key, extras
    }
    Extra { name, value }
    File { field, name, content_type, content }
    ResourceRef { resource, id }
    ResourceRecord { resource, internal, id, title, url, fields }
    ResultMetadata { idempotency_key, request_id, api_version, account, extras }
    ActionResult { output, record, files, metadata }
    QueryResult { output, records, files, next_cursor, metadata }
    Permission { title, operations, grant }
    ConnectionReport { account_id, account_name, api_version, permissions, extras }
    Choice { value, label, detail }
    ChoicePage { choices, next_cursor, metadata }
    Event { id, event_type, triggers, account, api_version, payload, record, extras }
    IgnoredEvent { id, event_type, reason }
    WebhookResponse { headers, body }
    Receipt { events, ignored, response }
    Subscription { id, event_types, metadata, extras }
    Unsubscribed { event_types, metadata }
    PollResult { events, cursor, metadata }
    RecentEvents { events, metadata }
}

/// Of calls without a connection, which have no secret to tell.
impl Hide for Operation {
    fn hide(&mut self, _: &Scrubber) {}
}

impl Hide for OperationPage {
    fn hide(&mut self, _: &Scrubber) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Mode, Outcome, RetryAdvice};
    use crate::secret::Secret;

    const SECRET: &str = "whsec_Real1234";

    fn secrets() -> Scrubber {
        Scrubber::new([(Secret::new(SECRET.to_owned()), "whsec_xxxxxxxx".to_owned())])
    }

    fn text() -> String {
        format!("a {SECRET} b")
    }

    fn extras() -> Vec<Extra> {
        vec![Extra { name: text(), value: text() }]
    }

    fn metadata() -> ResultMetadata {
        ResultMetadata {
            idempotency_key: Some(text()),
            key_protects_until: None,
            replayed: false,
            request_id: Some(text()),
            attempts: 1,
            mode: Mode::Test,
            api_version: text(),
            account: Some(text()),
            extras: extras(),
        }
    }

    fn shown(mut value: impl Hide + std::fmt::Debug) -> String {
        value.hide(&secrets());
        format!("{value:?}")
    }

    #[test]
    fn every_text_of_a_result_and_of_an_error_is_looked_at() {
        let record = || ResourceRecord {
            resource: text(),
            internal: text(),
            id: text(),
            title: text(),
            url: Some(text()),
            fields: text(),
        };
        let file = || File { field: text(), name: text(), content_type: text(), content: text().into_bytes() };
        let result = ActionResult { output: text(), record: Some(record()), files: vec![file()], metadata: metadata() };
        let event = || Event {
            id: text(),
            event_type: text(),
            triggers: vec![text()],
            occurred_at: 0,
            mode: Mode::Test,
            account: Some(text()),
            api_version: Some(text()),
            payload: text(),
            complete: true,
            record: Some(record()),
            extras: extras(),
        };
        let ignored = IgnoredEvent { id: text(), event_type: text(), reason: text() };
        let response = WebhookResponse { status: 200, headers: vec![(text(), text())], body: text().into_bytes() };
        let receipt = Receipt { events: vec![event()], ignored: vec![ignored], response: Some(response) };
        let polled = PollResult { events: vec![event()], cursor: text(), has_more: false, metadata: metadata() };
        let choice = Choice { value: text(), label: text(), detail: Some(text()) };
        let choices = ChoicePage { choices: vec![choice], next_cursor: Some(text()), metadata: metadata() };
        let error = Error {
            kind: ErrorKind::Other(text()),
            message: text(),
            hint: Some(text()),
            field: Some(text()),
            service_type: Some(text()),
            code: Some(text()),
            decline_code: Some(text()),
            http_status: Some(401),
            request_id: Some(text()),
            doc_url: Some(text()),
            retry: RetryAdvice::Never,
            outcome: Outcome::Rejected,
            related: vec![ResourceRef { resource: text(), id: text() }],
            idempotency_key: Some(text()),
            key_protects_until: None,
            replayed: false,
            attempts: 1,
            extras: extras(),
        };
        for shown in [shown(result), shown(receipt), shown(polled), shown(choices), shown(error)] {
            assert!(!shown.contains(SECRET) && shown.contains("(secret)"), "{shown}");
        }
    }

    #[test]
    fn a_subscriptions_state_is_left_as_it_is() {
        let made = Subscription {
            id: text(),
            state: text(),
            event_types: vec![text()],
            expires_at: None,
            metadata: metadata(),
            extras: extras(),
        };
        assert_eq!(shown(made).matches(SECRET).count(), 1);
    }
}
