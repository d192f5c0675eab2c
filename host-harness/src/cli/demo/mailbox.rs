//! A receiver on this machine: an inbox over a store that is over with the demo, and what arrives there.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use guard::Guarded;
use host::Connection;
use host::contract::Event;
use inbox::{Expected, Handler, Handling, Inbox, News, Observer, PATH, Run, Settings, Source, Verdict};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use super::post;
use crate::cli::failure::Failure;
use crate::cli::setup::storing::{self, Opened};

/// What a request was.
pub enum Delivery {
    /// An event, for the first time.
    Event(Box<Event>),
    /// The event of this id, which was taken before.
    Known(String),
    /// Not genuine, or not decided: why.
    NotTaken(String),
}

/// Where deliveries are told.
struct Told(mpsc::UnboundedSender<Delivery>);

impl Observer for Told {
    fn news(&self, _: &str, news: &News<'_>) {
        let delivery = match *news {
            News::Taken { event, .. } => Delivery::Event(Box::new(event.clone())),
            News::Known { event, .. } => Delivery::Known(event.id.clone()),
            News::Refused { reason, .. } | News::Failed { reason } => Delivery::NotTaken(reason.to_owned()),
            _ => return,
        };
        // Nobody looks any more.
        let _ = self.0.send(delivery);
    }
}

/// Looking at an event is all that is done with it.
struct Looked;

impl Handler for Looked {
    fn handle<'a>(&'a self, _: &'a Run) -> Handling<'a> {
        Box::pin(async { Verdict::Done })
    }
}

/// An address that was taken, with nobody answering yet.
pub struct Receiver {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Receiver {
    /// At a port that is free.
    pub async fn bind() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Machine(format!("cannot listen: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where the service delivers when it runs on this machine.
    pub fn url(&self, name: &str) -> String {
        format!("http://{}{PATH}/{name}", self.address)
    }
}

/// A receiver, and what arrives there.
pub struct Mailbox {
    pub deliveries: mpsc::UnboundedReceiver<Delivery>,
    address: SocketAddr,
    url: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Mailbox {
    /// Begins to take what comes.
    pub async fn open(
        receiver: Receiver,
        connector: &Guarded,
        connection: Connection,
        expected: Expected,
    ) -> Result<Self, Failure> {
        let name = connector.manifest().id.clone();
        let (address, url) = (receiver.address, receiver.url(&name));
        let source = Source {
            name,
            connector: connector.clone(),
            connection,
            expected,
            handler: Arc::new(Looked),
            ordered: false,
            catch_up: None,
        };
        let (sender, deliveries) = mpsc::unbounded_channel();
        let opened: Opened = storing::of_this_process().await?;
        let inbox = Inbox::new(opened.store.clone(), vec![source], Settings::default(), Arc::new(Told(sender)))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            inbox.serve(receiver.listener, stopped).await;
            drop(opened);
        });
        Ok(Self { deliveries, address, url, stop, serving })
    }

    pub async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }

    pub async fn post(&self, signature: &str, body: &str) -> Result<(u16, String), Failure> {
        let answer = post::post(self.address, &self.url, signature, body).await;
        answer.map_err(|error| Failure::Machine(format!("the receiver cannot be reached: {error}")))
    }
}
