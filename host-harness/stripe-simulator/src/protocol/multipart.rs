//! Bodies in several parts: the fields of a form, and the one file among them.
//!
//! Strict where browsers are not: a body begins with its boundary and ends with it, every part says its name, and
//! there is no more than one file. What the fields mean is checked where those of any other form are.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ApiError;
use super::form::{Branch, Tree, put};

/// Parts of a body: more than any upload of the API has fields.
const MOST_PARTS: usize = 200;
/// Bytes of the headers of one part.
const LONGEST_HEAD: usize = 8 << 10;
/// Characters of a boundary, after RFC 2046.
const LONGEST_BOUNDARY: usize = 70;

/// A file as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    /// Its name, without the folders before it.
    pub(crate) filename: String,
    pub(crate) bytes: Bytes,
}

fn malformed(why: &str) -> ApiError {
    ApiError::invalid(format!("Invalid multipart/form-data request: {why}."))
}

/// Reads the fields of a body into a tree. A file stands in it by the digest of its bytes, so that two requests with
/// different files differ.
///
/// # Errors
/// What is wrong with the body.
pub(super) fn read(body: &[u8], kind: &str, into: &mut Branch) -> Result<Option<Upload>, ApiError> {
    let boundary = boundary(kind).ok_or_else(|| {
        ApiError::invalid(
            "Invalid request (check that your POST content type is multipart/form-data). If you have any questions, \
             we can help at https://support.stripe.com/.",
        )
    })?;
    let delimiter = format!("\r\n--{boundary}");
    let first = delimiter.strip_prefix("\r\n").unwrap_or_default();
    let mut rest =
        body.strip_prefix(first.as_bytes()).ok_or_else(|| malformed("it does not begin with its boundary"))?;
    let mut upload = None;
    for _ in 0..MOST_PARTS {
        if matches!(rest.strip_prefix(b"--"), Some(b"" | b"\r\n")) {
            return Ok(upload);
        }
        let part = rest.strip_prefix(b"\r\n").ok_or_else(|| malformed("something follows a boundary"))?;
        let (content, after) =
            cut(part, delimiter.as_bytes()).ok_or_else(|| malformed("it ends before its last boundary"))?;
        rest = after;
        let (head, value) = cut(content, b"\r\n\r\n").ok_or_else(|| malformed("a part has no headers"))?;
        if head.len() > LONGEST_HEAD {
            return Err(malformed("the headers of a part are too long"));
        }
        let head = std::str::from_utf8(head).map_err(|_| malformed("the headers of a part are not UTF-8"))?;
        let Some(Disposition { name, filename }) = disposition(head) else {
            return Err(malformed("a part has no name"));
        };
        let Some(filename) = filename else {
            let text = std::str::from_utf8(value).map_err(|_| malformed("a field is not UTF-8"))?;
            put(into, &name, text.to_owned())?;
            continue;
        };
        if upload.is_some() {
            return Err(malformed("there is more than one file"));
        }
        let digest = Sha256::digest(value).iter().map(|b| format!("{b:02x}")).collect();
        if into.insert(name, Tree::Text(digest)).is_some() {
            return Err(malformed("the file is a field too"));
        }
        let filename = filename.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        upload = Some(Upload { filename, bytes: Bytes::copy_from_slice(value) });
    }
    Err(malformed("it has too many parts"))
}

/// What is before the first occurrence of a text and what is after it.
fn cut<'b>(text: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let place = memchr::memmem::find(text, at)?;
    Some((text.get(..place)?, text.get(place + at.len()..)?))
}

/// The boundary that a content type names.
fn boundary(kind: &str) -> Option<String> {
    let (media, parameters) = kind.split_once(';')?;
    if !media.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (_, boundary) = Parameters(parameters).find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let sound =
        (1..=LONGEST_BOUNDARY).contains(&boundary.len()) && boundary.bytes().all(|b| (b' '..=b'~').contains(&b));
    sound.then_some(boundary)
}

struct Disposition {
    name: String,
    filename: Option<String>,
}

/// The disposition among the headers of a part, when it is one of a form.
fn disposition(head: &str) -> Option<Disposition> {
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let (kind, parameters) = value.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut filename) = (None, None);
    for (key, value) in Parameters(parameters) {
        match key {
            "name" => name = Some(value),
            "filename" => filename = Some(value),
            _ => {}
        }
    }
    name.filter(|n| !n.is_empty()).map(|name| Disposition { name, filename })
}

/// `a=b; c="d; \"e\""` as pairs, up to the first thing that is none.
struct Parameters<'t>(&'t str);

