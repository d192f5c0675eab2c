//! Sums of money, in a currency's smallest unit as the service counts it.

use std::fmt;

/// The currencies that the service takes.
const CURRENCIES: &str = "\
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf clp cny \
cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk \
jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad \
ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb \
tjs tnd top try ttd twd tzs uah ugx usd usdc uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw";

/// Those without a smaller unit. The Icelandic crown and the Ugandan shilling are sent as if they had hundredths.
const WHOLE: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";
/// Those with thousandths.
const THOUSANDTHS: &str = "bhd jod kwd omr tnd";

fn among(list: &str, code: &str) -> bool {
    list.split(' ').any(|known| known == code)
}

/// A currency that there is, by its code in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency(String);

impl Currency {
    /// The currency of this code, in any case; none where there is none of it.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let code = code.trim().to_ascii_lowercase();
        among(CURRENCIES, &code).then_some(Self(code))
    }

    /// The code, in lower case.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0
    }

    fn decimals(&self) -> u32 {
        if among(WHOLE, &self.0) {
            0
        } else if among(THOUSANDTHS, &self.0) {
            3
        } else {
            2
        }
    }
}

/// A sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// In the smallest unit.
    pub minor: u64,
    /// Of which currency.
    pub currency: Currency,
}

impl Amount {
    /// The sum that people write so: `"100"`, `"99.50"`. None where it is none, or finer than the currency is.
    #[must_use]
    pub fn from_decimal(text: &str, currency: Currency) -> Option<Self> {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let decimals = currency.decimals() as usize;
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > decimals || text.trim().ends_with('.') {
            return None;
        }
        let minor = format!("{whole}{part:0<decimals$}").parse().ok()?;
        Some(Self { minor, currency })
    }
}

/// `99.50 USD`.
impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decimals, code) = (self.currency.decimals() as usize, self.currency.code().to_ascii_uppercase());
        let unit = 10_u64.pow(self.currency.decimals());
        match decimals {
            0 => write!(formatter, "{} {code}", self.minor),
            _ => write!(formatter, "{}.{:0decimals$} {code}", self.minor / unit, self.minor % unit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, code: &str) -> Option<(u64, String)> {
        let amount = Amount::from_decimal(text, Currency::new(code)?)?;
        Some((amount.minor, amount.to_string()))
    }

    #[test]
    fn a_sum_is_read_as_people_write_it_and_shown_so() {
        for (text, code, minor, shown) in [
            ("100", "usd", 10_000, "100.00 USD"),
            ("99.5", "EUR", 9_950, "99.50 EUR"),
            ("0.07", "gbp", 7, "0.07 GBP"),
            ("5000", "jpy", 5_000, "5000 JPY"),
            ("1.234", "kwd", 1_234, "1.234 KWD"),
            ("12", "isk", 1_200, "12.00 ISK"),
        ] {
            assert_eq!(read(text, code), Some((minor, shown.to_owned())), "{text} {code}");
        }
    }

    #[test]
    fn what_is_no_sum_of_the_currency_is_none() {
        for (text, code) in [
            ("", "usd"),
            ("-1", "usd"),
            ("1.234", "usd"),
            ("1.5", "jpy"),
            ("1.", "usd"),
            (".5", "usd"),
            ("1e3", "usd"),
            ("1,000", "usd"),
            ("99999999999999999999", "usd"),
            ("1", "xyz"),
            ("1", "dollars"),
            ("1", ""),
            ("1", "us d"),
        ] {
            assert_eq!(read(text, code), None, "{text} {code}");
        }
    }
}
