//! Names as people write them: `Create a Payment Link`, `create-payment-link` and `create_payment_link` are one.

/// Whether two names are the same but for case, for spaces, hyphens and underscores between words, and for articles.
///
/// ```
/// assert!(stripe_table::alike("Create an Invoice", "create_invoice"));
/// assert!(stripe_table::alike("stripe.payment-intent.create", "stripe.payment_intent.create"));
/// assert!(!stripe_table::alike("customer.create", "customer_create"));
/// ```
pub fn alike(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (words(a), words(b));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    let is_article = |word: &str| ["a", "an", "the"].iter().any(|article| word.eq_ignore_ascii_case(article));
    name.split([' ', '-', '_']).filter(move |word| !word.is_empty() && !is_article(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_what_stands_between_words_make_no_difference() {
        for (a, b) in [
            ("List Customers", "list_customers"),
            ("  Confirm a  Payment-Intent ", "confirm_payment_intent"),
            ("STRIPE-create-Customer", "stripe_create_customer"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        for (a, b) in [("listcustomers", "list_customers"), ("list", "list_customers"), ("a.b", "a_b"), ("x", "")] {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_like_itself_and_likeness_has_no_direction(a in ".{0,20}", b in "[aA _-]{0,9}") {
            prop_assert!(alike(&a, &a));
            prop_assert_eq!(alike(&a, &b), alike(&b, &a));
        }
    }
}
