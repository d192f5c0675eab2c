//! The input's text: JSON, an object, of bearable size, in which no member comes twice.

use crate::catalogue;
use crate::error::{Error, Result};
use crate::json::{Doc, Kind, repeated_member};

use super::path;
use super::refusal::noun_of;

/// Reads an input. No text at all is an empty object.
pub fn scan(text: &str) -> Result<Doc<'_>> {
    let most = catalogue::INPUT_BYTES;
    if text.len() as u64 > most {
        let (size, most) = (text.len() / 1024, most / 1024);
        return Err(Error::input("", format!("the input is {size} KiB; at most {most} KiB are read")));
    }
    let text = if text.trim_matches([' ', '\t', '\r', '\n']).is_empty() { "{}" } else { text };
    let doc = Doc::scan_str(text).map_err(|error| {
        let at = path::of_byte(text, error.at);
        let place = if at.is_empty() { String::new() } else { [" (in `", &at, "`)"].concat() };
        Error::input(at, format!("the input is not JSON at byte {}{place}: {}", error.at, error.what))
            .hint("Send an object such as {\"email\": \"jenny@example.com\"}.")
    })?;
    let root = doc.root();
    if root.kind() != Kind::Object {
        return Err(Error::input("", ["the input must be a JSON object, not ", noun_of(root)].concat()));
    }
    if let Some(twice) = repeated_member(root) {
        let message = ["`", &twice, "` comes twice in the input"].concat();
        return Err(
            Error::input(twice, message).hint("Give each field once: which of the two is meant is not guessed.")
        );
    }
    Ok(doc)
}
