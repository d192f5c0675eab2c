//! `triggers`.

use super::exported::triggers::{
    Event, Guest, IgnoredEvent, PollResult, Receipt, RecentEvents, Subscription, SubscriptionRequest, TriggerUse,
    Unsubscribed, WebhookRequest, WebhookResponse,
};
use super::{Component, types, wit};
use crate::stripe::transport::Clock;
use crate::stripe::wasi::WasiClock;
use crate::triggers::{self, Use};

impl Guest for Component {
    fn receive(
        context: wit::CallContext,
        state: Option<String>,
        uses: Vec<TriggerUse>,
        request: WebhookRequest,
    ) -> Result<Receipt, wit::Error> {
        let request = triggers::receive::Request {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: request.body,
        };
        let fields = types::fields(context.connection);
        let receipt = triggers::receive(&fields, state.as_deref(), &all(uses), request, WasiClock.unix_seconds())?;
        let ignored =
            receipt.ignored.into_iter().map(|i| IgnoredEvent { id: i.id, event_type: i.event_type, reason: i.reason });
        Ok(Receipt {
            events: receipt.events.into_iter().map(Into::into).collect(),
            ignored: ignored.collect(),
            response: receipt.response.map(|r| WebhookResponse { status: r.status, headers: r.headers, body: r.body }),
        })
    }

    fn load(context: wit::CallContext, uses: Vec<TriggerUse>, payload: String) -> Result<Event, wit::Error> {
        Ok(triggers::load(&types::session(context)?, &all(uses), &payload)?.into())
    }

    fn subscribe(context: wit::CallContext, request: SubscriptionRequest) -> Result<Subscription, wit::Error> {
        let uses = all(request.triggers);
        let request = triggers::subscription::Request {
            callback_url: &request.callback_url,
            triggers: &uses,
            state: request.state.as_deref(),
        };
        Ok(triggers::subscribe(&types::session(context)?, &request)?.into())
    }

    fn renew(context: wit::CallContext, state: String) -> Result<Subscription, wit::Error> {
        Ok(triggers::renew(&types::session(context)?, &state)?.into())
    }

    fn unsubscribe(
        context: wit::CallContext,
        state: String,
        ended: Option<Vec<String>>,
    ) -> Result<Unsubscribed, wit::Error> {
        let left = triggers::unsubscribe(&types::session(context)?, &state, ended.as_deref())?;
        Ok(Unsubscribed { state: left.state, event_types: left.event_types, metadata: left.metadata.into() })
    }

    fn poll(
        context: wit::CallContext,
        uses: Vec<TriggerUse>,
        cursor: Option<String>,
    ) -> Result<PollResult, wit::Error> {
        let polled = triggers::poll(&types::session(context)?, &all(uses), cursor.as_deref())?;
        Ok(PollResult {
            events: polled.events.into_iter().map(Into::into).collect(),
            cursor: polled.cursor,
            has_more: polled.has_more,
            metadata: polled.metadata.into(),
        })
    }

    fn recent(context: wit::CallContext, trigger: TriggerUse, limit: u32) -> Result<RecentEvents, wit::Error> {
        let recent = triggers::recent(&types::session(context)?, &one(trigger), limit)?;
        Ok(RecentEvents {
            events: recent.events.into_iter().map(Into::into).collect(),
            metadata: recent.metadata.into(),
        })
    }

    fn sample(trigger: String) -> Result<Event, wit::Error> {
        Ok(triggers::sample(&trigger)?.into())
    }
}

fn one(of: TriggerUse) -> Use {
    Use { trigger: of.trigger, input: of.input }
}

fn all(uses: Vec<TriggerUse>) -> Vec<Use> {
    uses.into_iter().map(one).collect()
}

impl From<triggers::Event> for Event {
    fn from(e: triggers::Event) -> Self {
        Self {
            id: e.id,
            event_type: e.event_type,
            triggers: e.triggers,
            occurred_at: e.occurred_at,
            mode: e.mode.into(),
            account: e.account,
            api_version: e.api_version,
            payload: e.payload,
            complete: e.complete,
            record: e.record.map(Into::into),
            extras: types::extras(e.extras),
        }
    }
}

impl From<triggers::Subscription> for Subscription {
    fn from(s: triggers::Subscription) -> Self {
        Self {
            id: s.id,
            state: s.state,
            event_types: s.event_types,
            expires_at: s.expires_at,
            metadata: s.metadata.into(),
            extras: types::extras(s.extras),
        }
    }
}
