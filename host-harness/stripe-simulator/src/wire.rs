//! What can happen to an answer on its way: nothing, or a fault that was asked for.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How an answer is sent; a response without one is sent whole.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// Not at all: the connection is reset.
    Reset,
    /// The first half of the body, then the end of the connection.
    Cut,
    /// Piece by piece, with this wait before each.
    Drip(Duration),
}

/// Pieces that a dripping body comes in.
const PIECES: usize = 8;

/// By then the first half of a body that is cut has left.
const FLUSHED: Duration = Duration::from_millis(5);

/// The connection ends here.
#[derive(Debug, thiserror::Error)]
#[error("the connection was ended on purpose")]
pub(crate) struct Ended;

/// A body on its way.
pub(crate) struct Sent {
    rest: Bytes,
    manner: Option<Manner>,
    piece: usize,
    wait: Option<Pin<Box<Sleep>>>,
}

/// Readies a response for the connection, or ends the connection.
pub(crate) fn send(
    response: Response<http_body_util::Full<Bytes>>,
    reset: &AtomicBool,
) -> Result<Response<Sent>, Ended> {
    let manner = response.extensions().get::<Manner>().copied();
    if matches!(manner, Some(Manner::Reset)) {
        reset.store(true, Ordering::Relaxed);
        return Err(Ended);
    }
    Ok(response.map(|mut body| {
        let rest = whole(&mut body);
        let piece = rest.len().div_ceil(PIECES).max(1);
        Sent { rest, manner, piece, wait: None }
    }))
}

fn whole(body: &mut http_body_util::Full<Bytes>) -> Bytes {
    let mut context = Context::from_waker(std::task::Waker::noop());
    match Pin::new(body).poll_frame(&mut context) {
        Poll::Ready(Some(Ok::<_, Infallible>(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = match self.manner {
            None | Some(Manner::Reset) => self.rest.len(),
            Some(Manner::Cut) if self.piece == 0 => {
                // What was given so far leaves first.
                let sleep = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSHED)));
                ready!(sleep.as_mut().poll(context));
                return Poll::Ready(Some(Err(Ended)));
            }
            Some(Manner::Cut) => {
                self.piece = 0;
                self.rest.len() / 2
            }
            Some(Manner::Drip(wait)) => {
                let sleep = self.wait.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
                ready!(sleep.as_mut().poll(context));
                self.wait = None;
                self.piece.min(self.rest.len())
            }
        };
        let frame = Frame::data(self.rest.split_to(piece));
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A connection that can end with a reset instead of a farewell.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(stream: TcpStream, reset: Arc<AtomicBool>) -> Self {
        Self { stream, reset }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
