//! Which events were shown before: the pages of a poll overlap, so that none is lost between them.

use std::collections::{HashSet, VecDeque};

/// So many events are known again.
pub const REMEMBERED: usize = 10_000;

/// The ids of the newest events.
#[derive(Default)]
pub struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether it is new.
    pub fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.insert("evt_1"));
        assert!(!seen.insert("evt_1"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut seen = Seen::default();
        for number in 0..=REMEMBERED {
            assert!(seen.insert(&number.to_string()));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(seen.insert("0"), "forgotten");
        assert!(!seen.insert("5"), "remembered");
    }
}
