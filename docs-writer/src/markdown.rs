//! GitHub's markdown: texts of the catalogue are text in it, whatever characters they have.

use std::fmt::Write;

/// Prose. What stands between two backticks is code, as the catalogue means it.
pub fn text(prose: &str) -> String {
    let mut out = String::with_capacity(prose.len() + 8);
    if prose.matches('`').count().is_multiple_of(2) {
        for (position, part) in prose.split('`').enumerate() {
            if position % 2 == 1 {
                out.push_str(&code(part));
            } else {
                escape(part, &mut out);
            }
        }
    } else {
        escape(prose, &mut out);
    }
    out
}

/// A name, an id or a value, letter for letter. What is empty has no code, and is nothing.
pub fn code(value: &str) -> String {
    let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if value.is_empty() {
        return value;
    }
    let fence = "`".repeat(longest_run(&value) + 1);
    let pad = if value.starts_with(['`', ' ']) || value.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{value}{pad}{fence}")
}

/// Several of them, with commas; of many the first `most`, and how many there are besides.
pub fn codes<'a>(values: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut values = values.into_iter();
    let mut out = values.by_ref().take(most).map(code).collect::<Vec<_>>().join(", ");
    match values.count() {
        0 => {}
        more => {
            let _ = write!(out, " and {more} more");
        }
    }
    out
}

/// A block of code.
pub fn block(language: &str, body: &str) -> String {
    let fence = "`".repeat((longest_run(body) + 1).max(3));
    format!("{fence}{language}\n{body}\n{fence}\n")
}

/// A table; nothing where it has no rows.
pub fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return String::new();
    }
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// The anchor that GitHub gives a heading of this text.
pub fn slug(heading: &str) -> String {
    heading
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        })
        .collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// What would begin something in markdown, or in the HTML that it lets through, does not.
fn escape(prose: &str, out: &mut String) {
    let mut before: Option<char> = None;
    let mut characters = prose.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        let within_a_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let begins = out.is_empty() || out.ends_with('\n');
        let special = match character {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '~' | '$' => true,
            '_' => !(within_a_word(before) && within_a_word(after)),
            '#' | '-' | '+' | '=' => begins,
            // `1. ` begins a list.
            '.' | ')' => !begins && out.chars().all(|c| c.is_ascii_digit()) && after.is_none_or(char::is_whitespace),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(if character.is_control() { ' ' } else { character });
        before = Some(character);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prose_stays_prose() {
        assert_eq!(text("Stripe keeps *its* fee <b>"), r"Stripe keeps \*its\* fee \<b\>");
        assert_eq!(text("see [this](that) & more"), r"see \[this\](that) \& more");
        assert_eq!(text("- not a list"), r"\- not a list");
        assert_eq!(text("1. not a list, 2. neither"), r"1\. not a list, 2. neither");
        assert_eq!(text("10.99 for ten"), "10.99 for ten");
        assert_eq!(text("two\nlines"), "two lines");
    }

    #[test]
    fn names_within_prose_read_as_they_are() {
        assert_eq!(text("the origin customer_balance"), "the origin customer_balance");
        assert_eq!(text("The charge, ch_…"), r"The charge, ch\_…");
        assert_eq!(text("use `a*b`, not `c`"), "use `a*b`, not `c`");
        assert_eq!(text("one ` alone"), r"one \` alone");
    }

    #[test]
    fn code_holds_backticks() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(block("json", "\"```\""), "````json\n\"```\"\n````\n");
    }

    #[test]
    fn long_lists_are_clipped() {
        assert_eq!(codes(["a", "b"], 2), "`a`, `b`");
        assert_eq!(codes(["a", "b", "c", "d"], 2), "`a`, `b` and 2 more");
    }

    #[test]
    fn a_cell_cannot_end_its_row() {
        assert_eq!(table(["x"], [["a|b\nc".to_owned()]]), "| x |\n|---|\n| a\\|b c |\n");
        assert_eq!(table(["x"], []), "");
    }

    #[test]
    fn anchors_are_githubs() {
        assert_eq!(slug("Refund a payment"), "refund-a-payment");
        assert_eq!(slug("Get a customer's cards (all)"), "get-a-customers-cards-all");
        assert_eq!(slug("snake_case · dot.ted"), "snake_case--dotted");
    }

    proptest! {
        #[test]
        fn any_prose_is_one_line_without_html(prose in ".{0,60}") {
            let written = text(&prose);
            prop_assert!(!written.contains('\n'));
            if !prose.contains('`') {
                let bytes = written.as_bytes();
                for (at, byte) in bytes.iter().enumerate().filter(|(_, b)| matches!(b, b'<' | b'[' | b'*')) {
                    prop_assert!(at > 0 && bytes[at - 1] == b'\\', "{} in {written}", *byte as char);
                }
            }
        }

        #[test]
        fn any_value_is_closed_by_the_fence_that_opens_it(value in "[a`]{1,20}") {
            let written = code(&value);
            let fence = written.chars().take_while(|c| *c == '`').count();
            let inner = &written[fence..written.len() - fence];
            prop_assert!(inner.split(|c| c != '`').all(|run| run.len() != fence), "{written}");
        }
    }
}
