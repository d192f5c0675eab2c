//! Running one function of a guest, from its turn over a fresh store to a report.
//!
//! Three clocks run: the guest's computation (`meter`), each request's timeouts (`egress::client`) and the whole call's.
//! The last is a little longer than what the guest is told, so that a guest which keeps to it can still say with an error
//! of its own what is known about the outcome. What the guest is told is always a time, never "as you like", and it is
//! what is left of the call when the guest begins: waiting for room has used some of it.

#![expect(clippy::result_large_err, reason = "an error is the contract's own type, as the component gave it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::Instrument;
use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, InstancePre, Lift, Lower};
use wasmtime_wasi::I32Exit;

use super::memory::MemoryLimit;
use super::network::Network;
use super::record::Record;
use super::reply::Reply;
use super::running::Running;
use super::store::State;
use super::verdict::overrule;
use super::what::What;
use crate::budget::Share;
use crate::caps::Cap;
use crate::contract::{Error, Function, Functions, Hide, SubscriptionState};
use crate::egress::{Client, Policy};
use crate::engine::Engine;
use crate::error::reason;
use crate::failure::{Busy, CallError, ConnectorFailure, PlatformError, PlatformFailure};
use crate::manifest::{Limits, Manifest};
use crate::report::CallOutcome;
use crate::secret::Scrubber;
use crate::turns::NoTurn;

/// What the host waits longer than the guest was told. A guest needs a millisecond to say that its time is over; the rest
/// is for a machine on which many calls reach that point at once.
const GRACE: Duration = Duration::from_millis(500);

/// Where a call stopped.
enum Stopped {
    InLane,
    Waiting(NoTurn),
    Instantiating(wasmtime::Error),
    Running(wasmtime::Error),
}

/// What a function's answer means, when these secrets are taken out of it.
type Meaning<R, T> = fn(R, Option<&Scrubber>) -> Result<T, Error>;

/// What a function's answer means.
pub(crate) struct Answer<R, T> {
    of: Meaning<R, T>,
    /// A secret of the result's that nothing may show.
    secret: fn(&T) -> Option<&SubscriptionState>,
}

impl<T> Answer<T, T> {
    /// Of a function without errors of its own. It has no connection, and so no secrets.
    pub(crate) fn certain() -> Self {
        Self { of: |answer, _| Ok(answer), secret: |_| None }
    }
}

fn without<T: Hide>(mut answer: Result<T, Error>, secrets: Option<&Scrubber>) -> Result<T, Error> {
    if let Some(secrets) = secrets {
        answer.hide(secrets);
    }
    answer
}

impl<T: Hide> Answer<Result<T, Error>, T> {
    /// Of a function with errors of its own.
    pub(crate) fn fallible() -> Self {
        Self { of: without, secret: |_| None }
    }
}

impl<R: Hide, T: From<R>> Answer<Result<R, Error>, T> {
    /// Of one whose result holds the state of a subscription.
    pub(crate) fn with_state(secret: fn(&T) -> Option<&SubscriptionState>) -> Self {
        Self { of: |answer, secrets| without(answer, secrets).map(T::from), secret }
    }
}

/// Runs the functions of one component, with what was granted to it.
pub(crate) struct Runner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) component: InstancePre<State>,
    pub(crate) functions: Functions,
    pub(crate) connector: Arc<str>,
    /// The tenant of calls without one.
    pub(crate) nobody: Arc<str>,
    pub(crate) manifest: Manifest,
    /// What holds of the manifest's limits and the operator's.
    pub(crate) limits: Limits,
    pub(crate) capped: Arc<[Cap]>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) client: Client,
}

impl Runner {
    /// Runs a function. `params` makes its arguments when the guest is there, of the time that is left; `answer` takes the
    /// connector's own errors apart from results, and knows of a new secret in a result.
    pub(crate) fn start<P, R, T>(
        self: &Arc<Self>,
        function: Function<P, R>,
        what: What,
        params: impl FnOnce(Duration) -> P + Send + 'static,
        answer: Answer<R, T>,
    ) -> Running<T>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
        T: Send + 'static,
    {
        let Self { engine, connector, limits, capped, .. } = &**self;
        let record = Record::begin(engine, connector, what, limits.cpu, capped);
        let (runner, of_work) = (Arc::clone(self), Arc::clone(&record));
        let span = record.span();
        let work = async move {
            let result = runner.run(&of_work, function, params).await;
            let result = result.map(|said| (answer.of)(said, of_work.what.scrubber()));
            finish(&of_work, result, answer.secret)
        };
        Running::new(record, Box::pin(work.instrument(span)))
    }

