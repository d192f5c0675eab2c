//! `--file FIELD=PATH`: a file of this machine that goes in with an input.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use host::contract::File;

use crate::cli::failure::Failure;
use crate::cli::wording;

/// All files of a call together. No service takes a larger one with a request, and each is held in memory, the
/// component's included.
const MOST_BYTES: usize = 16 << 20;

/// Media types by the ends of names. What is not here goes as bytes, and the service says whether it takes them.
const TYPES: &[(&str, &str)] = &[
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// A file that was named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    field: String,
    path: PathBuf,
}

/// `FIELD=PATH`.
pub fn named(text: &str) -> Result<Named, String> {
    match text.split_once('=') {
        Some((field, path)) if !field.is_empty() && !path.is_empty() => {
            Ok(Named { field: field.to_owned(), path: PathBuf::from(path) })
        }
        _ => Err("it is FIELD=PATH, as in file=receipt.pdf".to_owned()),
    }
}

/// Reads the files, in their order.
pub fn read(named: &[Named]) -> Result<Vec<File>, Failure> {
    let mut left = MOST_BYTES;
    named
        .iter()
        .map(|named| {
            let file = named.read(left)?;
            left -= file.content.len();
            Ok(file)
        })
        .collect()
}

impl Named {
    fn read(&self, most: usize) -> Result<File, Failure> {
        let Self { field, path } = self;
        let unreadable =
            |error: std::io::Error| Failure::usage(format!("the file {} cannot be read: {error}", path.display()));
        let mut content = Vec::new();
        let source = fs::File::open(path).map_err(unreadable)?;
        source.take(most as u64 + 1).read_to_end(&mut content).map_err(unreadable)?;
        if content.len() > most {
            let most = wording::bytes(MOST_BYTES);
            return Err(Failure::usage(format!("with {} the files are over {most} in all", path.display())));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(File { field: field.clone(), name, content_type: media_type(path).to_owned(), content })
    }
}

fn media_type(path: &Path) -> &'static str {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let known = TYPES.iter().find(|(name, _)| *name == end);
    known.map_or("application/octet-stream", |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_field_and_a_path() {
        let expected = Named { field: "file".to_owned(), path: PathBuf::from("a=b.pdf") };
        assert_eq!(named("file=a=b.pdf"), Ok(expected));
        for text in ["", "file", "=a.pdf", "file="] {
            assert!(named(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_type_is_told_by_the_name() {
        for (path, media_type) in [
            ("a/receipt.PDF", "application/pdf"),
            ("evidence.jpg", "image/jpeg"),
            ("archive.tar.zip", "application/zip"),
            ("README", "application/octet-stream"),
            (".pdf", "application/octet-stream"),
        ] {
            assert_eq!(super::media_type(Path::new(path)), media_type, "{path}");
        }
    }

    #[test]
    fn files_that_are_too_large_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, size: usize| {
            let path = folder.path().join(name);
            fs::write(&path, vec![0; size]).unwrap();
            Named { field: "file".to_owned(), path }
        };
        let half = file("half.png", MOST_BYTES / 2);
        let read_again = read(&[half.clone(), half.clone()]).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((read_again.len(), read_again[1].name.as_str()), (2, "half.png"));
        let refused = read(&[half.clone(), half, file("one.png", 1)]).err().unwrap().to_string();
        assert!(refused.contains("one.png") && refused.contains("16.0 MiB"), "{refused}");
        let endless = read(&[Named { field: "file".to_owned(), path: PathBuf::from("/dev/zero") }]);
        assert!(endless.is_err());
    }
}
