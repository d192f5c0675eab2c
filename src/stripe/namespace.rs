//! What the two halves of the API do differently, whatever the request: `/v1` and `/v2`.

use crate::catalogue::Method;

const DAY: u64 = 24 * 60 * 60;

/// The first segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Forms; what was executed is kept for its key, failures too.
    V1,
    /// JSON; what failed is executed anew.
    V2,
}

impl Namespace {
    /// The half that a path belongs to, as the official SDKs tell it.
    pub fn of(path: &str) -> Self {
        if path.starts_with("/v2/") { Self::V2 } else { Self::V1 }
    }

    /// Whether requests of this method that change something carry an idempotency key.
    pub fn takes_key(self, method: Method) -> bool {
        match method {
            Method::Post => true,
            Method::Delete => self == Self::V2,
            Method::Get => false,
        }
    }

    /// How long a key is kept, in seconds: "at least 24 hours", and 30 days.
    pub fn keeps_keys_for(self) -> u64 {
        match self {
            Self::V1 => DAY,
            Self::V2 => 30 * DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delete_has_a_key_in_v2_only() {
        for (path, method, takes) in [
            ("/v1/customers", Method::Post, true),
            ("/v1/customers/cus_1", Method::Delete, false),
            ("/v1/customers", Method::Get, false),
            ("/v2/core/event_destinations", Method::Post, true),
            ("/v2/core/event_destinations/ed_1", Method::Delete, true),
            ("/v2/core/events", Method::Get, false),
        ] {
            assert_eq!(Namespace::of(path).takes_key(method), takes, "{method:?} {path}");
        }
        assert_eq!(Namespace::of("/v1/v2/x"), Namespace::V1);
    }
}
