//! Test cards and what each of them does.

use super::foreign_cards::FOREIGN_CARDS;

/// What comes of charging a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Pays, with this risk level.
    Pays(&'static str),
    /// Is declined: code and decline code. It cannot even be attached to a customer.
    Declines(&'static str, &'static str),
    /// Attaches to a customer and is declined later, with this decline code.
    DeclinesLater(&'static str),
    /// Pays, and the customer's bank takes the money back at once, for this reason and with the network's code.
    Disputes(&'static str, &'static str),
    /// Pays, and the customer's bank asks what it was for.
    Inquires,
    /// Pays, and the customer's bank warns that it may have been fraud.
    Warns,
    /// Pays, and refunds are pending for a while.
    RefundsLate,
    /// Pays, and refunds fail after a while.
    RefundsFail,
    /// Is blocked by Radar.
    Blocked,
}

/// When the customer must authenticate with 3D Secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authentication {
    /// Never.
    Unneeded,
    /// When the merchant asks for it.
    IfAsked,
    /// Always.
    Always,
    /// Always, unless the card was set up for being charged while the customer is away.
    UnlessSetUp,
    /// Whenever the customer is there: the bank counts the card as set up.
    OnSession,
    /// Always, and the bank lets it pass without asking the customer.
    Frictionless,
    /// Always, and the bank cannot be reached.
    Broken,
}

