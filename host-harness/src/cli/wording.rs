//! Values of the contract in words, the same wherever they are shown.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use host::contract::{Mode, Outcome, ResourceRecord};
use serde::Deserialize;
use serde_json::value::RawValue;

/// "Was it done?"
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NotSent => "No: nothing was sent.",
        Outcome::Rejected => "No: it was refused, and nothing was done.",
        Outcome::Unknown => "Unknown: a request left and no answer came.",
        Outcome::Committed => "Yes: it was done, and something failed afterwards.",
    }
}

pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "TEST",
        Mode::Live => "LIVE",
    }
}

/// In the unit that a person would use.
pub fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    match milliseconds {
        0.0..9.95 => format!("{milliseconds:.1} ms"),
        9.95..999.5 => format!("{milliseconds:.0} ms"),
        _ => {
            let text = format!("{:.1}", milliseconds / 1e3);
            format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
        }
    }
}

pub fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} bytes"),
        1024..0x10_0000 => format!("{} KiB", size.div_ceil(1024)),
        _ => format!("{:.1} MiB", size as f64 / f64::from(1 << 20)),
    }
}

/// A text as one word of a command line.
pub fn shell_word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `contact Jenny Rosen cus_1`; a title that says nothing but the id is left out.
pub fn record(record: &ResourceRecord) -> String {
    let ResourceRecord { internal, title, id, .. } = record;
    if title.is_empty() || title == id { format!("{internal} {id}") } else { format!("{internal} “{title}” {id}") }
}

/// The last second of the year 9999. RFC 3339 has no text for a later one.
const LAST: u64 = 253_402_300_799;

/// A point in time, to the second.
pub fn moment(time: SystemTime) -> String {
    unix_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// A point in time that the contract tells.
pub fn unix_seconds(seconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(LAST));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A money field of a mapped record: `10.99 USD`.
pub fn money(record: &ResourceRecord, field: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Money {
        decimal: String,
        currency: String,
    }
    let Money { decimal, currency } = serde_json::from_str(member(&record.fields, field)?.get()).ok()?;
    Some(format!("{decimal} {}", currency.to_uppercase()))
}

/// A text field of a mapped record.
pub fn field(record: &ResourceRecord, field: &str) -> Option<String> {
    text(&record.fields, field)
}

/// The text that a JSON object has under a name.
pub fn text(object: &str, name: &str) -> Option<String> {
    serde_json::from_str(member(object, name)?.get()).ok()
}

fn member<'a>(object: &'a str, name: &str) -> Option<&'a RawValue> {
    let members: HashMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    members.get(name).copied()
}

/// Names as a table shows them: some, and how many more there are.
pub fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (micros, text) in [
            (0, "0.0 ms"),
            (123, "0.1 ms"),
            (9_949, "9.9 ms"),
            (9_951, "10 ms"),
            (999_400, "999 ms"),
            (999_600, "1 s"),
            (1_250_000, "1.2 s"),
            (61_000_000, "61 s"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), text, "{micros}");
        }
    }

    #[test]
    fn a_word_of_a_command_line_stays_one() {
        for (text, word) in
            [("order_7", "order_7"), ("", "''"), ("a b", "'a b'"), ("$(rm)", "'$(rm)'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(shell_word(text), word);
        }
    }

    #[test]
    fn sizes_read_well() {
        for (size, text) in [(12, "12 bytes"), (1024, "1 KiB"), (379_000, "371 KiB"), (3 << 19, "1.5 MiB")] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn a_moment_reads_as_a_date_and_a_time() {
        assert_eq!(unix_seconds(1_795_275_723), "2026-11-21T15:42:03Z");
        assert_eq!(unix_seconds(253_402_300_800), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn a_text_is_found_by_its_name() {
        assert_eq!(text(r#"{"a": 1, "b": "c"}"#, "b").as_deref(), Some("c"));
        assert_eq!(text(r#"{"a": 1}"#, "a"), None);
        assert_eq!(text("[]", "a"), None);
    }

    #[test]
    fn money_reads_with_its_currency() {
        let record = ResourceRecord {
            resource: "price".to_owned(),
            internal: "price".to_owned(),
            id: "price_1".to_owned(),
            title: "price_1".to_owned(),
            url: None,
            fields: r#"{"amount":{"minor":1099,"currency":"usd","decimal":"10.99"},"none":null}"#.to_owned(),
        };
        assert_eq!(money(&record, "amount").as_deref(), Some("10.99 USD"));
        assert_eq!(money(&record, "none"), None);
        assert_eq!(super::record(&record), "price price_1");
    }
}
