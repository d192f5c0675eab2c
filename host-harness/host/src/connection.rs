//! What comes with a call: the user's connection, with its secrets, beside the invocation that the call belongs to.
//!
//! A connection is built from named fields, from environment variables or from both, against the manifest's declaration.
//! Whether a value is right is the connector's to say; here the names are checked, and that every secret can be hidden
//! behind a placeholder. Values flow one way, into the call: as they are where they are no secret; a secret itself only
//! into the calls that the manifest says need it; a placeholder into all others.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::contract::{self, Environment};
use crate::egress::{Gate, Injection};
use crate::invocation::Invocation;
use crate::manifest::{ConnectionFieldDeclaration, FieldKind, Manifest};
use crate::secret::{Scrubber, Secret, Unhidable, placeholder};
use crate::trace::TraceParent;
use crate::variables::Variables;

/// A user's connection to the external service. Cheap to clone; its `Debug` shows names and no values.
#[derive(Clone)]
pub struct Connection {
    method: Option<Arc<str>>,
    fields: Arc<[Field]>,
    injections: Arc<[Injection]>,
    scrubber: Scrubber,
    environment: Environment,
}

struct Field {
    name: String,
    value: Secret,
    /// Of a secret.
    hidden: Option<Hidden>,
}

/// How a secret is kept from the component.
struct Hidden {
    placeholder: String,
    /// The functions whose calls get the value itself.
    reveal_to: Vec<String>,
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
    /// A secret that cannot be hidden from the component, and so is not taken. The message has no part of it.
    #[error("connection field {name:?} {reason}")]
    Unhidable {
        /// The field.
        name: String,
        /// What is wrong with its value.
        reason: Unhidable,
    },
}

impl Connection {
    /// A connection of these fields. White space around a value is dropped: files and variables have line breaks at their
    /// ends. Absent and empty ones get the manifest's default, if it has one.
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
            given.push((name, Secret::pasted(value.into())));
        }
        let (mut fields, mut injections, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for declared in &manifest.fields {
            let given = given.iter().find(|(name, value)| *name == declared.name && !value.expose().is_empty());
            let value = match (given, &declared.default) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(default)) => Secret::new(default.clone()),
                (None, None) => continue,
            };
            let hidden =
                if declared.kind == FieldKind::Secret { Some(hide(declared, &value, &mut words)?) } else { None };
            if let Some(Hidden { placeholder, .. }) = hidden.as_ref().filter(|_| declared.inject_at_egress) {
                let (placeholder, only_at) = (placeholder.clone(), declared.inject_only_at.clone());
                injections.push(Injection { placeholder, secret: value.clone(), only_at });
            }
            fields.push(Field { name: declared.name.clone(), value, hidden });
        }
        let (fields, injections, scrubber) = (fields.into(), injections.into(), Scrubber::new(words));
        Ok(Self { method: None, fields, injections, scrubber, environment })
    }

    /// A connection of those environment variables that the manifest names and the operator agrees to. `fields` come
    /// first where both have a value.
    ///
    /// A manifest comes with a component, from a stranger perhaps, and names variables as it likes: whoever calls this says
    /// which of them it may have ([`Variables`]).
    pub fn from_environment<N, V>(
        manifest: &Manifest,
        variables: &Variables,
        environment: Environment,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConnectionError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        Self::from_lookup(manifest, variables, environment, fields, |name| std::env::var(name).ok())
    }

    /// As [`Connection::from_environment`], with another source of variables.
    pub fn from_lookup<N, V>(
        manifest: &Manifest,
        variables: &Variables,
        environment: Environment,
        fields: impl IntoIterator<Item = (N, V)>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectionError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let agreed = variables.of(manifest);
        let found = agreed.filter_map(|(field, variable)| Some((field.name.clone(), lookup(variable)?)));
        let given = fields
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(_, value): &(String, String)| !value.trim().is_empty());
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
        self.fields.iter().find(|field| field.name == name && field.hidden.is_none()).map(|field| field.value.expose())
    }

    /// Which account of a connector's service it is for, by what leaves with its requests. Tells nothing of the fields.
    pub(crate) fn account(&self, connector: &str) -> [u8; 32] {
        let sent = |field: &&Field| {
            let placeholder = field.hidden.as_ref().map(|hidden| &hidden.placeholder);
            placeholder.is_none_or(|hidden| self.injections.iter().any(|injection| injection.placeholder == *hidden))
        };
        let fields = self.fields.iter().filter(sent).flat_map(|field| [field.name.as_str(), field.value.expose()]);
        let mut digest = Sha256::new();
        for text in [connector].into_iter().chain(fields) {
            digest.update(text.len().to_le_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }

    /// What the component gets in a call of this function.
    pub(crate) fn for_guest(&self, function: &str) -> contract::Connection {
        let shown = |field: &Field| match &field.hidden {
            Some(hidden) if !hidden.reveal_to.iter().any(|name| name == function) => hidden.placeholder.clone(),
            _ => field.value.expose().to_owned(),
        };
        let value = |field: &Field| contract::FieldValue { name: field.name.clone(), value: shown(field) };
        contract::Connection {
            method: self.method.as_deref().map(str::to_owned),
            fields: self.fields.iter().map(value).collect(),
            environment: self.environment,
        }
    }

    /// What takes the placeholders' place at egress.
    pub(crate) fn injections(&self) -> Arc<[Injection]> {
        Arc::clone(&self.injections)
    }

    /// What takes the connection's secrets out of what comes back.
    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }
}

