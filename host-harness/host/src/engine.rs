//! The WebAssembly engine that all connectors of a process share: how it is set up, its compiled-code cache, its room for
//! calls and the clock that interrupts guests. What it compiles is in `component`, what runs in it is in `call`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Config, Enabled, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::budget::Budget;
use crate::cache::{Cache, CacheFolder};
use crate::egress::NetworkConfig;
use crate::error::HostError;
use crate::lanes::Lanes;
use crate::machine;
use crate::manifest::Limits;
use crate::observer::Observer;
use crate::stats::Counters;
use crate::turns::Turns;

/// Between two looks at a guest that does not return, and so the longest that it keeps a thread to itself. A call of usual
/// length ends within the first.
const TICK: Duration = Duration::from_millis(2);

/// Core instances of one component: its own module, the adapter's and the ones that join them. Components that
/// `wasm32-wasip2` makes have four to six.
pub(crate) const MOST_INSTANCES: usize = 20;
/// Tables of one component, with the ones that join its modules.
pub(crate) const MOST_TABLES: usize = 20;
/// Elements of one table: function pointers. A large program has some thousands.
pub(crate) const MOST_TABLE_ELEMENTS: usize = 20_000;
/// Memories of one component: adapters share the main module's.
pub(crate) const MOST_MEMORIES: usize = 1;

/// Two calls with the largest answers, side by side.
const LITTLE_MEMORY: usize = 128 << 20;

/// Longer than most calls; the clock then rests until the next one.
const RESTS_AFTER: u32 = 500;

/// How a host is set up. The default is right for a command line and for a server.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where compiled code is kept.
    pub cache: CacheFolder,
    /// How many calls run at once; more wait for their turn. Each reserves 4 GiB of address space, and uses what it touches.
    /// Each takes some of the mappings that Linux gives a process as well: its 65,530 (`vm.max_map_count`) are enough for
    /// some 10,000 calls.
    pub calls: u32,
    /// How many calls may wait for their turn; more are refused ([`Busy::Queue`](crate::Busy)).
    pub waiting: u32,
    /// The most that a call of any connector may use, whatever its manifest asks for: of each limit the smaller one holds.
    pub limits: Limits,
    /// The memory that all running guests may have together beyond 2 MiB each, in bytes. A guest that finds it used up
    /// waits for others to end, within its time; one at a time may go over it, up to the limit of its call. By default a
    /// sixteenth of what the process may have: less keeps a hostile component smaller, and makes calls with large answers
    /// wait for each other sooner.
    pub memory_in_all: usize,
    /// The most that crosses from a guest to the host at once, in bytes: a result with everything in it. Each crossing of
    /// a call has the same limit; what a result points at twice counts twice.
    pub result: usize,
    /// The largest component that is loaded, in bytes. Compiling takes memory and time of many times its size.
    pub component: usize,
    /// How long compiling a component may take. What takes longer is not loaded; its thread, which nothing can stop, still
    /// ends by itself.
    pub compile_time: Duration,
    /// Whether to reserve room for all calls beforehand, which makes starting one cheaper. Where the address space
    /// cannot be had, the host does without.
    pub pooling: bool,
    /// How the network is reached.
    pub network: NetworkConfig,
}

impl Default for HostConfig {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        let limits = Limits {
            // A page of large objects, read whole, takes a tenth of it.
            memory: 512 << 20,
            // Mapping the largest page takes a second of a slow machine.
            cpu: seconds(10),
            // An hour is a job of its own, and no call.
            call_timeout: seconds(900),
            first_byte_timeout: seconds(300),
            between_bytes_timeout: seconds(120),
            response: 64 << 20,
            input: 16 << 20,
            // What one request may carry.
            file: Some(20 << 20),
        };
        Self {
            cache: CacheFolder::User,
            calls: 4096,
            // As many as come back at once when a service has been away for a minute.
            waiting: 16_384,
            limits,
            memory_in_all: machine::memory().map_or(LITTLE_MEMORY, |memory| (memory / 16).max(LITTLE_MEMORY)),
            result: 64 << 20,
            // Interpreted languages bring their interpreter: ten megabytes and more.
            component: 64 << 20,
            // Ten megabytes in a debug build of the compiler on one slow core.
            compile_time: seconds(180),
            pooling: true,
            network: NetworkConfig::default(),
        }
    }
}

/// The engine, and what belongs to it for as long as it lives.
pub(crate) struct Engine {
    pub(crate) inner: wasmtime::Engine,
    pub(crate) cache: Option<Cache>,
    /// Room for calls.
    pub(crate) room: Arc<Turns>,
    /// Leave to compute for long: half of the machine's cores, so that the others serve everybody else.
    pub(crate) computing: Arc<Turns>,
    /// What is done one after the other.
    pub(crate) lanes: Lanes,
    /// The memory of all guests.
    pub(crate) budget: Arc<Budget>,
    pub(crate) config: HostConfig,
    pub(crate) counters: Counters,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Whether room for calls is reserved beforehand.
    pub(crate) pooled: bool,
    clock: Arc<Clock>,
}

