//! The WebAssembly engine that all connectors of a process share: how it is set up, its compiled-code cache, its room for
//! calls and the clock that interrupts guests. What it compiles is in `component`, what runs in it is in `call`.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::cache::{Cache, CacheFolder};
use crate::error::HostError;

/// Between two looks at a guest that does not return. A call of usual length ends within the first.
const TICK: Duration = Duration::from_millis(10);

/// Core instances of one component: its own module, the adapter's and the ones that join them. Components that
/// `wasm32-wasip2` makes have four to six.
pub(crate) const MOST_INSTANCES: usize = 20;
/// Tables of one component, with the ones that join its modules.
pub(crate) const MOST_TABLES: usize = 20;
/// Elements of one table: function pointers. A large program has some thousands.
pub(crate) const MOST_TABLE_ELEMENTS: usize = 20_000;
/// Memories of one component: adapters share the main module's.
pub(crate) const MOST_MEMORIES: usize = 1;

/// How a host is set up. The default is right for a command line and for a server.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Where compiled code is kept.
    pub cache: CacheFolder,
    /// How many calls run at once; more wait for their turn. Each reserves 4 GiB of address space, and uses what it touches.
    pub calls: u32,
    /// The most memory that any connector may ask for, in bytes.
    pub memory: usize,
    /// Whether to reserve room for all calls beforehand, which makes starting one cheaper. Where the address space
    /// cannot be had, the host does without.
    pub pooling: bool,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { cache: CacheFolder::User, calls: 4096, memory: 512 << 20, pooling: true }
    }
}

/// The engine, and what belongs to it for as long as it lives.
pub(crate) struct Engine {
    pub(crate) inner: wasmtime::Engine,
    pub(crate) cache: Option<Cache>,
    pub(crate) room: Semaphore,
    pub(crate) config: HostConfig,
    /// Whether room for calls is reserved beforehand.
    pub(crate) pooled: bool,
    /// Stops the ticker when it is dropped, and with it the last clone of the host and its connectors.
    _ticker: Sender<()>,
}

impl Engine {
    /// An engine of this set-up, and the thread that lets its epoch go by.
    pub(crate) fn start(config: HostConfig) -> Result<Self, HostError> {
        let (inner, pooled) = engine(&config)?;
        let cache = Cache::open(&config.cache);
        let ticker = ticker(&inner)?;
        let room =
            Semaphore::new(usize::try_from(config.calls).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS));
        Ok(Self { inner, cache, room, config, pooled, _ticker: ticker })
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
        .max_memory_size(config.memory)
        // Clearing the pages that a call touched costs less than giving them back and faulting them in anew. Which ones
        // those are, Linux 6.7 and later tell; elsewhere only the lowest could be cleared, which are the guest's unused stack.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(if PoolingAllocationConfig::is_pagemap_scan_available() { 1 << 20 } else { 0 })
        .table_keep_resident(16 << 10);
    pool
}

/// Starts the thread that lets the engine's epoch go by. It ends when the sender is dropped.
fn ticker(engine: &wasmtime::Engine) -> Result<Sender<()>, HostError> {
    let (sender, receiver) = channel();
    let engine = engine.weak();
    thread::Builder::new().name("host-ticker".to_owned()).spawn(move || {
        while receiver.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
    })?;
    Ok(sender)
}
