//! "Did you mean": the names that a misspelt one may have meant, and the hint that says so.

use crate::error::Error;

/// How many names a hint gives at most.
const SHOWN: usize = 3;
/// Longer names are not compared: nobody misspells them, machines do.
const LONGEST: usize = 80;

/// Adds to an error the names that `wanted` may have meant, or `otherwise` where none is near.
#[must_use]
pub fn did_you_mean(
    error: Box<Error>,
    wanted: &str,
    names: &mut dyn Iterator<Item = &str>,
    otherwise: &str,
) -> Box<Error> {
    let near = nearest(wanted, names);
    match near.as_slice() {
        [] if otherwise.is_empty() => error,
        [] => error.hint(otherwise),
        near => error.hint(["Did you mean `", &near.join("` or `"), "`?"].concat()),
    }
}

/// Up to three names that differ from `wanted` by few slips of the hand, or of which it is a part or the other way
/// round (`refund` and `refund.create`, `customer_id` and `customer`); nearest first, equals in their own order.
pub fn nearest<'n>(wanted: &str, names: &mut dyn Iterator<Item = &'n str>) -> Vec<&'n str> {
    // One slip in three letters; a short name allows one.
    let most = wanted.len().div_ceil(3);
    let mut rows = Rows::default();
    let mut best: Vec<(usize, &'n str)> = Vec::new();
    for name in names {
        if wanted.len().max(name.len()) > LONGEST {
            continue;
        }
        // A letter more or less is a slip, too.
        let far = wanted.len().abs_diff(name.len()) > most;
        let slips = if far { usize::MAX } else { rows.slips(wanted.as_bytes(), name.as_bytes()) };
        let is_part = is_part(wanted, name) || is_part(name, wanted);
        let slips = if is_part { slips.min(most) } else { slips };
        if slips <= most && !best.iter().any(|(_, known)| *known == name) {
            let at = best.partition_point(|(other, _)| *other <= slips);
            best.insert(at, (slips, name));
            best.truncate(SHOWN);
        }
    }
    best.into_iter().map(|(_, name)| name).collect()
}

/// Whether a name consists of one or more whole words of another. Two letters are no word.
fn is_part(part: &str, whole: &str) -> bool {
    let ends_word = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric());
    part.len() > 2
        && whole.match_indices(part).any(|(at, _)| {
            let bytes = whole.as_bytes();
            ends_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && ends_word(bytes.get(at + part.len()))
        })
}

/// Three rows of the table of distances between the beginnings of two names.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    next: Vec<usize>,
}

impl Rows {
    /// How many letters were left out, put in, replaced or swapped with their neighbour (optimal string alignment).
    fn slips(&mut self, a: &[u8], b: &[u8]) -> usize {
        self.last.clear();
        self.last.extend(0..=b.len());
        let mut a_before = None;
        for (row, x) in a.iter().map(u8::to_ascii_lowercase).enumerate() {
            self.next.clear();
            self.next.push(row + 1);
            let mut left = row + 1;
            let mut b_before = None;
            let mut two_back = None;
            let above = self.last.iter().zip(self.last.iter().skip(1));
            let mut swaps = self.before.iter();
            for ((diagonal, up), y) in above.zip(b.iter().map(u8::to_ascii_lowercase)) {
                let mut cost = (diagonal + usize::from(x != y)).min(up + 1).min(left + 1);
                if let Some(swapped) = two_back
                    && a_before == Some(y)
                    && b_before == Some(x)
                {
                    cost = cost.min(swapped + 1);
                }
                two_back = swaps.next().copied();
                self.next.push(cost);
                left = cost;
                b_before = Some(y);
            }
            a_before = Some(x);
            std::mem::swap(&mut self.before, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.next);
        }
        self.before.clear();
        self.last.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn slips(a: &str, b: &str) -> usize {
        Rows::default().slips(a.as_bytes(), b.as_bytes())
    }

    #[test]
    fn counts_each_kind_of_slip_once() {
        for (a, b, count) in [
            ("email", "email", 0),
            ("Email", "email", 0),
            ("emial", "email", 1),
            ("emal", "email", 1),
            ("emaill", "email", 1),
            ("emaul", "email", 1),
            ("", "email", 5),
            ("email", "", 5),
            ("price", "product", 4),
            ("ab", "ba", 1),
            ("abcd", "badc", 2),
        ] {
            assert_eq!(slips(a, b), count, "{a} {b}");
            assert_eq!(slips(b, a), count, "{b} {a}");
        }
    }

    #[test]
    fn gives_the_nearest_first_and_each_once() {
        let names = ["customer.create", "customer.delete", "customer.created", "refund.create", "customer.create"];
        assert_eq!(
            nearest("customer.creat", &mut names.into_iter()),
            ["customer.create", "customer.created", "customer.delete"]
        );
        assert!(nearest("zebra", &mut names.into_iter()).is_empty());
    }

    #[test]
    fn whole_words_of_a_name_are_near_it() {
        let near = |wanted: &str, names: [&'static str; 2]| nearest(wanted, &mut names.into_iter());
        assert_eq!(near("refund", ["refund.create", "refunds"]), ["refunds", "refund.create"]);
        assert_eq!(near("customer_id", ["customer", "custom"]), ["customer"]);
        assert_eq!(near("amount", ["unit_amount", "amounts_due"]), ["unit_amount"]);
        assert!(near("id", ["customer.id", "paid"]).is_empty(), "two letters are no word");
        assert!(near("", ["customer", "a"]).is_empty());
    }

    #[test]
    fn the_hint_names_them_or_says_what_else_to_do() {
        let error = || Error::new(ErrorKind::UnknownOperation, "there is none");
        let near = did_you_mean(error(), "emial", &mut ["email", "name"].into_iter(), "");
        assert_eq!(near.hint.as_deref(), Some("Did you mean `email`?"));
        let none = did_you_mean(error(), "zebra", &mut ["email"].into_iter(), "Look.");
        assert_eq!(none.hint.as_deref(), Some("Look."));
        assert_eq!(did_you_mean(error(), "zebra", &mut ["email"].into_iter(), "").hint, None);
    }

    proptest! {
        #[test]
        fn distances_are_those_of_the_well_known_crate(a in "[a-d_.]{0,9}", b in "[a-d_.]{0,9}") {
            prop_assert_eq!(slips(&a, &b), strsim::osa_distance(&a, &b));
        }

        #[test]
        fn any_text_may_be_misspelt(wanted in ".*", name in ".*") {
            let _ = nearest(&wanted, &mut std::iter::once(name.as_str()));
        }
    }
}