    /// Runs one function of the guest in a store of its own. It is told what is left of the call's time.
    async fn run<P, R>(
        &self,
        record: &Arc<Record>,
        function: Function<P, R>,
        params: impl FnOnce(Duration) -> P + Send,
    ) -> Result<R, PlatformError>
    where
        P: ComponentNamedList + Lower + Send + Sync + 'static,
        R: Lift + Send + Sync + 'static,
        (R,): ComponentNamedList + Lift,
    {
        let Self { engine, limits, .. } = self;
        let call = record.what.call.as_ref();
        let asked = call.and_then(|call| call.invocation.timeout);
        let told = asked.map_or(limits.call_timeout, |asked| asked.min(limits.call_timeout));
        // A function without a call is told no time, and so needs none to keep to it.
        let limit = if call.is_some() { told.saturating_add(GRACE) } else { told };
        let tenant = call.and_then(|call| call.tenant.as_ref()).unwrap_or(&self.nobody);

        let in_lane = AtomicBool::new(true);
        let work = async {
            // What waits holds nothing.
            let _lane = match &record.what.lane {
                Some(lane) => Some(lane.enter(&self.nobody).await.map_err(|_| Stopped::InLane)?),
                None => None,
            };
            in_lane.store(false, Ordering::Relaxed);
            let _room = engine.room.enter(tenant).await.map_err(Stopped::Waiting)?;
            record.has_room();
            engine.wake();
            let started = Instant::now();
            let mut store = self.store(record);
            let guest = async {
                let guest = self.component.instantiate_async(&mut store).await.map_err(Stopped::Instantiating)?;
                let function =
                    guest.get_typed_func::<P, (R,)>(&mut store, function.index).map_err(Stopped::Instantiating)?;
                record.instantiated(started.elapsed());
                let params = params(told.saturating_sub(record.clock.elapsed()));
                let (result,) = function.call_async(&mut store, params).await.map_err(Stopped::Running)?;
                Ok(result)
            };
            record.meter.run(guest, &engine.computing, tenant).await
        };
        let result = tokio::time::timeout(limit, work).await;

        Err(match result {
            Ok(Ok(value)) => return Ok(value),
            _ if record.meter.exceeded() => PlatformError::Cpu { limit: limits.cpu },
            Err(_) if in_lane.load(Ordering::Relaxed) => PlatformError::Busy(Busy::Subscriptions),
            Ok(Err(Stopped::InLane)) => PlatformError::Busy(Busy::Subscriptions),
            Err(_) if record.waits() => PlatformError::Busy(Busy::Room { most: engine.config.calls }),
            Err(_) if record.memory.waiting() => {
                PlatformError::Busy(Busy::Memory { most: engine.config.memory_in_all })
            }
            Err(_) => PlatformError::Timeout { limit },
            Ok(Err(Stopped::Waiting(NoTurn::Full(_)))) => {
                PlatformError::Busy(Busy::Queue { longest: engine.config.waiting })
            }
            Ok(Err(Stopped::Waiting(NoTurn::Closed))) => PlatformError::Busy(Busy::Draining),
            Ok(Err(_)) if record.memory.refused() => PlatformError::Memory { limit: limits.memory },
            Ok(Err(Stopped::Instantiating(error))) => PlatformError::Instantiate(reason(&error)),
            Ok(Err(Stopped::Running(error))) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => PlatformError::Exit(exit.0),
                None => PlatformError::Trap(record.what.redact(error.root_cause().to_string())),
            },
        })
    }

    fn store(&self, record: &Record) -> Store<State> {
        let Self { engine, limits, policy, client, .. } = self;
        let hooks = record.what.hooks(client, policy, record.log.clone());
        let trace = record.what.call.as_ref().and_then(|call| call.trace.as_ref()).map(|trace| trace.header().clone());
        let network = Network::new(hooks, Arc::clone(&record.meter), trace, Arc::clone(&record.masked));
        let memory = MemoryLimit::new(limits.memory, Share::new(&engine.budget), Arc::clone(&record.memory));
        let state = State::new(network, memory, record.stdout.clone(), record.stderr.clone());
        let mut store = Store::new(&engine.inner, state);
        // One crossing carries at most a result: an answer, once as it came and once mapped, each no longer as JSON text
        // than twice its size on the wire.
        let result = usize::try_from(limits.response.saturating_mul(4)).unwrap_or(usize::MAX);
        State::limit(&mut store, result.min(engine.config.result));
        record.meter.watch(&mut store);
        store
    }
}

fn finish<T>(
    record: &Record,
    result: Result<Result<T, Error>, PlatformError>,
    secret: fn(&T) -> Option<&SubscriptionState>,
) -> Result<Reply<T>, CallError> {
    if let Ok(Ok(value)) = &result {
        record.hide(secret(value));
    }
    let outcome = match &result {
        Ok(Ok(_)) => CallOutcome::Ok,
        Ok(Err(_)) => CallOutcome::ConnectorError,
        Err(_) => CallOutcome::PlatformFailure,
    };
    let report = record.finish(outcome);
    match result {
        Ok(Ok(value)) => Ok(Reply { value, report }),
        Ok(Err(mut error)) => {
            overrule(&mut error, &report);
            Err(CallError::Connector(Box::new(ConnectorFailure { error, report })))
        }
        Err(error) => Err(CallError::Platform(Box::new(PlatformFailure { error, report }))),
    }
}
