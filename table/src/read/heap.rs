//! The bytes, and the few ways to read a place in them: everything above asks here and gets `None` for what is not
//! there.

use std::fmt;

use crate::failure::Damaged;
use crate::layout;
use crate::layout::{ESCAPE, FIRST_PIECE, LONGEST_PROSE, MAGIC, Section, WORD, header};

/// The bytes of a table whose frame is sound. Places are counted from the first byte.
#[derive(Clone, Copy)]
pub struct Heap<'t> {
    bytes: &'t [u8],
    /// Where the cells begin, and the texts end.
    cells: usize,
}

/// Two are equal when they are the same bytes in the same place.
impl PartialEq for Heap<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.bytes, other.bytes)
    }
}

impl Eq for Heap<'_> {}

impl fmt::Debug for Heap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

const fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.split_at_checked(at) {
        Some((_, rest)) => match rest.first_chunk::<4>() {
            Some(chunk) => Some(u32::from_le_bytes(*chunk)),
            None => None,
        },
        None => None,
    }
}

/// A varint of any length, and how long it is.
const fn long_number(mut bytes: &[u8]) -> Option<(u32, usize)> {
    let mut number = 0_u32;
    let mut position = 0;
    while let [byte, rest @ ..] = bytes {
        let bits = (*byte & 0x7f) as u32;
        if position > 4 || (position == 4 && bits > 0xf) {
            return None;
        }
        number |= bits << (7 * position);
        position += 1;
        if *byte & 0x80 == 0 {
            return Some((number, position as usize));
        }
        bytes = rest;
    }
    None
}

/// The bytes from a place on; none where that is behind the end.
const fn from(bytes: &[u8], at: usize) -> Option<&[u8]> {
    match bytes.split_at_checked(at) {
        Some((_, rest)) => Some(rest),
        None => None,
    }
}

impl<'t> Heap<'t> {
    /// Checks the frame: magic, format, length, and that texts, cells and sections lie behind one another and fill it.
    pub const fn open(bytes: &'t [u8]) -> Result<Self, Damaged> {
        let Some(magic) = number_at(bytes, 0) else {
            return Err(Damaged { what: "it is too short for a header", at: 0 });
        };
        if magic != u32::from_le_bytes(MAGIC) {
            return Err(Damaged { what: "it does not begin as a table", at: 0 });
        }
        match number_at(bytes, header::FORMAT) {
            Some(layout::FORMAT) => {}
            _ => return Err(Damaged { what: "it has a format that this reader does not know", at: header::FORMAT }),
        }
        match number_at(bytes, header::LENGTH) {
            Some(length) if length as usize == bytes.len() => {}
            _ => return Err(Damaged { what: "it has another length than it says", at: header::LENGTH }),
        }
        let Some(cells) = number_at(bytes, header::CELLS) else {
            return Err(Damaged { what: "it is too short for a header", at: header::CELLS });
        };
        let cells = cells as usize;
        if cells <= header::SIZE || cells >= bytes.len() {
            return Err(Damaged { what: "the texts have no room", at: header::CELLS });
        }
        let mut before = cells + 1;
        let mut section = 0;
        while section <= Section::COUNT {
            let at = header::SECTIONS + 4 * section;
            let start = if section == Section::COUNT {
                bytes.len()
            } else {
                match number_at(bytes, at) {
                    Some(start) => start as usize,
                    None => return Err(Damaged { what: "it is too short for a header", at }),
                }
            };
            if start < before || (section > 0 && !(start - before).is_multiple_of(WORD)) {
                return Err(Damaged { what: "a section has no room", at });
            }
            before = start;
            section += 1;
        }
        Ok(Self { bytes, cells })
    }

    /// Where the words of a section begin, and how many there are.
    pub const fn section(self, section: Section) -> (usize, usize) {
        let at = header::SECTIONS + 4 * section as usize;
        let start = match number_at(self.bytes, at) {
            Some(start) => start as usize,
            None => 0,
        };
        let end = match number_at(self.bytes, at + 4) {
            Some(end) if section as usize + 1 < Section::COUNT => end as usize,
            Some(_) | None => self.bytes.len(),
        };
        (start, end.saturating_sub(start) / WORD)
    }

