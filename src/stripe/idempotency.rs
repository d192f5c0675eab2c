//! The key that makes a write happen once, however often its step is run.
//!
//! Rules from Stripe's page "Idempotent requests": at most 255 characters, the same key for every retry of one
//! intent, and an error when it comes again with other parameters.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const MAXIMUM: usize = 255;

/// The key of a write: the caller's own, or one that depends on nothing but the step's run and the operation.
///
/// `part` tells apart the requests of an operation that needs several.
///
/// # Errors
/// An invocation id or a key that cannot go into a header.
pub fn key(invocation: &str, own: Option<&str>, operation: &str, part: u32) -> Result<String> {
    if let Some(own) = own {
        if own.is_empty() || own.len() > MAXIMUM || !own.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::input(
                "invocation.idempotency-key",
                "the idempotency key must be 1 to 255 visible ASCII characters",
            ));
        }
        return Ok(if part == 0 { own.to_owned() } else { derive(own, operation, part) });
    }
    check_invocation(invocation)?;
    Ok(derive(invocation, operation, part))
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

fn derive(seed: &str, operation: &str, part: u32) -> String {
    // The parts are separated by a character that none of them can have.
    let digest = Sha256::digest(format!("{seed}\0{operation}\0{part}"));
    let hex: String = digest.iter().take(20).map(|b| format!("{b:02x}")).collect();
    // The operation is there for people who read Stripe's request log.
    format!("{operation}-{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_run_of_the_same_operation_has_the_same_key() {
        let one = key("run-1", None, "customer.create", 0).expect("a key");
        assert_eq!(one, key("run-1", None, "customer.create", 0).expect("a key"));
        assert!(one.starts_with("customer.create-") && one.len() <= MAXIMUM);
    }

    #[test]
    fn another_run_operation_or_part_has_another_key() {
        let keys = [
            key("run-1", None, "customer.create", 0),
            key("run-2", None, "customer.create", 0),
            key("run-1", None, "product.create", 0),
            key("run-1", None, "customer.create", 1),
        ];
        let distinct: std::collections::BTreeSet<String> = keys.into_iter().map(|k| k.expect("a key")).collect();
        assert_eq!(distinct.len(), 4);
    }

    #[test]
    fn a_key_of_the_callers_own_is_sent_as_it_is() {
        assert_eq!(key("run-1", Some("order-6735"), "refund.create", 0).expect("a key"), "order-6735");
    }

    #[test]
    fn keys_and_ids_that_cannot_travel_in_a_header_are_refused() {
        for own in ["", "with space", "line\nbreak", "ä", &"k".repeat(256)] {
            assert!(key("run", Some(own), "x", 0).is_err(), "{own:?}");
        }
        for id in ["", "a b", "a\0b", &"i".repeat(201)] {
            assert!(key(id, None, "x", 0).is_err(), "{id:?}");
        }
        assert!(key("run", Some(&"k".repeat(255)), "x", 0).is_ok());
    }
}
