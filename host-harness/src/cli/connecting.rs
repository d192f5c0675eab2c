//! Which connection a command uses, and what that connection's choice grants.
//!
//! In this order: the file that was named; the environment's variables; without a key, a simulator inside this process.
//! An address that the user gave for the API (a simulator's, a proxy's) is granted to the component for this run:
//! naming it is the operator's override. Nothing else ever adds to what the manifest declares.

use host::contract::Environment;
use host::manifest::FieldKind;
use host::{Call, Connection, Grants, Invocation, Manifest, Secret};
use stripe_simulator::{Simulator, TEST_SECRET_KEY};

use super::arguments::Options;
use super::connection_file::ConnectionFile;
use super::failure::Failure;
use super::terminal::Terminal;

/// The connector that the embedded simulator stands in for.
const SIMULATED: &str = "stripe";

/// A connection, and what stands behind it.
pub struct Link {
    pub connection: Connection,
    pub grants: Grants,
    fields: Vec<(String, Secret)>,
    environment: Environment,
    /// Lives as long as the command.
    _simulator: Option<Simulator>,
}

impl Link {
    /// The connection of this command. Without a key it starts the embedded simulator, and says so.
    pub async fn open(options: &Options, terminal: &mut Terminal, manifest: &Manifest) -> Result<Self, Failure> {
        let mut link = Self::given(options, terminal, manifest)?;
        if options.connection.is_some() || manifest.id != SIMULATED || !link.is_empty(manifest) {
            return Ok(link);
        }
        let simulator = Simulator::start()
            .await
            .map_err(|error| Failure::Machine(format!("the embedded simulator cannot start: {error}")))?;
        let key = manifest.fields.iter().find(|field| field.required).and_then(|field| field.env.as_deref());
        terminal.note(format_args!("no {}: using the embedded simulator", key.unwrap_or("key")));
        link.fields.retain(|(name, _)| !matches!(name.as_str(), "api_key" | "api_base"));
        link.fields.push(("api_key".to_owned(), Secret::new(TEST_SECRET_KEY.to_owned())));
        link.fields.push(("api_base".to_owned(), Secret::new(simulator.base_url())));
        link._simulator = Some(simulator);
        link.settle(manifest)?;
        Ok(link)
    }

    /// What the user gave, and nothing started.
    pub fn given(options: &Options, terminal: &mut Terminal, manifest: &Manifest) -> Result<Self, Failure> {
        let (fields, environment) = match &options.connection {
            Some(path) => {
                let file = ConnectionFile::read(path, terminal)?;
                (file.fields, file.environment)
            }
            None => (from_environment(manifest)?, None),
        };
        let environment = match environment {
            _ if options.production => Environment::Production,
            Some(environment) => environment,
            None => Environment::Development,
        };
        let connection = connection(manifest, environment, &fields)?;
        let mut link = Self { connection, grants: Grants::default(), fields, environment, _simulator: None };
        link.settle(manifest)?;
        Ok(link)
    }

    /// Whether neither a key nor an address was given.
    fn is_empty(&self, manifest: &Manifest) -> bool {
        let given = |name: &str| self.fields.iter().any(|(given, _)| given == name);
        !manifest.fields.iter().any(|field| (field.required || field.kind == FieldKind::Url) && given(&field.name))
    }

    /// Where the API is, as far as it is not the service itself.
    pub fn own_address<'a>(&'a self, manifest: &'a Manifest) -> Option<&'a str> {
        manifest
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::Url)
            .find_map(|field| self.connection.text(&field.name).filter(|value| field.default.as_deref() != Some(value)))
    }

    /// The same connection with another value of a field.
    pub fn with(&self, manifest: &Manifest, name: &str, value: String) -> Result<Connection, Failure> {
        let mut fields = self.fields.clone();
        fields.retain(|(given, _)| given != name);
        fields.push((name.to_owned(), Secret::new(value)));
        connection(manifest, self.environment, &fields)
    }

    /// A call of this connection.
    pub fn call(&self, invocation: Invocation) -> Call {
        Call::new(self.connection.clone(), invocation)
    }

    /// A call that is nothing's re-run.
    pub fn fresh_call(&self) -> Result<Call, Failure> {
        Ok(self.call(Invocation::fresh()?))
    }

    /// Makes the connection and its grants anew from its fields.
    fn settle(&mut self, manifest: &Manifest) -> Result<(), Failure> {
        self.connection = connection(manifest, self.environment, &self.fields)?;
        let address = self.own_address(manifest).map(str::to_owned);
        // What is no origin grants nothing, and the connector says what is wrong with it.
        self.grants = address.and_then(|url| Grants::default().allow(&url).ok()).unwrap_or_default();
        Ok(())
    }
}

fn from_environment(manifest: &Manifest) -> Result<Vec<(String, Secret)>, Failure> {
    let mut fields = Vec::new();
    for field in &manifest.fields {
        let Some(variable) = field.env.as_deref() else { continue };
        match std::env::var(variable) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => fields.push((field.name.clone(), Secret::new(value))),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::usage(format!("{variable} is not text in UTF-8")));
            }
        }
    }
    Ok(fields)
}

fn connection(
    manifest: &Manifest,
    environment: Environment,
    fields: &[(String, Secret)],
) -> Result<Connection, Failure> {
    let fields = fields.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
    Connection::new(manifest, environment, fields).map_err(|error| Failure::usage(error.to_string()))
}
