//! What waits is done in one transaction: while one is on its way to the server's disk, the next one's work gathers.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use crate::error::Error;
use crate::postgres::line;

/// So much waits before callers are held up.
const WAITING: usize = 4096;

/// So much goes into one transaction, at most.
const TOGETHER: usize = 256;

/// And so many bytes, unless one alone has more.
const BYTES: usize = 4 * 1024 * 1024;

/// Something that can be done for many at a time.
pub trait Batch: Send + 'static {
    type Ask: Send + 'static;
    type Answer: Send + 'static;

    /// What one takes to send.
    fn bytes(ask: &Self::Ask) -> usize;

    /// Whether one more can go with those.
    fn together(_asks: &[Self::Ask], _ask: &Self::Ask) -> bool {
        true
    }

    /// Does it for all of them, or for none. An answer for each, in their order.
    fn run(&mut self, asks: &[Self::Ask]) -> impl Future<Output = Result<Vec<Self::Answer>, Error>> + Send;
}

type Waiting<B> = (<B as Batch>::Ask, oneshot::Sender<Result<<B as Batch>::Answer, Error>>);

/// Where to ask.
pub struct Together<B: Batch> {
    asks: mpsc::Sender<Waiting<B>>,
}

impl<B: Batch> fmt::Debug for Together<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl<B: Batch> Together<B> {
    /// Begins; it ends when everything that was asked is answered and nobody can ask any more.
    pub fn start(batch: B) -> Self {
        let (asks, waiting) = mpsc::channel(WAITING);
        tokio::spawn(serve(batch, waiting));
        Self { asks }
    }

    pub async fn ask(&self, ask: B::Ask) -> Result<B::Answer, Error> {
        let (reply, answer) = oneshot::channel();
        self.asks.send((ask, reply)).await.map_err(|_| line::closed())?;
        answer.await.unwrap_or_else(|_| Err(line::closed()))
    }
}

async fn serve<B: Batch>(mut batch: B, mut waiting: mpsc::Receiver<Waiting<B>>) {
    let mut next = None;
    loop {
        let (mut asks, mut replies, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut one = match next.take() {
            Some(one) => Some(one),
            None => waiting.recv().await,
        };
        if one.is_none() {
            return;
        }
        while let Some((ask, reply)) = one {
            bytes += B::bytes(&ask);
            if !asks.is_empty() && (bytes > BYTES || !B::together(&asks, &ask)) {
                next = Some((ask, reply));
                break;
            }
            asks.push(ask);
            replies.push(reply);
            one = if asks.len() < TOGETHER { waiting.try_recv().ok() } else { None };
        }
        match batch.run(&asks).await {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Who no longer waits does not need it.
                    let _ = reply.send(Ok(answer));
                }
            }
            // One of them went wrong, and the others are not to suffer for it.
            Err(error) if !error.is_passing() && asks.len() > 1 => {
                for (ask, reply) in asks.into_iter().zip(replies) {
                    let answer = batch.run(&[ask]).await;
                    let _ = reply.send(answer.and_then(|answers| answers.into_iter().next().ok_or_else(line::closed)));
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }
}
