//! `multipart/form-data` (RFC 7578): how a file travels to Stripe.
//!
//! The boundary is made of the content itself and the request's key. So the same request has the same bytes however
//! often it is sent, and nobody can write a file that contains its own boundary and smuggles a part in.

use sha2::{Digest, Sha256};

use super::file::File;
use crate::hex;

/// A body of these fields and one file, and its content type. `seed` is the request's idempotency key.
pub fn encode(fields: &[(String, String)], field: &str, file: &File, seed: &str) -> (String, Vec<u8>) {
    let boundary = boundary(fields, file, seed);
    let fixed = 400 + fields.iter().map(|(n, v)| n.len() + v.len() + 200).sum::<usize>();
    let mut body = Vec::with_capacity(file.content.len() + file.name.len() + fixed);
    let mut part = |disposition: &str, content: &[u8]| {
        for piece in ["--", &boundary, "\r\n", disposition, "\r\n\r\n"] {
            body.extend_from_slice(piece.as_bytes());
        }
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    for (name, value) in fields {
        part(&format!("Content-Disposition: form-data; name={}", quoted(name)), value.as_bytes());
    }
    let disposition = format!(
        "Content-Disposition: form-data; name={}; filename={}\r\nContent-Type: {}",
        quoted(field),
        quoted(&file.name),
        one_line(&file.content_type)
    );
    part(&disposition, &file.content);
    for piece in ["--", &boundary, "--\r\n"] {
        body.extend_from_slice(piece.as_bytes());
    }
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn boundary(fields: &[(String, String)], file: &File, seed: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        // With its length, so that no two lists of parts are the same bytes.
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    add(seed.as_bytes());
    for text in fields.iter().flat_map(|(n, v)| [n, v]).chain([&file.name, &file.content_type]) {
        add(text.as_bytes());
    }
    add(&file.content);
    ["stripe-connector-", &hex::text(hash.finalize().get(..20).unwrap_or_default())].concat()
}

/// As the official SDKs write it: a quote would end the name, a line break the header.
fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(&text.replace('"', "%22")))
}

fn one_line(text: &str) -> String {
    text.replace("\r\n", " ").replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str, content: &[u8]) -> File {
        File { name: name.into(), content_type: "image/png".into(), content: content.to_vec() }
    }

    /// The parts' headers and contents, split independently of the encoder.
    fn parts(content_type: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect("a boundary");
        let delimiter = format!("--{boundary}").into_bytes();
        let mut places: Vec<usize> = (0..body.len().saturating_sub(delimiter.len() - 1))
            .filter(|i| body[*i..].starts_with(&delimiter))
            .collect();
        let end = places.pop().expect("an end");
        assert_eq!(&body[end + delimiter.len()..], b"--\r\n");
        let mut found = Vec::new();
        for (index, start) in places.iter().enumerate() {
            let next = places.get(index + 1).copied().unwrap_or(end);
            let part = &body[start + delimiter.len() + 2..next - 2];
            let at = part.windows(4).position(|w| w == b"\r\n\r\n").expect("headers");
            found.push((String::from_utf8(part[..at].to_vec()).expect("text"), part[at + 4..].to_vec()));
        }
        found
    }

    #[test]
    fn fields_come_first_and_the_file_last() {
        let fields = [("purpose".to_owned(), "dispute_evidence".to_owned())];
        let (kind, body) = encode(&fields, "file", &file("a.png", b"\x89PNG\r\n\r\n"), "key-1");
        assert_eq!(
            parts(&kind, &body),
            [
                ("Content-Disposition: form-data; name=\"purpose\"".to_owned(), b"dispute_evidence".to_vec()),
                (
                    "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png"
                        .to_owned(),
                    b"\x89PNG\r\n\r\n".to_vec()
                ),
            ]
        );
    }

    #[test]
    fn the_same_request_has_the_same_bytes_and_another_one_another_boundary() {
        let one = encode(&[], "file", &file("a", b"x"), "key-1");
        assert_eq!(one, encode(&[], "file", &file("a", b"x"), "key-1"));
        assert_ne!(one.0, encode(&[], "file", &file("a", b"x"), "key-2").0);
        assert_ne!(one.0, encode(&[], "file", &file("a", b"y"), "key-1").0);
    }

    #[test]
    fn a_name_cannot_add_a_header_or_a_part() {
        let evil = "x\"; name=\"y\r\nContent-Type: text/html\r\n\r\n";
        let (kind, body) = encode(&[], "file", &file(evil, b"z"), "k");
        let parts = parts(&kind, &body);
        assert_eq!((parts.len(), parts[0].1.as_slice()), (1, b"z".as_slice()));
        assert_eq!(parts[0].0.lines().count(), 2, "{}", parts[0].0);
    }

    proptest! {
        #[test]
        fn any_content_survives_the_trip(
            values in proptest::collection::vec(".{0,20}", 0..4),
            content in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let fields: Vec<(String, String)> = values.iter().map(|v| ("f".to_owned(), v.clone())).collect();
            let (kind, body) = encode(&fields, "file", &file("n", &content), "k");
            let found: Vec<Vec<u8>> = parts(&kind, &body).into_iter().map(|(_, c)| c).collect();
            let expected: Vec<Vec<u8>> =
                values.into_iter().map(String::into_bytes).chain(std::iter::once(content)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
