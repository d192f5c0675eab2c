//! The table in the component: opened where it lies, and the single texts and numbers in it.

use stripe_table::{Damaged, Table};

use crate::error::{Error, ErrorKind, Result};

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.table"));
/// Opened by the compiler.
static TABLE: std::result::Result<Table<'static>, Damaged> = Table::open(BYTES);

/// The table that the component carries.
///
/// # Errors
/// That it is damaged.
pub fn table() -> Result<Table<'static>> {
    TABLE.map_err(damaged)
}

fn damaged(what: Damaged) -> Box<Error> {
    Error::new(ErrorKind::Other, ["this connector is damaged: ", what.what].concat())
        .hint("Install it anew; no request was sent.")
}

/// A text of the manifest, such as `api_version`; empty where there is none.
pub fn constant(name: &str) -> &'static str {
    TABLE.map_or("", |table| table.constant(name))
}

/// A number of the manifest, such as `input_bytes`; the largest where there is none.
pub fn limit(name: &str) -> u64 {
    constant(name).parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Outcome;

    #[test]
    fn the_table_is_sound() {
        table().expect("opens").verify().expect("sound");
    }

    #[test]
    fn a_damaged_table_is_an_error_and_no_trap() {
        for bytes in [&b""[..], b"ApiT", &[0; 64], BYTES.get(1..).unwrap_or_default()] {
            let error = damaged(Table::open(bytes).expect_err("damaged"));
            assert_eq!((error.kind, error.outcome), (ErrorKind::Other, Outcome::NotSent));
        }
    }

    #[test]
    fn the_manifests_limits_are_there() {
        for name in
            ["call_timeout_ms", "first_byte_timeout_ms", "between_bytes_timeout_ms", "response_bytes", "input_bytes"]
        {
            assert!(limit(name) < u64::MAX, "{name}");
        }
        for name in ["title", "version", "api_version"] {
            assert!(!constant(name).is_empty(), "{name}");
        }
    }
}