/// Makes a secret's placeholder. A secret that never leaves may be several, separated by commas: each is one to look for.
fn hide(
    declared: &ConnectionFieldDeclaration,
    value: &Secret,
    words: &mut Vec<(Secret, String)>,
) -> Result<Hidden, ConnectionError> {
    let refused = |reason: Unhidable| ConnectionError::Unhidable { name: declared.name.clone(), reason };
    let parts: Vec<&str> = if declared.inject_at_egress {
        vec![value.expose()]
    } else {
        value.expose().split(',').map(str::trim).collect()
    };
    let mut hidden = Vec::new();
    for part in parts {
        if part.is_empty() {
            hidden.push(String::new());
            continue;
        }
        let placeholder = placeholder(part).map_err(refused)?;
        words.push((Secret::new(part.to_owned()), placeholder.clone()));
        hidden.push(placeholder);
    }
    Ok(Hidden { placeholder: hidden.join(","), reveal_to: declared.reveal_to.clone() })
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
    /// For whom it runs. Where calls wait for their turn, tenants take turns; calls without one are one tenant together.
    pub tenant: Option<Arc<str>>,
    /// The trace that the call belongs to, which every request of it carries on.
    pub trace: Option<TraceParent>,
    /// Sees every request of the call before it leaves, and may hold it back.
    pub gate: Option<Arc<dyn Gate>>,
}

impl Call {
    /// A call of this run for this connection.
    #[must_use]
    pub fn new(connection: Connection, invocation: Invocation) -> Self {
        Self { connection, invocation, tenant: None, trace: None, gate: None }
    }

    /// On behalf of this tenant.
    #[must_use]
    pub fn for_tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Within this trace.
    #[must_use]
    pub fn within(mut self, trace: impl Into<Option<TraceParent>>) -> Self {
        self.trace = trace.into();
        self
    }

    /// Through this gate.
    #[must_use]
    pub fn through(mut self, gate: Arc<dyn Gate>) -> Self {
        self.gate = Some(gate);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(include_str!("../../../manifest.toml")).unwrap()
    }

    const NONE: [(&str, &str); 0] = [];

    fn own() -> Variables {
        Variables::own()
    }

    #[test]
    fn debug_shows_no_value() {
        let connection =
            Connection::new(&manifest(), Environment::Development, [("api_key", "sk_test_abc"), ("account", "acct_1")])
                .unwrap();
        let shown = format!("{:?}", Call::new(connection, Invocation::new("a")));
        assert!(!shown.contains("sk_test") && !shown.contains("acct_1"), "{shown}");
    }

    fn guest_field(connection: &Connection, function: &str, name: &str) -> String {
        let guest = connection.for_guest(function);
        guest.fields.iter().find(|field| field.name == name).unwrap().value.clone()
    }

    #[test]
    fn the_guest_gets_a_placeholder() {
        let fields = [("api_key", "sk_test_51HostHarness")];
        let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
        for function in ["actions.run", "triggers.receive", "connection.test"] {
            let key = guest_field(&connection, function, "api_key");
            assert!(key.starts_with("sk_test_") && key.len() == 21 && !key.contains("51HostHarness"), "{key}");
        }
        assert_eq!(connection.injections().len(), 1);
    }

