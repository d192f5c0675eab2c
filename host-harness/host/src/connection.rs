//! What comes with a call: the user's connection, with its secrets, beside the invocation that the call belongs to.
//!
//! A connection is built from named fields, from environment variables or from both, against the manifest's declaration.
//! Whether a value is right is the connector's to say; here only the names are checked. Values flow one way, into the
//! call: as they are, or as placeholders.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::contract::{self, Environment};
use crate::invocation::Invocation;
use crate::manifest::{FieldKind, Manifest};
use crate::secret::{Injection, Secret};

/// A user's connection to the external service. Cheap to clone; its `Debug` shows names and no values.
#[derive(Clone)]
pub struct Connection {
    method: Option<Arc<str>>,
    fields: Arc<[Field]>,
    environment: Environment,
}

struct Field {
    name: String,
    secret: bool,
    inject: bool,
    value: Secret,
}

/// Why a connection cannot be built.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// The manifest declares no such field.
    #[error("the connection has no field {name:?}; it has {known}")]
    UnknownField {
        /// The name.
        name: String,
        /// The names that it has, for the message.
        known: String,
    },
}

impl Connection {
    /// A connection of these fields. Absent and empty ones get the manifest's default, if it has one.
    pub fn new<N, V>(
        manifest: &Manifest,
        environment: Environment,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConnectionError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut given: Vec<(String, Secret)> = Vec::new();
        for (name, value) in fields {
            let name = name.into();
            if manifest.field(&name).is_none() {
                let known = manifest.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(ConnectionError::UnknownField { name, known });
            }
            given.retain(|(earlier, _)| *earlier != name);
            given.push((name, Secret::new(value.into())));
        }
        let fields = manifest.fields.iter().filter_map(|declared| {
            let given = given.iter().find(|(name, value)| *name == declared.name && !value.expose().is_empty());
            let value = match given {
                Some((_, value)) => value.clone(),
                None => Secret::new(declared.default.clone()?),
            };
            let secret = declared.kind == FieldKind::Secret;
            Some(Field { name: declared.name.clone(), secret, inject: declared.inject_at_egress, value })
        });
        Ok(Self { method: None, fields: fields.collect(), environment })
    }

    /// A connection of the environment variables that the manifest names. `fields` come first where both have a value.
    pub fn from_environment<N, V>(
        manifest: &Manifest,
        environment: Environment,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConnectionError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        Self::from_lookup(manifest, environment, fields, |name| std::env::var(name).ok())
    }

    /// As [`Connection::from_environment`], with another source of variables.
    pub fn from_lookup<N, V>(
        manifest: &Manifest,
        environment: Environment,
        fields: impl IntoIterator<Item = (N, V)>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectionError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let found =
            manifest.fields.iter().filter_map(|field| Some((field.name.clone(), lookup(field.env.as_deref()?)?)));
        let given = fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(_, value): &(String, String)| !value.is_empty());
        Self::new(manifest, environment, found.chain(given))
    }

    /// Made with this way to authenticate, as `connection.describe` names it; without, the first is meant.
    #[must_use]
    pub fn with_method(mut self, name: impl Into<Arc<str>>) -> Self {
        self.method = Some(name.into());
        self
    }

    /// What the connection is for.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether the field has a value, given or by default.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// The value of a field that is no secret.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name && !field.secret).map(|field| field.value.expose())
    }

    /// What the component gets, and what takes the placeholders' place at egress.
    pub(crate) fn for_guest(&self) -> (contract::Connection, Vec<Injection>) {
        let mut injections = Vec::new();
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in self.fields.iter() {
            let injection = if field.inject { Injection::new(&field.value) } else { None };
            let value = injection.as_ref().map_or_else(|| field.value.expose(), Injection::placeholder).to_owned();
            fields.push(contract::FieldValue { name: field.name.clone(), value });
            injections.extend(injection);
        }
        let method = self.method.as_deref().map(str::to_owned);
        (contract::Connection { method, fields, environment: self.environment }, injections)
    }

    /// Takes the connection's secrets out of a text that came from the component.
    pub(crate) fn redact(&self, text: String) -> String {
        let secrets = self.fields.iter().filter(|field| field.secret).flat_map(|field| field.value.expose().split(','));
        secrets
            .map(str::trim)
            .filter(|secret| secret.len() > 3)
            .fold(text, |text, secret| text.replace(secret, "(secret)"))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        formatter.debug_struct("Connection").field("fields", &names).field("environment", &self.environment).finish()
    }
}

/// What comes with every call that may reach the external service.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whom the call acts for.
    pub connection: Connection,
    /// Which run it belongs to.
    pub invocation: Invocation,
}

impl Call {
    /// A call of this run for this connection.
    #[must_use]
    pub fn new(connection: Connection, invocation: Invocation) -> Self {
        Self { connection, invocation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(include_str!("../../../manifest.toml")).unwrap()
    }

    const NONE: [(&str, &str); 0] = [];

    #[test]
    fn debug_shows_no_value() {
        let connection =
            Connection::new(&manifest(), Environment::Development, [("api_key", "sk_test_abc"), ("account", "acct_1")])
                .unwrap();
        let shown = format!("{:?}", Call::new(connection, Invocation::new("a")));
        assert!(!shown.contains("sk_test") && !shown.contains("acct_1"), "{shown}");
    }

    #[test]
    fn the_guest_gets_a_placeholder() {
        let connection = Connection::new(&manifest(), Environment::Development, [("api_key", "sk_test_abc")]).unwrap();
        let (guest, injections) = connection.for_guest();
        let key = guest.fields.iter().find(|field| field.name == "api_key").unwrap();
        assert!(key.value.starts_with("sk_test_placeholder"));
        assert_eq!(injections.len(), 1);
    }

    #[test]
    fn a_malformed_key_goes_in_as_it_is() {
        let connection = Connection::new(&manifest(), Environment::Development, [("api_key", "sk_test_a b")]).unwrap();
        let (guest, injections) = connection.for_guest();
        assert!(guest.fields.iter().any(|field| field.value == "sk_test_a b"));
        assert!(injections.is_empty());
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = Connection::new(&manifest(), Environment::Development, [("apikey", "x")]).unwrap_err().to_string();
        assert!(error.contains("apikey") && error.contains("api_key"), "{error}");
    }

    #[test]
    fn the_environment_fills_in_what_is_not_given() {
        let lookup = |name: &str| match name {
            "STRIPE_SECRET_KEY" => Some("sk_test_env".to_owned()),
            "STRIPE_ACCOUNT" => Some("acct_env".to_owned()),
            _ => None,
        };
        let connection =
            Connection::from_lookup(&manifest(), Environment::Development, [("account", "acct_given")], lookup)
                .unwrap();
        assert_eq!(connection.text("account"), Some("acct_given"));
        assert_eq!(connection.text("api_base"), Some("https://api.stripe.com"));
        assert_eq!(connection.text("api_key"), None, "a secret is no text");
        assert!(connection.has("api_key"));
        let empty =
            Connection::from_lookup(&manifest(), Environment::Development, NONE, |_| Some(String::new())).unwrap();
        assert!(!empty.has("api_key"));
    }

    #[test]
    fn secrets_are_taken_out_of_a_text() {
        let connection =
            Connection::new(&manifest(), Environment::Development, [("webhook_secret", "whsec_a, whsec_b")]).unwrap();
        assert_eq!(connection.redact("x whsec_a y whsec_b".to_owned()), "x (secret) y (secret)");
    }
}
