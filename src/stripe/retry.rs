//! When a request is sent again, and after how long.
//!
//! The official SDKs' rule: at most two retries; a broken connection always; otherwise `Stripe-Should-Retry`
//! decides, then 409, 5xx and 429 for a lock. Every other 429 is retried too, as Stripe's page "Rate limits"
//! advises. What Stripe kept for the key is not asked for again: it would say the same.
//!
//! `Retry-After` was honoured by the official SDKs up to 60 whole seconds (Node before 23, Python before 16), until it
//! was taken out because Stripe never sends it. What stands before Stripe may, so their old rule is kept here.

use super::exchange::Failed;
use super::transport::{Failure, HttpResponse};

/// How often a request is sent again at most.
pub const MAXIMUM: u32 = 2;

/// What must be left of a call's time for another attempt to be worth beginning, in milliseconds. An attempt that is
/// cut off by the clock would turn a clear refusal into a doubt.
pub const USEFUL_MS: u64 = 1_000;

/// The longest wait that an answer may ask for within a call, in seconds.
const LONGEST_ASKED: u64 = 60;

/// Whether a success calls for another attempt: only where Stripe says so.
pub fn after_success(head: &HttpResponse) -> bool {
    head.should_retry() == Some(true) && !head.is_replay()
}

/// Whether a failure calls for another attempt.
pub fn after_failure(failed: &Failed) -> bool {
    match failed {
        Failed::Nothing(Failure::Unreachable(_) | Failure::Broken(_) | Failure::TimedOut(_)) => true,
        // The same would happen again.
        Failed::Nothing(Failure::Denied(_) | Failure::Unsendable(_) | Failure::TooLarge(_)) => false,
        Failed::Unusable(..) => false,
        Failed::Refused(response, _) | Failed::Foreign(response, _) if response.is_replay() => false,
        Failed::Refused(response, _) | Failed::Foreign(response, _) => {
            response.should_retry().unwrap_or(matches!(response.status, 409 | 429 | 500..))
        }
    }
}

/// How long an answer asks to be left alone, in seconds.
pub fn asked_for(response: &HttpResponse) -> Option<u64> {
    response.header("retry-after")?.trim().parse().ok()
}

/// How long to wait before the n-th retry (from 1), in milliseconds; `chance` spreads those who wait together, `asked` is
/// what the answer asks for, in seconds.
pub fn delay_ms(retry: u32, chance: f64, asked: Option<u64>) -> u64 {
    const FIRST: u64 = 500;
    const LONGEST: u64 = 5000;
    let full = (FIRST << retry.saturating_sub(1).min(8)).min(LONGEST);
    // Positive and at most 5000: the conversion loses nothing that matters.
    let own = ((full as f64) * (0.5 + 0.5 * chance)).max(FIRST as f64) as u64;
    own.max(asked.filter(|s| *s <= LONGEST_ASKED).unwrap_or(0) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> HttpResponse {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpResponse { status, headers, body: Vec::new() }
    }

    fn again(status: u16, headers: &[(&str, &str)]) -> bool {
        let refused = after_failure(&Failed::Refused(answer(status, headers), Box::default()));
        assert_eq!(refused, after_failure(&Failed::Foreign(answer(status, headers), None)));
        refused
    }

    #[test]
    fn stripes_own_word_wins_over_the_status() {
        assert!(again(400, &[("stripe-should-retry", "true")]));
        assert!(!again(500, &[("stripe-should-retry", "false")]));
        assert!(!again(409, &[("stripe-should-retry", "false")]));
        assert!(after_success(&answer(200, &[("stripe-should-retry", "true")])));
        assert!(!after_success(&answer(200, &[])));
    }

    #[test]
    fn conflicts_rate_limits_and_server_errors_are_tried_again() {
        for (status, expected) in [
            (302, false),
            (400, false),
            (401, false),
            (402, false),
            (403, false),
            (404, false),
            (409, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            assert_eq!(again(status, &[]), expected, "{status}");
        }
    }

    #[test]
    fn what_is_kept_for_the_key_is_not_asked_for_again() {
        for status in [409, 429, 500] {
            assert!(!again(status, &[("idempotent-replayed", "true")]));
        }
        assert!(!after_success(&answer(200, &[("stripe-should-retry", "true"), ("idempotent-replayed", "true")])));
    }

    #[test]
    fn waits_grow_and_never_fall_under_half_a_second() {
        for chance in [0.0, 0.3, 0.999] {
            assert_eq!(delay_ms(1, chance, None), 500);
            assert_eq!(delay_ms(2, chance, None).clamp(500, 1000), delay_ms(2, chance, None));
            assert_eq!(delay_ms(9, chance, None).clamp(2500, 5000), delay_ms(9, chance, None));
        }
    }

    #[test]
    fn an_answer_may_ask_for_up_to_a_minute() {
        for (header, wait) in
            [("7", 7_000), ("60", 60_000), ("61", 500), ("0", 500), ("-1", 500), ("1.5", 500), ("soon", 500)]
        {
            assert_eq!(delay_ms(1, 0.0, asked_for(&answer(429, &[("retry-after", header)]))), wait, "{header}");
        }
        assert_eq!(asked_for(&answer(429, &[])), None);
    }
}
