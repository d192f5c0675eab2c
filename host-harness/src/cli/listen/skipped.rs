//! Why `stripe listen` is not run.

use host::Secret;
use thiserror::Error;

/// The one reason, as it ends the sentence "`stripe listen` is not started: …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Skipped {
    /// The user does not want it.
    #[error("--no-listen says so")]
    Unwanted,
    /// Which of several connections it would listen for, nobody said.
    #[error("a connection of a file has a secret of its own")]
    OfAFile,
    /// The command line is Stripe's, and speaks for nothing else.
    #[error("the connector is not Stripe's own")]
    OtherService,
    /// Deliveries come from elsewhere, signed with a secret that is known.
    #[error("a webhook secret is given")]
    OwnSecret,
    /// The program would use whatever account somebody was logged in to last.
    #[error("there is no key, and it listens to the account of a key that is given")]
    NoKey,
    /// Real events are not for a machine under somebody's desk.
    #[error("the key is not a test key (sk_test_…, rk_test_…)")]
    NotATestKey,
    /// It is not installed.
    #[error("there is no Stripe command line (`stripe`) on PATH")]
    NoProgram,
}

impl Skipped {
    /// The key of a connection to listen with, or the reason not to.
    pub fn unless_possible(key: Option<&Secret>, has_webhook_secret: bool) -> Result<&Secret, Self> {
        if has_webhook_secret {
            return Err(Self::OwnSecret);
        }
        let key = key.ok_or(Self::NoKey)?;
        let test = ["sk_test_", "rk_test_"].iter().any(|kind| key.expose().starts_with(kind));
        if test { Ok(key) } else { Err(Self::NotATestKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_key_without_a_secret_listens() {
        let why = |key: Option<&str>, webhook_secret| {
            let key = key.map(|key| Secret::new(key.to_owned()));
            Skipped::unless_possible(key.as_ref(), webhook_secret).map(drop)
        };
        assert_eq!(why(Some("sk_test_1"), false), Ok(()));
        assert_eq!(why(Some("rk_test_1"), false), Ok(()));
        assert_eq!(why(Some("sk_test_1"), true), Err(Skipped::OwnSecret));
        assert_eq!(why(None, true), Err(Skipped::OwnSecret));
        assert_eq!(why(None, false), Err(Skipped::NoKey));
        for key in ["sk_live_1", "rk_live_1", "sk_org_test_1", "pk_test_1", "", "x sk_test_1"] {
            assert_eq!(why(Some(key), false), Err(Skipped::NotATestKey), "{key}");
        }
    }
}
