//! How much of requests is held in memory at once: the bodies that are on their way, of one call and of all calls of a
//! host. A byte is counted before it is kept, and given back when its request is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request body of more bytes is refused: an API's files are at most 16 MB, and it is held in memory.
pub(super) const MOST_BODY: usize = 20 << 20;

/// All bodies of one call that are on their way: the largest, and some small ones beside it.
const MOST_OF_A_CALL: usize = 24 << 20;

/// All bodies of all calls: four files of the largest size at once, and thousands of usual ones. A body takes up to twice
/// its length while it is collected.
const MOST_OF_A_HOST: usize = 96 << 20;

/// Bytes that are held, out of so many that may be.
#[derive(Debug)]
struct Room {
    held: AtomicUsize,
    most: usize,
}

impl Room {
    fn of(most: usize) -> Arc<Self> {
        Arc::new(Self { held: AtomicUsize::new(0), most })
    }

    fn take(&self, bytes: usize) -> bool {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The room of a host.
#[derive(Clone, Debug)]
pub(crate) struct HostFlight(Arc<Room>);

impl HostFlight {
    pub(crate) fn new() -> Self {
        Self(Room::of(MOST_OF_A_HOST))
    }

    /// The room of one call of it.
    pub(super) fn of_a_call(&self) -> CallFlight {
        CallFlight { call: Room::of(MOST_OF_A_CALL), host: Arc::clone(&self.0) }
    }
}

/// The room of a call.
#[derive(Clone, Debug)]
pub(super) struct CallFlight {
    call: Arc<Room>,
    host: Arc<Room>,
}

impl CallFlight {
    /// A load with nothing in it yet.
    pub(super) fn load(&self) -> Load {
        Load { flight: self.clone(), bytes: 0 }
    }
}

/// What one request holds. Given back when it is dropped.
#[derive(Debug)]
pub(super) struct Load {
    flight: CallFlight,
    bytes: usize,
}

impl Load {
    /// Takes so many bytes more, or says how many there may be at most.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), usize> {
        let CallFlight { call, host } = &self.flight;
        if !call.take(bytes) {
            return Err(call.most);
        }
        if !host.take(bytes) {
            call.give(bytes);
            return Err(host.most);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back what was taken, for a body that is not kept after all.
    pub(super) fn empty(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.flight.call.give(bytes);
        self.flight.host.give(bytes);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_for_a_call_and_for_the_host_and_given_back() {
        let host = HostFlight::new();
        let calls: Vec<CallFlight> = (0..10).map(|_| host.of_a_call()).collect();
        let mut loads: Vec<Load> = calls.iter().map(CallFlight::load).collect();
        assert_eq!(loads[0].add(MOST_OF_A_CALL + 1), Err(MOST_OF_A_CALL));
        let taken = loads.iter_mut().filter_map(|load| load.add(MOST_BODY).ok()).count();
        assert_eq!(taken, MOST_OF_A_HOST / MOST_BODY);
        assert_eq!(calls[9].load().add(MOST_BODY), Err(MOST_OF_A_HOST));
        assert_eq!(loads[0].add(MOST_BODY), Err(MOST_OF_A_CALL));
        drop(loads);
        let mut after = calls[9].load();
        assert_eq!((after.add(MOST_BODY), host.0.held.load(Ordering::Relaxed)), (Ok(()), MOST_BODY));
        after.empty();
        assert_eq!(host.0.held.load(Ordering::Relaxed), 0);
    }
}
