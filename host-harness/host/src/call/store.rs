//! What one call's store holds: its WASI and HTTP contexts, its limits and its captured output. Made anew for every call
//! and dropped with it, so that nothing of one call is there in the next.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::egress::Hooks;
use crate::engine::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};
use crate::manifest::Limits;

/// So much of each output is kept: the message of a panic and some lines before it.
const KEPT_OUTPUT: usize = 16 << 10;

/// The largest piece that a guest can write to its output at once.
const OUTPUT_CHUNK: usize = 64 << 10;

/// See the module.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: Hooks,
    pub(crate) memory: MemoryLimit,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
}

impl State {
    pub(crate) fn new(hooks: Hooks, limits: &Limits) -> Self {
        let (stdout, stderr) = (Output::default(), Output::default());
        let wasi = WasiCtx::builder().stdout(stdout.clone()).stderr(stderr.clone()).build();
        let memory = MemoryLimit { most: limits.memory, now: 0, peak: 0, refused: false };
        Self { wasi, http: WasiHttpCtx::new(), table: ResourceTable::new(), hooks, memory, stdout, stderr }
    }

    /// Applies the limits that hold from the first instruction on.
    pub(crate) fn limit(store: &mut Store<Self>, limits: &Limits) {
        store.limiter(|state| &mut state.memory);
        // One crossing from the guest to the host carries at most a result: an answer, once as it came and once mapped,
        // each no longer as JSON text than twice its size on the wire.
        let most = limits.response.saturating_mul(4);
        store.set_hostcall_fuel(usize::try_from(most).unwrap_or(usize::MAX));
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// Linear memory, all of a component's memories together.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    most: usize,
    now: usize,
    pub(crate) peak: usize,
    /// Whether the guest asked for more.
    pub(crate) refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.now.saturating_sub(current).saturating_add(desired);
        if total > self.most {
            self.refused = true;
            return Ok(false);
        }
        self.now = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MOST_TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}

/// A guest's standard output or error: the beginning is kept, all of it is counted, and writing never fails, so that a
/// talkative guest is cut short and not broken.
#[derive(Clone, Default)]
pub(crate) struct Output {
    written: Arc<Mutex<Written>>,
}

#[derive(Default)]
struct Written {
    kept: Vec<u8>,
    total: u64,
}

impl Output {
    /// How much was written.
    pub(crate) fn total(&self) -> u64 {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).total
    }

    /// What was kept.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap_or_else(PoisonError::into_inner).kept).into_owned()
    }

    fn take(&self, bytes: &[u8]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.total += bytes.len() as u64;
        let room = KEPT_OUTPUT.saturating_sub(written.kept.len()).min(bytes.len());
        written.kept.extend(bytes.iter().take(room));
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn wasmtime_wasi::p2::OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl wasmtime_wasi::p2::OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> wasmtime_wasi::p2::StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> wasmtime_wasi::p2::StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> wasmtime_wasi::p2::StreamResult<usize> {
        Ok(OUTPUT_CHUNK)
    }
}

#[wasmtime_wasi::async_trait]
impl wasmtime_wasi::p2::Pollable for Output {
    async fn ready(&mut self) {}
}
