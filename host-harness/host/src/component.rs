//! From bytes to a component that may run: what it is, what it asks for and what it offers.
//!
//! A component's imports are its requests for capabilities. Three sets are compared: what it imports, what its manifest
//! declares (shown to the user before anything runs), and what this host has at all. Names are compared without versions;
//! whether a version fits is decided where the import meets the implementation. An interface of types only asks for
//! nothing and is always let in.

use std::collections::BTreeSet;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::cache::{Cache, hex};
use crate::call::State;
use crate::contract::{self, Functions, Unfit};
use crate::error::{LoadError, reason};
use crate::linker::OFFERED;
use crate::manifest::Manifest;

/// What was found out about a component when it was loaded.
#[derive(Clone, Debug)]
#[non_exhaustive]
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

/// A component that may run.
pub(crate) struct Checked {
    pub(crate) component: InstancePre<State>,
    pub(crate) functions: Functions,
    pub(crate) facts: ComponentFacts,
}

/// What compiling a component may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Of its bytes.
    pub(crate) size: usize,
    /// Of the time.
    pub(crate) time: Duration,
}

/// Checks a component and compiles it, or says why not.
pub(crate) fn check(
    engine: &Engine,
    cache: Option<&Cache>,
    linker: &Linker<State>,
    bytes: &[u8],
    manifest: &Manifest,
    bounds: Bounds,
) -> Result<Checked, LoadError> {
    check_world(manifest)?;
    if bytes.len() > bounds.size {
        return Err(LoadError::Size { size: bytes.len(), most: bounds.size });
    }
    check_form(bytes)?;
    let sha256: [u8; 32] = Sha256::digest(bytes).into();
    let began = Instant::now();
    let (component, compiled) = compile(engine, cache, bytes, &sha256, bounds.time)?;
    let compile_time = began.elapsed();

    let imports = names(component.component_type().imports(engine));
    let exports = names(component.component_type().exports(engine));
    check_imports(&component, engine, manifest)?;
    let functions = Functions::of(&component).map_err(|unfit| unfit_exports(unfit, &component, engine))?;
    let instance = linker.instantiate_pre(&component).map_err(|error| LoadError::ImportMismatch(reason(&error)))?;
    let facts = ComponentFacts { size: bytes.len(), sha256: hex(&sha256), imports, exports, compiled, compile_time };
    Ok(Checked { component: instance, functions, facts })
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

fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    bytes: &[u8],
    sha256: &[u8; 32],
    most: Duration,
) -> Result<(Component, CompiledFrom), LoadError> {
    if let Some(component) = cache.and_then(|cache| cache.load(engine, sha256)) {
        return Ok((component, CompiledFrom::Cache));
    }
    let component = compile_in_time(engine, bytes, most)?;
    if let Some(cache) = cache {
        match component.serialize() {
            Ok(code) => cache.store(engine, sha256, &code),
            Err(error) => tracing::warn!(%error, "compiled code was not cached"),
        }
    }
    Ok((component, CompiledFrom::Fresh))
}

/// Compiles on a thread that is left alone when it takes too long: the compiler cannot be stopped.
fn compile_in_time(engine: &Engine, bytes: &[u8], most: Duration) -> Result<Component, LoadError> {
    let (engine, bytes) = (engine.clone(), bytes.to_vec());
    let (sender, receiver) = channel();
    let compiling = thread::Builder::new().name("host-compiler".to_owned()).spawn(move || {
        // Nobody may wait for it any more.
        let _ = sender.send(Component::from_binary(&engine, &bytes));
    });
    compiling.map_err(|_| LoadError::Compiler)?;
    match receiver.recv_timeout(most) {
        Ok(component) => component.map_err(|error| LoadError::Invalid(reason(&error))),
        Err(RecvTimeoutError::Timeout) => Err(LoadError::CompileTime { most }),
        Err(RecvTimeoutError::Disconnected) => Err(LoadError::Compiler),
    }
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

/// Why the exports are not the world's: another version of it, too little, or functions of other types.
fn unfit_exports(unfit: Unfit, component: &Component, engine: &Engine) -> LoadError {
    let ty = component.component_type();
    for (interface, _) in contract::EXPORTS {
        let path = format!("{}/{interface}", contract::PACKAGE);
        let expected = format!("{path}@{}", contract::VERSION);
        if unfit.missing.contains(&expected)
            && let Some((found, _)) =
                ty.exports(engine).find(|(name, _)| unversioned(name) == path && *name != expected)
        {
            return LoadError::ExportVersion { found: found.to_owned(), expected };
        }
    }
    let world = format!("{}/connector@{}", contract::PACKAGE, contract::VERSION);
    if !unfit.missing.is_empty() {
        return LoadError::MissingExports { missing: unfit.missing, world };
    }
    let functions = unfit.of_other_type.into_iter().map(|(name, reason)| format!("{name} ({reason})")).collect();
    LoadError::ExportTypes { functions, world }
}
