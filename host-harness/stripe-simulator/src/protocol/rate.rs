//! Rate limits, when they are switched on: the figures that Stripe publishes, counted by the second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::ApiError;
use crate::world::{Scope, machine};

const LIVE: u32 = 100;
const SANDBOX: u32 = 25;
const ENDPOINT: u32 = 25;
const SEARCH: u32 = 20;

/// A second, and the requests in it by account and limit.
type Window = (i64, HashMap<(Scope, Box<str>), u32>);

/// Counts of the second that is running.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    window: Mutex<Window>,
}

impl Limiter {
    /// Counts a request; beyond a limit, the error and the reason that the answer names.
    pub(super) fn admit(&self, scope: &Scope, path: &str) -> Result<(), (ApiError, &'static str)> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let second = machine();
        if window.0 != second {
            *window = (second, HashMap::new());
        }
        let mut exceeds = |bucket: &str, limit: u32| {
            let count = window.1.entry((scope.clone(), bucket.into())).or_default();
            *count = count.saturating_add(1);
            *count > limit
        };
        // An endpoint is the path without ids.
        let endpoint = path.split('/').take(3).collect::<Vec<_>>().join("/");
        let refused = |reason| Err((exceeded(), reason));
        if exceeds("", if scope.live { LIVE } else { SANDBOX }) {
            return refused("global-rate");
        }
        if path.ends_with("/search") && exceeds("search", SEARCH) {
            return refused("resource-specific");
        }
        if exceeds(&endpoint, ENDPOINT) {
            return refused("endpoint-rate");
        }
        Ok(())
    }
}

/// 429 in Stripe's words.
pub(super) fn exceeded() -> ApiError {
    ApiError::invalid(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
    )
    .status_is(429)
    .code("rate_limit")
}
