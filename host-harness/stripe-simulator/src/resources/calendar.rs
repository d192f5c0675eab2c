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
    fn dates_survive_the_round_trip() {
        for day in (-1_000..40_000).step_by(7) {
            let (y, m, d) = date(day);
            assert_eq!(days(y, m, d), day);
        }
        assert_eq!(date(0), (1970, 1, 1));
    }
}
