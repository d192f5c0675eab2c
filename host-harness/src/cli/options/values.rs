//! What flags take besides words and files: values that are read from text, with what to write when they cannot be.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use host::contract::TriggerUse;

/// A length of time with its unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "it is a number with its unit: 500ms, 30s or 2m".to_owned();
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(milliseconds) {
        None | Some(0) => Err(wrong()),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
    }
}

/// Between one time and the next, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every(pub Option<Duration>);

/// A length of time with its unit, or `off`.
pub fn every(text: &str) -> Result<Every, String> {
    match text {
        "off" => Ok(Every(None)),
        _ => duration(text).map(|length| Every(Some(length))).map_err(|error| format!("{error}, or off")),
    }
}

/// A point in time: RFC 3339 text, or seconds since 1970.
pub fn moment(text: &str) -> Result<SystemTime, String> {
    let seconds = text.parse().ok().and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    let time = seconds.or_else(|| humantime::parse_rfc3339(text).ok());
    time.ok_or_else(|| "it is a point in time: 2026-11-21T15:42:03Z, or seconds since 1970".to_owned())
}

/// A trigger, with its filters where there are any: `TRIGGER`, or `TRIGGER=JSON`.
pub fn trigger_use(text: &str) -> Result<TriggerUse, String> {
    match text.split_once('=') {
        None => Ok(TriggerUse::every(text)),
        Some((trigger, input)) if host::contract::is_json(input) => Ok(TriggerUse::of(trigger, input)),
        Some(_) => Err("what comes after = is the trigger's input, as JSON".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_number_of_seconds() {
        let expected = UNIX_EPOCH + Duration::from_secs(1_795_275_723);
        assert_eq!(moment("2026-11-21T15:42:03Z"), Ok(expected));
        assert_eq!(moment("1795275723"), Ok(expected));
        for text in ["", "yesterday", "-1", "2026-11-21", "2026-11-21T15:42:03", "18446744073709551615"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_trigger_may_have_filters() {
        assert_eq!(trigger_use("invoice.paid"), Ok(TriggerUse::every("invoice.paid")));
        assert_eq!(trigger_use(r#"invoice.paid={"a":"="}"#), Ok(TriggerUse::of("invoice.paid", r#"{"a":"="}"#)));
        assert!(trigger_use("invoice.paid={a").is_err());
    }

    #[test]
    fn a_duration_needs_its_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for text in ["", "5", "s", "0s", "-1s", "1.5s", "1h", "99999999999999999999s", "18446744073709551615m", "1 s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
