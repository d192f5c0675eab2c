//! Moments: Stripe's v1 counts seconds since 1970, its v2 and the platform write RFC 3339 in UTC.

/// The last second of the year 9999, the last that RFC 3339 can write.
const LAST: i64 = 253_402_300_799;
/// The first second of the year 0.
const FIRST: i64 = -62_167_219_200;
const DAY: i64 = 86_400;

/// Seconds since 1970 as `2026-01-01T00:00:00Z`; none for what has no year of four digits.
pub fn from_unix(seconds: i64) -> Option<String> {
    if !(FIRST..=LAST).contains(&seconds) {
        return None;
    }
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let mut text = String::with_capacity("2026-01-01T00:00:00Z".len());
    for (number, width, after) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (second / 3600, 2, ':'),
        (second / 60 % 60, 2, ':'),
        (second % 60, 2, 'Z'),
    ] {
        let mut unit = 10i64.pow(width);
        while unit > 1 {
            unit /= 10;
            text.push(char::from(b'0' + (number / unit % 10) as u8));
        }
        text.push(after);
    }
    Some(text)
}

/// Year, month and day of a day since 1970 in the Gregorian calendar: Howard Hinnant's `civil_from_days`, in which years
/// begin in March, so that a leap day is a year's last.
fn civil(day: i64) -> (i64, i64, i64) {
    // 400 years have 146,097 days; day 0 is the 1st of March of the year 0.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year + carry, month, day)
}

/// Whether a text is written as a moment in UTC, `2026-01-01T00:00:00.000Z`. Not whether the calendar has it.
pub fn is_written(text: &str) -> bool {
    let Some((moment, fraction)) = text.strip_suffix('Z').and_then(|t| t.split_at_checked(19)) else { return false };
    let fits = |(own, pattern): (u8, u8)| if pattern == b'0' { own.is_ascii_digit() } else { own == pattern };
    let digits = fraction.strip_prefix('.').unwrap_or("0");
    moment.bytes().zip("0000-00-00T00:00:00".bytes()).all(fits)
        && (fraction.is_empty() || fraction.starts_with('.'))
        && !digits.is_empty()
        && digits.bytes().all(|d| d.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (FIRST, "0000-01-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(from_unix(seconds).as_deref(), Some(text));
        }
    }

    #[test]
    fn years_that_have_not_four_digits_are_not_written() {
        for seconds in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX, 1_767_225_600_000] {
            assert_eq!(from_unix(seconds), None, "{seconds}");
        }
    }

    #[test]
    fn tells_a_written_moment_from_other_texts() {
        for moment in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"] {
            assert!(is_written(moment), "{moment}");
        }
        for other in [
            "",
            "Z",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00xZ",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "éééééééééééééééééééZ",
        ] {
            assert!(!is_written(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_time_crate(seconds in FIRST..=LAST) {
            let text = from_unix(seconds).expect("a moment");
            let expected = OffsetDateTime::from_unix_timestamp(seconds).expect("a moment").format(&Rfc3339).expect("written");
            prop_assert_eq!(&text, &expected);
            prop_assert!(is_written(&text));
        }

        #[test]
        fn any_text_is_told(text in ".*") {
            let _ = is_written(&text);
        }
    }
}
