//! Amounts: Stripe counts in a currency's smallest unit, people in its major one.
//!
//! The table is Stripe's own (its page "Supported currencies"), which differs from ISO 4217: ISK and UGX have no
//! smaller unit, yet are sent as if they had two decimals.

use crate::error::{Error, Result};

const ZERO_DECIMAL: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
const THREE_DECIMAL: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
/// Two decimals on the wire, always zero.
const WHOLE_ONLY: [&str; 2] = ["isk", "ugx"];

/// How many decimals Stripe counts a currency in. `currency` is in lower case.
pub fn decimals(currency: &str) -> u32 {
    match currency {
        c if ZERO_DECIMAL.contains(&c) => 0,
        c if THREE_DECIMAL.contains(&c) => 3,
        _ => 2,
    }
}

/// Writes an amount in the smallest unit as a decimal number: `1099` usd is `10.99`.
pub fn to_decimal(minor: i64, currency: &str) -> String {
    let decimals = decimals(currency);
    let unit = 10u64.pow(decimals);
    let (whole, fraction) = (minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
    let sign = if minor < 0 { "-" } else { "" };
    if decimals == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction:0width$}", width = decimals as usize)
    }
}

/// Writes an amount as people read it: `1099` usd is `10.99 USD`.
pub fn shown(minor: i64, currency: &str) -> String {
    [&to_decimal(minor, currency), " ", &currency.to_ascii_uppercase()].concat()
}

/// What an amount in the smallest unit must be a multiple of: Stripe takes no finer ones.
pub fn step(currency: &str) -> i64 {
    match currency {
        c if WHOLE_ONLY.contains(&c) => 100,
        c if THREE_DECIMAL.contains(&c) => 10,
        _ => 1,
    }
}

/// The same for a payout, which goes to a bank in the currency's own coins.
pub fn payout_step(currency: &str) -> i64 {
    if matches!(currency, "huf" | "twd") { 100 } else { step(currency) }
}

/// Reads an amount in major units, `10.99`, as the smallest unit of a currency. Nothing is ever rounded.
///
/// # Errors
/// A text that is no plain decimal number, or has more decimals than the currency.
pub fn from_decimal(field: &str, text: &str, currency: &str) -> Result<i64> {
    let wrong = |message: String| Error::input(field, message);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return Err(wrong(
            "an amount is a plain decimal number such as 10.99, without sign, spaces or thousands separators".into(),
        ));
    }
    let decimals = decimals(currency) as usize;
    let significant = fraction.trim_end_matches('0');
    let allowed = match currency {
        c if WHOLE_ONLY.contains(&c) => 0,
        // Stripe wants the third decimal to be 0.
        c if THREE_DECIMAL.contains(&c) => 2,
        _ => decimals,
    };
    if significant.len() > allowed {
        let currency = currency.to_ascii_uppercase();
        return Err(wrong(format!(
            "{currency} amounts have at most {allowed} decimals; this has {}",
            significant.len()
        )));
    }
    format!("{whole}{significant:0<decimals$}").parse().map_err(|_| wrong("the amount is too large".into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_major_units_by_stripes_own_table() {
        for (text, currency, minor) in [
            ("10.99", "usd", 1099),
            ("10.9", "eur", 1090),
            ("10", "usd", 1000),
            ("0.50", "gbp", 50),
            ("1099", "jpy", 1099),
            ("1099.00", "jpy", 1099),
            ("1.23", "kwd", 1230),
            ("1.230", "bhd", 1230),
            ("15", "isk", 1500),
            ("15.00", "ugx", 1500),
            ("007", "usd", 700),
        ] {
            assert_eq!(from_decimal("a", text, currency).expect(text), minor, "{text} {currency}");
        }
    }

    #[test]
    fn refuses_what_would_have_to_be_rounded_or_guessed() {
        for (text, currency) in [
            ("10.999", "usd"),
            ("10.5", "jpy"),
            ("1.234", "kwd"),
            ("15.5", "isk"),
            ("-1", "usd"),
            ("+1", "usd"),
            ("1,000", "usd"),
            ("1e3", "usd"),
            (" 1", "usd"),
            ("1.", "usd"),
            (".5", "usd"),
            ("", "usd"),
            ("10.99.1", "usd"),
            ("99999999999999999999", "usd"),
            ("١٠", "usd"),
        ] {
            assert!(from_decimal("a", text, currency).is_err(), "{text} {currency}");
        }
    }

    #[test]
    fn writes_minor_units_as_decimals() {
        for (minor, currency, text) in [
            (1099, "usd", "10.99"),
            (5, "usd", "0.05"),
            (-1099, "eur", "-10.99"),
            (1099, "jpy", "1099"),
            (1230, "kwd", "1.230"),
            (0, "usd", "0.00"),
        ] {
            assert_eq!(to_decimal(minor, currency), text);
        }
    }

    #[test]
    fn the_table_of_exponents_is_stripes() {
        for currency in "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(' ') {
            assert_eq!((decimals(currency), step(currency)), (0, 1), "{currency}");
        }
        for currency in "bhd jod kwd omr tnd".split(' ') {
            assert_eq!((decimals(currency), step(currency)), (3, 10), "{currency}");
        }
        for (currency, of_charges, of_payouts) in
            [("isk", 100, 100), ("ugx", 100, 100), ("huf", 1, 100), ("twd", 1, 100), ("usd", 1, 1), ("kwd", 10, 10)]
        {
            assert_eq!((step(currency), payout_step(currency)), (of_charges, of_payouts), "{currency}");
        }
        assert_eq!(decimals("isk"), 2);
    }

    #[test]
    fn shows_an_amount_as_people_read_it() {
        assert_eq!(
            [shown(1200, "usd"), shown(1200, "jpy"), shown(-1230, "kwd"), shown(1500, "isk")],
            ["12.00 USD", "1200 JPY", "-1.230 KWD", "15.00 ISK"]
        );
    }

    proptest! {
        #[test]
        fn writing_and_reading_are_inverse(minor in 0..=i64::MAX, currency in proptest::sample::select(vec!["usd", "jpy", "eur", "xof"])) {
            prop_assert_eq!(from_decimal("a", &to_decimal(minor, currency), currency).expect("reads back"), minor);
        }

        #[test]
        fn any_text_is_an_amount_or_an_error(text in ".*") {
            let _ = from_decimal("a", &text, "usd");
        }
    }
}
