//! From the options to a loaded connector: which component, which manifest, and the engine for a few calls.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use host::{Connector, Grants, Host, HostConfig, Manifest, NetworkConfig};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::terminal::progress::Progress;

/// The manifest that was asked for, or the one that is built in.
pub fn manifest(options: &Options) -> Result<Manifest, Failure> {
    let text = match &options.manifest {
        None => Cow::Borrowed(bundled_connector::MANIFEST),
        Some(path) => {
            let bytes = read(path, "manifest")?;
            let text = String::from_utf8(bytes).map_err(|_| refused(path, "it is not text in UTF-8"))?;
            Cow::Owned(text)
        }
    };
    Manifest::parse(&text).map_err(|error| match &options.manifest {
        Some(path) => refused(path, error),
        None => Failure::Refused(error.to_string()),
    })
}

/// The bytes of a component, or of the one that is built in.
pub fn component(path: Option<&Path>) -> Result<Cow<'static, [u8]>, Failure> {
    Ok(match path {
        None => Cow::Borrowed(bundled_connector::COMPONENT),
        Some(path) => Cow::Owned(read(path, "component")?),
    })
}

/// Loads the component that was asked for, or the one that is built in. Its requests go out as the environment says.
pub fn load(options: &Options, manifest: &Manifest, grants: &Grants) -> Result<Connector, Failure> {
    let network = NetworkConfig::from_environment().map_err(|error| Failure::usage(error.to_string()))?;
    load_onto(network, options, manifest, grants)
}

/// Loads the same component for several connections, each with its own grants, onto one engine with room for many calls.
pub struct Loader<'a> {
    host: Host,
    bytes: Cow<'static, [u8]>,
    options: &'a Options,
    manifest: &'a Manifest,
}

impl<'a> Loader<'a> {
    pub fn new(options: &'a Options, manifest: &'a Manifest) -> Result<Self, Failure> {
        let network = NetworkConfig::from_environment().map_err(|error| Failure::usage(error.to_string()))?;
        // As many as connections are taken; what waits longer for its turn than a sender does is of no use.
        let host = Host::with(HostConfig { calls: 512, network, ..HostConfig::default() })?;
        Ok(Self { host, bytes: component(options.component.as_deref())?, options, manifest })
    }

    pub fn load(&self, grants: &Grants) -> Result<Connector, Failure> {
        let _progress = Progress::of("Compiling the component; the next start takes its code from the cache");
        self.host.load(&self.bytes, self.manifest, grants).map_err(|error| match &self.options.component {
            Some(path) => refused(path, error),
            None => error.into(),
        })
    }
}

fn load_onto(
    network: NetworkConfig,
    options: &Options,
    manifest: &Manifest,
    grants: &Grants,
) -> Result<Connector, Failure> {
    let bytes = component(options.component.as_deref())?;
    let _progress = Progress::of("Compiling the component; the next start takes its code from the cache");
    // A command makes a few calls, one after the other: room for thousands is not worth its set-up.
    let host = Host::with(HostConfig { pooling: false, network, ..HostConfig::default() })?;
    host.load(&bytes, manifest, grants).map_err(|error| match &options.component {
        Some(path) => refused(path, error),
        None => error.into(),
    })
}

/// A connector for what needs no connection: it may reach nothing.
pub fn load_offline(options: &Options) -> Result<Connector, Failure> {
    load_onto(NetworkConfig::default(), options, &manifest(options)?, &Grants::nothing())
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::usage(format!("the {what} {} cannot be read: {error}", path.display())))
}

fn refused(path: &Path, reason: impl std::fmt::Display) -> Failure {
    // A parser's message with its lines of explanation is told as one.
    let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Failure::Refused(format!("{}: {reason}", path.display()))
}
