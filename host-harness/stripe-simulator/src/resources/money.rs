//! Currencies as Stripe counts them; not as ISO 4217 does.

use crate::protocol::ApiError;

/// The currencies that can be charged, as messages list them.
const CURRENCIES: &str = "usd, aed, afn, all, amd, ang, aoa, ars, aud, awg, azn, bam, bbd, bdt, bgn, bhd, bif, bmd, \
    bnd, bob, brl, bsd, bwp, byn, bzd, cad, cdf, chf, clp, cny, cop, crc, cve, czk, djf, dkk, dop, dzd, egp, etb, eur, \
    fjd, fkp, gbp, gel, gip, gmd, gnf, gtq, gyd, hkd, hnl, htg, huf, idr, ils, inr, isk, jmd, jod, jpy, kes, kgs, \
    khr, kmf, krw, kwd, kyd, kzt, lak, lbp, lkr, lrd, lsl, mad, mdl, mga, mkd, mmk, mnt, mop, mur, mvr, mwk, mxn, \
    myr, mzn, nad, ngn, nio, nok, npr, nzd, omr, pab, pen, pgk, php, pkr, pln, pyg, qar, ron, rsd, rub, rwf, sar, \
    sbd, scr, sek, sgd, shp, sle, sos, srd, std, szl, thb, tjs, tnd, top, try, ttd, twd, tzs, uah, ugx, uyu, uzs, \
    vnd, vuv, wst, xaf, xcd, xof, xpf, yer, zar, zmw";

const ZERO_DECIMAL: &[&str] =
    &["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];

/// The smallest charges, in the smallest unit.
const SMALLEST: &[(&str, i64)] = &[
    ("usd", 50),
    ("eur", 50),
    ("aud", 50),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("inr", 50),
    ("nzd", 50),
    ("sgd", 50),
    ("gbp", 30),
    ("jpy", 50),
    ("aed", 200),
    ("myr", 200),
    ("pln", 200),
    ("ron", 200),
    ("nok", 300),
    ("sek", 300),
    ("dkk", 250),
    ("czk", 1500),
    ("huf", 17_500),
    ("hkd", 400),
    ("mxn", 1000),
    ("thb", 1000),
];
/// Eight digits: no charge and no price is larger.
pub(super) const LARGEST: i64 = 99_999_999;
/// Twelve digits: no invoice is larger.
pub(super) const LARGEST_TOTAL: i64 = 999_999_999_999;
/// No quantity is larger; together with the above no sum of lines leaves 64 bits.
pub(super) const LARGEST_QUANTITY: i64 = 999_999_999;

/// A currency code in lower case, if Stripe knows it.
pub(super) fn currency(code: &str, param: &str) -> Result<String, ApiError> {
    let lower = code.to_ascii_lowercase();
    if lower.len() == 3 && CURRENCIES.split(", ").any(|c| c == lower) {
        return Ok(lower);
    }
    if code.is_empty() {
        return Err(ApiError::empty_param(param));
    }
    let message = format!("Invalid currency: {lower}. Stripe currently supports these currencies: {CURRENCIES}");
    Err(ApiError::invalid(message).param(param))
}

fn decimals(currency: &str) -> usize {
    match currency {
        _ if ZERO_DECIMAL.contains(&currency) => 0,
        _ if THREE_DECIMAL.contains(&currency) => 3,
        _ => 2,
    }
}

/// An amount as people write it: `$30.00`, `¥500`, `30.000 KWD`.
pub(crate) fn amount(amount: i64, currency: &str) -> String {
    let places = decimals(currency);
    let unit = 10_u64.pow(places as u32);
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if places > 0 {
        grouped.push_str(&format!(".{rest:0places$}"));
    }
    let sign = if amount < 0 { "-" } else { "" };
    match currency {
        "usd" => format!("{sign}${grouped}"),
        "eur" => format!("{sign}€{grouped}"),
        "gbp" => format!("{sign}£{grouped}"),
        "jpy" => format!("{sign}¥{grouped}"),
        other => format!("{sign}{grouped} {}", other.to_uppercase()),
    }
}

/// Whether this can be charged.
pub(super) fn check_charge(value: i64, currency: &str, param: &str) -> Result<(), ApiError> {
    if value < 1 {
        return Err(ApiError::too_small(param, 1));
    }
    let least = SMALLEST.iter().find(|(c, _)| *c == currency).map_or(1, |(_, least)| *least);
    if value < least {
        let message = format!("Amount must be at least {} {currency}", amount(least, currency));
        return Err(ApiError::invalid(message).code("amount_too_small").param(param));
    }
    if value > LARGEST {
        return Err(too_large(param, currency, LARGEST));
    }
    if THREE_DECIMAL.contains(&currency) && value % 10 != 0 {
        let message = format!("Invalid amount: {currency} amounts must end in 0, in the smallest unit.");
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(param));
    }
    if matches!(currency, "isk" | "ugx") && value % 100 != 0 {
        let message = format!("Invalid amount: {currency} has no decimals; amounts are multiples of 100.");
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(param));
    }
    Ok(())
}

/// An amount beyond what is allowed.
pub(super) fn too_large(param: &str, currency: &str, most: i64) -> ApiError {
    let message = format!("Amount must be no more than {}", amount(most, currency));
    ApiError::invalid(message).code("amount_too_large").param(param)
}

/// A quantity of something that is bought.
pub(super) fn check_quantity(quantity: i64, least: i64, param: &str) -> Result<(), ApiError> {
    if quantity < least {
        return Err(ApiError::too_small(param, least));
    }
    if quantity > LARGEST_QUANTITY {
        return Err(ApiError::too_large(param, LARGEST_QUANTITY));
    }
    Ok(())
}

/// What Stripe keeps of a charge: 2.9 % and 30 of the smallest unit, never more than the charge.
pub(super) fn fee(value: i64) -> i64 {
    (value.saturating_mul(29).saturating_add(500) / 1000 + 30).min(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(amount(3000, "usd"), "$30.00");
        assert_eq!(amount(123_456_789, "eur"), "€1,234,567.89");
        assert_eq!(amount(500, "jpy"), "¥500");
        assert_eq!(amount(1230, "kwd"), "1.230 KWD");
        assert_eq!(amount(-5, "usd"), "-$0.05");
    }

    #[test]
    fn charges_have_a_floor_and_a_ceiling() {
        assert_eq!(check_charge(49, "usd", "amount").unwrap_err().status(), 400);
        assert!(check_charge(50, "usd", "amount").is_ok());
        assert!(check_charge(100_000_000, "usd", "amount").is_err());
        assert!(check_charge(1001, "kwd", "amount").is_err());
    }
}