impl<'t> Iterator for Parameters<'t> {
    type Item = (&'t str, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = self.0.split_once('=')?;
        let name = name.trim_matches([' ', '\t', ';']);
        let Some(quoted) = rest.strip_prefix('"') else {
            let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
            self.0 = after;
            return Some((name, value.trim().to_owned()));
        };
        let (mut value, mut characters) = (String::new(), quoted.chars());
        loop {
            match characters.next()? {
                '"' => break,
                '\\' if characters.as_str().starts_with(['"', '\\']) => value.extend(characters.next()),
                other => value.push(other),
            }
        }
        self.0 = characters.as_str();
        // Browsers and the official clients write a quotation mark in this way.
        Some((name, value.replace("%22", "\"")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::form::to_json;
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=XX";

    fn parsed(body: &[u8], kind: &str) -> Result<(Value, Option<Upload>), ApiError> {
        let mut branch = Branch::new();
        let upload = read(body, kind, &mut branch)?;
        Ok((to_json(&Tree::Branch(branch)), upload))
    }

    fn part(headers: &str, value: &str) -> String {
        format!("--XX\r\n{headers}\r\n\r\n{value}\r\n")
    }

    fn field(name: &str, value: &str) -> String {
        part(&format!("Content-Disposition: form-data; name=\"{name}\""), value)
    }

    #[test]
    fn fields_nest_and_a_file_is_its_bytes() {
        let mut body = (field("purpose", "dispute_evidence") + &field("file_link_data[create]", "true")).into_bytes();
        body.extend(b"--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"/tmp/a \\\"b\\\".png\"\r\n");
        body.extend(b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x00--X\r\n--XX--\r\n");
        let (fields, upload) = parsed(&body, KIND).unwrap();
        assert_eq!(fields["purpose"], "dispute_evidence");
        assert_eq!(fields["file_link_data"], json!({"create": "true"}));
        assert_eq!(fields["file"].as_str().unwrap().len(), 64);
        let upload = upload.unwrap();
        assert_eq!((upload.filename.as_str(), &*upload.bytes), ("a \"b\".png", &b"\x89PNG\r\n\x00--X"[..]));
        assert_eq!(parsed(b"--XX--", "multipart/form-data;boundary=\"XX\"").unwrap(), (json!({}), None));
    }

    #[test]
    fn another_file_is_another_request() {
        let body = |text: &str| part("Content-Disposition: form-data; name=\"file\"; filename=\"a\"", text) + "--XX--";
        let of = |text: &str| parsed(body(text).as_bytes(), KIND).unwrap().0;
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("two"));
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let file = part("Content-Disposition: form-data; name=\"file\"; filename=\"a\"", "x");
        let bodies = [
            String::new(),
            "garbage".to_owned(),
            field("a", "1"),
            format!("\r\n{}--XX--", field("a", "1")),
            format!("{}--XX--more", field("a", "1")),
            "--XXX\r\n\r\n--XX--".to_owned(),
            "--XX\r\nno headers\r\n--XX--".to_owned(),
            part("Content-Type: text/plain", "x") + "--XX--",
            part("Content-Disposition: attachment; name=\"a\"", "x") + "--XX--",
            part("Content-Disposition: form-data; name=\"a", "x") + "--XX--",
            part("Content-Disposition: form-data; name=\"\"", "x") + "--XX--",
            part(&format!("Content-Disposition: form-data; name=\"{}\"", "a".repeat(9000)), "x") + "--XX--",
            format!("{file}{file}--XX--"),
            field("file", "text") + &file + "--XX--",
            field("a[b", "x") + "--XX--",
            field(&format!("a{}", "[b]".repeat(100)), "x") + "--XX--",
            field("a", "x").repeat(MOST_PARTS + 1) + "--XX--",
        ];
        for body in bodies {
            let start: String = body.chars().take(80).collect();
            assert!(parsed(body.as_bytes(), KIND).is_err(), "{start}");
        }
        let mut text = field("a", "x").into_bytes();
        text.splice(text.len() - 3..text.len() - 2, [0xff]);
        text.extend(b"--XX--");
        assert!(parsed(&text, KIND).is_err());
        let long = format!("multipart/form-data; boundary={}", "X".repeat(LONGEST_BOUNDARY + 1));
        for kind in
            ["", "multipart/form-data", "application/json; boundary=XX", "multipart/form-data; boundary=", &long]
        {
            assert!(parsed(b"--XX--", kind).is_err(), "{kind}");
        }
    }
}