/// What a bank says of details that it is given: the security code, the street and the postal code.
pub(crate) type Checks = [&'static str; 3];

/// A test card.
#[derive(Debug)]
pub(crate) struct TestCard {
    /// The payment method that stands for it, without `pm_card_`; empty when there is none.
    pub(crate) name: &'static str,
    /// What a person chooses by.
    pub(crate) title: &'static str,
    pub(crate) number: &'static str,
    pub(crate) brand: &'static str,
    /// Where the bank is.
    pub(crate) country: &'static str,
    pub(crate) behaviour: Behaviour,
    pub(crate) authentication: Authentication,
    pub(crate) checks: Checks,
}

/// A US card that pays.
pub(super) const fn card(name: &'static str, number: &'static str, brand: &'static str) -> TestCard {
    TestCard {
        name,
        title: name,
        number,
        brand,
        country: "US",
        behaviour: Behaviour::Pays("normal"),
        authentication: Authentication::Unneeded,
        checks: ["pass"; 3],
    }
}

const fn visa(name: &'static str, number: &'static str, title: &'static str) -> TestCard {
    TestCard { title, ..card(name, number, "visa") }
}

const fn declines(
    name: &'static str,
    number: &'static str,
    title: &'static str,
    code: &'static str,
    decline_code: &'static str,
) -> TestCard {
    visa(name, number, title).does(Behaviour::Declines(code, decline_code))
}

impl TestCard {
    const fn titled(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    pub(super) const fn from(self, country: &'static str) -> Self {
        Self { country, ..self }
    }

    const fn does(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    const fn wants(self, authentication: Authentication) -> Self {
        Self { authentication, ..self }
    }

    const fn checked(self, checks: Checks) -> Self {
        Self { checks, ..self }
    }
}

/// The card that stands for any other.
pub(super) static VISA: TestCard = visa("visa", "4242424242424242", "Visa");

/// Every test card but the foreign ones, the ones that pay first.
pub(crate) const TEST_CARDS: &[TestCard] = &[
    visa("visa", "4242424242424242", "Visa"),
    visa("visa_debit", "4000056655665556", "Visa (debit)"),
    card("mastercard", "5555555555554444", "mastercard").titled("Mastercard"),
    card("mastercard_debit", "5200828282828210", "mastercard").titled("Mastercard (debit)"),
    card("mastercard_prepaid", "5105105105105100", "mastercard").titled("Mastercard (prepaid)"),
    card("amex", "378282246310005", "amex").titled("American Express"),
    card("discover", "6011111111111117", "discover").titled("Discover"),
    card("diners", "3056930009020004", "diners").titled("Diners Club"),
    visa("bypassPending", "4000000000000077", "Visa, funds available at once"),
    visa("bypassPendingInternational", "4000003720000278", "International, funds available at once").from("IE"),
    visa("threeDSecure2Required", "4000000000003220", "3D Secure required").from("IE").wants(Authentication::Always),
    visa("", "4000008400000027", "3D Secure required, US").wants(Authentication::Always),
    visa("authenticationRequired", "4000002500003155", "Authentication unless set up")
        .from("FR")
        .wants(Authentication::UnlessSetUp),
    visa("", "4000002760003184", "Authentication always").from("DE").wants(Authentication::Always),
    visa("authenticationRequiredSetupForOffSession", "4000003800000446", "Set up already: authentication on session")
        .from("IT")
        .wants(Authentication::OnSession),
    visa(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        "Authentication unless set up, then insufficient funds",
    )
    .from("GB")
    .wants(Authentication::UnlessSetUp)
    .does(Behaviour::DeclinesLater("insufficient_funds")),
    visa("threeDSecureRequiredChargeDeclined", "4000008400001629", "3D Secure, then declined")
        .wants(Authentication::Always)
        .does(Behaviour::DeclinesLater("generic_decline")),
    visa("threeDSecureRequiredProcessingError", "4000008400001280", "3D Secure required, but fails")
        .wants(Authentication::Broken)
        .does(Behaviour::DeclinesLater("generic_decline")),
    visa("threeDSecureOptional", "4000000000003055", "3D Secure supported, not required")
        .wants(Authentication::IfAsked),
    visa("threeDSecureOptionalProcessingError", "4000000000003097", "3D Secure supported, but fails"),
    visa("", "4000000032200000", "3D Secure without a question").wants(Authentication::Frictionless),
    declines("visa_chargeDeclined", "4000000000000002", "Declined", "card_declined", "generic_decline"),
    declines(
        "visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        "Declined: insufficient funds",
        "card_declined",
        "insufficient_funds",
    ),
    declines("visa_chargeDeclinedLostCard", "4000000000009987", "Declined: lost card", "card_declined", "lost_card"),
    declines(
        "visa_chargeDeclinedStolenCard",
        "4000000000009979",
        "Declined: stolen card",
        "card_declined",
        "stolen_card",
    ),
    declines(
        "visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "Declined: used too often",
        "card_declined",
        "card_velocity_exceeded",
    ),
    declines("chargeDeclinedExpiredCard", "4000000000000069", "Declined: expired card", "expired_card", "expired_card"),
    declines(
        "chargeDeclinedIncorrectCvc",
        "4000000000000127",
        "Declined: incorrect CVC",
        "incorrect_cvc",
        "incorrect_cvc",
    )
    .checked(["fail", "pass", "pass"]),
    declines(
        "chargeDeclinedProcessingError",
        "4000000000000119",
        "Declined: processing error",
        "processing_error",
        "processing_error",
    ),
    visa("chargeCustomerFail", "4000000000000341", "Attaches, then declined")
        .does(Behaviour::DeclinesLater("generic_decline")),
    visa("radarBlock", "4100000000000019", "Blocked by Radar").does(Behaviour::Blocked),
    visa("riskLevelHighest", "4000000000004954", "Highest risk").does(Behaviour::Pays("highest")),
    visa("riskLevelElevated", "4000000000009235", "Elevated risk").does(Behaviour::Pays("elevated")),
    visa("cvcCheckFail", "4000000000000101", "CVC check fails").checked(["fail", "pass", "pass"]),
    visa("avsZipFail", "4000000000000036", "Postal code check fails").checked(["pass", "pass", "fail"]),
    visa("avsLine1Fail", "4000000000000028", "Street check fails").checked(["pass", "fail", "pass"]),
    visa("avsFail", "4000000000000010", "Address checks fail").checked(["pass", "fail", "fail"]),
    visa("avsUnchecked", "4000000000000044", "Address checks unavailable").checked([
        "pass",
        "unavailable",
        "unavailable",
    ]),
    visa("pendingRefund", "4000000000007726", "Refunds are pending first").does(Behaviour::RefundsLate),
    visa("refundFail", "4000000000005126", "Refunds fail later").does(Behaviour::RefundsFail),
    visa("createDispute", "4000000000000259", "Disputed as fraudulent").does(Behaviour::Disputes("fraudulent", "10.4")),
    visa("createDisputeProductNotReceived", "4000000000002685", "Disputed as not received")
        .does(Behaviour::Disputes("product_not_received", "13.1")),
    visa("createDisputeInquiry", "4000000000001976", "Disputed as an inquiry").does(Behaviour::Inquires),
    visa("createIssuerFraudRecord", "4000000000005423", "Early fraud warning").does(Behaviour::Warns),
];

/// Names that mean a card that has another one too.
const ALIASES: &[(&str, &str)] = &[
    ("amex_threeDSecureNotSupported", "amex"),
    ("authenticationRequiredOnSetup", "authenticationRequired"),
    ("us", "visa"),
];

fn all() -> impl Iterator<Item = &'static TestCard> {
    TEST_CARDS.iter().chain(FOREIGN_CARDS)
}

/// The card that a ready-made payment method stands for: `pm_card_visa`, `pm_card_chargeDeclined`, ….
pub(super) fn by_payment_method(id: &str) -> Option<&'static TestCard> {
    by_name(id.strip_prefix("pm_card_")?)
}

/// The card that a ready-made token stands for: `tok_visa`, ….
pub(super) fn by_token(id: &str) -> Option<&'static TestCard> {
    by_name(id.strip_prefix("tok_")?)
}

