//! Turns `manifest.toml` and the facts into the catalogue that the connector carries, and fails the build
//! where the two disagree.
//!
//! Text goes in on one side ([`manifest`] reads it, every value with its place), is held against the facts
//! ([`check`]), and comes out as Rust statics ([`generate`]) that `src/catalog` includes. Nothing here runs in
//! the component. The tests of the checks include these modules by path.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use stripe_facts::Facts;

mod check;
mod generate;
mod manifest;

const MANIFEST: &str = "manifest.toml";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={MANIFEST}");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let text = fs::read_to_string(MANIFEST).map_err(|e| format!("cannot read {MANIFEST}: {e}"))?;
    let facts = Facts::bundled();
    let manifest = manifest::parse(&text).map_err(|e| format!("{MANIFEST}: {e}"))?;
    let problems = check::check(&manifest, facts);
    if !problems.is_empty() {
        let lines: Vec<String> =
            problems.iter().map(|p| format!("{MANIFEST}:{}: {}", manifest::line(&text, p.at), p.what)).collect();
        return Err(lines.join("\n"));
    }
    let code = generate::generate(&manifest, facts);
    let out = env::var("OUT_DIR").map_err(|e| format!("OUT_DIR: {e}"))?;
    fs::write(Path::new(&out).join("catalog.rs"), code).map_err(|e| format!("cannot write the catalogue: {e}"))
}
