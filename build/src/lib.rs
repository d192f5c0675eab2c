//! Turns `manifest.toml`, `catalogue/` and the facts into the table that the connector carries, and fails the build where
//! they disagree, with the file and the line to mend.
//!
//! ```text
//! sources ─ parse ─▶ Catalogue ─┐
//!                               ├─ check ─▶ compile ─▶ Model ─ write, verify ─▶ OUT_DIR/catalogue.table
//! facts ─ kinds, ids ─▶ Api ────┘
//! ```
//!
//! Text goes in on one side (`sources`), is read into types that keep the place of whatever can be wrong
//! (`manifest`, `catalogue`), and meets the facts once they have been given what they lack (`api`: request ids,
//! kinds of numbers, what events are about). `check` compares, `compile` fills the model. Nothing here runs in the
//! component, and nothing here knows an operation by name.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use stripe_facts::Facts;
use stripe_table::Table;
use stripe_table::model::Model;

mod api;
mod catalogue;
mod check;
mod compile;
mod events;
mod ids;
mod inputs;
mod json;
mod kinds;
mod manifest;
mod meanings;
mod named;
mod nearest;
mod permissions;
mod problem;
mod requests;
mod shapes;
mod sources;

pub use problem::Problem;
pub use sources::Sources;

use api::Api;
use catalogue::Catalogue;
use problem::Report;

/// The body of the connector's build script: reads from the package's folder, writes to `OUT_DIR`.
pub fn run() -> ExitCode {
    println!("cargo::rerun-if-changed={}", sources::MANIFEST);
    println!("cargo::rerun-if-changed={}", sources::FOLDER);
    match write(Path::new(".")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            eprintln!("{problems}");
            ExitCode::FAILURE
        }
    }
}

fn write(root: &Path) -> Result<(), String> {
    let sources = Sources::read(root)?;
    let facts = Facts::bundled();
    let lines = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
    let (catalogue, api) = checked(&sources, facts).map_err(lines)?;
    let out = env::var("OUT_DIR").map_err(|e| format!("OUT_DIR: {e}"))?;
    let keep = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&out).join(name), bytes).map_err(|e| format!("cannot write {name}: {e}"))
    };
    keep("catalogue.table", &table(&compile::compile(&catalogue, api))?)
}

/// The model as the bytes that the component carries, verified once here so that no call need do it.
fn table(model: &Model) -> Result<Vec<u8>, String> {
    let bytes = stripe_table::write(model).map_err(|e| e.to_string())?;
    Table::open(&bytes).and_then(Table::verify).map_err(|e| format!("what was written does not read: {e}"))?;
    Ok(bytes)
}

/// The model of what the sources and the facts say.
///
/// # Errors
/// Everything to mend, by file and line.
pub fn model(sources: &Sources, facts: &Facts) -> Result<Model, Vec<Problem>> {
    checked(sources, facts).map(|(catalogue, api)| compile::compile(&catalogue, api))
}

fn checked(sources: &Sources, facts: &Facts) -> Result<(Catalogue, Api), Vec<Problem>> {
    let catalogue = catalogue::parse(sources)?;
    let mut report = Report::new(sources);
    let api = Api::new(facts, &catalogue, &mut report);
    check::check(&catalogue, &api, facts, &mut report);
    match report.problems() {
        problems if problems.is_empty() => Ok((catalogue, api)),
        problems => Err(problems),
    }
}
