//! When a request is sent again, and after how long.
//!
//! The official SDKs' rule: at most two retries; a broken connection always; otherwise `Stripe-Should-Retry`
//! decides, then 409, 5xx and 429 for a lock. Every other 429 is retried too, as Stripe's page "Rate limits"
//! advises.

use super::transport::{Failure, HttpResponse};

/// How often a request is sent again at most.
pub const MAXIMUM: u32 = 2;

/// Whether an answer calls for another attempt.
pub fn after_answer(response: &HttpResponse) -> bool {
    match response.header("stripe-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(response.status, 409 | 429 | 500..),
    }
}

/// Whether the lack of an answer calls for another attempt.
pub fn after_failure(failure: &Failure) -> bool {
    match failure {
        Failure::Unreachable(_) | Failure::Broken(_) | Failure::TimedOut(_) => true,
        // The same would happen again.
        Failure::Denied(_) | Failure::TooLarge(_) => false,
    }
}

/// How long to wait before the n-th retry (from 1), in milliseconds; `chance` spreads those who wait together.
pub fn delay_ms(retry: u32, chance: f64) -> u64 {
    const FIRST: u64 = 500;
    const LONGEST: u64 = 5000;
    let full = (FIRST << retry.saturating_sub(1).min(8)).min(LONGEST);
    // Positive and at most 5000: the conversion loses nothing that matters.
    ((full as f64) * (0.5 + 0.5 * chance)).max(FIRST as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, should_retry: Option<&str>) -> HttpResponse {
        let headers = should_retry.map(|v| ("stripe-should-retry".to_owned(), v.to_owned())).into_iter().collect();
        HttpResponse { status, headers, body: Vec::new() }
    }

    #[test]
    fn stripes_own_word_wins_over_the_status() {
        assert!(after_answer(&answer(400, Some("true"))));
        assert!(!after_answer(&answer(500, Some("false"))));
        assert!(!after_answer(&answer(409, Some("false"))));
    }

    #[test]
    fn conflicts_rate_limits_and_server_errors_are_tried_again() {
        for (status, again) in [
            (200, false),
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
            assert_eq!(after_answer(&answer(status, None)), again, "{status}");
        }
    }

    #[test]
    fn waits_grow_and_never_fall_under_half_a_second() {
        for chance in [0.0, 0.3, 0.999] {
            assert_eq!(delay_ms(1, chance).clamp(500, 500), delay_ms(1, chance));
            assert_eq!(delay_ms(2, chance).clamp(500, 1000), delay_ms(2, chance));
            assert_eq!(delay_ms(9, chance).clamp(2500, 5000), delay_ms(9, chance));
        }
    }
}
