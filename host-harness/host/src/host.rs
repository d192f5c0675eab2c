//! What an embedder starts with: the host of a process, which loads components into connectors.

use std::sync::Arc;

use wasmtime::component::Linker;

use crate::call::{Runner, State};
use crate::component::{self, Checked};
use crate::connector::Connector;
use crate::egress::{Client, Grants, Policy, Timeouts};
use crate::engine::{Engine, HostConfig};
use crate::error::{HostError, LoadError};
use crate::linker;
use crate::manifest::Manifest;

/// What connectors run in. Cheap to clone. One is enough for a process.
#[derive(Clone)]
pub struct Host {
    inner: Arc<HostInner>,
}

struct HostInner {
    engine: Arc<Engine>,
    linker: Linker<State>,
}

impl Host {
    /// A host with the default set-up.
    pub fn new() -> Result<Self, HostError> {
        Self::with(HostConfig::default())
    }

    /// A host with this set-up.
    pub fn with(config: HostConfig) -> Result<Self, HostError> {
        let engine = Arc::new(Engine::start(config)?);
        let linker = linker::linker(&engine.inner).map_err(|error| HostError::Engine(error.to_string()))?;
        Ok(Self { inner: Arc::new(HostInner { engine, linker }) })
    }

    /// Loads a component: checks what it is, what it imports against the manifest and this host, and what it exports
    /// against the contract; compiles it, or takes its code from the cache. Runs nothing of it.
    ///
    /// This computes for as long as compiling takes: seconds for a large component in a debug build.
    pub fn load(&self, component: &[u8], manifest: &Manifest, grants: &Grants) -> Result<Connector, LoadError> {
        let HostInner { engine, linker } = &*self.inner;
        let most = engine.config.memory;
        if manifest.limits.memory > most {
            let mebibytes = |bytes: usize| (bytes >> 20) as u64;
            return Err(LoadError::Limit {
                key: "limits.memory_mib",
                asked: mebibytes(manifest.limits.memory),
                most: mebibytes(most),
            });
        }
        let Checked { bindings, facts } =
            component::check(&engine.inner, engine.cache.as_ref(), linker, component, manifest)?;
        let policy = Arc::new(Policy::new(&manifest.egress, grants));
        let timeouts = Timeouts::new(manifest.limits.first_byte_timeout, manifest.limits.between_bytes_timeout);
        let client = Client::new(Arc::clone(&policy), timeouts, manifest.limits.response)
            .map_err(|error| LoadError::Tls(error.to_string()))?;
        let (engine, manifest) = (Arc::clone(engine), manifest.clone());
        Ok(Connector::new(Runner { engine, bindings, manifest, policy, client }, facts))
    }

    /// Whether room for calls is reserved beforehand.
    #[must_use]
    pub fn pooled(&self) -> bool {
        self.inner.engine.pooled
    }
}
