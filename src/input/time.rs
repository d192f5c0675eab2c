//! Times as people and machines write them (RFC 3339) to the seconds since 1970 that Stripe counts in.

/// Reads `2026-01-31T10:00:00Z`, one with an offset from UTC, or a date alone, which is its first second in UTC.
///
/// Parts of a second are dropped: Stripe counts whole ones.
pub fn seconds(text: &str) -> Option<i64> {
    let (date, rest) = text.as_bytes().split_at_checked(10)?;
    let days = days(date)?;
    if rest.is_empty() {
        return Some(days * 86_400);
    }
    let (time, rest) = rest.split_at_checked(9)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = time else { return None };
    let (hours, minutes, seconds) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            let (_, zone) = fraction.split_at_checked(digits).filter(|_| digits > 0)?;
            zone
        }
        zone => zone,
    };
    Some(days * 86_400 + hours * 3600 + minutes * 60 + seconds - offset(zone)?)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// Days since 1970 of `2026-01-31`.
fn days(date: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let (year, month, day) = (number(&[*y1, *y2, *y3, *y4])?, number(&[*m1, *m2])?, number(&[*d1, *d2])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468)
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    match zone {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let ahead = hours * 3600 + minutes * 60;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::timestamp;

    #[test]
    fn reads_moments_with_their_offset_and_dates_alone() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-01-31T10:00:00Z", 1_769_853_600),
            ("2026-01-31t10:00:00z", 1_769_853_600),
            ("2026-01-31 10:00:00Z", 1_769_853_600),
            ("2026-01-31T11:30:00+01:30", 1_769_853_600),
            ("2026-01-31T05:00:00-05:00", 1_769_853_600),
            ("2026-01-31T10:00:00.999Z", 1_769_853_600),
            ("2026-01-31", 1_769_817_600),
            ("2000-02-29", 951_782_400),
            ("1969-12-31T23:59:59Z", -1),
            ("0000-03-01", -62_162_035_200),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_moment_or_not_clearly_one() {
        for text in [
            "",
            "tomorrow",
            "2026",
            "2026-1-31",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-32",
            "2026-01-00",
            "31-01-2026",
            "01/31/2026",
            "2026-01-31T10:00:00",
            "2026-01-31T10:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T10:60:00Z",
            "2026-01-31T10:00:60Z",
            "2026-01-31T10:00:00.Z",
            "2026-01-31T10:00:00+0100",
            "2026-01-31T10:00:00+24:00",
            "2026-01-31T10:00:00Z ",
            "２026-01-31",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_is_written(moment in -62_167_219_200_i64..=253_402_300_799) {
            let text = timestamp::from_unix(moment).expect("a year of four digits");
            prop_assert_eq!(seconds(&text), Some(moment));
        }

        #[test]
        fn any_text_is_a_moment_or_none(text in ".{0,30}") {
            let _ = seconds(&text);
        }
    }
}
