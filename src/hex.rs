//! Bytes in hexadecimal, without the machinery of formatting: every signature, key and escape is written so.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Both digits of a byte, in lower case.
pub fn digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|half| DIGITS.get(usize::from(half)).copied().unwrap_or_default())
}

/// Bytes, in lower case.
pub fn text(bytes: &[u8]) -> String {
    let mut text = vec![0; 2 * bytes.len()];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&digits(*byte));
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_as_formatting_would() {
        for byte in 0..=u8::MAX {
            assert_eq!(text(&[byte, 255 - byte]), format!("{byte:02x}{:02x}", 255 - byte));
        }
        assert_eq!(text(&[]), "");
    }
}
