//! Points in time as Stripe's v2 and its `Date` header write them, in seconds since 1970.

use crate::input::time;

/// Reads `2026-01-31T10:00:00.000Z`. Parts of a second are dropped.
pub fn iso(text: &str) -> Option<u64> {
    time::seconds(text).and_then(|seconds| u64::try_from(seconds).ok())
}

/// Reads `Sat, 31 Jan 2026 10:00:00 GMT` (RFC 9110, IMF-fixdate).
pub fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.trim().strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    parts.next().is_none().then(|| iso(&format!("{year}-{month:02}-{day}T{time}Z")))?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::timestamp;

    #[test]
    fn reads_both_forms() {
        for text in ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.123Z"] {
            assert_eq!(iso(text), Some(1_769_853_600));
        }
        assert_eq!(http_date("Sat, 31 Jan 2026 10:00:00 GMT"), Some(1_769_853_600));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn refuses_what_is_neither() {
        for text in [
            "",
            "Z",
            "2026-01-31T10:00:00",
            "2026-01-31T10:00:00.Z",
            "2026-13-31T10:00:00Z",
            "2026-01-31T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "20é6-01-31T10:00:00Z",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
        for text in [
            "",
            "31 Jan 2026 10:00:00 GMT",
            "Sat, 31 Jan 26 10:00:00 GMT",
            "Sat, 31 Foo 2026 10:00:00 GMT",
            "Sat, 31 Jan 2026 10:00 GMT",
            "Saturday, 31-Jan-26 10:00:00 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_is_written(seconds in 0i64..=253_402_300_799) {
            let text = timestamp::from_unix(seconds).expect("a year of four digits");
            prop_assert_eq!(iso(&text), u64::try_from(seconds).ok());
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (iso(&text), http_date(&text));
        }
    }
}
