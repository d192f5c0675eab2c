//! What happens later: things that banks do long after the request that they follow from.
//!
//! An account keeps what it has to do in an [`Agenda`], each thing with the moment of the simulator's clock that it
//! is due at. It is done before the account's next request once that moment has come, so a clock that is moved
//! makes it happen; and without any request by [`keep`], which sleeps until the next moment of any account. Test
//! clocks have no part in this: what follows from them happens when they are advanced. What is done is
//! `resources`' business: a task is a function of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Account, World, clock, lock};

/// Something to do to an account, and the id of the object that it is about.
pub(crate) type Task = fn(&mut Account, &str);

/// A real day, in milliseconds.
const DAY: i64 = 86_400_000;

/// What is still to be done, by the moment that it is due at; what is due at once is done in the order that it was
/// noted.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    tasks: BTreeMap<(i64, u64), (Task, Box<str>)>,
    noted: u64,
}

impl Agenda {
    /// Notes a task; whether it is the next one now.
    pub(super) fn note(&mut self, due: i64, task: Task, id: &str) -> bool {
        let next = self.next().is_none_or(|next| due < next);
        self.noted += 1;
        self.tasks.insert((due, self.noted), (task, id.into()));
        next
    }

    /// When the next task is due, in milliseconds since 1970.
    pub(super) fn next(&self) -> Option<i64> {
        self.tasks.keys().next().map(|(due, _)| *due)
    }

    /// The next task, if it is due.
    pub(super) fn take(&mut self, now: i64) -> Option<(Task, Box<str>)> {
        let first = self.tasks.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }
}

/// The moment that many banking days after another, both in milliseconds since 1970. Real banking days begin at
/// midnight UTC and leave Saturdays and Sundays out; days of any other length just follow each other.
pub(super) fn banking_days_after(from: i64, days: u32, day: Duration) -> i64 {
    let length = i64::try_from(day.as_millis()).unwrap_or(i64::MAX);
    if length != DAY {
        return from.saturating_add(length.saturating_mul(i64::from(days)));
    }
    let mut date = from.div_euclid(DAY);
    for _ in 0..days {
        date += 1;
        // The first of January 1970 was a Thursday.
        while matches!((date + 4).rem_euclid(7), 0 | 6) {
            date += 1;
        }
    }
    date.saturating_mul(DAY)
}

/// Does what is due in any account, for as long as the simulator runs.
pub(crate) async fn keep(world: Arc<World>) {
    loop {
        let next = world.accounts().iter().filter_map(|(_, account)| lock(account).next_due()).min();
        let moved = world.settings().alarm.notified();
        match next {
            Some(due) => {
                let now = clock::moment_with(world.settings().skew.load(Ordering::Relaxed));
                // A wait that rounds to nothing would be no wait at all.
                let wait = Duration::from_millis(u64::try_from(due.saturating_sub(now)).unwrap_or(0).max(1));
                let _ = tokio::time::timeout(wait, moved).await;
            }
            None => moved.await,
        }
        for (_, account) in world.accounts() {
            lock(&account).catch_up();
        }
        world.run_errands();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_the_order_that_they_are_due_and_not_before() {
        fn nothing(_: &mut Account, _: &str) {}
        let mut agenda = Agenda::default();
        assert!(agenda.note(20, nothing, "second"));
        assert!(!agenda.note(20, nothing, "third"));
        assert!(agenda.note(10, nothing, "first"));
        assert!(agenda.take(9).is_none());
        let order: Vec<_> = std::iter::from_fn(|| agenda.take(20)).map(|(_, id)| id).collect();
        assert_eq!(order.iter().map(|id| &**id).collect::<Vec<_>>(), ["first", "second", "third"]);
    }

    #[test]
    fn banks_do_not_work_on_weekends_unless_their_days_are_short() {
        // A Friday afternoon.
        let friday = 1_700_233_200_000;
        let real = Duration::from_secs(86_400);
        assert_eq!(banking_days_after(friday, 1, real), 1_700_438_400_000, "Monday");
        assert_eq!(banking_days_after(friday, 2, real), 1_700_524_800_000, "Tuesday");
        assert_eq!(banking_days_after(friday, 2, Duration::from_millis(100)), friday + 200);
    }
}
