//! A loaded connector, and its functions as typed, asynchronous methods.
//!
//! Every call gets a store of its own, its limits and its deadline, and ends with a report whatever happened. One call
//! flows: arguments → store (placeholders for secrets) → guest → result, error or platform failure → report → log.
//!
//! Three clocks run: the guest's computation (`meter`), each request's timeouts (`egress::client`) and the whole call's.
//! The last is a little longer than what the guest is told, so that a guest which keeps to it can still say with an error
//! of its own what is known about the outcome.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime_wasi::I32Exit;

use crate::component::{ComponentFacts, reason};
use crate::connection::Call;
use crate::contract::{
    self, ActionResult, Bindings, BindingsPre, CallContext, ChoicePage, ChoiceRequest, ConnectionReport,
    ConnectionType, Error, Event, Operation, OperationFilter, OperationKind, OperationSummary, PollResult, QueryResult,
    Receipt, ResourceType, ResultMetadata, Subscription, SubscriptionRequest, WebhookRequest,
};
use crate::egress::{Client, EgressLog, Hooks, Policy};
use crate::error::{CallError, ConnectorFailure, PlatformError, PlatformFailure};
use crate::host::HostInner;
use crate::manifest::Manifest;
use crate::meter::Meter;
use crate::report::{CallOutcome, CallReport};
use crate::secret::Injection;
use crate::store::State;

/// What the host waits longer than the guest was told.
const GRACE: Duration = Duration::from_millis(250);

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

/// A running guest function.
type Guest<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// What a call is, for its report and its limits.
struct What<'a> {
    function: &'static str,
    operation: Option<&'a str>,
    call: Option<&'a Call>,
    injections: Arc<[Injection]>,
}

impl<'a> What<'a> {
    /// A function that needs no connection.
    fn offline(function: &'static str, operation: Option<&'a str>) -> Self {
        Self { function, operation, call: None, injections: Arc::new([]) }
    }

