//! A loaded connector, and its functions as typed, asynchronous methods. How one of them runs is in `call`.

use std::sync::Arc;

use crate::call::{Reply, Runner, What};
use crate::component::ComponentFacts;
use crate::connection::Call;
use crate::contract::{
    ActionResult, ChoicePage, ChoiceRequest, ConnectionReport, ConnectionType, DescribeRequest, Event, File, Operation,
    OperationFilter, OperationPage, OperationSummary, PollResult, QueryResult, Receipt, RecentEvents, ResourceType,
    Subscription, SubscriptionRequest, SubscriptionState, TriggerUse, Unsubscribed, WebhookRequest,
};
use crate::egress::Policy;
use crate::failure::{CallError, PlatformError, PlatformFailure};
use crate::manifest::Manifest;
use crate::report::{CallOutcome, CallReport};

/// So many pages of operations are read, of the most that one can have: thousands of operations more than any service has.
const MOST_PAGES: usize = 50;
/// The contract's largest page.
const LARGEST_PAGE: u32 = 1000;

/// A loaded component. Cheap to clone; calls run side by side.
///
/// Its pooled connections belong to the Tokio runtime that opened them, so use one connector from one runtime.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<ConnectorInner>,
}

struct ConnectorInner {
    runner: Runner,
    facts: ComponentFacts,
}

impl Connector {
    pub(crate) fn new(runner: Runner, facts: ComponentFacts) -> Self {
        Self { inner: Arc::new(ConnectorInner { runner, facts }) }
    }

