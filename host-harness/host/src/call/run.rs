//! Running one function of a guest, from a fresh store to a report.
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

use super::meter::Meter;
use super::reply::Reply;
use super::store::State;
use super::what::What;
use crate::contract::{Bindings, BindingsPre, Error};
use crate::egress::{Client, EgressLog, Hooks, Policy};
use crate::engine::Engine;
use crate::error::reason;
use crate::failure::{CallError, ConnectorFailure, PlatformError, PlatformFailure};
use crate::manifest::Manifest;
use crate::report::{CallOutcome, CallReport};

/// What the host waits longer than the guest was told. A guest needs a millisecond to say that its time is over; the rest
/// is for a machine on which many calls reach that point at once.
const GRACE: Duration = Duration::from_millis(500);

/// A running guest function.
pub(crate) type Guest<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// Where a call stopped.
enum Stopped {
    Waiting,
    Instantiating(wasmtime::Error),
    Running(wasmtime::Error),
}

/// Runs the functions of one component, with what was granted to it.
pub(crate) struct Runner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) bindings: BindingsPre<State>,
    pub(crate) manifest: Manifest,
    pub(crate) policy: Arc<Policy>,
    pub(crate) client: Client,
}

impl Runner {
    /// A function without errors of its own.
    pub(crate) async fn certain<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
    where
        F: for<'a> FnOnce(&'a Bindings, &'a mut Store<State>, Duration) -> Guest<'a, T> + Send,
        T: Send,
    {
        let (result, report) = self.run(what, function).await;
        self.finish(result.map(Ok), report)
    }

    /// A function with errors of its own.
    pub(crate) async fn fallible<T, F>(&self, what: What<'_>, function: F) -> Result<Reply<T>, CallError>
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
        report.log(&self.manifest.id);
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
        let Self { engine, bindings, manifest, policy, client } = self;
        let limits = &manifest.limits;
        let (began, clock) = (SystemTime::now(), Instant::now());
        let asked = what.call.and_then(|call| call.invocation.timeout);
        let told = asked.map_or(limits.call_timeout, |asked| asked.min(limits.call_timeout));
        // A function without a call is told no time, and so needs none to keep to it.
        let limit = if what.call.is_some() { told.saturating_add(GRACE) } else { told };

        let log = EgressLog::default();
        let injections = std::mem::take(&mut what.injections);
        let hooks = Hooks::new(client.clone(), Arc::clone(policy), log.clone(), injections);
        let mut store = Store::new(&engine.inner, State::new(hooks, limits));
        State::limit(&mut store, limits);
        let meter = Meter::new(limits.cpu);
        meter.watch(&mut store);

        let mut instantiate = None;
        let guest = meter.run(async {
            let _room = engine.room.acquire().await.map_err(|_| Stopped::Waiting)?;
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
            Ok(Err(Stopped::Waiting)) => Err(PlatformError::Busy { most: engine.config.calls }),
            Err(_) if instantiate.is_none() => Err(PlatformError::Busy { most: engine.config.calls }),
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
