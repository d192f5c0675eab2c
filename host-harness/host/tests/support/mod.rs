//! Small components of the contract's world, assembled from text: each function's body is a few instructions, and all
//! others trap. What the real component does is shown elsewhere; these show what the host does with one that misbehaves.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fmt::Write;
use std::path::Path;

use host::contract::Environment;
use host::{CacheFolder, Call, Connection, Connector, Grants, Host, HostConfig, Invocation, LoadError, Manifest};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WasmExport, WorldItem};

/// The parts of WASI that the bodies use.
const WASI: &str = "
package test:root;
package wasi:io@0.2.0 {
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
    }
}
package wasi:cli@0.2.0 {
    interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
    interface exit { exit: func(status: result); }
}
package wasi:clocks@0.2.0 {
    interface monotonic-clock { use wasi:io/poll@0.2.0.{pollable}; subscribe-duration: func(when: u64) -> pollable; }
}
package wasi:random@0.2.0 {
    interface insecure { get-insecure-random-bytes: func(len: u64) -> list<u8>; get-insecure-random-u64: func() -> u64; }
}
package wasi:filesystem@0.2.0 { interface preopens { count: func() -> u32; } }
package other:thing@1.2.3 { interface door { open: func(); } }
";

/// A component under construction.
pub struct Guest {
    world: String,
    version: String,
    contract: Vec<(String, String)>,
    imports: String,
    bodies: Vec<(String, String)>,
    memory: u32,
    wasi: &'static str,
}

impl Guest {
    /// Exports the whole world; every function traps.
    pub fn new() -> Self {
        let world = "include automation:connector/connector@0.1.0;".to_owned();
        let (version, contract, imports, bodies) = ("0.1.0".to_owned(), Vec::new(), String::new(), Vec::new());
        Self { world, version, contract, imports, bodies, memory: 2, wasi: WASI }
    }

    /// Exports something else in place of the world.
    pub fn exporting(items: &str) -> Self {
        Self { world: items.to_owned(), ..Self::new() }
    }

    /// Speaks another version of the contract.
    pub fn of_version(version: &str) -> Self {
        let world = format!("include automation:connector/connector@{version};");
        Self { world, version: version.to_owned(), ..Self::new() }
    }

    /// Speaks a contract in which this text stands in place of that.
    pub fn with_contract(mut self, text: &str, other: &str) -> Self {
        self.contract.push((text.to_owned(), other.to_owned()));
        self
    }

    /// Imports a function: the interface, and its core import as text.
    pub fn import(mut self, interface: &str, core: &str) -> Self {
        let line = format!("import {interface};");
        if !self.world.contains(&line) {
            self.world.push_str(&line);
        }
        self.imports.push_str(core);
        self
    }

    /// The instructions of `resources.resolve`, which gets `(param i32 i32)` and returns the address of its result.
    pub fn resolve(self, instructions: &str) -> Self {
        self.function("resources", "resolve", instructions)
    }

    /// The instructions of a function of the contract. What it returns by address is read from 1024 on.
    pub fn function(mut self, interface: &str, name: &str, instructions: &str) -> Self {
        let function = format!("automation:connector/{interface}@0.1.0#{name}");
        self.bodies.push((function, instructions.to_owned()));
        self
    }

    /// Does this at the end of every function whose body is given.
    pub fn at_the_end(mut self, instructions: &str) -> Self {
        for (_, body) in &mut self.bodies {
            let end = body.rfind("(i32.const 1024)").unwrap();
            body.insert_str(end, instructions);
        }
        self
    }

    /// Pages of memory to begin with.
    pub fn memory(mut self, pages: u32) -> Self {
        self.memory = pages;
        self
    }

    /// With other parts of WASI than the usual ones.
    pub fn wasi(mut self, wit: &'static str) -> Self {
        self.wasi = wit;
        self
    }

    pub fn build(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        resolve.push_str("wasi.wit", self.wasi).unwrap();
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("wit"));
        let wit = folders.into_iter().find(|wit| wit.join("world.wit").is_file()).unwrap();
        let mut contract = String::new();
        let files = std::fs::read_dir(wit).unwrap().map(|entry| entry.unwrap().path());
        for path in files.filter(|path| path.extension().is_some_and(|e| e == "wit")) {
            let text = std::fs::read_to_string(path).unwrap();
            let text = text.replace("package automation:connector@0.1.0;", "");
            contract.push_str(&text.replace("0.1.0", &self.version));
        }
        for (from, to) in &self.contract {
            assert!(contract.contains(from), "{from}");
            contract = contract.replace(from, to);
        }
        let contract = format!("package test:contract; package automation:connector@{} {{ {contract} }}", self.version);
        resolve.push_str("contract.wit", &contract).unwrap();
        let package =
            resolve.push_str("guest.wit", &format!("package test:guest; world guest {{ {} }}", self.world)).unwrap();
        let world = resolve.select_world(&[package], Some("guest")).unwrap();

        let mangling = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
        let mut text = format!("(module {}", self.imports);
        for (key, item) in &resolve.worlds[world].exports {
            let WorldItem::Interface { id, .. } = item else { continue };
            for function in resolve.interfaces[*id].functions.values() {
                let kind = wit_parser::WasmExportKind::Normal;
                let name =
                    resolve.wasm_export_name(mangling, WasmExport::Func { interface: Some(key), func: function, kind });
                let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
                let body = self.bodies.iter().find(|(of, _)| *of == name).map_or("unreachable", |(_, body)| body);
                write!(text, "(func (export {name:?})").unwrap();
                signature.params.iter().for_each(|ty| write!(text, "(param {})", core(*ty)).unwrap());
                signature.results.iter().for_each(|ty| write!(text, "(result {})", core(*ty)).unwrap());
                write!(text, " {body})").unwrap();
            }
        }
        // Results are read from 1024 on, where the memory is zero unless a body writes there; arguments go to 65536.
        write!(
            text,
            "(memory (export \"memory\") {}) (global $next (mut i32) (i32.const 65536))
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 15))))
                (i32.and (i32.sub (global.get $next) (local.get 3)) (i32.const -8))))",
            self.memory
        )
        .unwrap();
        let mut module = wat::parse_str(&text).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
        ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
    }

    /// Loads it with the bundled manifest.
    pub fn load(&self) -> Connector {
        self.try_load(&manifest()).unwrap()
    }

    pub fn try_load(&self, manifest: &Manifest) -> Result<Connector, LoadError> {
        host().load(&self.build(), manifest, &Grants::default())
    }
}

fn core(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}

/// The result `none` of `resources.resolve`.
pub const NONE: &str = "(i32.const 1024)";

/// The real manifest, whose limits a test may change, with what the real component does not import and these do.
pub fn manifest() -> Manifest {
    let mut manifest = Manifest::parse(include_str!("../../../../manifest.toml")).unwrap();
    manifest.imports.extend(["wasi:cli/exit", "wasi:cli/stdout"].map(str::to_owned));
    manifest
}

/// A call of this run, for a connection of nothing.
pub fn call(invocation: Invocation) -> Call {
    let none: [(&str, &str); 0] = [];
    Call::new(Connection::new(&manifest(), Environment::Development, none).unwrap(), invocation)
}

/// A host of few calls and no cache.
pub fn host() -> Host {
    Host::with(HostConfig { cache: CacheFolder::Off, calls: 16, ..HostConfig::default() }).unwrap()
}