/// Cards that decline are known with and without their brand.
fn by_name(name: &str) -> Option<&'static TestCard> {
    if name.is_empty() {
        return None;
    }
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    let plain = name.strip_prefix("visa_").unwrap_or(name);
    let same = |c: &&TestCard| c.name.strip_prefix("visa_").unwrap_or(c.name) == plain && plain != "debit";
    all().find(|c| c.name == name).or_else(|| TEST_CARDS.iter().find(same))
}

/// The card of a number.
pub(super) fn by_number(number: &str) -> Option<&'static TestCard> {
    all().find(|c| c.number == number)
}

/// The card behind a payment method's fingerprint.
pub(super) fn by_fingerprint(fingerprint: &str) -> Option<&'static TestCard> {
    all().find(|c| c.fingerprint() == fingerprint)
}

/// Whether a number's check digit is right.
pub(super) fn is_number(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != number.len() || !(12..=19).contains(&digits.len()) {
        return false;
    }
    let doubled = |(i, d): (usize, &u32)| if i % 2 == 1 { d * 2 / 10 + d * 2 % 10 } else { *d };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

impl TestCard {
    pub(super) fn last4(&self) -> &'static str {
        self.number.split_at(self.number.len() - 4).1
    }

    /// What a page or a person names it by: its payment method, or its number when it has none.
    pub(crate) fn handle(&self) -> String {
        if self.name.is_empty() { self.number.to_owned() } else { format!("pm_card_{}", self.name) }
    }

    pub(super) fn funding(&self) -> &'static str {
        match self.name {
            name if name.ends_with("_debit") => "debit",
            name if name.ends_with("_prepaid") => "prepaid",
            _ => "credit",
        }
    }

    /// Whether the network of the card knows 3D Secure.
    pub(super) fn supports_3d_secure(&self) -> bool {
        self.brand != "amex"
    }

    /// The same for every payment method of the same number, as at Stripe.
    pub(super) fn fingerprint(&self) -> String {
        let hash = self
            .number
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        format!("{hash:016x}")
    }

    /// Why the card cannot even be attached to a customer.
    pub(super) fn refuses_attachment(&self) -> bool {
        matches!(self.behaviour, Behaviour::Declines(..))
    }
}

/// What Stripe tells the customer.
pub(super) fn message(code: &str, decline_code: &str) -> &'static str {
    match (code, decline_code) {
        ("expired_card", _) => "Your card has expired.",
        ("incorrect_cvc", _) => "Your card's security code is incorrect.",
        ("processing_error", _) => "An error occurred while processing your card. Try again in a little bit.",
        (_, "card_velocity_exceeded") => {
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."
        }
        (_, "insufficient_funds") => "Your card has insufficient funds.",
        (_, "authentication_required") => "Your card was declined. This transaction requires authentication.",
        _ => "Your card was declined.",
    }
}

/// What Stripe advises the merchant.
pub(super) fn advice(code: &str, decline_code: &str) -> Option<&'static str> {
    match (code, decline_code) {
        ("expired_card" | "incorrect_cvc", _) => Some("confirm_card_data"),
        (_, "lost_card" | "stolen_card") => Some("do_not_try_again"),
        (_, "insufficient_funds" | "generic_decline" | "processing_error") => Some("try_again_later"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_card_has_a_valid_number_and_a_name_of_its_own() {
        for card in all() {
            assert!(is_number(card.number), "{}", card.number);
            assert_eq!(by_number(card.number).unwrap().title, card.title);
            assert_eq!(by_fingerprint(&card.fingerprint()).unwrap().number, card.number);
            if !card.name.is_empty() {
                assert_eq!(by_payment_method(&format!("pm_card_{}", card.name)).unwrap().number, card.number);
            }
        }
    }

    #[test]
    fn declining_cards_are_known_with_and_without_their_brand() {
        assert_eq!(by_payment_method("pm_card_chargeDeclined").unwrap().number, "4000000000000002");
        assert_eq!(by_payment_method("pm_card_visa_chargeDeclinedExpiredCard").unwrap().number, "4000000000000069");
        assert!(by_payment_method("pm_card_nothing").is_none());
        assert!(by_payment_method("pm_card_").is_none());
    }
}
