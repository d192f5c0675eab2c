//! API keys: what they are allowed to be before anything is sent with them.
//!
//! Rules from Stripe's page "API keys": the prefix tells the kind and the mode.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Whether real money moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is real.
    Test,
    /// Everything is real.
    Live,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `sk_…`: everything in one account.
    Secret,
    /// `rk_…`: chosen permissions in one account.
    Restricted,
    /// `sk_org_…`: the accounts of an organisation; needs the account in `Stripe-Context`.
    Organisation,
}

/// A key that the API may accept. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey {
    value: String,
    /// What it may be used for.
    pub kind: KeyKind,
    /// Whether it moves real money.
    pub mode: Mode,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("kind", &self.kind).field("mode", &self.mode).finish_non_exhaustive()
    }
}

const FIELD: &str = "api_key";
const WHERE: &str =
    "Copy the secret key (sk_test_…) or a restricted key (rk_test_…) from https://dashboard.stripe.com/apikeys.";
const PREFIXES: [(&str, KeyKind, Mode); 6] = [
    ("sk_org_test_", KeyKind::Organisation, Mode::Test),
    ("sk_org_live_", KeyKind::Organisation, Mode::Live),
    ("sk_test_", KeyKind::Secret, Mode::Test),
    ("sk_live_", KeyKind::Secret, Mode::Live),
    ("rk_test_", KeyKind::Restricted, Mode::Test),
    ("rk_live_", KeyKind::Restricted, Mode::Live),
];

/// No key has more characters behind its prefix.
const LONGEST: usize = 500;

impl SecretKey {
    /// Reads a key as a user pasted it: white space around it is dropped, anything inside is not.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub fn parse(pasted: &str) -> Result<Self> {
        let value = pasted.trim();
        let known = PREFIXES.into_iter().find(|(prefix, ..)| value.starts_with(prefix));
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if let Some((prefix, kind, mode)) = known
            && let Some(rest) = value.get(prefix.len()..)
            && (1..=LONGEST).contains(&rest.len())
            && rest.bytes().all(is_letter)
        {
            return Ok(Self { value: value.to_owned(), kind, mode });
        }
        // It is none, and the rest is about what it is instead.
        let wrong = |message: &str| Err(Error::connection(FIELD, message).hint(WHERE));
        if value.is_empty() {
            return wrong("there is no API key");
        }
        if value.contains(['\n', '\r']) {
            return wrong(
                "the API key has a line break inside: it is probably two values, or was cut when it was copied",
            );
        }
        if value.chars().any(char::is_whitespace) {
            return wrong("the API key has a space inside");
        }
        if value.starts_with("pk_") {
            return wrong(
                "this is a publishable key (pk_…): it can only be used in a browser; a secret or restricted key is needed",
            );
        }
        if value.starts_with("whsec_") {
            return Err(Error::connection(FIELD, "this is a webhook signing secret (whsec_…), not an API key")
                .hint(format!("Put it into `webhook_secret`. {WHERE}")));
        }
        let Some((prefix, ..)) = known else {
            return wrong("the API key does not begin with sk_test_, sk_live_, rk_test_ or rk_live_");
        };
        let rest = value.strip_prefix(prefix).unwrap_or_default();
        if rest.is_empty() {
            return wrong("the API key ends after its prefix: it was cut when it was copied");
        }
        if rest.contains(['*', '•', '…', '.']) {
            return wrong("the API key is a masked one, with dots or asterisks in place of its characters");
        }
        if !rest.bytes().all(is_letter) {
            return wrong("the API key has a character that no Stripe key has: only letters, digits and _ occur");
        }
        wrong("the API key is longer than any Stripe key")
    }

    /// Refuses a key that moves real money where that is not wanted.
    ///
    /// # Errors
    /// A live key in development.
    pub fn allow_in(&self, development: bool) -> Result<()> {
        if development && self.mode == Mode::Live {
            return Err(Error::new(
                ErrorKind::InvalidConnection,
                "a live key moves real money and is refused in development",
            )
            .at(FIELD)
            .hint("Use a test key (sk_test_… or rk_test_…), or make this a production connection."));
        }
        Ok(())
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> String {
        ["Bearer ", &self.value].concat()
    }

    /// Removes the key from a text that somebody else wrote.
    pub fn redact(&self, text: String) -> String {
        if text.contains(&self.value) { text.replace(&self.value, "[key]") } else { text }
    }
}

/// A token that Stripe gave in place of the key, for one host and a short while. It cannot be printed.
pub struct SessionToken(String);

impl SessionToken {
    /// Takes a token over, as Stripe answered it.
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> String {
        ["Bearer ", &self.0].concat()
    }

    /// Removes the token from a text that somebody else wrote.
    pub fn redact(&self, text: String) -> String {
        if text.contains(&self.0) { text.replace(&self.0, "[token]") } else { text }
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(pasted: &str) -> String {
        let error = SecretKey::parse(pasted).expect_err("must be refused");
        assert_eq!(error.kind, ErrorKind::InvalidConnection);
        assert_eq!(error.field.as_deref(), Some("api_key"));
        error.message
    }

    #[test]
    fn takes_secret_and_restricted_keys_and_tells_their_mode() {
        for (key, kind, mode) in [
            ("sk_test_abc123", KeyKind::Secret, Mode::Test),
            ("sk_live_abc123", KeyKind::Secret, Mode::Live),
            ("rk_test_abc123", KeyKind::Restricted, Mode::Test),
            ("rk_live_abc123", KeyKind::Restricted, Mode::Live),
            ("sk_org_test_abc", KeyKind::Organisation, Mode::Test),
            ("sk_test_51Abc_more", KeyKind::Secret, Mode::Test),
        ] {
            let parsed = SecretKey::parse(key).expect(key);
            assert_eq!((parsed.kind, parsed.mode), (kind, mode));
        }
    }

    #[test]
    fn drops_white_space_around_a_pasted_key() {
        assert_eq!(SecretKey::parse(" sk_test_abc\n").expect("fine").authorization(), "Bearer sk_test_abc");
    }

    #[test]
    fn says_what_is_wrong_with_a_key_without_showing_it() {
        assert!(message("").contains("no API key"));
        assert!(message("pk_test_abc").contains("publishable"));
        assert!(message("whsec_abc").contains("webhook signing secret"));
        assert!(message("sk_test_ab c").contains("space inside"));
        assert!(message("sk_test_ab\nsk_test_cd").contains("line break inside"));
        assert!(message("sk_test_").contains("ends after its prefix"));
        assert!(message("sk_test_****1234").contains("masked"));
        assert!(message("sk_test_äbc").contains("no Stripe key has"));
        assert!(message("SECRETVALUE").contains("does not begin with"));
        for bad in ["sk_test_SECRET VALUE", "pk_test_SECRET", "SECRETVALUE", "sk_test_SECRET\u{e9}"] {
            assert!(!message(bad).contains("SECRET"), "{bad}");
        }
    }

    #[test]
    fn refuses_a_live_key_in_development() {
        let live = SecretKey::parse("rk_live_abc").expect("fine");
        assert!(live.allow_in(false).is_ok());
        let error = live.allow_in(true).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::InvalidConnection);
        assert!(error.message.contains("development"));
        assert!(SecretKey::parse("sk_test_abc").expect("fine").allow_in(true).is_ok());
    }

    #[test]
    fn cannot_be_printed() {
        let key = SecretKey::parse("sk_test_SECRET").expect("fine");
        assert!(!format!("{key:?}").contains("SECRET"));
        assert_eq!(key.redact("key sk_test_SECRET!".into()), "key [key]!");
    }
}
