//! Moments as v2 writes them: `2026-11-21T09:30:00.000Z`, to the millisecond.

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400;
/// The end of the year 9999: no calendar of the API goes further.
pub(crate) const LATEST: i64 = 253_402_300_799;

/// Days since 1970 of a date of the Gregorian calendar (Howard Hinnant's `days_from_civil`).
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a number of days since 1970.
pub(crate) fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A moment, given in milliseconds since 1970, as text.
pub(crate) fn write(milliseconds: i64) -> String {
    let milliseconds = milliseconds.clamp(0, LATEST * SECOND);
    let time = milliseconds.div_euclid(SECOND);
    let (year, month, day) = date(time.div_euclid(DAY));
    let of_day = time.rem_euclid(DAY);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let fraction = milliseconds.rem_euclid(SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// The milliseconds since 1970 of a moment as RFC 3339 writes it; `None` for any other text.
pub(crate) fn read(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    let real = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if !real || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let [hours, minutes] = numbers(offset, ':', [2, 2])?;
            let seconds = hours * 3_600 + minutes * 60;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
    let seconds = days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second - offset;
    Some(seconds * SECOND + thousandths.parse::<i64>().ok()?)
}

/// Numbers of so many digits with something in between.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(between);
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(write(1_729_614_414_063), "2024-10-22T16:26:54.063Z");
        for time in [0, 951_782_400_001, 1_729_614_414_063, LATEST * SECOND] {
            assert_eq!(read(&write(time)), Some(time));
        }
        assert_eq!(read("2024-10-22T18:26:54.0639+02:00"), Some(1_729_614_414_063));
        assert_eq!(read("2024-10-22T16:26:54Z"), Some(1_729_614_414_000));
    }

    #[test]
    fn anything_else_is_no_moment() {
        for text in
            ["", "1729614414", "2024-10-22", "2024-10-22T16:26:54", "2024-13-22T16:26:54Z", "2024-1-22T16:26:54Z"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("2024-10-22T16:26:54.é+2Z"), None);
    }
}
