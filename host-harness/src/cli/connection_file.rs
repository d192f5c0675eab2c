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

use super::failure::Failure;
use super::terminal::Terminal;

/// More than any connection has.
const MOST_BYTES: u64 = 1 << 20;

/// What a file says.
pub struct ConnectionFile {
    pub fields: Vec<(String, Secret)>,
    pub environment: Option<Environment>,
}

impl ConnectionFile {
    pub fn read(path: &Path, terminal: &mut Terminal) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::usage(format!("the connection file {}: {reason}", path.display()));
        let unreadable = |error: std::io::Error| wrong(format!("it cannot be read: {error}"));
        let file = File::open(path).map_err(unreadable)?;
        let found = file.metadata().map_err(unreadable)?;
        if is_open_to_others(&found) {
            terminal.warn(format_args!(
                "{} can be read by other users of this machine; `chmod 600 {0}` keeps it yours",
                path.display()
            ));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(wrong("it is over 1 MiB, and so is no connection".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("it is not text in UTF-8".to_owned()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut file = Self { fields: Vec::new(), environment: None };
        for (name, value) in table(text)? {
            let value = match value {
                toml::Value::String(value) => value,
                other => return Err(format!("`{name}` must be text, not {}", other.type_str())),
            };
            if name == "environment" {
                let environment = Environment::from_name(&value);
                file.environment =
                    Some(environment.ok_or("`environment` must be \"development\" or \"production\"".to_owned())?);
            } else {
                file.fields.push((name, Secret::new(value)));
            }
        }
        Ok(file)
    }
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

    fn names(text: &str) -> Vec<String> {
        ConnectionFile::parse(text).unwrap_or_else(|error| panic!("{error}")).fields.into_iter().map(|f| f.0).collect()
    }

    #[test]
    fn toml_and_json_are_the_same() {
        assert_eq!(names("api_key = \"sk_test_a\"\naccount = \"acct_1\""), ["account", "api_key"]);
        assert_eq!(names(r#" {"api_key": "sk_test_a", "account": "acct_1"}"#), ["account", "api_key"]);
    }

    #[test]
    fn the_environment_is_not_a_field() {
        let file = ConnectionFile::parse("environment = \"production\"").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(file.environment, Some(Environment::Production));
        assert!(file.fields.is_empty());
        assert!(ConnectionFile::parse("environment = \"prod\"").is_err());
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
        ] {
            let error = ConnectionFile::parse(text).err().unwrap_or_else(|| panic!("{text} was taken"));
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
