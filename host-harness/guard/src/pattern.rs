//! Names with `*` in them, which stands for any text.

/// Whether a text is one that the pattern means.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, is) in [
            ("refund.create", "refund.create", true),
            ("refund.create", "refund.created", false),
            ("refund.*", "refund.create", true),
            ("refund.*", "xrefund.create", false),
            ("*", "", true),
            ("*.create", "refund.create", true),
            ("*.create", "refund.create.x", false),
            ("v1.*.refund*", "v1.charges.refunds", true),
            ("a*a", "a", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }
}
