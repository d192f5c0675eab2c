//! From the options to a loaded connector: which component, which manifest, and the engine for a few calls.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use host::{Connector, Grants, Host, HostConfig, Manifest};

use super::arguments::Options;
use super::failure::Failure;
use super::progress::Progress;

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

/// Loads the component that was asked for, or the one that is built in.
pub fn load(options: &Options, manifest: &Manifest, grants: &Grants) -> Result<Connector, Failure> {
    let bytes = match &options.component {
        None => Cow::Borrowed(bundled_connector::COMPONENT),
        Some(path) => Cow::Owned(read(path, "component")?),
    };
    let _progress = Progress::of("Compiling the component; the next start takes its code from the cache");
    // A command makes a few calls, one after the other: room for thousands is not worth its set-up.
    let host = Host::with(HostConfig { pooling: false, ..HostConfig::default() })?;
    host.load(&bytes, manifest, grants).map_err(|error| match &options.component {
        Some(path) => refused(path, error),
        None => error.into(),
    })
}

/// A connector for what needs no connection: it may reach nothing.
pub fn load_offline(options: &Options) -> Result<Connector, Failure> {
    load(options, &manifest(options)?, &Grants::nothing())
}

fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::usage(format!("the {what} {} cannot be read: {error}", path.display())))
}

fn refused(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{}: {reason}", path.display()))
}
