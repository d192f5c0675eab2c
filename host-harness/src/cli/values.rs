//! What flags take besides words and files: values that are read from text, with what to write when they cannot be.

use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;

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
