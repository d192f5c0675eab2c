//! A fair queue for a few places: whoever finds none free waits, and tenants take turns, however many wait for each.
//!
//! What lives here: places, the queue and its end. What does not: what a place is for. The engine has two of these: room
//! for calls, and leave to compute for long.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// So many places, and so many that may wait for one.
pub(crate) struct Turns {
    most: usize,
    longest: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// Nobody gets a place any more.
    closed: bool,
    /// Whose turn it is next comes first. No tenant is there twice, or with nobody waiting.
    waiting: VecDeque<Queue>,
    emptied: Vec<oneshot::Sender<()>>,
}

struct Queue {
    tenant: Arc<str>,
    tickets: VecDeque<oneshot::Sender<Turn>>,
}

/// A place, free for the next when it is dropped.
pub(crate) struct Turn {
    turns: Option<Arc<Turns>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// So many wait already.
    Full(usize),
    /// There are none any more.
    Closed,
}

impl Turns {
    pub(crate) fn new(most: usize, longest: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), longest, state: Mutex::default() })
    }

    /// Waits for a place. Dropping the future gives the ticket back.
    pub(crate) async fn enter(self: &Arc<Self>, tenant: &Arc<str>) -> Result<Turn, NoTurn> {
        let ticket = {
            let mut state = self.lock();
            if state.closed {
                return Err(NoTurn::Closed);
            }
            if state.taken < self.most {
                state.taken += 1;
                return Ok(Turn { turns: Some(Arc::clone(self)) });
            }
            if state.len() >= self.longest {
                state.forget_the_gone();
                if state.len() >= self.longest {
                    return Err(NoTurn::Full(self.longest));
                }
            }
            state.queue(tenant)
        };
        ticket.await.map_err(|_| NoTurn::Closed)
    }

    /// How many places are taken.
    pub(crate) fn taken(&self) -> usize {
        self.lock().taken
    }

    /// How many places are taken, and how many wait for one.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let mut state = self.lock();
        state.forget_the_gone();
        (state.taken, state.len())
    }

    /// Gives no place any more, and waits until all are free.
    pub(crate) async fn drain(&self) {
        let emptied = {
            let mut state = self.lock();
            state.closed = true;
            state.waiting.clear();
            if state.taken == 0 {
                return;
            }
            let (sender, receiver) = oneshot::channel();
            state.emptied.push(sender);
            receiver
        };
        // The sender lives as long as the state.
        let _ = emptied.await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a place on, or takes it back.
    fn leave(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                let next = state.next();
                if next.is_none() {
                    state.taken = state.taken.saturating_sub(1);
                    if state.taken == 0 {
                        state.emptied.clear();
                    }
                }
                next
            };
            let Some(ticket) = next else { return };
            match ticket.send(Turn { turns: Some(Arc::clone(&self)) }) {
                Ok(()) => return,
                // Who waited is gone: the place is still in hand.
                Err(mut turn) => turn.turns = None,
            }
        }
    }
}

impl State {
    fn len(&self) -> usize {
        self.waiting.iter().map(|queue| queue.tickets.len()).sum()
    }

    fn queue(&mut self, tenant: &Arc<str>) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        match self.waiting.iter_mut().find(|queue| queue.tenant == *tenant) {
            Some(queue) => queue.tickets.push_back(sender),
            None => self.waiting.push_back(Queue { tenant: Arc::clone(tenant), tickets: VecDeque::from([sender]) }),
        }
        receiver
    }

    /// The first ticket of the tenant whose turn it is, who then goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let mut queue = self.waiting.pop_front()?;
        let ticket = queue.tickets.pop_front();
        if !queue.tickets.is_empty() {
            self.waiting.push_back(queue);
        }
        ticket
    }

    fn forget_the_gone(&mut self) {
        for queue in &mut self.waiting {
            queue.tickets.retain(|ticket| !ticket.is_closed());
        }
        self.waiting.retain(|queue| !queue.tickets.is_empty());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            turns.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn tenant(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    #[test]
    fn tenants_take_turns_however_many_wait_for_each() {
        let turns = Turns::new(1, 100);
        let (greedy, modest) = (tenant("greedy"), tenant("modest"));
        let Poll::Ready(Ok(first)) = poll(std::pin::pin!(turns.enter(&greedy))) else { panic!("there is a place") };
        let mut waiting: Vec<_> =
            [&greedy, &greedy, &greedy, &modest].map(|tenant| Box::pin(turns.enter(tenant))).into_iter().collect();
        assert!(waiting.iter_mut().all(|ticket| poll(ticket.as_mut()).is_pending()));

        let mut order = Vec::new();
        let mut held = Some(first);
        for _ in 0..4 {
            drop(held.take());
            let (index, turn) = waiting
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| !order.contains(index))
                .find_map(|(index, ticket)| match poll(ticket.as_mut()) {
                    Poll::Ready(turn) => Some((index, turn.ok().unwrap())),
                    Poll::Pending => None,
                })
                .unwrap();
            order.push(index);
            held = Some(turn);
        }
        assert_eq!(order, [0, 3, 1, 2], "the modest one is second");
    }

    #[test]
    fn a_queue_that_is_full_refuses_and_forgets_who_went_away() {
        let turns = Turns::new(1, 2);
        let one = tenant("one");
        let Poll::Ready(Ok(held)) = poll(std::pin::pin!(turns.enter(&one))) else { panic!("there is a place") };
        let (mut second, mut third) = (Box::pin(turns.enter(&one)), Box::pin(turns.enter(&one)));
        assert!(poll(second.as_mut()).is_pending() && poll(third.as_mut()).is_pending());
        assert!(matches!(poll(std::pin::pin!(turns.enter(&one))), Poll::Ready(Err(NoTurn::Full(2)))));
        drop(second);
        let mut fourth = Box::pin(turns.enter(&one));
        assert!(poll(fourth.as_mut()).is_pending(), "one place in the queue was free again");
        assert_eq!(turns.counts(), (1, 2));
        drop(third);
        drop(held);
        assert!(matches!(poll(fourth.as_mut()), Poll::Ready(Ok(_))), "who went away is passed over");
    }

    #[test]
    fn a_place_that_was_given_to_somebody_who_went_away_is_free() {
        let turns = Turns::new(1, 2);
        let one = tenant("one");
        let Poll::Ready(Ok(held)) = poll(std::pin::pin!(turns.enter(&one))) else { panic!("there is a place") };
        let mut second = Box::pin(turns.enter(&one));
        assert!(poll(second.as_mut()).is_pending());
        drop(held);
        drop(second);
        assert_eq!(turns.counts(), (0, 0));
    }

    #[test]
    fn draining_refuses_the_next_and_waits_for_the_last() {
        let turns = Turns::new(1, 2);
        let one = tenant("one");
        let Poll::Ready(Ok(held)) = poll(std::pin::pin!(turns.enter(&one))) else { panic!("there is a place") };
        let mut waiting = Box::pin(turns.enter(&one));
        assert!(poll(waiting.as_mut()).is_pending());
        let mut drained = Box::pin(turns.drain());
        assert!(poll(drained.as_mut()).is_pending());
        assert!(matches!(poll(waiting.as_mut()), Poll::Ready(Err(NoTurn::Closed))));
        assert!(matches!(poll(std::pin::pin!(turns.enter(&one))), Poll::Ready(Err(NoTurn::Closed))));
        drop(held);
        assert!(poll(drained.as_mut()).is_ready());
    }
}
