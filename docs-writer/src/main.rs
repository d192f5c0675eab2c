//! `cargo xtask docs`: writes the pages of `docs/`.

use std::process::ExitCode;

use docs_writer::{Folder, Problem, pages};

fn main() -> ExitCode {
    match write() {
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

fn write() -> Result<String, Problem> {
    let folder = Folder::of_repository();
    let pages = pages(&folder.tasks()?)?;
    let differences = folder.write(&pages)?;
    Ok(format!("{} pages, {} of them changed", pages.len(), differences.len()))
}
