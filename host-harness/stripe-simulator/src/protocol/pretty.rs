//! JSON as the API lays it out: a member a line, indented by two spaces, empty objects and lists closed at once.
//!
//! What is kept is compact; this is done to each answer as it leaves, so it walks the bytes and parses nothing.

use bytes::Bytes;

/// Lays out JSON that is compact and valid; of anything else it keeps every byte that is not white space.
pub(crate) fn pretty(compact: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(compact.len() + compact.len() / 2);
    let mut depth = 0_usize;
    let mut rest = compact;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => {
                let length = string_length(rest);
                let (text, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                out.push(b'"');
                out.extend_from_slice(text);
                rest = after;
            }
            b'{' | b'[' => {
                out.push(*byte);
                if let [close @ (b'}' | b']'), after @ ..] = rest {
                    out.push(*close);
                    rest = after;
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(*byte);
            }
            b',' => {
                out.push(b',');
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            space if space.is_ascii_whitespace() => {}
            other => out.push(*other),
        }
    }
    // A vector's spare room would travel with the answer for as long as it is sent.
    out.into_boxed_slice().into()
}

/// Bytes up to the end of a string, its closing mark included.
fn string_length(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|t| memchr::memchr2(b'"', b'\\', t)) {
        let at = from + found;
        if text.get(at) == Some(&b'"') {
            return at + 1;
        }
        from = at + 2;
    }
    text.len()
}

fn line(out: &mut Vec<u8>, depth: usize) {
    const SPACES: &[u8; 64] = &[b' '; 64];
    out.push(b'\n');
    out.extend_from_slice(SPACES.get(..depth * 2).unwrap_or(SPACES));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_laid_out_as_json_usually_is() {
        let value = json!({
            "id": "a\"b\\", "metadata": {}, "list": [], "data": [{"n": -1.5e3}, [null, true]], "text": "{[,:]} \u{e9}\n",
        });
        let expected = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(pretty(value.to_string().as_bytes()), expected.as_bytes());
    }

    #[test]
    fn nothing_is_lost_of_what_is_not_json() {
        for text in ["", "\"", "\"\\", "}]", "{\"a\"", "plain"] {
            let kept: Vec<u8> = pretty(text.as_bytes()).iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            assert_eq!(kept, text.as_bytes(), "{text}");
        }
    }
}
