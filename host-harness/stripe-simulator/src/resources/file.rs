//! Files: what is uploaded for a purpose, and how it is had back.

use bytes::Bytes;
use serde_json::{Value, json};

use super::fields::{sublist, whole};
use super::file_link;
use super::{Call, Operations, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::{Account, now};

pub(super) const OPERATIONS: Operations =
    &[("GET", PATH, list), ("POST", PATH, create), ("GET", "/v1/files/{file}", retrieve)];

/// Where files are uploaded.
pub(crate) const PATH: &str = "/v1/files";
pub(super) const KIND: &str = "file";

/// Formats of files: the name that the API has for one, its media type, and what such files begin with. Text has no
/// beginning of its own: there the name of the file tells.
const FORMATS: &[(&str, &str, &[u8])] = &[
    ("pdf", "application/pdf", b"%PDF-"),
    ("jpg", "image/jpeg", b"\xff\xd8\xff"),
    ("png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ("gif", "image/gif", b"GIF8"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b""),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b""),
    ("xls", "application/vnd.ms-excel", b""),
    ("csv", "text/csv", b""),
    ("json", "application/json", b""),
    ("svg", "image/svg+xml", b""),
    ("md", "text/markdown", b""),
    ("txt", "text/plain", b""),
];

/// What a purpose allows, after the file upload guide.
struct Purpose {
    name: &'static str,
    /// The formats; any when there are none.
    formats: &'static [&'static str],
    /// Bytes of the largest file.
    largest: usize,
    /// Days that such a file is there for.
    days: Option<i64>,
}

const fn purpose(name: &'static str, formats: &'static [&'static str], largest: usize, days: Option<i64>) -> Purpose {
    Purpose { name, formats, largest, days }
}

const KB: usize = 1 << 10;
const MB: usize = 1 << 20;
const DOCUMENT: &[&str] = &["pdf", "jpg", "png"];
const PICTURE: &[&str] = &["jpg", "png", "gif"];

/// The guide allows up to 64 MB for some purposes; here nothing is larger than 16.
const PURPOSES: &[Purpose] = &[
    purpose("account_requirement", DOCUMENT, 16 * MB, None),
    purpose("additional_verification", DOCUMENT, 16 * MB, None),
    purpose("business_icon", PICTURE, 512 * KB, None),
    purpose("business_logo", PICTURE, 512 * KB, None),
    purpose("customer_signature", &["jpg", "png", "svg"], 4 * MB, Some(7)),
    purpose("dispute_evidence", DOCUMENT, 5 * MB, Some(270)),
    purpose("identity_document", DOCUMENT, 16 * MB, None),
    purpose("issuing_regulatory_reporting", &["json"], 256 * KB, Some(730)),
    purpose("pci_document", &["pdf"], 16 * MB, None),
    purpose("platform_terms_of_service", &["pdf", "txt", "md"], 16 * MB, None),
    purpose("tax_document_user_upload", &["pdf", "csv", "jpg", "png", "xlsx", "docx"], 16 * MB, None),
];

/// Any other purpose.
const OTHER: Purpose = purpose("", &[], 16 * MB, None);
const DAY: i64 = 86_400;

/// What a file is by its first bytes, or else by its name.
fn format_of(bytes: &[u8], filename: &str) -> Option<&'static str> {
    let begins = FORMATS.iter().find(|(_, _, start)| !start.is_empty() && bytes.starts_with(start));
    if let Some((format, ..)) = begins {
        return Some(format);
    }
    let extension = filename.rsplit_once('.')?.1.to_ascii_lowercase();
    FORMATS.iter().find(|(format, _, start)| start.is_empty() && *format == extension).map(|(format, ..)| *format)
}

fn media_type(format: &str) -> &'static str {
    FORMATS.iter().find(|(f, ..)| *f == format).map_or("application/octet-stream", |(_, media, _)| media)
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let Some(upload) = call.upload.take() else { return Err(ApiError::invalid("Invalid file").param("file")) };
    let sent = std::mem::take(&mut call.parameters);
    let name = sent.text("purpose").unwrap_or_default();
    let purpose = PURPOSES.iter().find(|p| p.name == name).unwrap_or(&OTHER);
    if upload.bytes.is_empty() {
        return Err(ApiError::invalid("The file you uploaded is empty.").param("file"));
    }
    if upload.bytes.len() > purpose.largest {
        let most = if purpose.largest < MB {
            format!("{} KB", purpose.largest / KB)
        } else {
            format!("{} MB", purpose.largest / MB)
        };
        let message = format!("The file you uploaded is too large. Files for this purpose can have up to {most}.");
        return Err(ApiError::invalid(message).param("file"));
    }
    let format = format_of(&upload.bytes, &upload.filename);
    if !purpose.formats.is_empty() && format.is_none_or(|f| !purpose.formats.contains(&f)) {
        let mut allowed: Vec<&str> = purpose.formats.iter().map(|f| media_type(f)).collect();
        allowed.sort_unstable();
        let message = format!(
            "We don't currently support that file type. Try uploading a file with one of the following mimetypes: {}.",
            allowed.join(", ")
        );
        return Err(ApiError::invalid(message).param("file"));
    }
    let link = sent.object("file_link_data").filter(|l| l.is_true("create"));
    if let Some(link) = link {
        file_link::check(link, name, "file_link_data[expires_at]")?;
    }
    let id = call.account.new_id("file");
    let file = whole(
        KIND,
        json!({
            "id": id, "object": KIND, "created": now(), "expires_at": purpose.days.map(|days| now() + days * DAY),
            "filename": upload.filename, "links": sublist(Vec::new(), format!("/v1/file_links?file={id}")),
            "purpose": name, "size": upload.bytes.len(), "type": format,
            "url": format!("{}{PATH}/{id}/contents", call.account.settings().base_url),
        }),
    );
    call.account.uploads.insert(id.clone(), upload.bytes);
    call.account.put(KIND, &file);
    if let Some(link) = link {
        file_link::make(call.account, &id, link);
    }
    let text = call.account.text(KIND, &id).cloned().unwrap_or_default();
    call.account.emit("file.created", text.clone());
    Ok(Reply::Kept(text))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, KIND, &[("purpose", "purpose")])
}

