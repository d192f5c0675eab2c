//! Which connection a command uses, and what that connection's choice grants.
//!
//! In this order: the file that was named; the environment's variables; without a key, a simulator inside this process. A
//! variable that is set to nothing, and `--production`, never mean the simulator: whoever sets either means the service.
//! White space around a value is not a part of it: files of other systems and mounted secrets end with some.
//!
//! Of the environment only variables of the connector's own name are read (`STRIPE_…`), whatever a manifest asks for.
//!
//! An address that the user gave for the API (a simulator's, a proxy's) is granted to the component for this run:
//! naming it is the operator's override. Nothing else ever adds to what the manifest declares.

use host::contract::Environment;
use host::manifest::FieldKind;
use host::{Call, Connection, Grants, Invocation, Manifest, Secret, Variables};
use stripe_simulator::{Simulator, TEST_SECRET_KEY};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connection_file::ConnectionFile;
use crate::cli::terminal::Terminal;

/// The connector that the embedded simulator stands in for.
const SIMULATED: &str = "stripe";

/// A connection, and what stands behind it.
pub struct Link {
    pub connection: Connection,
    pub grants: Grants,
    fields: Vec<(String, Secret)>,
    environment: Environment,
    /// Variables that are set, and to nothing.
    blank: Vec<String>,
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
        let key = manifest.fields.iter().find(|field| field.required).and_then(|field| field.env.as_deref());
        let key = key.unwrap_or("key");
        if let Some(blank) = link.blank.first() {
            return Err(Failure::usage(format!("{blank} is set, and there is nothing in it"))
                .hint(format!("Set it; or unset it, and without {key} a simulator inside this process is used.")));
        }
        if options.production {
            return Err(Failure::usage(format!("there is no {key}, and --production never means the simulator"))
                .hint(format!("Set {key}, or name a file with --connection.")));
        }
        let simulator = Simulator::start()
            .await
            .map_err(|error| Failure::Machine(format!("the embedded simulator cannot start: {error}")))?;
        terminal.note(format_args!("no {key}: using the embedded simulator"));
        link.fields.retain(|(name, _)| !matches!(name.as_str(), "api_key" | "api_base"));
        link.fields.push(("api_key".to_owned(), Secret::new(TEST_SECRET_KEY.to_owned())));
        link.fields.push(("api_base".to_owned(), Secret::new(simulator.base_url())));
        link._simulator = Some(simulator);
        link.settle(manifest)?;
        Ok(link)
    }

    /// What the user gave, and nothing started.
    pub fn given(options: &Options, terminal: &mut Terminal, manifest: &Manifest) -> Result<Self, Failure> {
        let (Given { fields, blank }, environment) = match &options.connection {
            Some(path) => {
                let known: Vec<&str> = manifest.fields.iter().map(|field| field.name.as_str()).collect();
                let file = ConnectionFile::read(path, &known, terminal)?;
                (Given { fields: file.fields, blank: Vec::new() }, file.environment)
            }
            None => (from_environment(manifest)?, None),
        };
        let environment = match environment {
            _ if options.production => Environment::Production,
            Some(environment) => environment,
            None => Environment::Development,
        };
        let connection = connection(manifest, environment, &fields)?;
        let mut link = Self { connection, grants: Grants::default(), fields, environment, blank, _simulator: None };
        link.settle(manifest)?;
        Ok(link)
    }

    /// Whether neither a key nor an address was given.
    fn is_empty(&self, manifest: &Manifest) -> bool {
        let given = |name: &str| self.fields.iter().any(|(given, _)| given == name);
        !manifest.fields.iter().any(|field| (field.required || field.kind == FieldKind::Url) && given(&field.name))
    }

    /// Whether it can ask the service for something: whether all is given that the manifest requires.
    pub fn can_call(&self, manifest: &Manifest) -> bool {
        manifest.fields.iter().filter(|field| field.required).all(|field| self.connection.has(&field.name))
    }

    /// Where the API is, as far as it is not the service itself.
    pub fn own_address<'a>(&'a self, manifest: &'a Manifest) -> Option<&'a str> {
        manifest
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::Url)
            .find_map(|field| self.connection.text(&field.name).filter(|value| field.default.as_deref() != Some(value)))
    }

    /// The value of a field that is secret.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.fields.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// Takes another value of a field for its own.
    pub fn take(&mut self, manifest: &Manifest, name: &str, value: Secret) -> Result<(), Failure> {
        self.fields.retain(|(given, _)| given != name);
        self.fields.push((name.to_owned(), value));
        self.settle(manifest)
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

/// What a user gave.
struct Given {
    fields: Vec<(String, Secret)>,
    blank: Vec<String>,
}

fn from_environment(manifest: &Manifest) -> Result<Given, Failure> {
    let mut given = Given { fields: Vec::new(), blank: Vec::new() };
    // A manifest names variables as it likes: only the connector's own are read.
    for (field, variable) in Variables::own().of(manifest) {
        match std::env::var(variable) {
            // A field that may be left out may be set to nothing as well.
            Ok(value) if value.trim().is_empty() && !field.required => {}
            Ok(value) if value.trim().is_empty() => given.blank.push(variable.to_owned()),
            Ok(value) => given.fields.push((field.name.clone(), Secret::new(value.trim().to_owned()))),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::usage(format!("{variable} is not text in UTF-8")));
            }
        }
    }
    Ok(given)
}

fn connection(
    manifest: &Manifest,
    environment: Environment,
    fields: &[(String, Secret)],
) -> Result<Connection, Failure> {
    let fields = fields.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
    Connection::new(manifest, environment, fields).map_err(|error| Failure::usage(error.to_string()))
}
