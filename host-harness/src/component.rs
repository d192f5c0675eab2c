//! From bytes to a component that may run: what it is, what it asks for and what it offers.
//!
//! A component's imports are its requests for capabilities. Three sets are compared: what it imports, what its manifest
//! declares (shown to the user before anything runs), and what this host has at all. Names are compared without versions;
//! whether a version fits is decided where the import meets the implementation. An interface of types only asks for
//! nothing and is always let in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{WasiView, p2};

use crate::cache::hex;
use crate::connector::Connector;
use crate::contract::{self, BindingsPre};
use crate::egress::{Client, Grants, Policy, Timeouts};
use crate::error::LoadError;
use crate::host::HostInner;
use crate::manifest::Manifest;
use crate::store::State;

/// What this host has for components: no files, no sockets, no environment but an empty one.
pub const OFFERED: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// What was found out about a component when it was loaded.
#[derive(Clone, Debug)]
pub struct ComponentFacts {
    /// Its size in bytes.
    pub size: usize,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// What it imports, with versions.
    pub imports: Vec<String>,
    /// What it exports, with versions.
    pub exports: Vec<String>,
    /// Where its compiled code came from.
    pub compiled: CompiledFrom,
    /// How long compiling it, or loading its code, took.
    pub compile_time: Duration,
}

/// Where compiled code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompiledFrom {
    /// Compiled in an earlier run.
    Cache,
    /// Compiled now.
    Fresh,
}

/// Everything in [`OFFERED`], implemented.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    use p2::bindings::{cli, clocks, random};
    use wasmtime_wasi_io::bindings::wasi::io;

    let mut linker = Linker::new(engine);
    let l = &mut linker;
    io::error::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    io::poll::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    io::streams::add_to_linker::<State, HasTable>(l, |state| state.ctx().table)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(l, State::random)?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, State::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, State::random)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    Ok(linker)
}

struct HasTable;

impl wasmtime::component::HasData for HasTable {
    type Data<'a> = &'a mut wasmtime::component::ResourceTable;
}

/// Loads a component, or says why not.
pub(crate) fn load(
    host: &Arc<HostInner>,
    bytes: &[u8],
    manifest: &Manifest,
    grants: &Grants,
) -> Result<Connector, LoadError> {
    check_world(manifest)?;
    check_form(bytes)?;
    let sha256: [u8; 32] = Sha256::digest(bytes).into();
    let began = Instant::now();
    let (component, compiled) = compile(host, bytes, &sha256)?;
    let compile_time = began.elapsed();

    let imports = names(component.component_type().imports(&host.engine));
    let exports = names(component.component_type().exports(&host.engine));
    check_imports(&component, &host.engine, manifest)?;
    check_exports(&component, &host.engine)?;
    let instance =
        host.linker.instantiate_pre(&component).map_err(|error| LoadError::ImportMismatch(reason(&error)))?;
    let bindings = BindingsPre::new(instance).map_err(|error| LoadError::Invalid(reason(&error)))?;

    let policy = Arc::new(Policy::new(&manifest.egress, grants));
    let timeouts = Timeouts::new(manifest.limits.first_byte_timeout, manifest.limits.between_bytes_timeout);
    let client = Client::new(Arc::clone(&policy), timeouts, manifest.limits.response)
        .map_err(|error| LoadError::Tls(error.to_string()))?;
    let facts = ComponentFacts { size: bytes.len(), sha256: hex(&sha256), imports, exports, compiled, compile_time };
    Ok(Connector::new(Arc::clone(host), bindings, manifest.clone(), facts, policy, client))
}

fn check_world(manifest: &Manifest) -> Result<(), LoadError> {
    let expected = format!("{}/connector@{}", contract::PACKAGE, contract::VERSION);
    let found = manifest.world.to_string();
    if found == expected { Ok(()) } else { Err(LoadError::World { found, expected }) }
}

/// What the first bytes say.
fn check_form(bytes: &[u8]) -> Result<(), LoadError> {
    match bytes {
        [] => Err(LoadError::Empty),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule),
        _ if bytes.trim_ascii_start().starts_with(b"(component")
            || bytes.trim_ascii_start().starts_with(b"(module") =>
        {
            Err(LoadError::Text)
        }
        _ => {
            let first: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            Err(LoadError::NotWebAssembly(first.join(" ")))
        }
    }
}

fn compile(host: &HostInner, bytes: &[u8], sha256: &[u8; 32]) -> Result<(Component, CompiledFrom), LoadError> {
    let invalid = |error: wasmtime::Error| LoadError::Invalid(reason(&error));
    let Some(cache) = &host.cache else {
        return Ok((Component::from_binary(&host.engine, bytes).map_err(invalid)?, CompiledFrom::Fresh));
    };
    if let Some(component) = cache.load(&host.engine, sha256) {
        return Ok((component, CompiledFrom::Cache));
    }
    let component = Component::from_binary(&host.engine, bytes).map_err(invalid)?;
    match component.serialize() {
        Ok(code) => cache.store(&host.engine, sha256, &code),
        Err(error) => tracing::warn!(%error, "compiled code was not cached"),
    }
    Ok((component, CompiledFrom::Fresh))
}

fn names<'a>(items: impl Iterator<Item = (&'a str, wasmtime::component::types::ComponentExtern<'a>)>) -> Vec<String> {
    items.map(|(name, _)| name.to_owned()).collect()
}

fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

fn check_imports(component: &Component, engine: &Engine, manifest: &Manifest) -> Result<(), LoadError> {
    let declared: BTreeSet<&str> = manifest.imports.iter().map(String::as_str).collect();
    let (mut undeclared, mut ungranted) = (Vec::new(), Vec::new());
    for (name, import) in component.component_type().imports(engine) {
        if only_types(&import.ty, engine) {
            continue;
        }
        if !OFFERED.contains(&unversioned(name)) {
            ungranted.push(name.to_owned());
        } else if !declared.contains(unversioned(name)) {
            undeclared.push(name.to_owned());
        }
    }
    if !ungranted.is_empty() {
        return Err(LoadError::UngrantedImports(ungranted));
    }
    if undeclared.is_empty() { Ok(()) } else { Err(LoadError::UndeclaredImports(undeclared)) }
}

fn only_types(item: &ComponentItem, engine: &Engine) -> bool {
    match item {
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).all(|(_, export)| matches!(export.ty, ComponentItem::Type(_)))
        }
        _ => false,
    }
}

fn check_exports(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let ty = component.component_type();
    let mut missing = Vec::new();
    for (interface, functions) in contract::EXPORTS {
        let path = format!("{}/{interface}", contract::PACKAGE);
        let expected = format!("{path}@{}", contract::VERSION);
        match ty.get_export(engine, &expected).map(|export| export.ty) {
            Some(ComponentItem::ComponentInstance(instance)) => {
                let lacks = |function: &&&str| {
                    !matches!(
                        instance.get_export(engine, function).map(|export| export.ty),
                        Some(ComponentItem::ComponentFunc(_))
                    )
                };
                missing.extend(functions.iter().filter(lacks).map(|function| format!("{expected}#{function}")));
            }
            _ => match ty.exports(engine).find(|(name, _)| unversioned(name) == path) {
                Some((found, _)) => return Err(LoadError::ExportVersion { found: found.to_owned(), expected }),
                None => missing.push(expected),
            },
        }
    }
    let world = format!("{}/connector@{}", contract::PACKAGE, contract::VERSION);
    if missing.is_empty() { Ok(()) } else { Err(LoadError::MissingExports { missing, world }) }
}

/// The whole chain of an error of the engine, in one line.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    parts.join(": ")
}
