//! The linear memory of one call: its own limit, and its share of what all calls may have together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmtime::ResourceLimiterAsync;

use crate::budget::Share;
use crate::engine::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};

/// What a call did with its memory; it stays when the memory is gone.
#[derive(Debug, Default)]
pub(super) struct MemoryUse {
    peak: AtomicUsize,
    refused: AtomicBool,
    waiting: AtomicBool,
}

impl MemoryUse {
    /// The most that the guest had.
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether the guest asked for more than its limit.
    pub(super) fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether the guest waits for memory that others have.
    pub(super) fn waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Linear memory, all of a component's memories together.
pub(super) struct MemoryLimit {
    most: usize,
    now: usize,
    share: Share,
    used: Arc<MemoryUse>,
}

impl MemoryLimit {
    pub(super) fn new(most: usize, share: Share, used: Arc<MemoryUse>) -> Self {
        Self { most, now: 0, share, used }
    }
}

#[wasmtime_wasi::async_trait]
impl ResourceLimiterAsync for MemoryLimit {
    async fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.now.saturating_sub(current).saturating_add(desired);
        if total > self.most {
            self.used.refused.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        self.used.waiting.store(true, Ordering::Relaxed);
        self.share.grow(total).await;
        self.used.waiting.store(false, Ordering::Relaxed);
        self.now = total;
        self.used.peak.fetch_max(total, Ordering::Relaxed);
        Ok(true)
    }

    async fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
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
