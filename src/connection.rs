//! The connection that comes with a call: read once, refused before anything is sent when it is not right.

use crate::catalogue::{self, did_you_mean};
use crate::error::{Error, Result};
use crate::stripe::key::{KeyKind, Mode, SecretKey};
use crate::stripe::signature;
use crate::stripe::transport::ApiBase;

/// The fields of a connection as they came in.
#[derive(Clone)]
pub struct Fields {
    /// Names and values.
    pub values: Vec<(String, String)>,
    /// Whether only test keys are allowed.
    pub development: bool,
}

/// A connection that can be used.
#[derive(Debug)]
pub struct Connection {
    /// The key.
    pub key: SecretKey,
    /// The connected account to act for.
    pub account: Option<String>,
    /// Where the API is.
    pub base: ApiBase,
    /// Whether it has a secret that webhooks are signed with.
    pub has_webhook_secret: bool,
    /// Where customers land who have paid, unless a request says.
    pub success_url: Option<String>,
    /// Where customers land who turn back, unless a request says.
    pub cancel_url: Option<String>,
}

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
    }

    /// Refuses fields that the connection does not have, and those that come twice.
    fn check_names(&self) -> Result<()> {
        let fields = catalogue::table()?.connection_fields();
        let known = || fields.iter().map(|f| f.name());
        for (index, (name, _)) in self.values.iter().enumerate() {
            if !known().any(|k| k == name) {
                let names = known().collect::<Vec<_>>().join(", ");
                let error = Error::connection(name, "the connection has no field of this name");
                return Err(did_you_mean(error, name, &mut known(), &["Its fields are ", &names, "."].concat()));
            }
            if self.values.iter().skip(index + 1).any(|(n, _)| n == name) {
                return Err(Error::connection(name, "the connection has this field twice"));
            }
        }
        Ok(())
    }

    /// The field as it came: its own white space is the key's business.
    fn pasted_key(&self) -> &str {
        self.values.iter().find(|(n, _)| n == "api_key").map_or("", |(_, v)| v.as_str())
    }

    /// The connected account to act for.
    ///
    /// # Errors
    /// A malformed one.
    pub fn account(&self) -> Result<Option<&str>> {
        self.get("account").map(account).transpose()
    }

    /// Whether real money moves, where there is a key that tells.
    pub fn mode(&self) -> Option<Mode> {
        SecretKey::parse(self.pasted_key()).ok().map(|key| key.mode)
    }

    /// How old a delivery may be, in seconds.
    ///
    /// # Errors
    /// One that is not 1 second to a day.
    pub fn webhook_tolerance(&self) -> Result<u64> {
        const FIELD: &str = "webhook_tolerance";
        let Some(text) = self.get(FIELD) else { return Ok(signature::TOLERANCE) };
        text.parse().ok().filter(|seconds| (1..=LONGEST_TOLERANCE).contains(seconds)).ok_or_else(|| {
            Error::connection(FIELD, "the tolerance of deliveries is 1 to 86400 whole seconds")
                .hint("Leave it empty for 300. A longer one lets a delivery that somebody has recorded be sent again for so long.")
        })
    }

    /// Whether something is filled in as webhook secret.
    pub fn has_webhook_secret(&self) -> bool {
        self.get(WEBHOOK_SECRET).is_some()
    }

    /// Reads the connection for a call that reaches the API.
    ///
    /// # Errors
    /// The first field that is missing, malformed or not allowed.
    pub fn connection(&self) -> Result<Connection> {
        self.check_names()?;
        let key = SecretKey::parse(self.pasted_key())?;
        key.allow_in(self.development)?;
        let account = self.account()?.map(str::to_owned);
        if key.kind == KeyKind::Organisation && account.is_none() {
            return Err(Error::connection("account", "an organisation's key (sk_org_…) needs the account to act for")
                .hint("Put the account's id (acct_…) into `account`."));
        }
        let mut fields = catalogue::table()?.connection_fields().iter();
        let default = fields.find(|f| f.name() == "api_base").map_or("", |f| f.default());
        let base = ApiBase::parse(self.get("api_base").unwrap_or(default))
            .map_err(|what| Error::connection("api_base", format!("the API address {what}")))?;
        Ok(Connection {
            key,
            account,
            base,
            has_webhook_secret: self.webhook_secrets().is_ok(),
            success_url: self.page("checkout_success_url")?,
            cancel_url: self.page("checkout_cancel_url")?,
        })
    }

    /// The address of a page of the user's own.
    fn page(&self, name: &str) -> Result<Option<String>> {
        let is_page = |text: &&str| text.starts_with("https://") || text.starts_with("http://");
        match self.get(name) {
            Some(text) if !is_page(&text) => {
                Err(Error::connection(name, "a page's address begins with https:// (or http:// in test mode)"))
            }
            page => Ok(page.map(str::to_owned)),
        }
    }

    /// The secrets that webhooks may be signed with.
    ///
    /// # Errors
    /// None, or one that is not a webhook secret.
    pub fn webhook_secrets(&self) -> Result<Vec<String>> {
        const FIELD: &str = WEBHOOK_SECRET;
        self.check_names()?;
        let text = self.get(FIELD).ok_or_else(|| {
            Error::connection(FIELD, "there is no webhook signing secret, so no delivery can be checked")
                .hint("Copy the secret (whsec_…) of the webhook endpoint from https://dashboard.stripe.com/webhooks.")
        })?;
        let secrets: Vec<String> = text.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
        if secrets.is_empty() {
            return Err(Error::connection(FIELD, "there is nothing between the commas of the webhook signing secrets"));
        }
        for secret in &secrets {
            let rest = secret.strip_prefix("whsec_").unwrap_or_default();
            if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(Error::connection(FIELD, "a webhook signing secret begins with whsec_ and has no spaces inside")
                    .hint("It is not an API key: each webhook endpoint has its own, at https://dashboard.stripe.com/webhooks."));
            }
        }
        Ok(secrets)
    }
}

