//! What can go wrong before anything runs: setting the engine up and loading a component. What goes wrong in a call is in `failure`.

use std::time::Duration;

use thiserror::Error;

use crate::egress::NetworkError;

/// Why a host cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// The WebAssembly engine does not start on this machine.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// The thread that watches computing time cannot start.
    #[error("the thread that watches computing time cannot start: {0}")]
    Thread(#[from] std::io::Error),
    /// The network cannot be set up as the operator wants it.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Why a component was not loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There are no bytes.
    #[error("the component is empty: 0 bytes")]
    Empty,
    /// A core module.
    #[error(
        "this is a core WebAssembly module and no component; build it with `--target wasm32-wasip2`, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// Component text.
    #[error("this is WebAssembly text; the host takes the binary form (`wasm-tools parse` makes it)")]
    Text,
    /// Something else.
    #[error("this is no WebAssembly component: it begins with {0}, a component with 00 61 73 6d 0d 00 01 00")]
    NotWebAssembly(String),
    /// It begins like a component and is none.
    #[error("the component cannot be compiled: {0}")]
    Invalid(String),
    /// It imports what its manifest does not declare.
    #[error("the component imports {}, which its manifest does not declare under permissions.imports", names(.0))]
    UndeclaredImports(Vec<String>),
    /// It imports what no component gets from this host.
    #[error("the component imports {}, which this host does not grant to any component", names(.0))]
    UngrantedImports(Vec<String>),
    /// An import is granted, in another version or shape.
    #[error("the component's imports do not fit what this host offers: {0}")]
    ImportMismatch(String),
    /// An interface of the world, or a function of one, is not exported.
    #[error("the component does not export {}, which the world {world} has", names(.missing))]
    MissingExports {
        /// What is missing.
        missing: Vec<String>,
        /// The manifest's world.
        world: String,
    },
    /// An interface of the world is exported in another version.
    #[error("the component exports {found}, but the host speaks {expected}")]
    ExportVersion {
        /// What it exports.
        found: String,
        /// What the host needs.
        expected: String,
    },
    /// The manifest names a world that this host does not speak.
    #[error("the manifest's world is {found}, but this host speaks {expected}")]
    World {
        /// The manifest's.
        found: String,
        /// The host's.
        expected: String,
    },
    /// It is larger than the operator allows.
    #[error("the component has {size} bytes, over this host's {most}; HostConfig::component allows more")]
    Size {
        /// Its size in bytes.
        size: usize,
        /// The largest that is loaded.
        most: usize,
    },
    /// Compiling it takes longer than the operator allows.
    #[error("compiling the component takes longer than this host's {} ms; HostConfig::compile_time allows more", .most.as_millis())]
    CompileTime {
        /// How long it may take.
        most: Duration,
    },
    /// Functions of the world are exported with other types than the world's.
    #[error("the component exports functions of another type than the world {world} has: {}", names(.functions))]
    ExportTypes {
        /// Which, and what is wrong with each.
        functions: Vec<String>,
        /// The manifest's world.
        world: String,
    },
    /// The thread that compiles it did not end as it should.
    #[error("the component was not compiled: the thread that does it ended")]
    Compiler,
}

fn names(names: &[String]) -> String {
    names.join(", ")
}

/// The whole chain of an error of the engine, in one line.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    let parts: Vec<String> = error.chain().map(ToString::to_string).collect();
    parts.join(": ")
}
