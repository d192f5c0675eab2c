//! What an embedder starts with: the host of a process, which loads components into connectors.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::Linker;

use crate::call::{Runner, State};
use crate::caps::capped;
use crate::catalogue::Catalogues;
use crate::component::{self, Bounds, Checked};
use crate::connector::Connector;
use crate::egress::{Grants, Network, Policy, Timeouts};
use crate::engine::{Engine, HostConfig};
use crate::error::{HostError, LoadError};
use crate::linker;
use crate::manifest::Manifest;
use crate::observer::Observer;
use crate::package::Package;
use crate::stats::Stats;

/// What connectors run in. Cheap to clone. One is enough for a process.
#[derive(Clone)]
pub struct Host {
    inner: Arc<HostInner>,
}

struct HostInner {
    engine: Arc<Engine>,
    linker: Linker<State>,
    network: Network,
    catalogues: Catalogues,
}

impl Host {
    /// A host with the default set-up.
    pub fn new() -> Result<Self, HostError> {
        Self::with(HostConfig::default())
    }

    /// A host with this set-up.
    pub fn with(config: HostConfig) -> Result<Self, HostError> {
        Self::start(config, None)
    }

    /// A host with this set-up, whose calls somebody listens to.
    pub fn observed(config: HostConfig, observer: Arc<dyn Observer>) -> Result<Self, HostError> {
        Self::start(config, Some(observer))
    }

    fn start(config: HostConfig, observer: Option<Arc<dyn Observer>>) -> Result<Self, HostError> {
        let engine = Arc::new(Engine::start(config, observer)?);
        let linker = linker::linker(&engine.inner).map_err(|error| HostError::Engine(error.to_string()))?;
        let network = Network::new(&engine.config.network)?;
        let catalogues = Catalogues::default();
        Ok(Self { inner: Arc::new(HostInner { engine, linker, network, catalogues }) })
    }

    /// Loads a component: checks what it is, what it imports against the manifest and this host, and what it exports
    /// against the contract, types included; compiles it, or takes its code from the cache. Runs nothing of it.
    ///
    /// Of each limit the manifest's or the host's own holds, whichever is smaller ([`Connector::capped`]).
    ///
    /// This computes for as long as compiling takes: seconds for a large component in a debug build. In an asynchronous
    /// function, use [`load_async`](Self::load_async).
    pub fn load(&self, component: &[u8], manifest: &Manifest, grants: &Grants) -> Result<Connector, LoadError> {
        let HostInner { engine, linker, network, catalogues } = &*self.inner;
        let bounds = Bounds { size: engine.config.component, time: engine.config.compile_time };
        let Checked { component, functions, facts } =
            component::check(&engine.inner, engine.cache.as_ref(), linker, component, manifest, bounds)?;
        let (limits, caps) = capped(&manifest.limits, &engine.config.limits);
        let policy = Arc::new(Policy::new(&manifest.egress, grants));
        let timeouts = Timeouts::new(limits.first_byte_timeout, limits.between_bytes_timeout);
        let client = network.client(timeouts, limits.response);
        let runner = Runner {
            engine: Arc::clone(engine),
            component,
            functions,
            connector: Arc::from(manifest.id.as_str()),
            nobody: Arc::from(""),
            manifest: manifest.clone(),
            limits,
            capped: Arc::from(caps),
            policy,
            client,
        };
        let kept = catalogues.of(&facts.sha256);
        Ok(Connector::new(runner, facts, kept))
    }

    /// Loads a component as [`load`](Self::load) does, and compiles it on a thread where it keeps nobody waiting.
    pub async fn load_async(
        &self,
        component: impl Into<Bytes>,
        manifest: &Manifest,
        grants: &Grants,
    ) -> Result<Connector, LoadError> {
        let (host, component) = (self.clone(), component.into());
        let (manifest, grants) = (manifest.clone(), grants.clone());
        let loading = tokio::task::spawn_blocking(move || host.load(&component, &manifest, &grants));
        loading.await.unwrap_or(Err(LoadError::Compiler))
    }

    /// Loads a component with the manifest that it is bound to, as [`load`](Self::load) does.
    pub fn load_package(&self, package: &Package, grants: &Grants) -> Result<Connector, LoadError> {
        self.load(package.component(), package.manifest(), grants)
    }

    /// What the host does now, and has done since it began.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Engine { room, budget, counters, .. } = &*self.inner.engine;
        counters.stats(room.counts(), budget.used())
    }

    /// Takes no calls any more, refuses those that still wait, and returns when the last one that runs has ended.
    /// There is no way back.
    pub async fn drain(&self) {
        self.inner.engine.room.drain().await;
    }

    /// Whether room for calls is reserved beforehand.
    #[must_use]
    pub fn pooled(&self) -> bool {
        self.inner.engine.pooled
    }
}
