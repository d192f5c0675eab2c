//! Numbers as JSON writes them, and decimal numbers in text.

/// A whole number, however JSON writes it: `1099`, `1099.0` and `1.099e3` are the same. Exact, or none.
pub fn whole(raw: &str) -> Option<i64> {
    let (mantissa, exponent) = raw.split_once(['e', 'E']).unwrap_or((raw, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or((1, whole), |digits| (-1, digits));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let dropped = digits.len() - digits.trim_end_matches('0').len();
    let zeros = exponent.parse::<i64>().ok()?.checked_sub(fraction.len() as i64)?.checked_add(dropped as i64)?;
    let unit = 10_i128.checked_pow(u32::try_from(zeros).ok()?)?;
    significant.parse::<i128>().ok()?.checked_mul(unit)?.checked_mul(sign)?.try_into().ok()
}

/// Whether a text is a plain decimal number, `-10.99`, without exponent, spaces or separators.
pub fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    plain(whole) && plain(fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_are_exact_or_none() {
        for (raw, number) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("1099", Some(1099)),
            ("1099.0", Some(1099)),
            ("1.099e3", Some(1099)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("-1.50e1", Some(-15)),
            ("0.001e3", Some(1)),
            ("0e999999999999999999999", Some(0)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e19", None),
            ("1e99999999999999999999", None),
            ("92233720368547758070e-1", Some(i64::MAX)),
            ("1e300", None),
            ("10.5", None),
            ("1e-1", None),
        ] {
            assert_eq!(whole(raw), number, "{raw}");
        }
    }

    #[test]
    fn decimals_are_plain() {
        for text in ["0", "10", "-10.99", "0.5", "007"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,5", " 1", "--1", "1.2.3", "١"] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_with_an_exponent_is_the_same_number(number in any::<i64>(), zeros in 0..6_u32) {
            let written = format!("{number}{}e-{zeros}", "0".repeat(zeros as usize));
            prop_assert_eq!(whole(&written), Some(number), "{}", written);
            prop_assert_eq!(whole(&format!("{number}.{}", "0".repeat(zeros as usize + 1))), Some(number));
        }

        #[test]
        fn a_fraction_is_never_lost(number in any::<i64>(), fraction in 1..10_u8) {
            prop_assert_eq!(whole(&format!("{number}.00{fraction}")), None);
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,40}|.*") {
            let _ = whole(&text);
        }
    }
}