/// A day: whoever needs more has lost the delivery.
const LONGEST_TOLERANCE: u64 = 24 * 60 * 60;
const WEBHOOK_SECRET: &str = "webhook_secret";

fn account(text: &str) -> Result<&str> {
    let rest = text.strip_prefix("acct_").unwrap_or_default();
    if rest.is_empty() || rest.len() > 100 || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Error::connection("account", "a connected account's id is acct_ followed by letters and digits"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn fields(values: &[(&str, &str)]) -> Fields {
        Fields { values: values.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(), development: true }
    }

    fn refused(values: &[(&str, &str)]) -> Box<Error> {
        let error = fields(values).connection().expect_err("must be refused");
        assert_eq!(error.kind, ErrorKind::InvalidConnection);
        error
    }

    #[test]
    fn a_key_alone_is_a_connection_to_stripe_itself() {
        let connection =
            fields(&[("api_key", "sk_test_abc"), ("account", ""), ("api_base", " ")]).connection().expect("fine");
        assert_eq!(connection.base, ApiBase { https: true, authority: "api.stripe.com".into() });
        assert_eq!(connection.account, None);
    }

    #[test]
    fn names_the_field_at_fault() {
        assert_eq!(refused(&[]).field.as_deref(), Some("api_key"));
        assert_eq!(refused(&[("api_key", "sk_live_abc")]).field.as_deref(), Some("api_key"));
        assert_eq!(refused(&[("api_key", "sk_test_a"), ("account", "cus_1")]).field.as_deref(), Some("account"));
        assert_eq!(
            refused(&[("api_key", "sk_test_a"), ("api_base", "http://evil.example")]).field.as_deref(),
            Some("api_base")
        );
        let page = "checkout_success_url";
        assert_eq!(refused(&[("api_key", "sk_test_a"), (page, "shop.example")]).field.as_deref(), Some(page));
        assert_eq!(refused(&[("api_key", "sk_test_a"), ("colour", "red")]).field.as_deref(), Some("colour"));
        assert_eq!(refused(&[("api_key", "sk_test_a"), ("api_key", "sk_test_b")]).field.as_deref(), Some("api_key"));
        assert_eq!(refused(&[("api_key", "sk_org_test_a")]).field.as_deref(), Some("account"));
    }

    #[test]
    fn the_tolerance_is_stripes_unless_said_and_has_bounds() {
        let of = |text: &str| fields(&[("webhook_tolerance", text)]).webhook_tolerance();
        for (text, seconds) in [("", 300), (" 600 ", 600), ("1", 1), ("86400", 86400)] {
            assert_eq!(of(text).expect("fine"), seconds, "{text}");
        }
        for bad in ["0", "-5", "86401", "5 minutes", "1e3", "99999999999999999999"] {
            assert_eq!(of(bad).expect_err(bad).field.as_deref(), Some("webhook_tolerance"), "{bad}");
        }
    }

    #[test]
    fn webhook_secrets_may_be_two_and_never_an_api_key() {
        let two = fields(&[("webhook_secret", "whsec_a, whsec_b")]).webhook_secrets().expect("fine");
        assert_eq!(two, ["whsec_a", "whsec_b"]);
        for bad in ["sk_test_abc", "whsec_", "whsec_a b", ","] {
            assert!(fields(&[("webhook_secret", bad)]).webhook_secrets().is_err(), "{bad}");
        }
        assert!(fields(&[]).webhook_secrets().is_err());
    }
}
