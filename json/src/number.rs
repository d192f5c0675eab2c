//! Whether a number is one that readers can hold.

/// Where rounding to the nearest 64-bit float overflows, as 0.ddd × 10³⁰⁹: its first 33 digits. What begins with all
/// of them is refused.
const OVERFLOW: &[u8] = b"179769313486231580793728971405303";
const OVERFLOW_EXPONENT: i64 = 309;

/// Whether a JSON number is finite as a 64-bit float, which is what most readers make of it. `1e400` is not.
pub fn is_finite(number: &[u8]) -> bool {
    let exponent_mark = number.iter().position(|b| matches!(b, b'e' | b'E'));
    let (mantissa, exponent) = number.split_at(exponent_mark.unwrap_or(number.len()));
    let whole = mantissa.iter().filter(|b| **b != b'-').position(|b| *b == b'.');
    let mut digits = mantissa.iter().filter(|b| b.is_ascii_digit());
    let all = digits.clone().count();
    let Some(zeros) = digits.clone().position(|d| *d != b'0') else { return true };
    let magnitude = (whole.unwrap_or(all) as i64 - zeros as i64).saturating_add(read_exponent(exponent));
    if magnitude != OVERFLOW_EXPONENT {
        return magnitude < OVERFLOW_EXPONENT;
    }
    let significant = digits.by_ref().skip(zeros).chain(std::iter::repeat(&b'0'));
    significant.zip(OVERFLOW).find(|(own, limit)| own != limit).is_some_and(|(own, limit)| own < limit)
}

/// `e+12`, or nothing, which is 0.
fn read_exponent(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|b| b.is_ascii_digit());
    let size = digits.fold(0i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    if text.contains(&b'-') { -size } else { size }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn as_std_says(text: &str) -> bool {
        text.parse::<f64>().expect("a number").is_finite()
    }

    #[test]
    fn the_edge_is_where_floats_end() {
        for text in [
            "0",
            "-0",
            "0e999999999999999999999",
            "1",
            "1e308",
            "1e309",
            "-1e309",
            "1e400",
            "9e307",
            "1e-400",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "17976931348623157e292",
            "0.00017976931348623157e312",
            "0.00017976931348623159e312",
            "1e99999999999999999999",
            "1e18446744073709551617",
            "1e9223372036854775808",
            "1e-9223372036854775808",
            "1e-99999999999999999999",
        ] {
            assert_eq!(is_finite(text.as_bytes()), as_std_says(text), "{text}");
        }
        for (digits, exponent) in [(1, 307), (308, 0), (309, 0), (310, 0), (400, -91), (400, -92), (400, -93)] {
            let text = format!("{}e{exponent}", "1".repeat(digits));
            assert_eq!(is_finite(text.as_bytes()), as_std_says(&text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?[eE][+-]?[0-9]{1,4}") {
            prop_assert_eq!(is_finite(text.as_bytes()), as_std_says(&text));
        }

        #[test]
        fn agrees_with_the_standard_library_near_the_edge(text in "0{0,1}\\.0{0,3}1797693134862315[0-9]{1,20}[eE]3[01][0-9]") {
            let text = format!("0{}", text.trim_start_matches('0'));
            prop_assert_eq!(is_finite(text.as_bytes()), as_std_says(&text));
        }
    }
}
