//! What one call does, written down while it runs and read from outside: for its report, at any moment and at its end,
//! whichever end that is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use super::memory::MemoryUse;
use super::meter::Meter;
use super::output::Output;
use super::what::What;
use crate::caps::Cap;
use crate::contract::SubscriptionState;
use crate::egress::{Denial, EgressLog, Recorded, Watch};
use crate::engine::Engine;
use crate::observer::{CallId, Observer};
use crate::report::{CallOutcome, CallReport, EgressRecord};

/// Which call it is.
struct Identity {
    connector: Arc<str>,
    function: &'static str,
    operation: Option<String>,
    invocation: Option<String>,
    tenant: Option<Arc<str>>,
}

impl Identity {
    fn id(&self) -> CallId<'_> {
        CallId {
            connector: &self.connector,
            function: self.function,
            operation: self.operation.as_deref(),
            invocation: self.invocation.as_deref(),
            tenant: self.tenant.as_deref(),
        }
    }
}

/// Tells the host's observer what goes over the network.
struct Told {
    observer: Arc<dyn Observer>,
    identity: Arc<Identity>,
}

impl Watch for Told {
    fn request(&self, request: &EgressRecord) {
        self.observer.request(&self.identity.id(), request);
    }

    fn denied(&self, denial: &Denial) {
        self.observer.denied(&self.identity.id(), denial);
    }
}

/// See the module.
pub(super) struct Record {
    pub(super) engine: Arc<Engine>,
    identity: Arc<Identity>,
    pub(super) what: What,
    pub(super) began: SystemTime,
    pub(super) clock: Instant,
    pub(super) log: EgressLog,
    pub(super) meter: Arc<Meter>,
    pub(super) memory: Arc<MemoryUse>,
    pub(super) stdout: Output,
    pub(super) stderr: Output,
    /// A request asked to be taken as one of another method.
    pub(super) masked: Arc<AtomicBool>,
    /// Waiting for room, in nanoseconds, and one more. 0 while it waits.
    waited: AtomicU64,
    instantiate: AtomicU64,
    capped: Arc<[Cap]>,
    made: OnceLock<SubscriptionState>,
    ended: OnceLock<CallOutcome>,
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Record {
    /// The call begins.
    pub(super) fn begin(
        engine: &Arc<Engine>,
        connector: &Arc<str>,
        what: What,
        cpu: Duration,
        capped: &Arc<[Cap]>,
    ) -> Arc<Self> {
        let identity = Arc::new(Identity {
            connector: Arc::clone(connector),
            function: what.function,
            operation: what.operation.clone(),
            invocation: what.invocation().map(|invocation| invocation.id.clone()),
            tenant: what.call.as_ref().and_then(|call| call.tenant.clone()),
        });
        let log = match &engine.observer {
            None => EgressLog::default(),
            Some(observer) => {
                observer.started(&identity.id());
                let told = Told { observer: Arc::clone(observer), identity: Arc::clone(&identity) };
                EgressLog::watched_by(Arc::new(told))
            }
        };
        Arc::new(Self {
            engine: Arc::clone(engine),
            identity,
            what,
            began: SystemTime::now(),
            clock: Instant::now(),
            log,
            meter: Meter::new(cpu),
            memory: Arc::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            masked: Arc::default(),
            waited: AtomicU64::new(0),
            instantiate: AtomicU64::new(0),
            capped: Arc::clone(capped),
            made: OnceLock::new(),
            ended: OnceLock::new(),
        })
    }

    pub(super) fn has_room(&self) {
        self.waited.store(nanoseconds(self.clock.elapsed()).saturating_add(1), Ordering::Relaxed);
    }

    /// Whether it still waits for room.
    pub(super) fn waits(&self) -> bool {
        self.waited.load(Ordering::Relaxed) == 0
    }

    pub(super) fn instantiated(&self, time: Duration) {
        self.instantiate.store(nanoseconds(time), Ordering::Relaxed);
    }

    pub(super) fn span(&self) -> tracing::Span {
        let CallId { connector, function, operation, invocation, tenant } = self.identity.id();
        let trace = self.what.call.as_ref().and_then(|call| call.trace.as_ref()).map(tracing::field::display);
        tracing::info_span!(target: "host::call", "call", connector, function, operation, invocation, tenant, trace)
    }

    /// Nothing shows this secret, which the call brought.
    pub(super) fn hide(&self, made: Option<&SubscriptionState>) {
        if let Some(made) = made {
            let _ = self.made.set(made.clone());
        }
    }

    /// What it did so far. Until it has ended, as if it were cancelled now.
    pub(super) fn so_far(&self) -> CallReport {
        self.report(self.ended.get().copied().unwrap_or(CallOutcome::Cancelled), self.log.so_far())
    }

    /// The call ends so: nothing of it leaves any more, and its observer and the log are told. It ends only once.
    pub(super) fn finish(&self, outcome: CallOutcome) -> CallReport {
        let first = self.ended.set(outcome).is_ok();
        self.log.close();
        let report = self.so_far();
        if first {
            self.engine.counters.count(outcome);
            if let Some(observer) = &self.engine.observer {
                observer.finished(&self.identity.id(), &report);
            }
            report.log(&self.identity.connector);
        }
        report
    }

    fn report(&self, outcome: CallOutcome, recorded: Recorded) -> CallReport {
        let Recorded { mut requests, denials, denied } = recorded;
        if self.masked.load(Ordering::Relaxed) {
            requests.iter_mut().for_each(|request| request.acts = true);
        }
        let invocation = self.what.invocation();
        let nanoseconds = |time: &AtomicU64| Duration::from_nanos(time.load(Ordering::Relaxed));
        CallReport {
            function: self.identity.function,
            operation: self.identity.operation.clone(),
            invocation: self.identity.invocation.clone(),
            idempotency_key: invocation.and_then(|invocation| invocation.idempotency_key.clone()),
            tenant: self.identity.tenant.as_deref().map(str::to_owned),
            began: self.began,
            history: invocation.and_then(|invocation| invocation.history),
            outcome,
            duration: self.clock.elapsed(),
            waited: if self.waits() { self.clock.elapsed() } else { nanoseconds(&self.waited) },
            instantiate: nanoseconds(&self.instantiate),
            cpu: self.meter.used(),
            memory_peak: self.memory.peak(),
            capped: self.capped.to_vec(),
            requests,
            denials,
            denied,
            stdout_bytes: self.stdout.total(),
            stderr_bytes: self.stderr.total(),
            stderr: self.stderr(),
        }
    }

    /// The beginning of what it wrote to its standard error, without the secrets of the call.
    fn stderr(&self) -> String {
        self.stderr.text(|text| {
            let text = self.what.redact(text);
            match self.made.get() {
                Some(state) => state.redact(&text),
                None => text,
            }
        })
    }
}
