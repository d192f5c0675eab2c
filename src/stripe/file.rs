//! Files, in and out: their bytes with a name and a media type.

use super::form;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name: `receipt.pdf`.
    pub name: String,
    /// Its media type: `application/pdf`.
    pub content_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl File {
    /// A file that was answered with these headers.
    pub fn answered(content_type: Option<&str>, disposition: Option<&str>, content: Vec<u8>) -> Self {
        let content_type = content_type.map_or("application/octet-stream", str::trim).to_owned();
        let name = disposition.and_then(file_name).unwrap_or_else(|| {
            if content_type.starts_with("application/pdf") { "download.pdf".to_owned() } else { "download".to_owned() }
        });
        Self { name, content_type, content }
    }
}

/// The name in a `Content-Disposition` header (RFC 6266), without any folder.
fn file_name(disposition: &str) -> Option<String> {
    let parameters = parameters(disposition);
    let value = |name: &str| parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str());
    let name = value("filename*").and_then(extended).or_else(|| value("filename").map(str::to_owned))?;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(255).collect();
    let clean = clean.trim();
    (!matches!(clean, "" | "." | "..")).then(|| clean.to_owned())
}

/// The parameters after the first `;`, quotes taken off.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, after) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        found.push((name.trim_matches([' ', ';', '\t']).to_owned(), value));
        rest = after;
    }
    found
}

/// The text up to the closing quote, and what comes after it.
fn unquoted(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// `UTF-8''na%C3%AFve.pdf` (RFC 8187).
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    form::unescape(encoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_name_however_it_is_written() {
        for (header, name) in [
            ("attachment; filename=\"quote.pdf\"", Some("quote.pdf")),
            ("inline;filename=quote.pdf;x=y", Some("quote.pdf")),
            ("attachment; filename=\"a \\\"b\\\".pdf\"; size=3", Some("a \"b\".pdf")),
            ("attachment; FILENAME=\"a.pdf\"; filename*=UTF-8''na%C3%AFve.pdf", Some("naïve.pdf")),
            ("attachment; filename*=latin1''x; filename=\"b.pdf\"", Some("b.pdf")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\x\\\\y.pdf\"", Some("y.pdf")),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
            ("", None),
            ("attachment; filename=\"unclosed", Some("unclosed")),
            ("attachment; filename*=UTF-8''%FF", None),
        ] {
            assert_eq!(file_name(header).as_deref(), name, "{header}");
        }
    }

    #[test]
    fn a_file_without_a_name_has_one_all_the_same() {
        assert_eq!(File::answered(Some("application/pdf"), None, vec![1]).name, "download.pdf");
        let unknown = File::answered(None, None, Vec::new());
        assert_eq!((unknown.name.as_str(), unknown.content_type.as_str()), ("download", "application/octet-stream"));
    }

    proptest! {
        #[test]
        fn no_header_panics_and_no_name_leads_elsewhere(header in "attachment; filename[*]?=.{0,60}") {
            if let Some(name) = file_name(&header) {
                prop_assert!(!name.contains(['/', '\\', '\0']) && !name.is_empty() && name != "..");
            }
        }
    }
}
