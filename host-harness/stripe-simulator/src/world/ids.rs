//! Ids of the form that Stripe gives them: a prefix that tells the kind, then letters and digits.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Prefix, what follows it at once, how many characters in all follow the `_`.
const FORMS: &[(&str, &str, usize)] = &[
    ("acct", "1", 16),
    ("bps", "1", 24),
    ("card", "1", 24),
    ("cbtxn", "1", 24),
    ("clock", "1", 24),
    ("cliws", "1", 24),
    ("cn", "1", 24),
    ("cnli", "1", 24),
    ("cusbaltxn", "", 14),
    ("di", "1", 24),
    ("du", "1", 24),
    ("file", "1", 24),
    ("ii", "1", 24),
    ("link", "1", 24),
    ("mtr", "61", 26),
    ("plink", "1", 24),
    ("po", "1", 24),
    ("promo", "1", 24),
    ("qt", "1", 24),
    ("shr", "1", 24),
    ("sub_sched", "1", 24),
    ("tr", "3", 24),
    ("trr", "1", 24),
    ("txr", "1", 24),
    ("ch", "3", 24),
    ("cs_test", "a1", 58),
    ("cs_live", "a1", 58),
    ("cus", "", 14),
    ("evt", "1", 24),
    ("il", "1", 24),
    ("in", "1", 24),
    ("inpay", "1", 24),
    ("li", "1", 24),
    ("pi", "3", 24),
    ("pm", "1", 24),
    ("price", "1", 24),
    ("prod", "", 14),
    ("py", "3", 24),
    ("pyr", "1", 24),
    ("re", "3", 24),
    ("req", "", 14),
    ("seti", "1", 24),
    ("si", "", 14),
    ("sub", "1", 24),
    ("txn", "3", 24),
    ("we", "1", 24),
];

/// A sequence of ids, every one of them new.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The sequence of one of many accounts. Their counters must not begin near each other: their ids would be the
    /// same, a few places apart.
    pub(super) fn of_account(seed: u64, number: u64) -> Self {
        let mut first = Self::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        Self { state: first.next() }
    }

    /// The next number of the sequence (splitmix64: a bijection of a counter, so none comes twice).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// An id with this prefix, as long as Stripe's are.
    pub(crate) fn make(&mut self, prefix: &str) -> String {
        let (head, length) = FORMS.iter().find(|f| f.0 == prefix).map_or(("1", 24), |f| (f.1, f.2));
        let mut id = String::with_capacity(prefix.len() + 1 + length);
        id.push_str(prefix);
        id.push('_');
        id.push_str(head);
        self.letters(&mut id, length - head.len());
        id
    }

    /// An id as v2 gives them: longer, and with the mode in it.
    pub(crate) fn make_v2(&mut self, prefix: &str, live: bool) -> String {
        let (mode, head, length) = match (live, prefix) {
            (true, "evt") => ("", "65", 46),
            (false, "evt") => ("_test", "65", 46),
            (true, _) => ("", "61", 44),
            (false, _) => ("_test", "61", 44),
        };
        let mut id = format!("{prefix}{mode}_{head}");
        self.letters(&mut id, length - head.len());
        id
    }

    /// Another sequence, which takes nothing from this one.
    pub(crate) fn apart(&self) -> Self {
        Self { state: self.state ^ 0x7e57_0000_0000_7e57 }
    }

    /// That many letters and digits.
    pub(crate) fn letters(&mut self, into: &mut String, count: usize) {
        // Eleven digits of base 62 hold one number of 64 bits.
        let mut left = count;
        while left > 0 {
            let mut number = self.next();
            for _ in 0..left.min(11) {
                into.push(DIGITS.get((number % 62) as usize).copied().map_or('0', char::from));
                number /= 62;
            }
            left -= left.min(11);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_stripes_prefix_and_length() {
        let mut ids = Ids::new(7);
        assert_eq!(ids.make("cus").len(), "cus_QXg1o8vcGmoR32".len());
        assert_eq!(ids.make("pi").len(), "pi_1PgafyB7WZ01zgkWSjxsAJo3".len());
        assert!(ids.make("pi").starts_with("pi_3"));
    }

    #[test]
    fn v2_ids_tell_their_mode() {
        let mut ids = Ids::new(7);
        let made = ids.make_v2("ed", false);
        assert_eq!(made.len(), "ed_test_61RM8ltWcTW4mbsxf16RJyfa2xSQLHJJh1sxm7H0KVT6".len());
        assert!(ids.make_v2("evt", true).starts_with("evt_65"));
        let event = ids.make_v2("evt", false);
        assert_eq!(event.len(), "evt_test_65RM8sQH2oXnebF5Rpc16RJyfa2xSQLHJJh1sxm7H0KI92".len());
    }

    #[test]
    fn no_id_comes_in_two_accounts() {
        let accounts = (0..40).map(|number| Ids::of_account(7, number));
        let made: std::collections::HashSet<String> =
            accounts.flat_map(|mut ids| (0..200).map(move |_| ids.make("fee")).collect::<Vec<_>>()).collect();
        assert_eq!(made.len(), 40 * 200);
    }

    #[test]
    fn no_id_comes_twice() {
        let mut ids = Ids::new(1);
        let made: std::collections::HashSet<String> = (0..50_000).map(|_| ids.make("cus")).collect();
        assert_eq!(made.len(), 50_000);
    }
}