/// Shows the newest links of a file in it.
pub(super) fn show_links(account: &mut Account, id: &str) {
    let Some(mut file) = account.get(KIND, id) else { return };
    let url = format!("/v1/file_links?file={id}");
    let links = listing::newest(account, file_link::KIND, id, url, |l| l.text("file") == Some(id));
    file.insert("links".into(), links);
    account.put(KIND, &file);
}

/// The bytes of a file, and what they are.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) bytes: Bytes,
    pub(crate) media_type: &'static str,
}

/// What a file holds, as long as it is there.
///
/// # Errors
/// There is no such file, or it has expired.
pub(crate) fn contents(account: &mut Account, id: &str) -> Result<Contents, ApiError> {
    account.catch_up();
    let file = account.find(KIND, id, "id")?;
    let there = file.integer("expires_at").is_none_or(|end| now() < end);
    let bytes = account.uploads.get(id).filter(|_| there).cloned();
    let bytes = bytes.ok_or_else(|| ApiError::missing_object(KIND, id, "id"))?;
    let format = file.get("type").and_then(Value::as_str).unwrap_or_default();
    Ok(Contents { bytes, media_type: media_type(format) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_they_begin_with() {
        assert_eq!(format_of(b"%PDF-1.4", "a.png"), Some("pdf"));
        assert_eq!(format_of(b"\x89PNG\r\n\x1a\n", "blob"), Some("png"));
        assert_eq!(format_of(b"a,b", "list.CSV"), Some("csv"));
        assert_eq!(format_of(b"a,b", "list.png"), None);
        assert_eq!(media_type("png"), "image/png");
    }
}
