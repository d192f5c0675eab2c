//! Billing periods: what a month after a moment is.

use crate::world::instant::{LATEST, date, days};

const DAY: i64 = 86_400;

/// A day as people write it: `21 Nov 2026`.
pub(crate) fn day(time: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = date(time.div_euclid(DAY));
    let name = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).unwrap_or(&"");
    format!("{day} {name} {year}")
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next_month, 1) - days(year, month, 1)
}

/// The moment that lies so many intervals later. Months end where the day does not exist.
pub(super) fn later(time: i64, interval: &str, count: i64) -> i64 {
    let months = match interval {
        "day" => return time.saturating_add(count.saturating_mul(DAY)),
        "week" => return time.saturating_add(count.saturating_mul(7 * DAY)),
        "year" => count.saturating_mul(12),
        _ => count,
    };
    // Stripe bills at most some years ahead.
    let months = months.clamp(0, 12_000);
    let time = time.clamp(-LATEST, LATEST);
    let (year, month, day) = date(time.div_euclid(DAY));
    let month = month - 1 + months;
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12) + 1);
    days(year, month, day.min(days_in_month(year, month))) * DAY + time.rem_euclid(DAY)
}

/// The first moment after another that lies a whole number of intervals from an anchor.
pub(super) fn next_of(anchor: i64, interval: &str, count: i64, after: i64) -> i64 {
    let count = count.max(1);
    if after < anchor {
        return anchor;
    }
    // No month is longer than this, so the search begins before what it looks for.
    let longest = match interval {
        "day" => DAY,
        "week" => 7 * DAY,
        "year" => 366 * DAY,
        _ => 31 * DAY,
    };
    let mut number = after.saturating_sub(anchor) / longest.saturating_mul(count);
    loop {
        let moment = later(anchor, interval, count.saturating_mul(number));
        // At the end of the calendar nothing is later.
        if moment > after || number > 12_000_000 || moment >= LATEST {
            return moment;
        }
        number += 1;
    }
}

/// The first moment after another that a month's (or a year's) calendar is like this.
pub(super) struct Config {
    pub(super) month: Option<i64>,
    pub(super) day: i64,
    /// Seconds since midnight, UTC.
    pub(super) time: i64,
}

impl Config {
    /// The first moment after `after` that fits.
    pub(super) fn next(&self, after: i64) -> i64 {
        let (year, month, _) = date(after.div_euclid(DAY));
        for ahead in 0..=24 {
            let month = month - 1 + ahead;
            let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12) + 1);
            if self.month.is_some_and(|m| m != month) {
                continue;
            }
            let moment = days(year, month, self.day.min(days_in_month(year, month))) * DAY + self.time;
            if moment > after {
                return moment;
            }
        }
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_after_the_last_of_january_is_the_last_of_february() {
        let january = days(2027, 1, 31) * DAY + 5;
        assert_eq!(later(january, "month", 1), days(2027, 2, 28) * DAY + 5);
        assert_eq!(later(january, "year", 1), days(2028, 1, 31) * DAY + 5);
        assert_eq!(later(january, "week", 2), january + 14 * DAY);
    }

    #[test]
    fn periods_keep_to_the_day_of_their_anchor() {
        let january = days(2027, 1, 31) * DAY + 5;
        let february = next_of(january, "month", 1, january);
        assert_eq!(february, days(2027, 2, 28) * DAY + 5);
        assert_eq!(next_of(january, "month", 1, february), days(2027, 3, 31) * DAY + 5);
        assert_eq!(next_of(january, "month", 1, january - 1), january);
        assert_eq!(next_of(january, "week", 2, january + 14 * DAY), january + 28 * DAY);
        assert_eq!(next_of(january, "day", 1, january + 3650 * DAY), january + 3651 * DAY);
    }

    #[test]
    fn a_day_of_the_month_comes_next_in_this_month_or_a_later_one() {
        let config = Config { month: None, day: 31, time: 0 };
        assert_eq!(config.next(days(2027, 2, 1) * DAY), days(2027, 2, 28) * DAY);
        assert_eq!(config.next(days(2027, 2, 28) * DAY), days(2027, 3, 31) * DAY);
        let yearly = Config { month: Some(6), day: 1, time: 60 };
        assert_eq!(yearly.next(days(2027, 7, 1) * DAY), days(2028, 6, 1) * DAY + 60);
    }

    #[test]
    fn dates_survive_the_round_trip() {
        for day in (-1_000..40_000).step_by(7) {
            let (y, m, d) = date(day);
            assert_eq!(days(y, m, d), day);
        }
        assert_eq!(date(0), (1970, 1, 1));
    }
}
