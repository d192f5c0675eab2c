//! From bytes to a component that may run: what it is, what it asks for and what it offers.
//!
//! A component's imports are its requests for capabilities. Three sets are compared: what it imports, what its manifest
//! declares (shown to the user before anything runs), and what this host has at all. Names are compared without versions;
//! whether a version fits is decided where the import meets the implementation. An interface of types only asks for
//! nothing and is always let in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::cache::{Cache, hex};
use crate::call::State;
use crate::contract::{self, BindingsPre};
use crate::error::{LoadError, reason};
use crate::linker::OFFERED;
use crate::manifest::Manifest;

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

/// A component that may run.
pub(crate) struct Checked {
    pub(crate) bindings: BindingsPre<State>,
    pub(crate) facts: ComponentFacts,
}

/// Checks a component and compiles it, or says why not.
pub(crate) fn check(
    engine: &Engine,
    cache: Option<&Cache>,
    linker: &Linker<State>,
    bytes: &[u8],
    manifest: &Manifest,
) -> Result<Checked, LoadError> {
    check_world(manifest)?;
    check_form(bytes)?;
    let sha256: [u8; 32] = Sha256::digest(bytes).into();
    let began = Instant::now();
    let (component, compiled) = compile(engine, cache, bytes, &sha256)?;
    let compile_time = began.elapsed();

    let imports = names(component.component_type().imports(engine));
    let exports = names(component.component_type().exports(engine));
    check_imports(&component, engine, manifest)?;
    check_exports(&component, engine)?;
    let instance = linker.instantiate_pre(&component).map_err(|error| LoadError::ImportMismatch(reason(&error)))?;
    let bindings = BindingsPre::new(instance).map_err(|error| LoadError::Invalid(reason(&error)))?;
    let facts = ComponentFacts { size: bytes.len(), sha256: hex(&sha256), imports, exports, compiled, compile_time };
    Ok(Checked { bindings, facts })
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
) -> Result<(Component, CompiledFrom), LoadError> {
    let invalid = |error: wasmtime::Error| LoadError::Invalid(reason(&error));
    let Some(cache) = cache else {
        return Ok((Component::from_binary(engine, bytes).map_err(invalid)?, CompiledFrom::Fresh));
    };
    if let Some(component) = cache.load(engine, sha256) {
        return Ok((component, CompiledFrom::Cache));
    }
    let component = Component::from_binary(engine, bytes).map_err(invalid)?;
    match component.serialize() {
        Ok(code) => cache.store(engine, sha256, &code),
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
