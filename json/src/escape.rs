//! The characters of a string that is written with escapes.

use super::plain::end_of_plain;

/// Reads the characters behind a backslash, which have been checked.
#[derive(Debug, Clone)]
pub struct Unescaped<'a> {
    rest: &'a str,
}

impl<'a> Unescaped<'a> {
    /// The pieces of the text between a string's quotes.
    pub fn new(written: &'a str) -> Self {
        Self { rest: written }
    }

    /// Whether it reads as this text.
    pub fn is(self, mut text: &str) -> bool {
        for piece in self {
            let rest = match piece {
                Piece::Plain(plain) => text.strip_prefix(plain),
                Piece::Character(character) => text.strip_prefix(character),
            };
            let Some(rest) = rest else { return false };
            text = rest;
        }
        text.is_empty()
    }

    /// The text that it reads as.
    pub fn read(self) -> String {
        let mut text = String::with_capacity(self.rest.len());
        for piece in self {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Character(character) => text.push(character),
            }
        }
        text
    }
}

/// A part of a string.
pub enum Piece<'a> {
    /// Reads as it is written.
    Plain(&'a str),
    /// Was escaped.
    Character(char),
}

impl<'a> Iterator for Unescaped<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let (plain, rest) = self.rest.split_at_checked(end_of_plain(self.rest.as_bytes(), 0))?;
        if !plain.is_empty() {
            self.rest = rest;
            return Some(Piece::Plain(plain));
        }
        let mut characters = rest.chars();
        characters.next()?;
        let character = match characters.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (character, after) = code_point(characters.as_str())?;
                self.rest = after;
                return Some(Piece::Character(character));
            }
            itself => itself,
        };
        self.rest = characters.as_str();
        Some(Piece::Character(character))
    }
}

/// `0041`, or the two halves of a surrogate pair, `d83d\ude00`, and what follows. None where it is neither.
pub fn code_point(text: &str) -> Option<(char, &str)> {
    let (first, rest) = unit(text)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, rest));
    }
    let (second, rest) = unit(rest.strip_prefix("\\u")?)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?, rest))
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let value = digits.chars().try_fold(0, |value, digit| Some(value << 4 | digit.to_digit(16)?))?;
    Some((value, rest))
}
