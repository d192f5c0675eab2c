//! The texts that the build reads, by their names in the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The file that platforms read.
pub const MANIFEST: &str = "manifest.toml";
/// The folder of everything else.
pub const FOLDER: &str = "catalogue";

/// `manifest.toml` and the files of `catalogue/`.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the files below the repository's root.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let text = |name: &str| fs::read_to_string(root.join(name)).map_err(|e| format!("cannot read {name}: {e}"));
        let mut files = BTreeMap::from([(MANIFEST.to_owned(), text(MANIFEST)?)]);
        let folder = fs::read_dir(root.join(FOLDER)).map_err(|e| format!("cannot read {FOLDER}: {e}"))?;
        for entry in folder {
            let name = entry.map_err(|e| format!("cannot read {FOLDER}: {e}"))?.file_name();
            let Some(name) = name.to_str().filter(|n| n.ends_with(".toml")) else { continue };
            let name = format!("{FOLDER}/{name}");
            let text = text(&name)?;
            files.insert(name, text);
        }
        Ok(Self { files })
    }

    /// The same with another text in the place of a file, or with one more.
    #[must_use]
    pub fn with(mut self, file: &str, text: impl Into<String>) -> Self {
        self.files.insert(file.to_owned(), text.into());
        self
    }

    /// A file's text; empty where there is none.
    pub fn text(&self, file: &str) -> &str {
        self.files.get(file).map_or("", String::as_str)
    }

    /// The names of the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}
