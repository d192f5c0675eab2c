//! A loaded connector, and its functions as typed, asynchronous methods.
//!
//! Every call gets a store of its own, its limits and its deadline, and ends with a report whatever happened. One call
//! flows: arguments → store (placeholders for secrets) → guest → result, error or platform failure → report → log.
//!
//! Three clocks run: the guest's computation (`meter`), each request's timeouts (`egress::client`) and the whole call's.
//! The last is a little longer than what the guest is told, so that a guest which keeps to it can still say with an error
//! of its own what is known about the outcome. What the guest is told is always a time, never "as you like", and it is
//! what is left of the call when the guest begins: waiting for room has used some of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use wasmtime::Store;
use wasmtime_wasi::I32Exit;

use crate::component::{ComponentFacts, reason};
use crate::connection::Call;
use crate::contract::{
    self, ActionResult, Bindings, BindingsPre, CallContext, ChoicePage, ChoiceRequest, ConnectionReport,
    ConnectionType, DescribeRequest, Error, Event, File, Operation, OperationFilter, OperationPage, OperationSummary,
    PollResult, QueryResult, Receipt, RecentEvents, ResourceType, Subscription, SubscriptionRequest, SubscriptionState,
    TriggerUse, Unsubscribed, WebhookRequest,
};
use crate::egress::{Client, EgressLog, Hooks, Policy};
use crate::error::{CallError, ConnectorFailure, PlatformError, PlatformFailure};
use crate::host::HostInner;
use crate::invocation::Invocation;
use crate::manifest::Manifest;
use crate::meter::Meter;
use crate::report::{CallOutcome, CallReport};
use crate::secret::Injection;
use crate::store::State;

/// What the host waits longer than the guest was told. A guest needs a millisecond to say that its time is over; the rest
/// is for a machine on which many calls reach that point at once.
const GRACE: Duration = Duration::from_millis(500);

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
    host: Arc<HostInner>,
    bindings: BindingsPre<State>,
    manifest: Manifest,
    facts: ComponentFacts,
    policy: Arc<Policy>,
    client: Client,
}

/// A result, and what the call did.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The result.
    pub value: T,
    /// What the call did.
    pub report: CallReport,
}

impl<T> Reply<T> {
    /// The same, with its value in another form.
    fn into<U: From<T>>(self) -> Reply<U> {
        Reply { value: self.value.into(), report: self.report }
    }

    /// The same, with a new secret taken out of what the component said.
    fn hiding(mut self, state: impl FnOnce(&T) -> Option<&SubscriptionState>) -> Self {
        if let Some(state) = state(&self.value) {
            self.report.stderr = state.redact(&self.report.stderr);
        }
        self
    }
}

/// A running guest function.
type Guest<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// What a call is, for its report and its limits.
struct What<'a> {
    function: &'static str,
    operation: Option<&'a str>,
    call: Option<&'a Call>,
    injections: Arc<[Injection]>,
    /// A secret of the call's beside its connection's.
    state: Option<SubscriptionState>,
}

impl<'a> What<'a> {
    /// A function that needs no connection.
    fn offline(function: &'static str, operation: Option<&'a str>) -> Self {
        Self { function, operation, call: None, injections: Arc::new([]), state: None }
    }

    /// A function of a connection, and what the guest gets of it.
    fn with(function: &'static str, operation: Option<&'a str>, call: &'a Call) -> (Self, Context) {
        let (connection, injections) = call.connection.for_guest();
        let context = Context { connection, invocation: call.invocation.clone() };
        (Self { function, operation, call: Some(call), injections: injections.into(), state: None }, context)
    }

    /// Besides, of a subscription.
    fn of(mut self, state: Option<&SubscriptionState>) -> Self {
        self.state = state.cloned();
        self
    }

    /// Takes the secrets of the call out of a text that came from the component.
    fn redact(&self, text: String) -> String {
        let text = match self.call {
            Some(call) => call.connection.redact(text),
            None => text,
        };
        match &self.state {
            Some(state) => state.redact(&text),
            None => text,
        }
    }
}

/// What the guest gets of a call, but for the time.
struct Context {
    connection: contract::Connection,
    invocation: Invocation,
}

impl Context {
    /// With the time that is left of the call.
    fn within(self, left: Duration) -> CallContext {
        CallContext { connection: self.connection, invocation: self.invocation.for_guest(left) }
    }
}

/// Where a call stopped.
enum Stopped {
    Waiting,
    Instantiating(wasmtime::Error),
    Running(wasmtime::Error),
}

