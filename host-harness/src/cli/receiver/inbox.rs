//! What arrives, in order: a request is answered when what came with it was taken, and known again only from then on.

use host::contract::{Error, Event, IgnoredEvent, Receipt};
use tokio::sync::{mpsc, oneshot};

use crate::cli::receiver::seen::Seen;

/// So many requests wait to be taken before senders are asked to come back.
const WAITING: usize = 1024;

/// What a request was.
pub enum Delivery {
    /// An event, for the first time.
    Event(Box<Event>),
    /// An event that was taken before.
    Duplicate(Box<Event>),
    /// Genuine, and of no trigger.
    Ignored(IgnoredEvent),
    /// No event: something that the service wanted to have answered, and was, with this status.
    Answered(u16),
    /// Not genuine.
    Refused(Box<Error>),
    /// Not decided.
    Failed(String),
}

/// What came in with one request. The sender gets its 200 when this is taken.
pub struct Arrival {
    pub deliveries: Vec<Delivery>,
    new: Vec<String>,
    answer: Option<oneshot::Sender<()>>,
}

/// What was found out about one request.
struct Arrived {
    what: Result<Receipt, Delivery>,
    answer: Option<oneshot::Sender<()>>,
}

/// Where requests are put.
#[derive(Clone)]
pub struct Slot {
    arrivals: mpsc::Sender<Arrived>,
}

/// Where they are taken out.
pub struct Inbox {
    arrivals: mpsc::Receiver<Arrived>,
    seen: Seen,
}

/// An empty inbox, and where to put what comes.
pub fn inbox() -> (Slot, Inbox) {
    let (sender, arrivals) = mpsc::channel(WAITING);
    (Slot { arrivals: sender }, Inbox { arrivals, seen: Seen::default() })
}

impl Slot {
    /// Puts in what a request held. It was taken when this ends well.
    pub async fn put(&self, receipt: Receipt) -> bool {
        let (answer, taken) = oneshot::channel();
        let arrived = Arrived { what: Ok(receipt), answer: Some(answer) };
        self.arrivals.try_send(arrived).is_ok() && taken.await.is_ok()
    }

    /// Tells of a request that held nothing, if anybody looks.
    pub fn tell(&self, delivery: Delivery) {
        let _ = self.arrivals.try_send(Arrived { what: Err(delivery), answer: None });
    }
}

impl Inbox {
    /// The next request's events; nothing once the receiver has stopped. What a sender no longer waits for is passed over: it
    /// was told to send it again.
    pub async fn next(&mut self) -> Option<Arrival> {
        loop {
            let Arrived { what, answer } = self.arrivals.recv().await?;
            if !answer.as_ref().is_some_and(oneshot::Sender::is_closed) {
                return Some(self.sorted(what, answer));
            }
        }
    }

    fn sorted(&self, what: Result<Receipt, Delivery>, answer: Option<oneshot::Sender<()>>) -> Arrival {
        let receipt = match what {
            Err(delivery) => return Arrival { deliveries: vec![delivery], new: Vec::new(), answer },
            Ok(receipt) => receipt,
        };
        let mut new: Vec<String> = Vec::new();
        let mut deliveries = Vec::with_capacity(receipt.events.len());
        for event in receipt.events {
            if self.seen.contains(&event.id) || new.contains(&event.id) {
                deliveries.push(Delivery::Duplicate(Box::new(event)));
            } else {
                new.push(event.id.clone());
                deliveries.push(Delivery::Event(Box::new(event)));
            }
        }
        deliveries.extend(receipt.ignored.into_iter().map(Delivery::Ignored));
        deliveries.extend(receipt.response.map(|response| Delivery::Answered(response.status)));
        Arrival { deliveries, new, answer }
    }

    /// It was kept: its events are known from now on, and the sender may forget them.
    pub fn taken(&mut self, arrival: Arrival) {
        for id in &arrival.new {
            self.seen.insert(id);
        }
        if let Some(answer) = arrival.answer {
            // A sender that has hung up sends it again, and it will be a duplicate.
            let _ = answer.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use host::contract::Mode;

    use super::*;

    fn receipt(ids: &[&str]) -> Receipt {
        let event = |id: &&str| Event {
            id: (*id).to_owned(),
            event_type: "customer.created".to_owned(),
            triggers: Vec::new(),
            occurred_at: 0,
            mode: Mode::Test,
            account: None,
            api_version: None,
            complete: true,
            record: None,
            payload: "{}".to_owned(),
            extras: Vec::new(),
        };
        Receipt { events: ids.iter().map(event).collect(), ignored: Vec::new(), response: None }
    }

    fn shapes(arrival: &Arrival) -> Vec<&'static str> {
        let shape = |delivery: &Delivery| match delivery {
            Delivery::Event(_) => "event",
            Delivery::Duplicate(_) => "duplicate",
            _ => "other",
        };
        arrival.deliveries.iter().map(shape).collect()
    }

    #[tokio::test]
    async fn an_event_is_known_again_when_it_was_taken_and_not_before() {
        let (slot, mut inbox) = inbox();
        for taken in [false, true, true] {
            let slot = slot.clone();
            let sender = tokio::spawn(async move { slot.put(receipt(&["evt_1", "evt_1"])).await });
            let arrival = inbox.next().await.unwrap();
            match (taken, inbox.seen.contains("evt_1")) {
                (false, known) => {
                    assert!(!known);
                    drop(arrival);
                }
                (true, known) => {
                    assert_eq!(shapes(&arrival), [if known { "duplicate" } else { "event" }, "duplicate"]);
                    inbox.taken(arrival);
                }
            }
            assert_eq!(sender.await.unwrap(), taken);
        }
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_passed_over() {
        let (slot, mut inbox) = inbox();
        let given_up = tokio::spawn({
            let slot = slot.clone();
            async move { slot.put(receipt(&["evt_1"])).await }
        });
        tokio::task::yield_now().await;
        given_up.abort();
        let _ = given_up.await;
        slot.tell(Delivery::Failed("later".to_owned()));
        assert_eq!(shapes(&inbox.next().await.unwrap()), ["other"]);
    }
}
