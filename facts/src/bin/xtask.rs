//! `cargo xtask facts PATH_TO_OPENAPI`: writes the facts of an API version from an OpenAPI document.
//! `cargo xtask docs`: writes the pages of `docs/`, by the package `docs-writer`. That needs a connector that builds, and
//! facts are written when none does, so it is built only when it is asked for.
//!
//! What is known to be wrong in documents is in `errata.json`: where (`at`, a JSON pointer), how that is known (`reason`)
//! and what stands there `instead`, or which place has the right thing to `copy`. One that a document does not need is left out, and said so.

use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;
use stripe_facts::{import, text};

const USAGE: &str = "usage: cargo xtask facts PATH_TO_OPENAPI [OUTPUT_DIRECTORY]
       cargo xtask docs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["facts", document] => write_facts(Path::new(document), Path::new(env!("CARGO_MANIFEST_DIR"))),
        ["facts", document, output] => write_facts(Path::new(document), Path::new(output)),
        ["docs"] => return write_docs(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn write_docs() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--package", "docs-writer"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        // It has said why.
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn correct(document: &mut Value, errata: &Value) {
    for erratum in errata.as_array().into_iter().flatten() {
        let text = |name: &str| erratum.get(name).and_then(Value::as_str).unwrap_or_default();
        let copy = document.pointer(text("copy")).filter(|_| erratum.get("copy").is_some());
        let right = erratum.get("instead").or(copy).cloned();
        match (document.pointer_mut(text("at")), right) {
            (Some(wrong), Some(right)) if *wrong != right => *wrong = right,
            _ => eprintln!("errata.json: nothing to correct at {}", text("at")),
        }
    }
}

fn write_facts(document: &Path, output: &Path) -> Result<String, String> {
    let name = document.display();
    let bytes = std::fs::read(document).map_err(|e| format!("cannot read {name}: {e}"))?;
    let mut document = serde_json::from_slice(&bytes).map_err(|e| format!("{name} is not JSON: {e}"))?;
    let errata = serde_json::from_str(include_str!("../../errata.json")).map_err(|e| format!("errata.json: {e}"))?;
    correct(&mut document, &errata);
    let facts = import::from_openapi(&document).map_err(|e| format!("{name}: {e}"))?;
    let files = text::write(&facts);
    let all: String = files.iter().map(|(_, body)| body.as_str()).collect();
    if text::parse(&all).map_err(|e| e.to_string())? != facts {
        return Err("the facts do not read back as they were written; nothing was changed".to_owned());
    }
    for (file, body) in &files {
        std::fs::write(output.join(file), body).map_err(|e| format!("cannot write {file}: {e}"))?;
    }
    Ok(format!(
        "API version {}: {} operations, {} objects, {} event types, {} lines",
        facts.api_version,
        facts.operations.len(),
        facts.objects.len(),
        facts.event_types.len(),
        all.lines().count(),
    ))
}