impl Connector {
    pub(crate) fn new(
        host: Arc<HostInner>,
        bindings: BindingsPre<State>,
        manifest: Manifest,
        facts: ComponentFacts,
        policy: Arc<Policy>,
        client: Client,
    ) -> Self {
        Self { inner: Arc::new(ConnectorInner { host, bindings, manifest, facts, policy, client }) }
    }

    /// The manifest that it was loaded with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// What was found out about the component.
    #[must_use]
    pub fn facts(&self) -> &ComponentFacts {
        &self.inner.facts
    }

    /// Where its requests may go.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// The form that a user fills in to connect.
    pub async fn describe_connection(&self) -> Result<Reply<ConnectionType>, CallError> {
        let what = What::offline("connection.describe", None);
        self.certain(what, |guest, store, _| {
            Box::pin(async move { guest.automation_connector_connection().call_describe(store).await })
        })
        .await
    }

    /// Tries the connection and changes nothing.
    pub async fn test_connection(&self, call: &Call) -> Result<Reply<ConnectionReport>, CallError> {
        let (what, context) = What::with("connection.test", None, call);
        self.fallible(what, |guest, store, left| {
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
        self.fallible(what, |guest, store, _| {
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
        self.fallible(what, |guest, store, _| {
            Box::pin(async move { guest.automation_connector_operations().call_describe(store, &request).await })
        })
        .await
    }

    /// The JSON Schema of one kind of object, by the name that a schema's `x-object` gives.
    pub async fn object_schema(&self, name: &str) -> Result<Reply<String>, CallError> {
        let what = What::offline("operations.object-schema", None);
        let name = name.to_owned();
        self.fallible(what, |guest, store, _| {
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
        self.fallible(what, |guest, store, left| {
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
        self.fallible(what, |guest, store, left| {
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
        self.fallible(what.of(state.as_ref()), |guest, store, left| {
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
        self.fallible(what, |guest, store, left| {
            let context = context.within(left);
            Box::pin(async move { guest.automation_connector_triggers().call_load(store, &context, &payload).await })
        })
        .await
    }

    /// Makes the service deliver events to a URL.
    pub async fn subscribe(&self, call: &Call, request: SubscriptionRequest) -> Result<Reply<Subscription>, CallError> {
        let (what, context) = What::with("triggers.subscribe", None, call);
        let what = what.of(request.state.as_ref());
        let request = request.for_guest();
        self.fallible(what, |guest, store, left| {
            let context = context.within(left);
            Box::pin(
                async move { guest.automation_connector_triggers().call_subscribe(store, &context, &request).await },
            )
        })
        .await
        .map(|reply| reply.into::<Subscription>().hiding(|made| Some(&made.state)))
    }

    /// Looks whether a subscription is still as it was made, mends what is not, and prolongs it where it expires.
    pub async fn renew(&self, call: &Call, state: &SubscriptionState) -> Result<Reply<Subscription>, CallError> {
        let (what, context) = What::with("triggers.renew", None, call);
        let state = state.clone();
        self.fallible(what.of(Some(&state)), |guest, store, left| {
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
        self.fallible(what.of(Some(&state)), |guest, store, left| {
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
        self.fallible(what, |guest, store, left| {
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
        self.fallible(what, |guest, store, left| {
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
        self.fallible(what, |guest, store, _| {
            Box::pin(async move { guest.automation_connector_triggers().call_sample(store, &trigger).await })
        })
        .await
    }

    /// Every kind of object that the connector knows.
    pub async fn list_resources(&self) -> Result<Reply<Vec<ResourceType>>, CallError> {
        let what = What::offline("resources.list", None);
        self.certain(what, |guest, store, _| {
            Box::pin(async move { guest.automation_connector_resources().call_list(store).await })
        })
        .await
    }

    /// The resource that an id belongs to.
    pub async fn resolve_resource(&self, id: &str) -> Result<Reply<Option<String>>, CallError> {
        let what = What::offline("resources.resolve", None);
        let id = id.to_owned();
        self.certain(what, |guest, store, _| {
            Box::pin(async move { guest.automation_connector_resources().call_resolve(store, &id).await })
        })
        .await
    }

    /// A page of objects to choose from.
    pub async fn choices(&self, call: &Call, request: ChoiceRequest) -> Result<Reply<ChoicePage>, CallError> {
        let (what, context) = What::with("resources.choices", None, call);
        self.fallible(what, |guest, store, left| {
            let context = context.within(left);
            Box::pin(
                async move { guest.automation_connector_resources().call_choices(store, &context, &request).await },
            )
        })
        .await
    }

    /// A function without errors of its own.
    async fn certain<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>, Duration) -> Guest<'a, T> + Send,
        T: Send,
    {
        let (result, report) = self.run(what, function).await;
        self.finish(result.map(Ok), report)
    }

    /// A function with errors of its own.
    async fn fallible<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>, Duration) -> Guest<'a, Result<T, Error>> + Send,
        T: Send,
    {
        let (result, report) = self.run(what, function).await;
        self.finish(result, report)
    }

    fn finish<T>(
        &self,
        result: Result<Result<T, Error>, PlatformError>,
        mut report: CallReport,
    ) -> Result<Reply<T>, CallError> {
        report.outcome = match &result {
            Ok(Ok(_)) => CallOutcome::Ok,
            Ok(Err(_)) => CallOutcome::ConnectorError,
            Err(_) => CallOutcome::PlatformFailure,
        };
        report.log(&self.inner.manifest.id);
        match result {
            Ok(Ok(value)) => Ok(Reply { value, report }),
            Ok(Err(error)) => Err(CallError::Connector(Box::new(ConnectorFailure { error, report }))),
            Err(error) => Err(CallError::Platform(Box::new(PlatformFailure { error, report }))),
        }
    }

    /// Runs one function of the guest in a store of its own. It is told what is left of the call's time.
    async fn run<T, F>(&self, mut what: What<'_>, function: F) -> (Result<T, PlatformError>, CallReport)
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>, Duration) -> Guest<'a, T> + Send,
        T: Send,
    {
        let ConnectorInner { host, bindings, manifest, policy, client, .. } = &*self.inner;
        let limits = &manifest.limits;
        let (began, clock) = (SystemTime::now(), Instant::now());
        let asked = what.call.and_then(|call| call.invocation.timeout);
        let told = asked.map_or(limits.call_timeout, |asked| asked.min(limits.call_timeout));
        // A function without a call is told no time, and so needs none to keep to it.
        let limit = if what.call.is_some() { told.saturating_add(GRACE) } else { told };

        let log = EgressLog::default();
        let injections = std::mem::take(&mut what.injections);
        let hooks = Hooks::new(client.clone(), Arc::clone(policy), log.clone(), injections);
        let mut store = Store::new(&host.engine, State::new(hooks, limits));
        State::limit(&mut store, limits);
        let meter = Meter::new(limits.cpu);
        meter.watch(&mut store);

        let mut instantiate = None;
        let guest = meter.run(async {
            let _room = host.room.acquire().await.map_err(|_| Stopped::Waiting)?;
            let started = Instant::now();
            instantiate = Some(Duration::ZERO);
            let guest = bindings.instantiate_async(&mut store).await.map_err(Stopped::Instantiating)?;
            instantiate = Some(started.elapsed());
            let left = told.saturating_sub(clock.elapsed());
            function(&guest, &mut store, left).await.map_err(Stopped::Running)
        });
        let result = tokio::time::timeout(limit, guest).await;

        let state = store.data();
        let result = match result {
            Ok(Ok(value)) => Ok(value),
            _ if meter.exceeded() => Err(PlatformError::Cpu { limit: limits.cpu }),
            Ok(Err(Stopped::Waiting)) => Err(PlatformError::Busy { most: host.config.calls }),
            Err(_) if instantiate.is_none() => Err(PlatformError::Busy { most: host.config.calls }),
            Err(_) => Err(PlatformError::Timeout { limit }),
            Ok(Err(Stopped::Instantiating(_) | Stopped::Running(_))) if state.memory.refused => {
                Err(PlatformError::Memory { limit: limits.memory })
            }
            Ok(Err(Stopped::Instantiating(error))) => Err(PlatformError::Instantiate(reason(&error))),
            Ok(Err(Stopped::Running(error))) => Err(match error.downcast_ref::<I32Exit>() {
                Some(exit) => PlatformError::Exit(exit.0),
                None => PlatformError::Trap(error.root_cause().to_string()),
            }),
        };

        let (requests, denials) = log.close();
        let stderr = state.stderr.text();
        let report = CallReport {
            function: what.function,
            operation: what.operation.map(str::to_owned),
            invocation: what.call.map(|call| call.invocation.id.clone()),
            idempotency_key: what.call.and_then(|call| call.invocation.idempotency_key.clone()),
            began,
            history: what.call.and_then(|call| call.invocation.history),
            outcome: CallOutcome::Ok,
            duration: clock.elapsed(),
            instantiate: instantiate.unwrap_or_default(),
            cpu: meter.used(),
            memory_peak: state.memory.peak,
            requests,
            denials,
            stdout_bytes: state.stdout.total(),
            stderr_bytes: state.stderr.total(),
            stderr: what.redact(stderr),
        };
        (result, report)
    }
}
