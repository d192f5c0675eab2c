//! A value that cannot be printed and is wiped when it is dropped.

use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

/// A secret. It has no `Debug` or `Display`, and its memory is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Secret(Option<Arc<String>>);

impl Drop for Secret {
    fn drop(&mut self) {
        if let Some(mut last) = self.0.take().and_then(Arc::into_inner) {
            last.zeroize();
        }
    }
}

impl Secret {
    /// Takes a secret over.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Some(Arc::new(value)))
    }

    /// Takes over what is left of a value without the white space around it, as files and `.env` of another system
    /// have it, and without a byte order mark.
    #[must_use]
    pub fn pasted(value: String) -> Self {
        let value = Zeroizing::new(value);
        let around = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
        Self::new(value.trim_matches(around).to_owned())
    }

    /// The value. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_deref().map_or("", String::as_str)
    }

    /// The value for a call of a component, without a copy of it. It is given back before the last clone is dropped, which
    /// then wipes it.
    pub(crate) fn lend(&self) -> Arc<String> {
        self.0.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_copied_for_a_call() {
        let secret = Secret::new("whsec_abc".to_owned());
        assert_eq!(secret.lend().as_ptr(), secret.clone().expose().as_ptr());
    }

    #[test]
    fn what_is_around_a_pasted_value_is_dropped() {
        for pasted in ["sk_test_abc", "sk_test_abc\n", "sk_test_abc\r\n", "\u{feff} sk_test_abc\t", "\u{a0}sk_test_abc"]
        {
            assert_eq!(Secret::pasted(pasted.to_owned()).expose(), "sk_test_abc", "{pasted:?}");
        }
        assert_eq!(Secret::pasted("sk_test_a b".to_owned()).expose(), "sk_test_a b");
    }
}
