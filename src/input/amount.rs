//! Amounts: whole numbers of a currency's smallest unit, or decimals with their currency.

use crate::catalogue::Rule;
use crate::error::{Error, Result};
use crate::json::{Kind, Node};
use crate::stripe::money;

use super::number;
use super::refusal::wrong_type;

const MINOR: &str = "Amounts are in the currency's smallest unit (1099 is 10.99 USD), or {\"decimal\": \"10.99\", \"currency\": \"usd\"}.";

/// An amount as it is sent. `in_reach`: the currency that stands beside it or around it.
pub fn amount(path: &str, value: Node<'_, '_>, in_reach: Option<&str>, rule: Option<Rule>) -> Result<i64> {
    let (amount, own) = match value.kind() {
        Kind::Number => {
            let amount = number::whole(value.raw());
            (amount.ok_or_else(|| wrong_type(path, "a whole number", value).hint(MINOR))?, None)
        }
        Kind::Object => decimal_with_currency(path, value, in_reach).map(|(amount, own)| (amount, Some(own)))?,
        _ => return Err(wrong_type(path, "a whole number", value).hint(MINOR)),
    };
    by_rule(path, amount, rule)?;
    let currency = own.as_deref().or(in_reach);
    currency.map_or(Ok(amount), |currency| in_steps(path, amount, currency, rule))
}

/// `amount_major: "10.99"` as the `amount` that it stands for, in the input's own currency.
pub fn in_major_units(
    (major, value): (&str, Node<'_, '_>),
    (minor, rule): (&str, Option<Rule>),
    of: Node<'_, '_>,
) -> Result<i64> {
    let currency = currency("currency", of)?;
    let amount = decimal(major, value, &currency)?;
    by_rule(minor, amount, rule)?;
    in_steps(major, amount, &currency, rule)
}

/// What the catalogue demands of an amount.
fn by_rule(path: &str, amount: i64, rule: Option<Rule>) -> Result<()> {
    match rule {
        Some(Rule::Amount) if amount < 0 => Err(Error::input(path, ["`", path, "` must not be negative"].concat())),
        Some(Rule::PositiveAmount | Rule::PayoutAmount) if amount < 1 => {
            Err(Error::input(path, ["`", path, "` must be at least 1"].concat()))
        }
        _ => Ok(()),
    }
}

/// Refuses an amount that is finer than Stripe takes in its currency.
fn in_steps(path: &str, amount: i64, currency: &str, rule: Option<Rule>) -> Result<i64> {
    let step = match rule {
        Some(Rule::PayoutAmount) => money::payout_step(currency),
        _ => money::step(currency),
    };
    let over = amount.checked_rem(step).unwrap_or_default();
    if over == 0 {
        return Ok(amount);
    }
    let (of, steps) = (currency.to_ascii_uppercase(), step.to_string());
    let message = ["`", path, "` must be a multiple of ", &steps, ": Stripe takes no finer amounts of ", &of, " here"];
    let near = (amount - over).to_string();
    let hint = ["Round it, to ", &near, " for instance, which is ", &money::shown(amount - over, currency), "."];
    Err(Error::input(path, message.concat()).hint(hint.concat()))
}

/// `{"decimal": "10.99", "currency": "usd"}`.
fn decimal_with_currency(path: &str, value: Node<'_, '_>, in_reach: Option<&str>) -> Result<(i64, String)> {
    let at = |name: &str| [path, ".", name].concat();
    if let Some((name, _)) = value.members().find(|(name, _)| !matches!(name.as_ref(), "decimal" | "currency")) {
        let message = ["`", path, "` has no field `", &name, "`"].concat();
        return Err(Error::input(at(&name), message).hint(MINOR));
    }
    let member = |name| {
        value.get(name).ok_or_else(|| Error::input(at(name), ["`", &at(name), "` is required"].concat()).hint(MINOR))
    };
    let own = currency(&at("currency"), member("currency")?)?;
    if let Some(beside) = in_reach.filter(|c| **c != own) {
        let message = ["`", path, "` is in ", &own, ", and the currency there is ", beside].concat();
        return Err(Error::input(at("currency"), message).hint("Give both in the same currency: nothing is converted."));
    }
    Ok((decimal(&at("decimal"), member("decimal")?, &own)?, own))
}

/// A decimal number of a currency's major unit, in text or as JSON writes it, as the smallest one counts it.
fn decimal(path: &str, value: Node<'_, '_>, currency: &str) -> Result<i64> {
    let text = match value.kind() {
        Kind::String => value.as_str().unwrap_or_default(),
        Kind::Number => value.raw().into(),
        _ => return Err(wrong_type(path, "a decimal number in quotes, such as \"10.99\"", value)),
    };
    match text.strip_prefix('-') {
        Some(size) => money::from_decimal(path, size, currency).map(|amount| -amount),
        None => money::from_decimal(path, &text, currency),
    }
}

/// A currency code as Stripe writes it.
pub fn currency(path: &str, value: Node<'_, '_>) -> Result<String> {
    let text = value.as_str().unwrap_or_default();
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::input(path, ["`", path, "` must be a currency's three letters, such as usd"].concat()))
}