impl Engine {
    /// An engine of this set-up, and the thread that lets its epoch go by.
    pub(crate) fn start(config: HostConfig, observer: Option<Arc<dyn Observer>>) -> Result<Self, HostError> {
        let (inner, pooled) = engine(&config)?;
        let cache = Cache::open(&config.cache);
        let places = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let room = Turns::new(places(config.calls), places(config.waiting));
        let clock = Clock::start(&inner, &room)?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        // Everybody who has room may compute in turn: the room is the bound.
        let computing = Turns::new(cores / 2, usize::MAX);
        let budget = Budget::new(config.memory_in_all);
        let (lanes, counters) = (Lanes::default(), Counters::default());
        Ok(Self { inner, cache, room, computing, lanes, budget, config, counters, observer, pooled, clock })
    }

    /// Makes the epoch go by. Whatever runs guests says so first.
    pub(crate) fn wake(&self) {
        self.clock.wake();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.clock.stop();
    }
}

/// The engine, and whether it pools.
fn engine(config: &HostConfig) -> Result<(wasmtime::Engine, bool), HostError> {
    let mut settings = Config::new();
    settings.wasm_component_model(true);
    settings.epoch_interruption(true);
    settings.concurrency_support(false);
    settings.cranelift_opt_level(OptLevel::Speed);
    // Enough for a name in a trap's message, and no second copy of the component's debug information.
    settings.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(8));
    // 32-bit memories in a reservation of all that they can address need no bounds checks.
    settings.memory_reservation(4 << 30);
    settings.memory_init_cow(true);
    if config.pooling {
        let mut pooling = settings.clone();
        pooling.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
        match wasmtime::Engine::new(&pooling) {
            Ok(engine) => return Ok((engine, true)),
            Err(error) => tracing::warn!(%error, "room for calls is not reserved beforehand"),
        }
    }
    settings.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = wasmtime::Engine::new(&settings).map_err(|error| HostError::Engine(error.to_string()))?;
    Ok((engine, false))
}

fn pool(config: &HostConfig) -> PoolingAllocationConfig {
    let each = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let all = |count: usize| config.calls.saturating_mul(each(count));
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(config.calls)
        .total_stacks(config.calls)
        .total_core_instances(all(MOST_INSTANCES))
        .total_memories(all(MOST_MEMORIES))
        .total_tables(all(MOST_TABLES))
        .max_core_instances_per_component(each(MOST_INSTANCES))
        .max_memories_per_component(each(MOST_MEMORIES))
        .max_tables_per_component(each(MOST_TABLES))
        .table_elements(MOST_TABLE_ELEMENTS)
        .max_memory_size(config.limits.memory)
        // Clearing the pages that a call touched costs less than giving them back and faulting them in anew. Which ones
        // those are, Linux 6.7 and later tell; elsewhere only the lowest could be cleared, which are the guest's unused stack.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(if PoolingAllocationConfig::is_pagemap_scan_available() { 1 << 20 } else { 0 })
        .table_keep_resident(16 << 10);
    pool
}

/// The thread that lets the engine's epoch go by. It rests while nothing runs.
struct Clock {
    /// How many more ticks there are before it rests, unless calls are still running.
    left: AtomicU32,
    stopped: AtomicBool,
    room: Arc<Turns>,
    thread: OnceLock<Thread>,
}

impl Clock {
    fn start(engine: &wasmtime::Engine, room: &Arc<Turns>) -> Result<Arc<Self>, HostError> {
        let (left, stopped, room) = (AtomicU32::new(0), AtomicBool::new(false), Arc::clone(room));
        let clock = Arc::new(Self { left, stopped, room, thread: OnceLock::new() });
        let (engine, of_thread) = (engine.weak(), Arc::clone(&clock));
        let ticking = thread::Builder::new().name("host-ticker".to_owned()).spawn(move || of_thread.tick(&engine))?;
        let _ = clock.thread.set(ticking.thread().clone());
        Ok(clock)
    }

    fn wake(&self) {
        if self.left.swap(RESTS_AFTER, Ordering::SeqCst) == 0
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn tick(&self, engine: &EngineWeak) {
        while !self.stopped.load(Ordering::SeqCst) {
            let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
            if left == Ok(0) && self.room.taken() == 0 {
                thread::park();
                continue;
            }
            thread::sleep(TICK);
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    }
}
