//! `--connection FILE`: the fields of a connection, and what it is for.
//!
//! ```toml
//! environment = "development"
//! api_key = "sk_test_…"
//! webhook_secret = "whsec_…"
//! ```
//!
//! The same names work as a JSON object. A file has everything or nothing: the environment's variables are not looked
//! at beside it, so that a file never gets a key that happens to be in the shell. No message repeats a part of the file.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use host::Secret;
use host::contract::Environment;

use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::cli::wording;

/// More than any connection has.
const MOST_BYTES: u64 = 1 << 20;

/// What a file says.
pub struct ConnectionFile {
    pub fields: Vec<(String, Secret)>,
    pub environment: Option<Environment>,
}

impl ConnectionFile {
    /// What the file says of these fields.
    pub fn read(path: &Path, known: &[&str], terminal: &mut Terminal) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::usage(format!("the connection file {}: {reason}", path.display()));
        let unreadable = |error: std::io::Error| wrong(format!("it cannot be read: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if is_open_to_others(&found) {
            terminal.warn(format_args!(
                "{} can be read by other users of this machine; `chmod 600 {}` keeps it yours",
                path.display(),
                wording::shell_word(&path.to_string_lossy())
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(wrong("it is over 1 MiB, and so is no connection".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not text in UTF-8".to_owned()))?;
        Self::parse(&text, known).map_err(wrong)
    }

    fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        // Editors of some systems begin every file with a mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut file = Self { fields: Vec::new(), environment: None };
        for (name, value) in table(text)? {
            if name != "environment" && !known.contains(&name.as_str()) {
                // What is no name of a field may be the key itself.
                let line = line_of(text, &name);
                return Err(format!("line {line} names no field of the connection; it has {}", known.join(", ")));
            }
            let value = match value {
                toml::Value::String(value) => value,
                other => return Err(format!("`{name}` must be text, not {}", other.type_str())),
            };
            if name == "environment" {
                let environment = Environment::from_name(value.trim());
                file.environment =
                    Some(environment.ok_or("`environment` must be \"development\" or \"production\"".to_owned())?);
            } else {
                file.fields.push((name, Secret::new(value.trim().to_owned())));
            }
        }
        Ok(file)
    }
}

/// The line of a member, as far as it can be told.
fn line_of(text: &str, name: &str) -> usize {
    let begins = |line: &str| line.trim_start_matches([' ', '\t', '{', '[', '"', '\'', ',']).starts_with(name);
    text.lines().position(begins).unwrap_or_default() + 1
}

/// The parsers' own messages are not passed on: they quote what they stumble over.
fn table(text: &str) -> Result<toml::Table, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| {
            format!("it is not a JSON object of texts (line {}, column {})", error.line(), error.column())
        });
    }
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("it is not TOML (line {}); write `name = \"value\"` on each line", before.matches('\n').count() + 1)
    })
}

#[cfg(unix)]
pub fn is_open_to_others(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    found.is_file() && found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
pub fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["api_key", "account"];

    fn names(text: &str) -> Vec<String> {
        ConnectionFile::parse(text, &KNOWN)
            .unwrap_or_else(|error| panic!("{error}"))
            .fields
            .into_iter()
            .map(|f| f.0)
            .collect()
    }

    #[test]
    fn toml_and_json_are_the_same() {
        assert_eq!(names("api_key = \"sk_test_a\"\naccount = \"acct_1\""), ["account", "api_key"]);
        assert_eq!(names(r#" {"api_key": "sk_test_a", "account": "acct_1"}"#), ["account", "api_key"]);
    }

    #[test]
    fn what_is_around_a_value_is_no_part_of_it() {
        for text in ["\u{feff}{\"api_key\": \" sk_test_a\\r\\n\"}", "\u{feff}api_key = \"sk_test_a\\t\"\r\n"] {
            let file = ConnectionFile::parse(text, &KNOWN).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(file.fields[0].1.expose(), "sk_test_a");
        }
    }

    #[test]
    fn a_name_that_is_no_fields_is_told_by_its_line() {
        let wrong = |text| ConnectionFile::parse(text, &KNOWN).err().unwrap();
        assert_eq!(
            wrong("account = \"a\"\napi_kye = \"b\""),
            "line 2 names no field of the connection; it has api_key, account"
        );
        assert!(wrong("{\n  \"api_kye\": \"b\"}").starts_with("line 2 "));
    }

    #[test]
    fn the_environment_is_not_a_field() {
        let file =
            ConnectionFile::parse("environment = \"production\"", &KNOWN).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.environment, Some(Environment::Production));
        assert!(file.fields.is_empty());
        assert!(ConnectionFile::parse("environment = \"prod\"", &KNOWN).is_err());
    }

    #[test]
    fn no_message_repeats_the_file() {
        for text in [
            "api_key = sk_test_secret",
            "api_key = \"sk_test_secret",
            "sk_test_secret",
            "api_key = \"a\"\napi_key = 'sk_test_secret'",
            "{\"api_key\": sk_test_secret}",
            "{\"api_key\": \"sk_test_secret\"",
            "{\"api_key\": {\"a\": \"sk_test_secret\"}}",
            "[sk_test_secret",
            "api_key = [\"sk_test_secret\"]",
            "environment = \"sk_test_secret\"",
            "sk_test_secret = \"api_key\"",
            "sk_test_secret = 5",
            "[sk_test_secret]",
            "[[sk_test_secret]]\na = 5",
            "{\"sk_test_secret\": \"api_key\"}",
            "{\"sk_test_secret\": 5}",
            "\"sk_test_secret\" = 1\n\"sk_test_secret\" = 2",
            "\u{feff}sk_test_secret",
        ] {
            let error = ConnectionFile::parse(text, &KNOWN).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
