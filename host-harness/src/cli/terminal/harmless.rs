//! What others wrote, as text that does nothing to a terminal: the one place through which all of it goes.
//!
//! A letter that steers a terminal, or the order in which it shows letters, is shown by its number. Names, titles,
//! messages and paths become one line ([`one_line`]); what is styled by this program passes a second look ([`styled`]) that
//! lets nothing but its own styles and line ends through, so that a text which somebody forgot is ugly and not dangerous.

use std::fmt::Write;

/// Whether a letter does something other than being there: a control character (C0, DEL, C1), a direction or its end, a
/// line end of Unicode's own, or a letter that nobody can see.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A longer text is cut where it is shown as one line: no screen has more.
const LONGEST: usize = 16 << 10;

/// A text of somebody else's as one harmless line.
pub fn one_line(text: &str) -> String {
    match text.get(..text.floor_char_boundary(LONGEST)) {
        Some(beginning) if beginning.len() < text.len() => shown(beginning, |_| false) + "…",
        _ => shown(text, |_| false),
    }
}

/// A text of this program's, which may have lines and styles.
pub fn styled(text: &str) -> String {
    let mut shown_text = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        shown_text.push_str(&shown(before, |letter| letter == '\n'));
        let length = style_length(from);
        let (style, after) = from.split_at(length.max(1));
        if length > 0 {
            shown_text.push_str(style);
        } else {
            shown_text.push_str("\\u{1b}");
        }
        rest = after;
    }
    shown_text.push_str(&shown(rest, |letter| letter == '\n'));
    shown_text
}

/// A text of this program's without its styles.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(&styled(text)).to_string()
}

/// How long the style is that a text begins with: `ESC [ digits ; digits m`. 0 where it begins with something else.
fn style_length(text: &str) -> usize {
    let Some(inside) = text.strip_prefix("\u{1b}[") else { return 0 };
    match inside.find(|letter: char| !letter.is_ascii_digit() && letter != ';') {
        Some(end) if inside.get(end..).is_some_and(|rest| rest.starts_with('m')) => end + "\u{1b}[m".len(),
        _ => 0,
    }
}

fn shown(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if !steers(letter) || allowed(letter) => shown.push(letter),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            // Writing to a text does not fail.
            letter => drop(write!(shown, "\\u{{{:x}}}", u32::from(letter))),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::terminal::{BAD, paint};

    #[test]
    fn what_steers_a_terminal_is_shown_by_its_number() {
        for (text, shown) in [
            ("a\u{1b}]52;c;cm0gLXJm\u{7}b", r"a\u{1b}]52;c;cm0gLXJm\u{7}b"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("ok\rerror: forged", r"ok\rerror: forged"),
            ("ok\nerror: forged", r"ok\nerror: forged"),
            ("\u{9b}31m\u{7f}", r"\u{9b}31m\u{7f}"),
            ("\u{202e}fdp.exe\u{2066}\u{200f}", r"\u{202e}fdp.exe\u{2066}\u{200f}"),
            ("zwölf €, 五 🎉", "zwölf €, 五 🎉"),
        ] {
            assert_eq!(one_line(text), shown);
        }
    }

    #[test]
    fn a_style_of_ours_passes_and_one_of_somebody_elses_does_not() {
        let line = format!("{} and \u{1b}]0;title\u{7}\u{1b}[2J\n", paint(BAD, "a\u{1b}[32m\nb"));
        let shown = styled(&line);
        assert_eq!(plain(&line), "a\\u{1b}[32m\\nb and \\u{1b}]0;title\\u{7}\\u{1b}[2J\n");
        assert!(shown.starts_with(&BAD.to_string()) && shown.ends_with("[2J\n"), "{shown:?}");
    }

    proptest! {
        #[test]
        fn nothing_that_steers_comes_through(text in "(?s).{0,64}|[\u{1b}\u{9b}\\[m0-9;\n\r\u{7f}\u{202a}-\u{202e}]{0,32}") {
            prop_assert!(!one_line(&text).chars().any(steers));
            prop_assert!(!plain(&text).chars().any(|letter| steers(letter) && letter != '\n'));
            prop_assert_eq!(one_line(&one_line(&text)), one_line(&text));
        }
    }
}