    #[test]
    fn a_secret_that_never_leaves_is_in_the_calls_that_need_it_and_in_no_other() {
        let fields = [("webhook_secret", "whsec_old12345, whsec_new12345")];
        let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
        assert_eq!(guest_field(&connection, "triggers.receive", "webhook_secret"), fields[0].1);
        for function in ["actions.run", "queries.run", "triggers.subscribe", "triggers.renew", "connection.test"] {
            let shown = guest_field(&connection, function, "webhook_secret");
            let parts: Vec<&str> = shown.split(',').collect();
            assert!(parts.len() == 2 && parts.iter().all(|part| part.starts_with("whsec_")), "{shown}");
            assert!(!shown.contains("old12345") && !shown.contains("new12345"), "{shown}");
        }
        assert!(connection.injections().is_empty());
    }

    #[test]
    fn what_is_around_a_value_is_dropped() {
        let fields = [("api_key", "sk_test_abc\r\n"), ("api_base", " http://127.0.0.1:1\r"), ("account", "  ")];
        let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
        assert_eq!(connection.injections()[0].secret.expose(), "sk_test_abc");
        assert_eq!(connection.text("api_base"), Some("http://127.0.0.1:1"));
        assert!(!connection.has("account"));
    }

    #[test]
    fn a_secret_that_cannot_be_hidden_is_refused_by_its_field() {
        for (name, value, says) in [
            ("api_key", "sk_test_SECRET\nsk_test_SECRET", "line break"),
            ("api_key", "sk_test_SECRET\u{e9}", "visible ASCII"),
            ("api_key", "abc", "too short"),
            ("api_key", "-------", "no letter or digit"),
            ("webhook_secret", "whsec_SECRET1, whsec_SECRET\u{e9}", "visible ASCII"),
        ] {
            let error = Connection::new(&manifest(), Environment::Development, [(name, value)]).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(name) && text.contains(says) && !text.contains("SECRET"), "{text}");
        }
        for value in ["sk_test_a_b", "sk_test_a-b", "sk_test_\"a'b\"", "noprefixatall", "sk_test_a b"] {
            let connection = Connection::new(&manifest(), Environment::Development, [("api_key", value)]).unwrap();
            assert_ne!(guest_field(&connection, "actions.run", "api_key"), value);
        }
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
            Connection::from_lookup(&manifest(), &own(), Environment::Development, [("account", "acct_given")], lookup)
                .unwrap();
        assert_eq!(connection.text("account"), Some("acct_given"));
        assert_eq!(connection.text("api_base"), Some("https://api.stripe.com"));
        assert_eq!(connection.text("api_key"), None, "a secret is no text");
        assert!(connection.has("api_key"));
        let empty =
            Connection::from_lookup(&manifest(), &own(), Environment::Development, NONE, |_| Some(String::new()))
                .unwrap();
        assert!(!empty.has("api_key"));
    }

    #[test]
    fn a_manifest_gets_no_variable_that_nobody_agreed_to() {
        let text = include_str!("../../../manifest.toml").replace("STRIPE_ACCOUNT", "AWS_SECRET_ACCESS_KEY");
        let manifest = Manifest::parse(&text).unwrap();
        let lookup = |name: &str| Some(format!("value-of-{name}"));
        let connection = Connection::from_lookup(&manifest, &own(), Environment::Development, NONE, lookup).unwrap();
        assert!(!connection.has("account") && connection.has("api_key"));
        let nothing = Variables::none();
        let connection = Connection::from_lookup(&manifest, &nothing, Environment::Development, NONE, lookup).unwrap();
        assert!(!connection.has("account") && !connection.has("api_key"));
        let agreed = Variables::named(["AWS_SECRET_ACCESS_KEY"]);
        let connection = Connection::from_lookup(&manifest, &agreed, Environment::Development, NONE, lookup).unwrap();
        assert!(connection.has("account") && !connection.has("api_key"));
    }

    #[test]
    fn secrets_are_taken_out_of_a_text() {
        let fields = [("webhook_secret", "whsec_aaaa, whsec_bbbb")];
        let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
        let mut text = "x whsec_aaaa y whsec_bbbb".to_owned();
        connection.scrubber().hide(&mut text);
        assert_eq!(text, "x (secret) y (secret)");
    }
}