    /// How many bytes lie at and behind a place.
    pub fn left(self, at: usize) -> usize {
        self.bytes.len().saturating_sub(at)
    }

    /// The place of the cell with this reference.
    pub const fn cell(self, reference: u32) -> usize {
        self.cells.saturating_add(reference as usize)
    }

    /// The word at a place.
    pub const fn word(self, at: usize) -> Option<u32> {
        match from(self.bytes, at) {
            Some([low, middle, high, ..]) => Some(u32::from_le_bytes([*low, *middle, *high, 0])),
            _ => None,
        }
    }

    /// The varint at a place, and the place behind it.
    pub const fn number(self, at: usize) -> Option<(u32, usize)> {
        match from(self.bytes, at) {
            Some([low, ..]) if *low < 0x80 => Some((*low as u32, at + 1)),
            Some([low, high, ..]) if *high < 0x80 => Some(((*low & 0x7f) as u32 | (*high as u32) << 7, at + 2)),
            Some(bytes) => match long_number(bytes) {
                Some((number, length)) => Some((number, at + length)),
                None => None,
            },
            None => None,
        }
    }

    /// The bytes of the text with this reference, and the reference of the text behind it.
    pub const fn text_bytes(self, reference: u32) -> Option<(&'t [u8], u32)> {
        let Some((head, at)) = self.number(header::SIZE.saturating_add(reference as usize)) else { return None };
        let length = (head >> 1) as usize;
        // Its own bytes stand here, or where those of the longer text do that it is part of.
        let (start, next) = if head & 1 == 0 {
            (at, at.saturating_add(length))
        } else {
            let Some(place) = self.word(at) else { return None };
            (header::SIZE + place as usize, at + WORD)
        };
        if next > self.cells || start.saturating_add(length) > self.cells {
            return None;
        }
        let Some(rest) = from(self.bytes, start) else { return None };
        match rest.split_at_checked(length) {
            Some((text, _)) => Some((text, (next - header::SIZE) as u32)),
            None => None,
        }
    }

    /// The text with this reference.
    pub const fn text(self, reference: u32) -> Option<&'t str> {
        let Some((bytes, _)) = self.text_bytes(reference) else { return None };
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(_) => None,
        }
    }

    /// The packed text with this reference.
    pub fn prose(self, reference: u32) -> Option<String> {
        let (packed, _) = self.text_bytes(reference)?;
        let mut text = Vec::with_capacity(packed.len() * 2);
        let mut bytes = packed.iter();
        while let Some(byte) = bytes.next() {
            if *byte == ESCAPE {
                text.push(*bytes.next()?);
            } else {
                self.unpack(*byte, &mut text)?;
            }
        }
        String::from_utf8(text).ok()
    }

    /// What a byte of prose stands for. A piece is made of earlier ones, so this ends.
    fn unpack(self, byte: u8, text: &mut Vec<u8>) -> Option<()> {
        let Some(piece) = byte.checked_sub(FIRST_PIECE) else {
            text.push(byte);
            return (text.len() <= LONGEST_PROSE).then_some(());
        };
        let (at, count) = self.section(Section::Pieces);
        let position = usize::from(piece);
        let [first, second, ..] = self.word(at + position * WORD).filter(|_| position < count)?.to_le_bytes();
        if first.max(second) >= byte {
            return None;
        }
        self.unpack(first, text)?;
        self.unpack(second, text)
    }

    /// The reference of a text in a list, and the place behind it there, where the list has such a text before it.
    pub fn listed_text(self, at: usize, before: u32) -> Option<(u32, usize)> {
        let (number, next) = self.number(at)?;
        let reference = match number.checked_sub(1) {
            Some(reference) => reference,
            None => self.text_bytes(before)?.1,
        };
        Some((reference, next))
    }

    /// The checksum that the header has.
    pub fn checksum(self) -> u32 {
        number_at(self.bytes, header::CHECKSUM).unwrap_or_default()
    }

    /// The bytes from a place on.
    pub fn after(self, at: usize) -> &'t [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }
}
