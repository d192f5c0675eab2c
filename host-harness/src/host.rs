//! The engine that all connectors of a process share: how it is set up, its compiled-code cache, its room for calls and
//! the clock that interrupts guests. What it loads is in `component`, what runs is in `connector`.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use tokio::sync::Semaphore;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::cache::{Cache, CacheFolder};
use crate::component;
use crate::connector::Connector;
use crate::egress::Grants;
use crate::error::{HostError, LoadError};
use crate::manifest::Manifest;
use crate::meter::TICK;
use crate::store::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES, State};

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

/// What connectors run in. Cheap to clone. One is enough for a process.
#[derive(Clone)]
pub struct Host {
    inner: Arc<HostInner>,
}

pub(crate) struct HostInner {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
    pub(crate) cache: Option<Cache>,
    pub(crate) room: Semaphore,
    pub(crate) config: HostConfig,
    pooled: bool,
    /// Stops the ticker when it is dropped, and with it the last clone of the host and its connectors.
    _ticker: Sender<()>,
}

impl Host {
    /// A host with the default set-up.
    pub fn new() -> Result<Self, HostError> {
        Self::with(HostConfig::default())
    }

    /// A host with this set-up.
    pub fn with(config: HostConfig) -> Result<Self, HostError> {
        let (engine, pooled) = engine(&config)?;
        let linker = component::linker(&engine).map_err(|error| HostError::Engine(error.to_string()))?;
        let cache = Cache::open(&config.cache);
        let ticker = ticker(&engine)?;
        let room =
            Semaphore::new(usize::try_from(config.calls).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS));
        Ok(Self { inner: Arc::new(HostInner { engine, linker, cache, room, config, pooled, _ticker: ticker }) })
    }

    /// Loads a component: checks what it is, what it imports against the manifest and this host, and what it exports
    /// against the contract; compiles it, or takes its code from the cache. Runs nothing of it.
    ///
    /// This computes for as long as compiling takes: seconds for a large component in a debug build.
    pub fn load(&self, component: &[u8], manifest: &Manifest, grants: &Grants) -> Result<Connector, LoadError> {
        let most = self.inner.config.memory;
        if manifest.limits.memory > most {
            let mebibytes = |bytes: usize| (bytes >> 20) as u64;
            return Err(LoadError::Limit {
                key: "limits.memory_mib",
                asked: mebibytes(manifest.limits.memory),
                most: mebibytes(most),
            });
        }
        component::load(&self.inner, component, manifest, grants)
    }

    /// Whether room for calls is reserved beforehand.
    #[must_use]
    pub fn pooled(&self) -> bool {
        self.inner.pooled
    }
}

/// The engine, and whether it pools.
fn engine(config: &HostConfig) -> Result<(Engine, bool), HostError> {
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
        match Engine::new(&pooling) {
            Ok(engine) => return Ok((engine, true)),
            Err(error) => tracing::warn!(%error, "room for calls is not reserved beforehand"),
        }
    }
    settings.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    let engine = Engine::new(&settings).map_err(|error| HostError::Engine(error.to_string()))?;
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
fn ticker(engine: &Engine) -> Result<Sender<()>, HostError> {
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