    /// A function of a connection, and what the guest gets of it.
    fn with(function: &'static str, operation: Option<&'a str>, call: &'a Call) -> (Self, CallContext) {
        let (connection, injections) = call.connection.for_guest();
        let invocation = &call.invocation;
        let context = CallContext {
            connection,
            invocation: contract::Invocation {
                id: invocation.id.clone(),
                idempotency_key: invocation.idempotency_key.clone(),
                timeout: invocation.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
            },
        };
        (Self { function, operation, call: Some(call), injections: injections.into() }, context)
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
        self.certain(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_connection().call_describe(store).await })
        })
        .await
    }

    /// Tries the connection and changes nothing.
    pub async fn test_connection(&self, call: &Call) -> Result<Reply<ConnectionReport>, CallError> {
        let (what, context) = What::with("connection.test", None, call);
        self.fallible(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_connection().call_test(store, &context).await })
        })
        .await
    }

    /// The operations that pass the filter.
    pub async fn list_operations(&self, filter: OperationFilter) -> Result<Reply<Vec<OperationSummary>>, CallError> {
        let what = What::offline("operations.list", None);
        self.certain(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_operations().call_list(store, &filter).await })
        })
        .await
    }

    /// Everything about one operation.
    pub async fn describe_operation(
        &self,
        id: &str,
        kind: Option<OperationKind>,
    ) -> Result<Reply<Operation>, CallError> {
        let what = What::offline("operations.describe", Some(id));
        let id = id.to_owned();
        self.fallible(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_operations().call_describe(store, &id, kind).await })
        })
        .await
    }

    /// Runs an action. `input` is JSON text.
    pub async fn run_action(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
    ) -> Result<Reply<ActionResult>, CallError> {
        let (what, context) = What::with("actions.run", Some(operation), call);
        let (operation, input) = (operation.to_owned(), input.to_owned());
        self.fallible(what, |guest, store| {
            Box::pin(
                async move { guest.automation_connector_actions().call_run(store, &context, &operation, &input).await },
            )
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
        self.fallible(what, |guest, store| {
            Box::pin(async move {
                guest
                    .automation_connector_queries()
                    .call_run(store, &context, &operation, &input, cursor.as_deref())
                    .await
            })
        })
        .await
    }

    /// Checks a webhook request and says which events it holds.
    pub async fn receive(&self, call: &Call, request: WebhookRequest) -> Result<Reply<Receipt>, CallError> {
        let (what, context) = What::with("triggers.receive", None, call);
        self.fallible(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_triggers().call_receive(store, &context, &request).await })
        })
        .await
    }

    /// Makes the service deliver events to a URL.
    pub async fn subscribe(&self, call: &Call, request: SubscriptionRequest) -> Result<Reply<Subscription>, CallError> {
        let (what, context) = What::with("triggers.subscribe", None, call);
        self.fallible(what, |guest, store| {
            Box::pin(
                async move { guest.automation_connector_triggers().call_subscribe(store, &context, &request).await },
            )
        })
        .await
    }

    /// Stops the delivery of these triggers to a URL; of all of them without `triggers`.
    pub async fn unsubscribe(
        &self,
        call: &Call,
        callback_url: &str,
        triggers: Option<Vec<String>>,
    ) -> Result<Reply<ResultMetadata>, CallError> {
        let (what, context) = What::with("triggers.unsubscribe", None, call);
        let callback_url = callback_url.to_owned();
        self.fallible(what, |guest, store| {
            Box::pin(async move {
                guest
                    .automation_connector_triggers()
                    .call_unsubscribe(store, &context, &callback_url, triggers.as_deref())
                    .await
            })
        })
        .await
    }

    /// Fetches the events of these triggers since a cursor.
    pub async fn poll(
        &self,
        call: &Call,
        triggers: Vec<String>,
        cursor: Option<&str>,
    ) -> Result<Reply<PollResult>, CallError> {
        let (what, context) = What::with("triggers.poll", None, call);
        let cursor = cursor.map(str::to_owned);
        self.fallible(what, |guest, store| {
            Box::pin(async move {
                guest.automation_connector_triggers().call_poll(store, &context, &triggers, cursor.as_deref()).await
            })
        })
        .await
    }

    /// An event of the right shape.
    pub async fn sample(&self, trigger: &str) -> Result<Reply<Event>, CallError> {
        let what = What::offline("triggers.sample", Some(trigger));
        let trigger = trigger.to_owned();
        self.fallible(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_triggers().call_sample(store, &trigger).await })
        })
        .await
    }

    /// Every kind of object that the connector knows.
    pub async fn list_resources(&self) -> Result<Reply<Vec<ResourceType>>, CallError> {
        let what = What::offline("resources.list", None);
        self.certain(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_resources().call_list(store).await })
        })
        .await
    }

    /// The resource that an id belongs to.
    pub async fn resolve_resource(&self, id: &str) -> Result<Reply<Option<String>>, CallError> {
        let what = What::offline("resources.resolve", None);
        let id = id.to_owned();
        self.certain(what, |guest, store| {
            Box::pin(async move { guest.automation_connector_resources().call_resolve(store, &id).await })
        })
        .await
    }

    /// A page of objects to choose from.
    pub async fn choices(&self, call: &Call, request: ChoiceRequest) -> Result<Reply<ChoicePage>, CallError> {
        let (what, context) = What::with("resources.choices", None, call);
        self.fallible(what, |guest, store| {
            Box::pin(
                async move { guest.automation_connector_resources().call_choices(store, &context, &request).await },
            )
        })
        .await
    }

    /// A function without errors of its own.
    async fn certain<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>) -> Guest<'a, T> + Send,
        T: Send,
    {
        let (result, report) = self.run(what, function).await;
        self.finish(result.map(Ok), report)
    }

    /// A function with errors of its own.
    async fn fallible<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>) -> Guest<'a, Result<T, Error>> + Send,
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

    /// Runs one function of the guest in a store of its own.
    async fn run<T, F>(&self, what: What<'_>, function: F) -> (Result<T, PlatformError>, CallReport)
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>) -> Guest<'a, T> + Send,
        T: Send,
    {
        let ConnectorInner { host, bindings, manifest, policy, client, .. } = &*self.inner;
        let limits = &manifest.limits;
        let began = Instant::now();
        let asked = what.call.and_then(|call| call.invocation.timeout);
        let limit = asked.map_or(limits.call_timeout, |asked| asked.saturating_add(GRACE).min(limits.call_timeout));

        let log = EgressLog::default();
        let hooks = Hooks::new(client.clone(), Arc::clone(policy), log.clone(), what.injections);
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
            function(&guest, &mut store).await.map_err(Stopped::Running)
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
            outcome: CallOutcome::Ok,
            duration: began.elapsed(),
            instantiate: instantiate.unwrap_or_default(),
            cpu: meter.used(),
            memory_peak: state.memory.peak,
            requests,
            denials,
            stdout_bytes: state.stdout.total(),
            stderr_bytes: state.stderr.total(),
            stderr: match what.call {
                Some(call) => call.connection.redact(stderr),
                None => stderr,
            },
        };
        (result, report)
    }
}