    /// The manifest that it was loaded with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.inner.runner.manifest
    }

    /// What was found out about the component.
    #[must_use]
    pub fn facts(&self) -> &ComponentFacts {
        &self.inner.facts
    }

    /// Where its requests may go.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.runner.policy
    }

    /// The form that a user fills in to connect.
    pub async fn describe_connection(&self) -> Result<Reply<ConnectionType>, CallError> {
        let what = What::offline("connection.describe", None);
        self.inner
            .runner
            .certain(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_connection().call_describe(store).await })
            })
            .await
    }

    /// Tries the connection and changes nothing.
    pub async fn test_connection(&self, call: &Call) -> Result<Reply<ConnectionReport>, CallError> {
        let (what, context) = What::with("connection.test", None, call);
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move { guest.automation_connector_connection().call_test(store, &context).await })
            })
            .await
    }

    /// A page of the operations that pass the filter: at most `limit`, 1 to 1000.
    pub async fn list_operations(
        &self,
        filter: OperationFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Reply<OperationPage>, CallError> {
        let what = What::offline("operations.list", None);
        let cursor = cursor.map(str::to_owned);
        self.inner
            .runner
            .fallible(what, |guest, store, _| {
                Box::pin(async move {
                    guest.automation_connector_operations().call_list(store, &filter, cursor.as_deref(), limit).await
                })
            })
            .await
    }

    /// All the operations that pass the filter, page after page. A component whose pages have no end fails.
    pub async fn all_operations(&self, filter: OperationFilter) -> Result<Vec<OperationSummary>, CallError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        for page in 1.. {
            let reply = self.list_operations(filter.clone(), cursor.as_deref(), Some(LARGEST_PAGE)).await?;
            all.extend(reply.value.operations);
            match reply.value.next_cursor {
                None => break,
                Some(next) if page >= MOST_PAGES || cursor.as_deref() == Some(&next) => {
                    let error = PlatformError::Endless { pages: page };
                    let report = CallReport { outcome: CallOutcome::PlatformFailure, ..reply.report };
                    return Err(CallError::Platform(Box::new(PlatformFailure { error, report })));
                }
                Some(next) => cursor = Some(next),
            }
        }
        Ok(all)
    }

    /// Everything about one operation.
    pub async fn describe_operation(&self, request: DescribeRequest) -> Result<Reply<Operation>, CallError> {
        let id = request.id.clone();
        let what = What::offline("operations.describe", Some(&id));
        self.inner
            .runner
            .fallible(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_operations().call_describe(store, &request).await })
            })
            .await
    }

    /// The JSON Schema of one kind of object, by the name that a schema's `x-object` gives.
    pub async fn object_schema(&self, name: &str) -> Result<Reply<String>, CallError> {
        let what = What::offline("operations.object-schema", None);
        let name = name.to_owned();
        self.inner
            .runner
            .fallible(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_operations().call_object_schema(store, &name).await })
            })
            .await
    }

    /// Runs an action that takes no file. `input` is JSON text.
    pub async fn run_action(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
    ) -> Result<Reply<ActionResult>, CallError> {
        self.run_action_with_files(call, operation, input, Vec::new()).await
    }

    /// Runs an action. `input` is JSON text; `files` fill the fields of it that take one.
    pub async fn run_action_with_files(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
        files: Vec<File>,
    ) -> Result<Reply<ActionResult>, CallError> {
        let (what, context) = What::with("actions.run", Some(operation), call);
        let (operation, input) = (operation.to_owned(), input.to_owned());
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest.automation_connector_actions().call_run(store, &context, &operation, &input, &files).await
                })
            })
            .await
    }

    /// Runs a query, one page of it. `input` is JSON text.
    pub async fn run_query(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
        cursor: Option<&str>,
    ) -> Result<Reply<QueryResult>, CallError> {
        let (what, context) = What::with("queries.run", Some(operation), call);
        let (operation, input, cursor) = (operation.to_owned(), input.to_owned(), cursor.map(str::to_owned));
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest
                        .automation_connector_queries()
                        .call_run(store, &context, &operation, &input, cursor.as_deref())
                        .await
                })
            })
            .await
    }

    /// Checks a webhook request and says which events it holds. `state` is the subscription's; without it, the
    /// connection's own webhook secret counts. `uses` are the triggers in use at this URL; without any, all are meant.
    pub async fn receive(
        &self,
        call: &Call,
        state: Option<&SubscriptionState>,
        uses: Vec<TriggerUse>,
        request: WebhookRequest,
    ) -> Result<Reply<Receipt>, CallError> {
        let (what, context) = What::with("triggers.receive", None, call);
        let state = state.cloned();
        self.inner
            .runner
            .fallible(what.of(state.as_ref()), |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    let state = state.as_ref().map(SubscriptionState::for_guest);
                    guest.automation_connector_triggers().call_receive(store, &context, state, &uses, &request).await
                })
            })
            .await
    }

    /// Fetches what a thin event points at: the same event, complete. `payload` is the event's.
    pub async fn load(&self, call: &Call, payload: &str) -> Result<Reply<Event>, CallError> {
        let (what, context) = What::with("triggers.load", None, call);
        let payload = payload.to_owned();
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(
                    async move { guest.automation_connector_triggers().call_load(store, &context, &payload).await },
                )
            })
            .await
    }

    /// Makes the service deliver events to a URL.
    pub async fn subscribe(&self, call: &Call, request: SubscriptionRequest) -> Result<Reply<Subscription>, CallError> {
        let (what, context) = What::with("triggers.subscribe", None, call);
        let what = what.of(request.state.as_ref());
        let request = request.for_guest();
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest.automation_connector_triggers().call_subscribe(store, &context, &request).await
                })
            })
            .await
            .map(|reply| reply.into::<Subscription>().hiding(|made| Some(&made.state)))
    }

    /// Looks whether a subscription is still as it was made, mends what is not, and prolongs it where it expires.
    pub async fn renew(&self, call: &Call, state: &SubscriptionState) -> Result<Reply<Subscription>, CallError> {
        let (what, context) = What::with("triggers.renew", None, call);
        let state = state.clone();
        self.inner
            .runner
            .fallible(what.of(Some(&state)), |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest.automation_connector_triggers().call_renew(store, &context, state.for_guest()).await
                })
            })
            .await
            .map(|reply| reply.into::<Subscription>().hiding(|made| Some(&made.state)))
    }

    /// Stops the delivery of these triggers; of all of them without `triggers`.
    pub async fn unsubscribe(
        &self,
        call: &Call,
        state: &SubscriptionState,
        triggers: Option<Vec<String>>,
    ) -> Result<Reply<Unsubscribed>, CallError> {
        let (what, context) = What::with("triggers.unsubscribe", None, call);
        let state = state.clone();
        self.inner
            .runner
            .fallible(what.of(Some(&state)), |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest
                        .automation_connector_triggers()
                        .call_unsubscribe(store, &context, state.for_guest(), triggers.as_deref())
                        .await
                })
            })
            .await
            .map(|reply| reply.into::<Unsubscribed>().hiding(|done| done.state.as_ref()))
    }

    /// Fetches the events of these triggers since a cursor. Some may have been in the page before.
    pub async fn poll(
        &self,
        call: &Call,
        triggers: Vec<TriggerUse>,
        cursor: Option<&str>,
    ) -> Result<Reply<PollResult>, CallError> {
        let (what, context) = What::with("triggers.poll", None, call);
        let cursor = cursor.map(str::to_owned);
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest.automation_connector_triggers().call_poll(store, &context, &triggers, cursor.as_deref()).await
                })
            })
            .await
    }

    /// The newest real events of a trigger, newest first, at most `limit`, 1 to 100.
    pub async fn recent(&self, call: &Call, trigger: TriggerUse, limit: u32) -> Result<Reply<RecentEvents>, CallError> {
        let id = trigger.trigger.clone();
        let (what, context) = What::with("triggers.recent", Some(&id), call);
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(async move {
                    guest.automation_connector_triggers().call_recent(store, &context, &trigger, limit).await
                })
            })
            .await
    }

    /// An event of the right shape.
    pub async fn sample(&self, trigger: &str) -> Result<Reply<Event>, CallError> {
        let what = What::offline("triggers.sample", Some(trigger));
        let trigger = trigger.to_owned();
        self.inner
            .runner
            .fallible(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_triggers().call_sample(store, &trigger).await })
            })
            .await
    }

    /// Every kind of object that the connector knows.
    pub async fn list_resources(&self) -> Result<Reply<Vec<ResourceType>>, CallError> {
        let what = What::offline("resources.list", None);
        self.inner
            .runner
            .certain(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_resources().call_list(store).await })
            })
            .await
    }

    /// The resource that an id belongs to.
    pub async fn resolve_resource(&self, id: &str) -> Result<Reply<Option<String>>, CallError> {
        let what = What::offline("resources.resolve", None);
        let id = id.to_owned();
        self.inner
            .runner
            .certain(what, |guest, store, _| {
                Box::pin(async move { guest.automation_connector_resources().call_resolve(store, &id).await })
            })
            .await
    }

    /// A page of objects to choose from.
    pub async fn choices(&self, call: &Call, request: ChoiceRequest) -> Result<Reply<ChoicePage>, CallError> {
        let (what, context) = What::with("resources.choices", None, call);
        self.inner
            .runner
            .fallible(what, |guest, store, left| {
                let context = context.within(left);
                Box::pin(
                    async move { guest.automation_connector_resources().call_choices(store, &context, &request).await },
                )
            })
            .await
    }
}
