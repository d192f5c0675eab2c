//! The pages as files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::place::RESOURCES;
use crate::problem::Problem;

/// The folder that has the pages and, kept by hand, the list of tasks.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// How a file is not what would be written.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// There is no such page yet.
    Missing(String),
    /// It says something else.
    Outdated(String),
    /// It is about a resource that is gone.
    LeftOver(String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(page) => write!(f, "docs/{page} is missing"),
            Self::Outdated(page) => write!(f, "docs/{page} is not current"),
            Self::LeftOver(page) => write!(f, "docs/{page} is of nothing that there is"),
        }
    }
}

impl Folder {
    /// The one of this repository.
    pub fn of_repository() -> Self {
        Self::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"))
    }

    /// The one at a path.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The list of tasks.
    ///
    /// # Errors
    /// That it cannot be read.
    pub fn tasks(&self) -> Result<String, Problem> {
        let path = self.path.join("tasks.toml");
        fs::read_to_string(&path).map_err(|source| Problem::File { path, source })
    }

    /// How the files differ from these pages.
    ///
    /// # Errors
    /// A file or folder that cannot be read.
    pub fn differences(&self, pages: &BTreeMap<String, String>) -> Result<Vec<Difference>, Problem> {
        let mut found = Vec::new();
        for (page, body) in pages {
            let path = self.path.join(page);
            match fs::read_to_string(&path) {
                Ok(there) if there == *body => {}
                Ok(_) => found.push(Difference::Outdated(page.clone())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => found.push(Difference::Missing(page.clone())),
                Err(source) => return Err(Problem::File { path, source }),
            }
        }
        let there = self.resource_pages()?.into_iter().filter(|page| !pages.contains_key(page));
        found.extend(there.map(Difference::LeftOver));
        Ok(found)
    }

    /// Makes the files these pages; says what was not so before.
    ///
    /// # Errors
    /// A file that cannot be read, written or removed.
    pub fn write(&self, pages: &BTreeMap<String, String>) -> Result<Vec<Difference>, Problem> {
        let differences = self.differences(pages)?;
        let resources = self.path.join(RESOURCES);
        fs::create_dir_all(&resources).map_err(|source| Problem::File { path: resources, source })?;
        for difference in &differences {
            let (Difference::Missing(page) | Difference::Outdated(page) | Difference::LeftOver(page)) = difference;
            let path = self.path.join(page);
            let done = match pages.get(page) {
                Some(body) => fs::write(&path, body),
                None => fs::remove_file(&path),
            };
            done.map_err(|source| Problem::File { path, source })?;
        }
        Ok(differences)
    }

    /// Every page of a resource that there is, by its path in the folder.
    fn resource_pages(&self) -> Result<Vec<String>, Problem> {
        let path = self.path.join(RESOURCES);
        let failed = |source| Problem::File { path: path.clone(), source };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut pages = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            if let Some(name) = name.to_str().filter(|name| name.ends_with(".md")) {
                pages.push(format!("{RESOURCES}/{name}"));
            }
        }
        pages.sort();
        Ok(pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(page, body)| ((*page).to_owned(), (*body).to_owned())).collect()
    }

    #[test]
    fn writing_makes_the_files_the_pages_and_leaves_others_alone() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(temporary.path().to_owned());
        fs::write(temporary.path().join("by-hand.md"), "mine").expect("written");
        let first = pages(&[("README.md", "a"), ("resources/gone.md", "b"), ("resources/stays.md", "c")]);
        assert_eq!(folder.write(&first).expect("written").len(), 3);
        assert_eq!(folder.differences(&first).expect("read"), []);

        let then = pages(&[("README.md", "new"), ("resources/added.md", "d"), ("resources/stays.md", "c")]);
        let differences = [
            Difference::Outdated("README.md".to_owned()),
            Difference::Missing("resources/added.md".to_owned()),
            Difference::LeftOver("resources/gone.md".to_owned()),
        ];
        assert_eq!(folder.differences(&then).expect("read"), differences);
        assert_eq!(folder.write(&then).expect("written"), differences);
        assert_eq!(folder.differences(&then).expect("read"), []);
        assert!(!temporary.path().join("resources/gone.md").exists() && temporary.path().join("by-hand.md").exists());
    }
}
