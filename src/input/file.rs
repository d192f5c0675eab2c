//! Files that come beside the JSON.

use crate::catalogue::{self, Operation, Shape};
use crate::error::{Error, Result};
use crate::stripe;

/// A file of the caller's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The input field that it fills.
    pub field: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Whether a parameter is a file.
pub fn is_file(shape: Shape<'_>) -> bool {
    matches!(shape, Shape::File)
}

/// The file that the operation takes, out of those that were given.
pub fn check(operation: Operation, files: Vec<File>) -> Result<Option<(&'static str, stripe::file::File)>> {
    let mut taken = operation.parameters().into_iter().filter(|f| is_file(f.shape()));
    let Some(field) = taken.next() else {
        return match files.into_iter().next() {
            None => Ok(None),
            Some(file) => Err(Error::input(file.field, ["`", operation.id(), "` takes no file"].concat())),
        };
    };
    let mut found = None;
    for file in files {
        if file.field != field.name() {
            let message = ["`", operation.id(), "` has no field `", &file.field, "` for a file"].concat();
            return Err(Error::input(file.field, message).hint(["Its file goes into `", field.name(), "`."].concat()));
        }
        if found.is_some() {
            return Err(Error::input(file.field, ["`", field.name(), "` takes one file"].concat()));
        }
        found = Some((field.name(), sound(file)?));
    }
    if found.is_none() && field.required() {
        let message = ["`", field.name(), "` is required: a file"].concat();
        return Err(
            Error::input(field.name(), message).hint("Give it beside the input, as bytes with a name and a type.")
        );
    }
    Ok(found)
}

/// Name and type travel in a header of the body.
fn sound(file: File) -> Result<stripe::file::File> {
    let most = catalogue::FILE_BYTES;
    if file.content.len() as u64 > most {
        let message = format!("the file has {} KiB; at most {} KiB are sent", file.content.len() / 1024, most / 1024);
        return Err(Error::input(file.field, message));
    }
    if file.content.is_empty() {
        return Err(Error::input(file.field, "the file is empty"));
    }
    let unsafe_in_header = |c: char| c.is_control() || c == '"';
    if file.name.is_empty() || file.name.len() > 255 || file.name.contains(unsafe_in_header) {
        let message = "a file's name has 1 to 255 bytes, without quotes and line breaks";
        return Err(Error::input(file.field, message).hint("Give it a name such as evidence.pdf."));
    }
    let is_media_type = file.content_type.split_once('/').is_some_and(|(kind, rest)| {
        let graphic = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        graphic(kind) && graphic(rest)
    });
    if !is_media_type || file.content_type.len() > 255 {
        return Err(Error::input(file.field, "a file's type is a media type such as application/pdf"));
    }
    Ok(stripe::file::File { name: file.name, content_type: file.content_type, content: file.content })
}
