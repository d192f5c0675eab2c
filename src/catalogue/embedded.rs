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

/// What the manifest says of the connector and of its limits, looked up by the compiler: one that is missing does not
/// compile.
macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident: $kind:ident = $key:literal;)*) => {$(
        $(#[$doc])*
        pub const $name: constants!(@type $kind) = $kind($key);
    )*};
    (@type text) => { &str };
    (@type number) => { u64 };
}

constants! {
    /// The connector's name for people.
    TITLE: text = "title";
    /// Its version.
    VERSION: text = "version";
    /// The version of the API that it speaks.
    API_VERSION: text = "api_version";
    /// How long a call may take, in milliseconds.
    CALL_TIMEOUT_MS: number = "call_timeout_ms";
    /// How long an answer may take to begin, in milliseconds.
    FIRST_BYTE_TIMEOUT_MS: number = "first_byte_timeout_ms";
    /// The longest pause within an answer, in milliseconds.
    BETWEEN_BYTES_TIMEOUT_MS: number = "between_bytes_timeout_ms";
    /// The largest answer that is read.
    RESPONSE_BYTES: number = "response_bytes";
    /// The largest input that is read.
    INPUT_BYTES: number = "input_bytes";
    /// The largest file that is sent.
    FILE_BYTES: number = "file_bytes";
}

#[expect(clippy::panic, reason = "it is the compiler that stops")]
const fn text(name: &str) -> &'static str {
    match TABLE {
        Ok(table) => match table.constant(name) {
            Some(text) => text,
            None => panic!("the manifest has no such constant"),
        },
        Err(_) => panic!("the table is damaged"),
    }
}

#[expect(clippy::panic, reason = "it is the compiler that stops")]
const fn number(name: &str) -> u64 {
    match u64::from_str_radix(text(name), 10) {
        Ok(number) => number,
        Err(_) => panic!("a limit of the manifest is no number"),
    }
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
}
