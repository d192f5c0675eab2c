//! What a guest writes to its standard output and error.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// So much of each output is kept: the message of a panic and some lines before it.
const KEPT_OUTPUT: usize = 16 << 10;

/// So much more is kept until secrets are taken out of it: one that the end of the kept part cuts is still whole here.
const BEYOND_KEPT: usize = 16 << 10;

/// The largest piece that a guest can write to its output at once.
const OUTPUT_CHUNK: usize = 64 << 10;

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

    /// What was kept, after `redact` has seen all of it and more.
    pub(crate) fn text(&self, redact: impl FnOnce(String) -> String) -> String {
        let all =
            String::from_utf8_lossy(&self.written.lock().unwrap_or_else(PoisonError::into_inner).kept).into_owned();
        let mut text = redact(all);
        let end = (0..=KEPT_OUTPUT.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text
    }

    fn take(&self, bytes: &[u8]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.total += bytes.len() as u64;
        let room = (KEPT_OUTPUT + BEYOND_KEPT).saturating_sub(written.kept.len()).min(bytes.len());
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
