//! What one call's store holds: its WASI and HTTP contexts, its limits and its captured output. Made anew for every call
//! and dropped with it, so that nothing of one call is there in the next.
//!
//! What a guest makes the host hold is bounded here: how many things (`MOST_RESOURCES`), how large a header section is,
//! how much crosses at once. Linear memory is in `memory`.

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::memory::MemoryLimit;
use super::network::Network;
use super::output::Output;

/// So many things of the host a guest may hold at once: requests, answers, headers, streams, timers. A request in flight
/// takes about ten of them, and a component that sends some side by side a hundred.
const MOST_RESOURCES: usize = 512;

/// The largest header section that a guest can put together, with some tens of bytes counted for each header. Servers
/// take 8 to 16 KiB.
const MOST_HEADERS: usize = 32 << 10;

/// The most random bytes in one request for them: seeds and keys are of 16 to 64. A loop that asks again is stopped like
/// any other, a single long request would not be.
const MOST_RANDOM: u64 = 16 << 10;

/// See the module.
pub(crate) struct State {
    /// Made when the guest first needs it: most calls need a clock or random numbers, some need nothing.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    table: ResourceTable,
    network: Network,
    memory: MemoryLimit,
    stdout: Output,
    stderr: Output,
}

impl State {
    pub(super) fn new(network: Network, memory: MemoryLimit, stdout: Output, stderr: Output) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MOST_HEADERS);
        Self { wasi: None, http, table, network, memory, stdout, stderr }
    }

    /// Applies the limits that hold from the first instruction on. `crossing` is in bytes.
    pub(super) fn limit(store: &mut Store<Self>, crossing: usize) {
        store.limiter_async(|state| &mut state.memory);
        store.set_hostcall_fuel(crossing);
        store.set_max_component_handles(MOST_RESOURCES);
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Self { stdout, stderr, .. } = self;
        let ctx = self.wasi.get_or_insert_with(|| {
            let mut ctx = WasiCtx::builder();
            ctx.stdout(stdout.clone()).stderr(stderr.clone()).max_random_size(MOST_RANDOM);
            ctx.build()
        });
        WasiCtxView { ctx, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.network }
    }
}
