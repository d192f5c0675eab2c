//! The repository's own sources with one change, and the problems that the build finds then.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;
use std::sync::LazyLock;

use catalogue_build::{Problem, Sources, model};
use stripe_facts::Facts;
use stripe_table::model::{Meaning, Model};

static REAL: LazyLock<Sources> = LazyLock::new(|| {
    Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).expect("the repository's sources")
});

/// The sources as they are.
pub fn real() -> Sources {
    REAL.clone()
}

/// The sources with a text in the place of another, which is there once.
pub fn changed(file: &str, from: &str, to: &str) -> Sources {
    also_changed(real(), file, from, to)
}

/// The same to sources that were changed before.
pub fn also_changed(sources: Sources, file: &str, from: &str, to: &str) -> Sources {
    let text = sources.text(file).to_owned();
    assert_eq!(text.matches(from).count(), 1, "`{from}` is in {file} once");
    sources.with(file, text.replace(from, to))
}

/// What the build says of sources.
pub fn problems(sources: &Sources, facts: &Facts) -> Vec<Problem> {
    model(sources, facts).err().unwrap_or_default()
}

/// The one problem of a change, which stands in the line that `at` is in, and says all of this.
pub fn one(file: &str, from: &str, to: &str, at: &str, says: &[&str]) {
    only(&changed(file, from, to), Facts::bundled(), file, at, says);
}

/// The one problem of these sources.
pub fn only(sources: &Sources, facts: &Facts, file: &str, at: &str, says: &[&str]) {
    let found = problems(sources, facts);
    let [problem] = found.as_slice() else { panic!("one problem: {found:#?}") };
    is(problem, sources, file, at, says);
}

/// That a problem stands in the line that `at` is in first, and says all of this.
pub fn is(problem: &Problem, sources: &Sources, file: &str, at: &str, says: &[&str]) {
    let line = sources.text(file).lines().position(|l| l.contains(at)).expect("a line") + 1;
    let shown = problem.to_string();
    assert!(shown.starts_with(&format!("{file}:{line}: ")), "{file}:{line}: {shown}");
    for part in says {
        assert!(shown.contains(part), "`{part}` in {shown}");
    }
}

/// That a change is none to complain of.
pub fn fine(sources: &Sources) -> Model {
    model(sources, Facts::bundled()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What a model says of a field.
pub fn meaning(model: &Model, operation: &str, path: &str) -> Option<Meaning> {
    let operation = model.operations.iter().find(|o| o.id == operation).expect("an operation");
    operation.meanings.iter().find(|m| m.path == path).cloned()
}
