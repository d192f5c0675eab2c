//! What people read, made short: the pairs of bytes that are met most become a byte each, again and again.
//!
//! English takes little more than half of its bytes so. Whoever reads it has to make a text of its own, so it is done
//! to sentences and samples, which few calls ask for, and not to names, which are searched and compared in place.

use crate::layout::{ESCAPE, FIRST_PIECE};

/// Packed texts, in their order.
#[derive(Debug, Default)]
pub struct Packed {
    /// What each piece stands for: two bytes, or earlier pieces.
    pub pieces: Vec<[u8; 2]>,
    pub texts: Vec<Vec<u8>>,
}

/// A piece that is met less often costs more than it saves.
const RAREST: u32 = 5;

/// Packs texts.
pub fn pack(texts: &[&str]) -> Packed {
    let mut texts: Vec<Vec<u16>> = texts.iter().map(|text| text.bytes().flat_map(symbols).collect()).collect();
    let mut pieces: Vec<[u8; 2]> = Vec::new();
    for piece in FIRST_PIECE..ESCAPE {
        let Some(pair) = most_frequent(&texts) else { break };
        pieces.push(pair);
        for text in &mut texts {
            replace(text, pair.map(u16::from), piece.into());
        }
    }
    Packed {
        pieces,
        texts: texts.into_iter().map(|text| text.into_iter().map(|symbol| symbol as u8).collect()).collect(),
    }
}

/// A byte of ASCII as it is; one of any other letter behind a mark, and told from a piece by being beyond all bytes.
fn symbols(byte: u8) -> impl Iterator<Item = u16> {
    let (mark, symbol) =
        if byte.is_ascii() { (None, byte.into()) } else { (Some(ESCAPE.into()), 0x100 | u16::from(byte)) };
    mark.into_iter().chain([symbol])
}

fn most_frequent(texts: &[Vec<u16>]) -> Option<[u8; 2]> {
    let mut counts = vec![0_u32; 1 << 16];
    for pair in texts.iter().flat_map(|text| text.windows(2)) {
        if let &[first, second] = pair
            && first < ESCAPE.into()
            && second < ESCAPE.into()
            && let Some(count) = counts.get_mut(usize::from(first << 8 | second))
        {
            *count += 1;
        }
    }
    let (pair, count) = (0..=u16::MAX).zip(counts).max_by_key(|(_, count)| *count)?;
    (count >= RAREST).then(|| pair.to_be_bytes())
}

fn replace(text: &mut Vec<u16>, [first, second]: [u16; 2], piece: u16) {
    let mut old = std::mem::take(text).into_iter().peekable();
    while let Some(symbol) = old.next() {
        text.push(if symbol == first && old.next_if_eq(&second).is_some() { piece } else { symbol });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_often_gets_short_and_what_is_said_once_stays() {
        let packed = pack(&["ab ab ab ab ab ab", "xyz", "é"]);
        assert!(packed.texts[0].len() < 8, "{packed:?}");
        assert_eq!(packed.texts[1..], [b"xyz".to_vec(), vec![ESCAPE, 0xc3, ESCAPE, 0xa9]]);
        assert_eq!(packed.pieces[0], *b"ab");
    }
}
