//! The key that makes a write happen once, however often its step is run, and how long it does.
//!
//! Rules from Stripe's page "Idempotent requests": at most 255 characters, the same key for every retry of one
//! intent, and an error when it comes again with other parameters. A key is made of what is done, method and path
//! template, and never of what an operation is called here: a new name must not open the door to a second charge.

use sha2::{Digest, Sha256};

use super::namespace::Namespace;
use crate::catalogue::Method;
use crate::error::{Error, Result};
use crate::hex;

const MAXIMUM: usize = 255;

/// What the host knows of earlier tries of the same invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// When the first try began, in Unix seconds.
    pub first_try: u64,
    /// How many tries there were before this one.
    pub tries: u32,
    /// Whether one of them may have been done: it ended unknown, or never told how it ended.
    pub in_doubt: bool,
}

/// Until when Stripe knows the key of a request, in Unix seconds: counted from the first try, for which alone it is
/// known that the key is no older. Where nothing is in doubt and that time is over, the key begins anew.
pub fn protects_until(namespace: Namespace, history: Option<History>, now: u64) -> u64 {
    let kept = namespace.keeps_keys_for();
    let first = history.map_or(now, |h| h.first_try.min(now));
    let until = first.saturating_add(kept);
    match history {
        Some(h) if h.in_doubt => until,
        _ if until > now => until,
        _ => now.saturating_add(kept),
    }
}

/// The key of a write: the caller's own, or one that depends on nothing but the step's run and what is done. `template`
/// is the path with its placeholders.
///
/// `part` tells apart the requests of an operation that sends several of one kind.
///
/// # Errors
/// An invocation id or a key that cannot go into a header.
pub fn key(invocation: &str, own: Option<&str>, method: Method, template: &str, part: u32) -> Result<String> {
    if let Some(own) = own {
        if own.is_empty() || own.len() > MAXIMUM || !own.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::input(
                "invocation.idempotency-key",
                "the idempotency key must be 1 to 255 visible ASCII characters",
            ));
        }
        return Ok(if part == 0 { own.to_owned() } else { derive(own, method, template, part) });
    }
    check_invocation(invocation)?;
    Ok(derive(invocation, method, template, part))
}

/// Checks an invocation id, which every call carries.
///
/// # Errors
/// An id that is empty, too long or not visible ASCII.
pub fn check_invocation(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > 200 || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::input("invocation.id", "the invocation id must be 1 to 200 visible ASCII characters").hint(
            "Use an id that is the same for every run of this step and different for every other, such as a UUID.",
        ));
    }
    Ok(())
}

fn derive(seed: &str, method: Method, template: &str, part: u32) -> String {
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    // The parts are separated by a character that none of them can have.
    let digest = Sha256::digest([seed, "\0", method, " ", template, "\0", &part.to_string()].concat());
    let hex = hex::text(digest.get(..20).unwrap_or_default());
    [&readable(template), "-", &hex].concat()
}

/// `payment_intents.confirm` of `/v1/payment_intents/{intent}/confirm`: for people who read Stripe's request log.
fn readable(template: &str) -> String {
    let words = template.split('/').skip(2).filter(|s| !s.is_empty() && !s.starts_with('{'));
    let text = words.collect::<Vec<_>>().join(".");
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: Method = Method::Post;

    fn made(invocation: &str, method: Method, template: &str, part: u32) -> String {
        key(invocation, None, method, template, part).expect("a key")
    }

    #[test]
    fn the_same_run_of_the_same_request_has_the_same_key() {
        let one = made("run-1", POST, "/v1/customers", 0);
        assert_eq!(one, made("run-1", POST, "/v1/customers", 0));
        assert!(one.len() <= MAXIMUM);
        // What is written down once must stay: a run that is under way while the connector is renewed keeps its key.
        assert_eq!(one, "customers-597915f9792117b14e5395013d54dc665695fb5d");
    }

    #[test]
    fn another_run_method_path_or_part_has_another_key() {
        let keys = [
            made("run-1", POST, "/v1/customers", 0),
            made("run-2", POST, "/v1/customers", 0),
            made("run-1", Method::Delete, "/v1/customers", 0),
            made("run-1", POST, "/v1/customers/{customer}", 0),
            made("run-1", POST, "/v2/customers", 0),
            made("run-1", POST, "/v1/customers", 1),
        ];
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn a_key_says_what_it_is_for() {
        for (template, words) in [
            ("/v1/customers", "customers"),
            ("/v1/payment_intents/{intent}/confirm", "payment_intents.confirm"),
            ("/v2/core/event_destinations/{id}", "core.event_destinations"),
        ] {
            assert!(made("run-1", POST, template, 0).starts_with(&format!("{words}-")), "{template}");
        }
        assert!(made("r", POST, &format!("/v1/{}", "x".repeat(500)), 0).len() <= MAXIMUM);
    }

    #[test]
    fn a_key_of_the_callers_own_is_sent_as_it_is_and_follow_ups_are_derived_from_it() {
        let own = |part| key("run-1", Some("order-6735"), POST, "/v1/refunds", part).expect("a key");
        assert_eq!(own(0), "order-6735");
        assert!(own(1).starts_with("refunds-") && own(1) != own(2));
        assert_ne!(own(1), made("run-1", POST, "/v1/refunds", 1));
    }

    #[test]
    fn keys_and_ids_that_cannot_travel_in_a_header_are_refused() {
        for own in ["", "with space", "line\nbreak", "ä", &"k".repeat(256)] {
            assert!(key("run", Some(own), POST, "/v1/x", 0).is_err(), "{own:?}");
        }
        for id in ["", "a b", "a\0b", &"i".repeat(201)] {
            assert!(key(id, None, POST, "/v1/x", 0).is_err(), "{id:?}");
        }
        assert!(key("run", Some(&"k".repeat(255)), POST, "/v1/x", 0).is_ok());
    }

    #[test]
    fn a_key_protects_from_the_first_try_on() {
        let (day, now) = (24 * 60 * 60, 1_000_000_000);
        let history = |first_try, in_doubt| Some(History { first_try, tries: 1, in_doubt });
        assert_eq!(protects_until(Namespace::V1, None, now), now + day);
        assert_eq!(protects_until(Namespace::V2, None, now), now + 30 * day);
        assert_eq!(protects_until(Namespace::V1, history(now - 60, true), now), now - 60 + day);
        assert_eq!(protects_until(Namespace::V1, history(now - 60, false), now), now - 60 + day);
        // In doubt, what is over is over; where nothing was done, a new use of the key is its first.
        assert_eq!(protects_until(Namespace::V1, history(now - 2 * day, true), now), now - day);
        assert_eq!(protects_until(Namespace::V1, history(now - 2 * day, false), now), now + day);
        // A host's clock that was set back.
        assert_eq!(protects_until(Namespace::V1, history(now + 500, true), now), now + day);
        assert_eq!(protects_until(Namespace::V1, history(u64::MAX, true), u64::MAX), u64::MAX);
    }
}
