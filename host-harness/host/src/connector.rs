//! A loaded connector, and its functions as typed methods, each of which starts a call. How one runs is in `call`.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{Answer, Runner, Running, What};
use crate::caps::Cap;
use crate::catalogue::{Catalogue, Kept};
use crate::component::ComponentFacts;
use crate::connection::Call;
use crate::contract::{
    ActionResult, ChoicePage, ChoiceRequest, ConnectionReport, ConnectionType, DescribeRequest, Event, File, Operation,
    OperationFilter, OperationPage, OperationSummary, Permission, PollResult, QueryResult, Receipt, RecentEvents,
    ResourceType, Subscription, SubscriptionRequest, SubscriptionState, TriggerUse, Unsubscribed, WebhookRequest,
};
use crate::egress::Policy;
use crate::failure::{CallError, PlatformError, PlatformFailure};
use crate::lanes::Lane;
use crate::manifest::{Limits, Manifest};
use crate::report::{CallOutcome, CallReport};

/// So many pages of operations are read, of the most that one can have: thousands of operations more than any service has.
const MOST_PAGES: usize = 50;
/// The contract's largest page.
const LARGEST_PAGE: u32 = 1000;

/// A loaded component. Cheap to clone; calls run side by side.
///
/// Every function of the contract is a method that gives a [`Running`] call: await it for its result, keep it to ask what
/// it did so far or to cancel it.
///
/// Its pooled connections belong to the Tokio runtime that opened them, so use one connector from one runtime.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<ConnectorInner>,
}

struct ConnectorInner {
    runner: Arc<Runner>,
    facts: ComponentFacts,
    kept: Arc<Kept>,
}

impl Connector {
    pub(crate) fn new(runner: Runner, facts: ComponentFacts, kept: Arc<Kept>) -> Self {
        Self { inner: Arc::new(ConnectorInner { runner: Arc::new(runner), facts, kept }) }
    }

