//! What a line of the program's output says. A secret in it goes into its own type here, and no further as text.

use host::Secret;

/// Of a line, as much as anybody reads.
const SHOWN: usize = 300;

/// How a signing secret begins, and how many letters and digits follow at least.
const SECRET: &str = "whsec_";
const LETTERS: usize = 16;

/// A line of the program.
pub enum Said {
    /// It listens, and this signs what it posts.
    Secret(Secret),
    /// It wants a login or another key: to start it again changes nothing.
    Unknown(String),
    /// It does not know the option that newer ones need.
    Older,
    /// Anything else, with no secret in it.
    Other(String),
    /// Nothing, or nothing of interest.
    Nothing,
}

/// Reads a line.
pub fn said(line: &str, key: &Secret) -> Said {
    if let Some(secret) = secret(line) {
        return Said::Secret(Secret::new(secret.to_owned()));
    }
    let line = line.trim();
    if line.is_empty() || line == "Getting ready..." {
        return Said::Nothing;
    }
    if line.contains("unknown flag: --all-snapshot") {
        return Said::Older;
    }
    let line = shown(message(line), key);
    let lower = line.to_ascii_lowercase();
    match ["api key", "stripe login", "unauthorized", "authorization failed"].iter().any(|word| lower.contains(word)) {
        true => Said::Unknown(line),
        false => Said::Other(line),
    }
}

/// The secret in a line.
fn secret(line: &str) -> Option<&str> {
    line.match_indices(SECRET).find_map(|(at, _)| {
        let from = line.get(at..)?;
        let letters = from.get(SECRET.len()..)?.bytes().take_while(u8::is_ascii_alphanumeric).count();
        (letters >= LETTERS).then(|| from.get(..SECRET.len() + letters)).flatten()
    })
}

/// What the program's log says, without the rest of its line.
fn message(line: &str) -> &str {
    line.split_once(" msg=\"").and_then(|(_, rest)| rest.strip_suffix('"')).unwrap_or(line)
}

/// A line as it may be shown: without the key or anything like one, and not longer than anybody reads.
fn shown(line: &str, key: &Secret) -> String {
    let line = if key.expose().is_empty() { line.to_owned() } else { line.replace(key.expose(), "…") };
    let mut shown = String::new();
    let mut rest = line.as_str();
    // What could be the beginning of a key or a secret of somebody else's ends with its kind.
    while let Some((at, kind)) =
        ["_test_", "_live_", SECRET].iter().filter_map(|kind| Some((rest.find(kind)?, *kind))).min()
    {
        let (before, after) = rest.split_at(at + kind.len());
        shown.push_str(before);
        let tail = after.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        if tail.len() < after.len() {
            shown.push('…');
        }
        rest = tail;
    }
    shown.push_str(rest);
    if shown.len() > SHOWN {
        shown.truncate(shown.floor_char_boundary(SHOWN));
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> String {
        match said(line, &Secret::new("sk_test_mine".to_owned())) {
            Said::Secret(secret) => format!("secret {}", secret.expose()),
            Said::Unknown(text) => format!("unknown {text}"),
            Said::Older => "older".to_owned(),
            Said::Other(text) => text,
            Said::Nothing => String::new(),
        }
    }

    #[test]
    fn the_secret_is_found_where_the_program_says_it() {
        for (line, found) in [
            ("Ready! Your webhook signing secret is whsec_abcdefghij0123456789 (^C to quit)", true),
            ("> Ready! \u{1b}[1mwhsec_abcdefghij0123456789\u{1b}[0m", true),
            ("whsec_short, whsec_abcdefghij0123456789", true),
            ("whsec_", false),
            ("whsec_abc", false),
            ("whsec_…abcdefghij0123456789", false),
        ] {
            assert_eq!(read(line) == "secret whsec_abcdefghij0123456789", found, "{line}");
        }
    }

    #[test]
    fn what_the_program_says_is_understood() {
        for (line, read_as) in [
            ("Getting ready...", ""),
            ("  ", ""),
            ("unknown flag: --all-snapshot", "older"),
            ("You have not configured API keys yet", "unknown You have not configured API keys yet"),
            (
                "time=\"Sat, 21 Nov 2026\" level=fatal msg=\"Error while authenticating: connection refused\"",
                "Error while authenticating: connection refused",
            ),
        ] {
            assert_eq!(read(line), read_as);
        }
    }

    #[test]
    fn no_key_comes_through() {
        assert_eq!(read("of sk_test_mine: no"), "of …: no");
        assert_eq!(read("sk_test_other and rk_live_more."), "sk_test_… and rk_live_….");
        assert_eq!(read("whsec_abc"), "whsec_…");
    }

    proptest! {
        #[test]
        fn any_line_is_read_and_shows_no_secret(line in "(?s).{0,80}|[a-z_ ]{0,9}(whsec_|sk_test_|rk_live_){0,2}[a-zA-Z0-9_]{0,40}") {
            let text = read(&line);
            if !text.starts_with("secret ") {
                for kind in ["whsec_", "_test_", "_live_"] {
                    for (at, _) in text.match_indices(kind) {
                        let next = text[at + kind.len()..].chars().next();
                        prop_assert!(!next.is_some_and(|letter| letter.is_ascii_alphanumeric()), "{text}");
                    }
                }
            }
        }
    }
}
