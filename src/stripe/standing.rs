//! Did it charge? What is known of the work after each exchange, over all tries of an invocation.
//!
//! Proof is an answer in Stripe's form, its object or its error. Anything else leaves it open.
//!
//! **What one exchange says** ([`Verdict`]; who decides is `exchange`). For a request that may change something:
//!
//! | what came back | says |
//! |---|---|
//! | nothing, and nothing left: denied by the host, no connection, no TLS | [`NothingLeft`](Verdict::NothingLeft) |
//! | nothing, and something left: broken, cut off, no answer in time | [`Doubt`](Verdict::Doubt) |
//! | not Stripe's form: 1xx, 3xx, HTML, `{}`, a 2xx without an object | `Doubt` |
//! | 2xx with Stripe's object, also where the rest of it cannot be used | [`Done`](Verdict::Done) |
//! | 408 and 5xx, replayed or not; `idempotency_error`; 409 of the key itself (in use, or without a code) | `Doubt` |
//! | 400 and 402: the key was looked at, and nothing was kept for it | [`Settled`](Verdict::Settled) |
//! | any other 4xx that is replayed: it *is* what was kept for the key | `Settled` |
//! | any other 4xx (401, 403, 404, 409, 429): given before the key is looked at, or perhaps | [`Refused`](Verdict::Refused) |
//! | 400 of a limit, of a lock, or that asks to be repeated | `Refused` |
//!
//! A request that only reads has nothing to doubt: an answer of any kind is `Refused`, none is `NothingLeft`.
//!
//! **What is known then** ([`Standing`]), from what was known before. It begins with [`InDoubt`](Standing::InDoubt)
//! where an earlier try of the invocation ended so, and with [`NothingLeft`](Standing::NothingLeft) elsewhere.
//!
//! | before ↓, verdict → | `NothingLeft` | `Refused` | `Settled` | `Doubt` | `Done` |
//! |---|---|---|---|---|---|
//! | `NothingLeft` | `NothingLeft` | `Refused` | `Refused` | `InDoubt` | `Done` |
//! | `Refused` | `Refused` | `Refused` | `Refused` | `InDoubt` | `Done` |
//! | `InDoubt` | `InDoubt` | `InDoubt` | with a key `Refused`, without `InDoubt` | `InDoubt` | `Done` |
//! | `Done` | `Done` | `Done` | `Done` | `Done` | `Done` |
//!
//! Without a key (a DELETE in v1) a refusal says nothing of an earlier request: what that removed is "not found".
//! The outcome that a platform gets: `NothingLeft` is *not-sent*, `Refused` is *rejected*, `InDoubt` is *unknown*, and
//! `Done` is a success or, where the answer could not be used, *committed*.
//!
//! Sources: Stripe's pages "Idempotent requests" and "Advanced error handling". v1 keeps the first answer of a key once
//! the endpoint was executed, 500s too; failed validation, 401, 429 and a concurrent conflict are not kept. Parameters
//! are held against the key's before they are validated, so a refusal of the same parameters under the same key means
//! that the key was never executed. v2 keeps successes and executes anew what failed.

use crate::error::Outcome;

/// What one exchange says of the work that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing left: nothing was done by it.
    NothingLeft,
    /// This request was refused; of earlier ones it says nothing.
    Refused,
    /// This request was refused, and so it would have been had an earlier one under its key been executed.
    Settled,
    /// It may have been done.
    Doubt,
    /// It was done.
    Done,
}

/// What is known of the work over all requests so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No request left.
    NothingLeft,
    /// Every request was refused: nothing was done.
    Refused,
    /// It may have been done.
    InDoubt,
    /// It was done.
    Done,
}

impl Standing {
    /// What is known after one more exchange. `keyed`: its request carried the key of the ones before.
    #[must_use]
    pub fn after(self, verdict: Verdict, keyed: bool) -> Self {
        match (self, verdict) {
            (Self::Done, _) | (_, Verdict::Done) => Self::Done,
            (_, Verdict::Doubt) => Self::InDoubt,
            (Self::InDoubt, Verdict::Settled) if keyed => Self::Refused,
            (Self::InDoubt, _) => Self::InDoubt,
            (_, Verdict::Refused | Verdict::Settled) => Self::Refused,
            (before, Verdict::NothingLeft) => before,
        }
    }

    /// The outcome of a call that ends here with an error.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::NothingLeft => Outcome::NotSent,
            Self::Refused => Outcome::Rejected,
            Self::InDoubt => Outcome::Unknown,
            Self::Done => Outcome::Committed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDINGS: [Standing; 4] = [Standing::NothingLeft, Standing::Refused, Standing::InDoubt, Standing::Done];
    const VERDICTS: [Verdict; 5] =
        [Verdict::NothingLeft, Verdict::Refused, Verdict::Settled, Verdict::Doubt, Verdict::Done];

    #[test]
    fn every_cell_of_the_table_is_as_documented() {
        // Rows are standings, columns verdicts, in the order of the lists above; N, R, ?, D are the standings.
        let (with_key, without) = (["NRR?D", "RRR?D", "??R?D", "DDDDD"], ["NRR?D", "RRR?D", "????D", "DDDDD"]);
        for (keyed, table) in [(true, with_key), (false, without)] {
            for (standing, row) in STANDINGS.into_iter().zip(table) {
                for (verdict, cell) in VERDICTS.into_iter().zip(row.chars()) {
                    let expected = STANDINGS["NR?D".find(cell).expect("a standing")];
                    assert_eq!(standing.after(verdict, keyed), expected, "{standing:?} {verdict:?} {keyed}");
                }
            }
        }
    }

    #[test]
    fn only_the_keys_own_word_or_a_success_ends_a_doubt() {
        for verdict in VERDICTS {
            let ends = Standing::InDoubt.after(verdict, true) != Standing::InDoubt;
            assert_eq!(ends, matches!(verdict, Verdict::Settled | Verdict::Done), "{verdict:?}");
        }
    }
}