    /// The manifest that it was loaded with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.inner.runner.manifest
    }

    /// What a call may use: of each limit the manifest's, or the operator's where that is smaller.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.runner.limits
    }

    /// The limits of the manifest that are over the operator's.
    #[must_use]
    pub fn capped(&self) -> &[Cap] {
        &self.inner.runner.capped
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

    fn runner(&self) -> &Arc<Runner> {
        &self.inner.runner
    }

    /// Where calls wait for each other that change the subscriptions of one account.
    fn lane(&self, call: &Call) -> Lane {
        let Runner { engine, connector, .. } = &**self.runner();
        engine.lanes.of(connector, &call.connection)
    }

    /// What the component offers: asked for once, and kept for as long as the host lives.
    pub async fn catalogue(&self) -> Result<Arc<Catalogue>, CallError> {
        if let Some(catalogue) = self.inner.kept.catalogue() {
            return Ok(catalogue);
        }
        let connection = self.describe_connection().await?.value;
        let operations = self.all_operations(OperationFilter::default()).await?;
        let resources = self.list_resources().await?.value;
        Ok(self.inner.kept.keep_catalogue(Catalogue { connection, operations, resources }))
    }

    /// Everything about one operation, kept where it depends on no input.
    pub async fn description(&self, request: DescribeRequest) -> Result<Arc<Operation>, CallError> {
        if let Some(operation) = self.inner.kept.description(&request) {
            return Ok(operation);
        }
        let operation = self.describe_operation(request.clone()).await?.value;
        Ok(self.inner.kept.keep_description(&request, operation))
    }

    /// The form that a user fills in to connect.
    pub fn describe_connection(&self) -> Running<ConnectionType> {
        let function = self.runner().functions.connection_describe;
        self.runner().start(function, What::offline(function.name, None), |_| (), Answer::certain())
    }

    /// Tries the connection and changes nothing.
    pub fn test_connection(&self, call: &Call) -> Running<ConnectionReport> {
        let function = self.runner().functions.connection_test;
        let (what, context) = What::with(function.name, None, call);
        self.runner().start(function, what, |left| (context.within(left),), Answer::fallible())
    }

    /// The fewest permissions that credentials need for these operations and triggers.
    pub fn permissions(&self, operations: &[String]) -> Running<Vec<Permission>> {
        let function = self.runner().functions.connection_permissions;
        let parameters = (operations.to_vec(),);
        self.runner().start(function, What::offline(function.name, None), |_| parameters, Answer::fallible())
    }

    /// A page of the operations that pass the filter: at most `limit`, 1 to 1000.
    pub fn list_operations(
        &self,
        filter: OperationFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Running<OperationPage> {
        let function = self.runner().functions.operations_list;
        let cursor = cursor.map(str::to_owned);
        self.runner().start(
            function,
            What::offline(function.name, None),
            move |_| (filter, cursor, limit),
            Answer::fallible(),
        )
    }

    /// All the operations that pass the filter, page after page. A component whose pages have no end fails, and one whose
    /// pages together are larger than one result may be.
    pub async fn all_operations(&self, filter: OperationFilter) -> Result<Vec<OperationSummary>, CallError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        let (mut size, most) = (0, self.runner().engine.config.result);
        for page in 1.. {
            let reply = self.list_operations(filter.clone(), cursor.as_deref(), Some(LARGEST_PAGE)).await?;
            let OperationPage { operations, next_cursor } = reply.value;
            size = operations.iter().map(size_of_summary).fold(size, usize::saturating_add);
            let error = match &next_cursor {
                _ if size > most => PlatformError::Oversized { most },
                Some(next) if page >= MOST_PAGES || cursor.as_ref() == Some(next) => {
                    PlatformError::Endless { pages: page }
                }
                _ => {
                    all.extend(operations);
                    match next_cursor {
                        Some(next) => cursor = Some(next),
                        None => break,
                    }
                    continue;
                }
            };
            let report = CallReport { outcome: CallOutcome::PlatformFailure, ..reply.report };
            return Err(CallError::Platform(Box::new(PlatformFailure { error, report })));
        }
        Ok(all)
    }

    /// Everything about one operation.
    pub fn describe_operation(&self, request: DescribeRequest) -> Running<Operation> {
        let function = self.runner().functions.operations_describe;
        let what = What::offline(function.name, Some(&request.id));
        self.runner().start(function, what, |_| (request,), Answer::fallible())
    }

    /// The JSON Schema of one kind of object, by the name that a schema's `x-object` gives.
    pub fn object_schema(&self, name: &str) -> Running<String> {
        let function = self.runner().functions.object_schema;
        let name = name.to_owned();
        self.runner().start(function, What::offline(function.name, None), |_| (name,), Answer::fallible())
    }

    /// Runs an action that takes no file. `input` is JSON text.
    pub fn run_action(&self, call: &Call, operation: &str, input: &str) -> Running<ActionResult> {
        self.run_action_with_files(call, operation, input, Vec::new())
    }

    /// Runs an action. `input` is JSON text; `files` fill the fields of it that take one.
    pub fn run_action_with_files(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
        files: Vec<File>,
    ) -> Running<ActionResult> {
        let function = self.runner().functions.run_action;
        let (what, context) = What::with(function.name, Some(operation), call);
        let (operation, input) = (operation.to_owned(), input.to_owned());
        let params = |left: Duration| (context.within(left), operation, input, files);
        self.runner().start(function, what, params, Answer::fallible())
    }

    /// Runs a query, one page of it. `input` is JSON text.
    pub fn run_query(&self, call: &Call, operation: &str, input: &str, cursor: Option<&str>) -> Running<QueryResult> {
        let function = self.runner().functions.run_query;
        let (what, context) = What::with(function.name, Some(operation), call);
        let (operation, input, cursor) = (operation.to_owned(), input.to_owned(), cursor.map(str::to_owned));
        let params = |left: Duration| (context.within(left), operation, input, cursor);
        self.runner().start(function, what, params, Answer::fallible())
    }

    /// Checks a webhook request and says which events it holds. `state` is the subscription's; without it, the
    /// connection's own webhook secret counts. `uses` are the triggers in use at this URL; without any, all are meant.
    pub fn receive(
        &self,
        call: &Call,
        state: Option<&SubscriptionState>,
        uses: Vec<TriggerUse>,
        request: WebhookRequest,
    ) -> Running<Receipt> {
        let function = self.runner().functions.receive;
        let (what, context) = What::with(function.name, None, call);
        let what = what.of(state);
        let state = state.map(SubscriptionState::for_guest);
        let params = |left: Duration| (context.within(left), state, uses, request);
        self.runner().start(function, what, params, Answer::fallible())
    }

    /// Fetches what a thin event points at: the same event, complete. `payload` is the event's, `uses` those that it was
    /// received with: an event that turns out to be for none of them names no trigger.
    pub fn load(&self, call: &Call, uses: Vec<TriggerUse>, payload: &str) -> Running<Event> {
        let function = self.runner().functions.load;
        let (what, context) = What::with(function.name, None, call);
        let payload = payload.to_owned();
        self.runner().start(function, what, |left| (context.within(left), uses, payload), Answer::fallible())
    }

    /// Makes the service deliver events to a URL. Of the calls that change the subscriptions of one account, a host runs one
    /// at a time.
    pub fn subscribe(&self, call: &Call, request: SubscriptionRequest) -> Running<Subscription> {
        let function = self.runner().functions.subscribe;
        let (what, context) = What::with(function.name, None, call);
        let what = what.of(request.state.as_ref()).after_others(self.lane(call));
        let params = |left: Duration| (context.within(left), request.for_guest());
        let answer = Answer::with_state(|made: &Subscription| Some(&made.state));
        self.runner().start(function, what, params, answer)
    }

    /// Looks whether a subscription is still as it was made, mends what is not, and prolongs it where it expires.
    pub fn renew(&self, call: &Call, state: &SubscriptionState) -> Running<Subscription> {
        let function = self.runner().functions.renew;
        let (what, context) = What::with(function.name, None, call);
        let what = what.of(Some(state)).after_others(self.lane(call));
        let state = state.for_guest();
        let answer = Answer::with_state(|made: &Subscription| Some(&made.state));
        self.runner().start(function, what, |left| (context.within(left), state), answer)
    }

    /// Stops the delivery of these triggers; of all of them without `triggers`.
    pub fn unsubscribe(
        &self,
        call: &Call,
        state: &SubscriptionState,
        triggers: Option<Vec<String>>,
    ) -> Running<Unsubscribed> {
        let function = self.runner().functions.unsubscribe;
        let (what, context) = What::with(function.name, None, call);
        let what = what.of(Some(state)).after_others(self.lane(call));
        let state = state.for_guest();
        let params = |left: Duration| (context.within(left), state, triggers);
        let answer = Answer::with_state(|done: &Unsubscribed| done.state.as_ref());
        self.runner().start(function, what, params, answer)
    }

    /// Fetches the events of these triggers since a cursor. Some may have been in the page before.
    pub fn poll(&self, call: &Call, triggers: Vec<TriggerUse>, cursor: Option<&str>) -> Running<PollResult> {
        let function = self.runner().functions.poll;
        let (what, context) = What::with(function.name, None, call);
        let cursor = cursor.map(str::to_owned);
        self.runner().start(function, what, |left| (context.within(left), triggers, cursor), Answer::fallible())
    }

    /// The newest real events of a trigger, newest first, at most `limit`, 1 to 100.
    pub fn recent(&self, call: &Call, trigger: TriggerUse, limit: u32) -> Running<RecentEvents> {
        let function = self.runner().functions.recent;
        let (what, context) = What::with(function.name, Some(&trigger.trigger), call);
        self.runner().start(function, what, move |left| (context.within(left), trigger, limit), Answer::fallible())
    }

    /// An event of the right shape.
    pub fn sample(&self, trigger: &str) -> Running<Event> {
        let function = self.runner().functions.sample;
        let (what, trigger) = (What::offline(function.name, Some(trigger)), trigger.to_owned());
        self.runner().start(function, what, |_| (trigger,), Answer::fallible())
    }

    /// Every kind of object that the connector knows.
    pub fn list_resources(&self) -> Running<Vec<ResourceType>> {
        let function = self.runner().functions.resources_list;
        self.runner().start(function, What::offline(function.name, None), |_| (), Answer::certain())
    }

    /// The resource that an id belongs to.
    pub fn resolve_resource(&self, id: &str) -> Running<Option<String>> {
        let function = self.runner().functions.resources_resolve;
        let id = id.to_owned();
        self.runner().start(function, What::offline(function.name, None), |_| (id,), Answer::certain())
    }

    /// A page of objects to choose from.
    pub fn choices(&self, call: &Call, request: ChoiceRequest) -> Running<ChoicePage> {
        let function = self.runner().functions.choices;
        let (what, context) = What::with(function.name, None, call);
        self.runner().start(function, what, |left| (context.within(left), request), Answer::fallible())
    }
}

/// What a summary takes in memory, about.
fn size_of_summary(summary: &OperationSummary) -> usize {
    let OperationSummary { id, tool_name, title, description, resource, extras, .. } = summary;
    let texts = [id, tool_name, title, description, resource].map(String::len).iter().sum::<usize>();
    let extras = extras.iter().map(|extra| size_of_val(extra) + extra.name.len() + extra.value.len()).sum::<usize>();
    size_of_val(summary) + texts + extras
}
