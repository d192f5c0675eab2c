//! Values of the contract in words, the same wherever they are shown.

use std::time::Duration;

use host_harness::contract::{Mode, Outcome, ResourceRecord};

use super::json::Json;

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

/// `contact Jenny Rosen cus_1`; a title that says nothing but the id is left out.
pub fn record(record: &ResourceRecord) -> String {
    let ResourceRecord { internal, title, id, .. } = record;
    if title.is_empty() || title == id { format!("{internal} {id}") } else { format!("{internal} “{title}” {id}") }
}

/// A money field of a mapped record: `10.99 USD`.
pub fn money(record: &ResourceRecord, field: &str) -> Option<String> {
    let fields = Json::of(&record.fields);
    let value = fields.get(field)?;
    let (decimal, currency) = (value.get("decimal")?.text()?, value.get("currency")?.text()?);
    Some(format!("{decimal} {}", currency.to_uppercase()))
}

/// A text field of a mapped record.
pub fn field(record: &ResourceRecord, field: &str) -> Option<String> {
    Json::of(&record.fields).get(field)?.text().map(str::to_owned)
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
    fn sizes_read_well() {
        for (size, text) in [(12, "12 bytes"), (1024, "1 KiB"), (379_000, "371 KiB"), (3 << 19, "1.5 MiB")] {
            assert_eq!(bytes(size), text);
        }
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
