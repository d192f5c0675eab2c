//! Secrets on the host's side, and the placeholders that a component gets in their place.
//!
//! What lives here: a value that cannot be printed and is wiped when it is dropped, the making of a placeholder, and the
//! replacement in an `Authorization` header. What does not: the decision whether the request may leave at all
//! (`egress::policy`); `egress::hooks` calls in here only after it.

use std::sync::Arc;

use http::HeaderValue;
use zeroize::Zeroizing;

/// A secret. It has no `Debug` or `Display`, and its memory is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a secret over.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Arc::new(Zeroizing::new(value)))
    }

    /// The value. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }

    /// The value, for what takes nothing but a `String`.
    pub(crate) fn expose_string(&self) -> &String {
        &self.0
    }
}

/// A placeholder, and the secret that takes its place where a request leaves.
pub(crate) struct Injection {
    placeholder: String,
    secret: Secret,
}

impl Injection {
    /// A fresh placeholder of the secret's prefix: `sk_test_` + `placeholder` + random letters and digits.
    ///
    /// None for a value that is not of the form `prefix_prefix_ALNUM`: it goes in as it is, and the connector says what
    /// is wrong with it. A value with spaces or line breaks could not be put into a header anyway.
    pub(crate) fn new(secret: &Secret) -> Option<Self> {
        let prefix = prefix(secret.expose())?;
        let placeholder = format!("{prefix}placeholder{}", random_text(24)?);
        Some(Self { placeholder, secret: secret.clone() })
    }

    pub(crate) fn placeholder(&self) -> &str {
        &self.placeholder
    }

    /// Puts the secret into an `Authorization` header that has the placeholder.
    pub(crate) fn apply(&self, header: &mut HeaderValue) {
        let Ok(text) = header.to_str() else { return };
        if !text.contains(&self.placeholder) {
            return;
        }
        let real = Zeroizing::new(text.replace(&self.placeholder, self.secret.expose()));
        if let Ok(mut value) = HeaderValue::from_str(&real) {
            value.set_sensitive(true);
            *header = value;
        }
    }
}

/// `sk_test_` of `sk_test_4eC39H`: segments of lower-case letters, each ended by `_`, before one of letters and digits.
fn prefix(value: &str) -> Option<&str> {
    let (prefix, rest) = value.split_at(value.rfind('_')? + 1);
    let mut segments = prefix.strip_suffix('_')?.split('_');
    let well_formed =
        segments.all(|segment| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_lowercase()));
    let ends_well = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (well_formed && ends_well).then_some(prefix)
}

/// So many random letters and digits; none where the system gives no randomness.
pub(crate) fn random_text(length: usize) -> Option<String> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).ok()?;
    let letter = |byte: &u8| ALPHABET.get(usize::from(*byte) % ALPHABET.len()).map(|letter| char::from(*letter));
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_keeps_the_prefix_and_nothing_else() {
        for (value, prefix) in [
            ("sk_test_51HostHarness", "sk_test_"),
            ("rk_live_abc", "rk_live_"),
            ("whsec_abc", "whsec_"),
            ("sk_org_live_a1", "sk_org_live_"),
        ] {
            let injection = Injection::new(&Secret::new(value.to_owned())).unwrap();
            let rest = injection.placeholder().strip_prefix(prefix).unwrap().strip_prefix("placeholder").unwrap();
            assert_eq!(rest.len(), 24);
            assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(!injection.placeholder().contains(value));
        }
    }

    #[test]
    fn two_placeholders_differ() {
        let secret = Secret::new("sk_test_a".to_owned());
        assert_ne!(Injection::new(&secret).unwrap().placeholder(), Injection::new(&secret).unwrap().placeholder());
    }

    #[test]
    fn a_malformed_value_has_no_placeholder() {
        for value in [
            "",
            "_",
            "sk",
            "sk_",
            "sk__a",
            "_a",
            "SK_test_a",
            "sk_test_a b",
            "sk_test_a\n",
            " sk_test_a",
            "sk_test_a-b",
            "sk_t1_a",
            "sk_test_ä",
        ] {
            assert!(Injection::new(&Secret::new(value.to_owned())).is_none(), "{value:?}");
        }
    }

    #[test]
    fn the_secret_takes_the_place_of_its_placeholder() {
        let injection = Injection::new(&Secret::new("sk_test_real".to_owned())).unwrap();
        let mut header = HeaderValue::from_str(&format!("Bearer {}", injection.placeholder())).unwrap();
        injection.apply(&mut header);
        assert_eq!(header, "Bearer sk_test_real");
        assert!(header.is_sensitive());
        let mut other = HeaderValue::from_static("Bearer sk_test_placeholder");
        injection.apply(&mut other);
        assert_eq!(other, "Bearer sk_test_placeholder");
    }
}
