//! Test cards and what each of them does.

/// How a card behaves when it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Pays, with this risk level.
    Pays(&'static str),
    /// Is declined: code and decline code.
    Declines(&'static str, &'static str),
    /// Attaches to a customer and is declined later.
    DeclinesLater,
    /// Pays, and the customer's bank takes the money back at once.
    Disputes,
    /// Pays, and the customer's bank asks what it was for.
    Inquires,
    /// Pays, and refunds are pending for a while.
    RefundsLate,
    /// Pays, and refunds fail after a while.
    RefundsFail,
    /// Is blocked by Radar.
    Blocked,
    /// The customer must authenticate, always.
    Authenticates,
    /// The customer must authenticate, unless the card was set up for being charged while away.
    AuthenticatesUnlessSetUp,
    /// The customer must authenticate, and then it is declined.
    AuthenticatesAndDeclines,
}

/// A test card.
#[derive(Debug)]
pub(crate) struct TestCard {
    /// The payment method that stands for it, without `pm_card_`.
    pub(crate) name: &'static str,
    /// What a person chooses by.
    pub(crate) title: &'static str,
    pub(crate) number: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) behaviour: Behaviour,
}

const fn card(
    name: &'static str,
    title: &'static str,
    number: &'static str,
    brand: &'static str,
    behaviour: Behaviour,
) -> TestCard {
    TestCard { name, title, number, brand, behaviour }
}

const PAYS: Behaviour = Behaviour::Pays("normal");

/// The card that stands for any other.
pub(super) static VISA: TestCard = card("visa", "Visa", "4242424242424242", "visa", PAYS);

/// Every test card, the ones that pay first.
pub(crate) const TEST_CARDS: &[TestCard] = &[
    card("visa", "Visa", "4242424242424242", "visa", PAYS),
    card("visa_debit", "Visa (debit)", "4000056655665556", "visa", PAYS),
    card("mastercard", "Mastercard", "5555555555554444", "mastercard", PAYS),
    card("amex", "American Express", "378282246310005", "amex", PAYS),
    card("discover", "Discover", "6011111111111117", "discover", PAYS),
    card("bypassPending", "Visa, funds available at once", "4000000000000077", "visa", PAYS),
    card("bypassPendingInternational", "International, funds at once", "4000003720000278", "visa", PAYS),
    card("threeDSecure2Required", "3D Secure required", "4000000000003220", "visa", Behaviour::Authenticates),
    card(
        "authenticationRequired",
        "Authentication unless set up",
        "4000002500003155",
        "visa",
        Behaviour::AuthenticatesUnlessSetUp,
    ),
    card(
        "threeDSecureRequiredChargeDeclined",
        "3D Secure, then declined",
        "4000008400001629",
        "visa",
        Behaviour::AuthenticatesAndDeclines,
    ),
    card("threeDSecureOptional", "3D Secure supported, not required", "4000000000003055", "visa", PAYS),
    card(
        "visa_chargeDeclined",
        "Declined",
        "4000000000000002",
        "visa",
        Behaviour::Declines("card_declined", "generic_decline"),
    ),
    card(
        "visa_chargeDeclinedInsufficientFunds",
        "Declined: insufficient funds",
        "4000000000009995",
        "visa",
        Behaviour::Declines("card_declined", "insufficient_funds"),
    ),
    card(
        "visa_chargeDeclinedLostCard",
        "Declined: lost card",
        "4000000000009987",
        "visa",
        Behaviour::Declines("card_declined", "lost_card"),
    ),
    card(
        "visa_chargeDeclinedStolenCard",
        "Declined: stolen card",
        "4000000000009979",
        "visa",
        Behaviour::Declines("card_declined", "stolen_card"),
    ),
    card(
        "chargeDeclinedExpiredCard",
        "Declined: expired card",
        "4000000000000069",
        "visa",
        Behaviour::Declines("expired_card", "expired_card"),
    ),
    card(
        "chargeDeclinedIncorrectCvc",
        "Declined: incorrect CVC",
        "4000000000000127",
        "visa",
        Behaviour::Declines("incorrect_cvc", "incorrect_cvc"),
    ),
    card(
        "chargeDeclinedProcessingError",
        "Declined: processing error",
        "4000000000000119",
        "visa",
        Behaviour::Declines("processing_error", "processing_error"),
    ),
    card("chargeCustomerFail", "Attaches, then declined", "4000000000000341", "visa", Behaviour::DeclinesLater),
    card("radarBlock", "Blocked by Radar", "4100000000000019", "visa", Behaviour::Blocked),
    card("riskLevelHighest", "Highest risk", "4000000000004954", "visa", Behaviour::Pays("highest")),
    card("riskLevelElevated", "Elevated risk", "4000000000009235", "visa", Behaviour::Pays("elevated")),
    card("pendingRefund", "Refunds are pending first", "4000000000007726", "visa", Behaviour::RefundsLate),
    card("refundFail", "Refunds fail later", "4000000000005126", "visa", Behaviour::RefundsFail),
    card("createDispute", "Disputed as fraudulent", "4000000000000259", "visa", Behaviour::Disputes),
    card("createDisputeInquiry", "Disputed as an inquiry", "4000000000001976", "visa", Behaviour::Inquires),
];

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
    let plain = name.strip_prefix("visa_").unwrap_or(name);
    let same =
        |c: &&TestCard| c.name == name || c.name.strip_prefix("visa_").unwrap_or(c.name) == plain && plain != "debit";
    TEST_CARDS.iter().find(|c| c.name == name).or_else(|| TEST_CARDS.iter().find(same))
}

/// The card of a number.
pub(super) fn by_number(number: &str) -> Option<&'static TestCard> {
    TEST_CARDS.iter().find(|c| c.number == number)
}

/// The card behind a payment method's fingerprint.
pub(super) fn by_fingerprint(fingerprint: &str) -> Option<&'static TestCard> {
    TEST_CARDS.iter().find(|c| c.fingerprint() == fingerprint)
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
        for card in TEST_CARDS {
            assert!(is_number(card.number), "{}", card.number);
            assert_eq!(by_number(card.number).unwrap().name, card.name);
            assert_eq!(by_fingerprint(&card.fingerprint()).unwrap().name, card.name);
            assert_eq!(by_payment_method(&format!("pm_card_{}", card.name)).unwrap().name, card.name);
        }
    }

    #[test]
    fn declining_cards_are_known_with_and_without_their_brand() {
        assert_eq!(by_payment_method("pm_card_chargeDeclined").unwrap().number, "4000000000000002");
        assert_eq!(by_payment_method("pm_card_visa_chargeDeclinedExpiredCard").unwrap().number, "4000000000000069");
        assert!(by_payment_method("pm_card_nothing").is_none());
    }
}
