//! `--output-file PATH`: where the files of an answer go.
//!
//! PATH is a file, or a folder in which each file gets the name that the answer gives it, made harmless: an answer does
//! not choose where on this machine it is written. Nothing is overwritten unless that was said.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use host::contract::File;

use crate::cli::failure::Failure;

/// A longer name is cut: file systems take 255 bytes.
const LONGEST_NAME: usize = 100;

/// So many names are tried beside those that are taken.
const MOST_NAMES: usize = 1000;

/// Where files go.
#[derive(clap::Args)]
pub struct Target {
    /// Write the files of the answer here: a file, or a folder, where they keep their names
    #[arg(long, value_name = "PATH")]
    output_file: Option<PathBuf>,
    /// Let --output-file replace a file
    #[arg(long, requires = "output_file")]
    overwrite: bool,
}

impl Target {
    /// Whether it can be written at all; asked before anything is sent.
    pub fn check(&self) -> Result<(), Failure> {
        let Some(path) = &self.output_file else { return Ok(()) };
        if path.exists() && !path.is_dir() && !self.overwrite {
            let message = format!("{} is there already", path.display());
            return Err(Failure::usage(message).hint("Name another file or a folder, or say --overwrite."));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !path.is_dir() && !folder.is_dir() {
            return Err(Failure::usage(format!("there is no folder {}", folder.display())));
        }
        Ok(())
    }

    /// Writes a file of an answer that has so many, and says where it is now. Nowhere, when nobody asked for it.
    pub fn write(&self, file: &File, of: usize) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = &self.output_file else { return Ok(None) };
        let written = if path.is_dir() {
            self.write_into(path, file)
        } else if of == 1 {
            self.write_to(path, &file.content).map(|()| path.clone())
        } else {
            Err(io::Error::other(format!("the answer has {of} files, which need a folder")))
        };
        let failed = |error| Failure::Machine(format!("the file {} cannot be written: {error}", path.display()));
        written.map(Some).map_err(failed)
    }

    /// Under its own name, or the next that is free.
    fn write_into(&self, folder: &Path, file: &File) -> io::Result<PathBuf> {
        let name = harmless(&file.name);
        for number in 1..=MOST_NAMES {
            let path = folder.join(numbered(&name, number));
            match self.write_to(&path, &file.content) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                done => return done.map(|()| path),
            }
        }
        Err(io::Error::other(format!("{name} and {MOST_NAMES} names like it are taken")))
    }

    fn write_to(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = match self.overwrite {
            true => options.write(true).create(true).truncate(true).open(path)?,
            false => options.write(true).create_new(true).open(path)?,
        };
        let written = file.write_all(content).and_then(|()| file.flush());
        if written.is_err() && !self.overwrite {
            // A part of a file is worse than none.
            let _ = fs::remove_file(path);
        }
        written
    }
}

/// `receipt.pdf`, `receipt-2.pdf`, `receipt-3.pdf`.
fn numbered(name: &str, number: usize) -> String {
    match name.rsplit_once('.') {
        _ if number == 1 => name.to_owned(),
        Some((stem, end)) => format!("{stem}-{number}.{end}"),
        None => format!("{name}-{number}"),
    }
}

/// A name that somebody else gave, as a plain file's name: no folder, nothing hidden, nothing that steers a terminal.
fn harmless(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let allowed = |letter: &char| letter.is_alphanumeric() || "-_.() ".contains(*letter);
    let name: String = name.chars().filter(allowed).take(LONGEST_NAME).collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "file".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> File {
        File {
            field: "file".to_owned(),
            name: name.to_owned(),
            content_type: "application/pdf".to_owned(),
            content: b"%PDF".to_vec(),
        }
    }

    fn target(path: &Path, overwrite: bool) -> Target {
        Target { output_file: Some(path.to_owned()), overwrite }
    }

    #[test]
    fn a_name_of_somebody_elses_leads_nowhere() {
        for (given, name) in [
            ("receipt.pdf", "receipt.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system.ini", "system.ini"),
            (".bashrc", "bashrc"),
            ("..", "file"),
            ("", "file"),
            ("a\u{1b}[31m\n.pdf", "a31m.pdf"),
            ("Rechnung März (2).pdf", "Rechnung März (2).pdf"),
        ] {
            assert_eq!(harmless(given), name, "{given:?}");
        }
        assert_eq!(harmless(&"x".repeat(500)).len(), LONGEST_NAME);
    }

    #[test]
    fn in_a_folder_a_file_keeps_its_name_and_takes_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let target = target(folder.path(), false);
        target.check().unwrap_or_else(|failure| panic!("{failure}"));
        let written: Vec<PathBuf> = (0..2).map(|_| target.write(&file("../a.pdf"), 2).unwrap().unwrap()).collect();
        assert_eq!(written, [folder.path().join("a.pdf"), folder.path().join("a-2.pdf")]);
        assert_eq!(fs::read(&written[1]).unwrap(), b"%PDF");
    }

    #[test]
    fn a_file_is_replaced_only_when_that_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.pdf");
        fs::write(&path, "mine").unwrap();
        let refused = target(&path, false);
        assert!(refused.check().err().unwrap().to_string().contains("mine.pdf is there already"));
        assert!(refused.write(&file("a.pdf"), 1).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(target(&path, true).write(&file("a.pdf"), 1).unwrap(), Some(path.clone()));
        assert_eq!(fs::read(&path).unwrap(), b"%PDF");
        assert!(target(&path, true).write(&file("a.pdf"), 2).is_err(), "two files have no room in one");
        assert!(target(&folder.path().join("no/such/a.pdf"), false).check().is_err());
    }

    #[test]
    fn without_a_path_nothing_is_written() {
        let nowhere = Target { output_file: None, overwrite: false };
        assert_eq!(nowhere.write(&file("a.pdf"), 1).unwrap(), None);
    }
}
