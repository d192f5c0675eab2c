//! Whether a webhook delivery is Stripe's own and fresh.
//!
//! Rules from Stripe's page "Verify webhook signatures": `Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX]`, HMAC-SHA256
//! over `t.BODY` keyed by the whole `whsec_…` text, any `v1` may match, other schemes are ignored, and a delivery
//! older than the tolerance is refused. The comparison takes the same time whatever differs.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::hex;

/// How old, or how far in the future, a delivery may be, in seconds: the official SDKs' default.
pub const TOLERANCE: u64 = 300;

/// Checks a delivery. `secrets` are those that may have signed it: two while one is being rolled.
///
/// # Errors
/// Why the delivery is not to be trusted.
pub fn verify(header: &str, body: &[u8], secrets: &[String], now: u64, tolerance: u64) -> Result<()> {
    let refuse = |message: &str| {
        let mut error = Error::new(ErrorKind::Signature, message);
        error.outcome = Outcome::Rejected;
        error
    };
    let (timestamp, signatures) = parse(header).ok_or_else(|| {
        refuse("the Stripe-Signature header is not of the form t=…,v1=…")
            .hint("Pass the request's headers on unchanged.")
    })?;
    if signatures.is_empty() {
        return Err(refuse("the Stripe-Signature header has no v1 signature"));
    }
    let genuine = secrets.iter().filter(|s| !s.trim().is_empty()).any(|secret| {
        let expected = sign(secret, timestamp, body);
        // No early exit among the signatures: which of them fits is nobody's business.
        signatures.iter().fold(false, |found, given| found | bool::from(given.as_bytes().ct_eq(expected.as_bytes())))
    });
    if !genuine {
        return Err(refuse("the signature does not match the body").hint(
            "Each endpoint has a secret of its own, another one in test than in live mode: check that it is this endpoint's, and that the body reaches the connector byte for byte.",
        ));
    }
    let timestamp: u64 =
        timestamp.parse().map_err(|_| refuse("the signature's timestamp is not a number of seconds"))?;
    if now.abs_diff(timestamp) > tolerance {
        return Err(refuse("the delivery is too old, or its clock is ahead: it may be a replay")
            .hint(format!("Deliveries are accepted for {tolerance} seconds. Check this machine's clock.")));
    }
    Ok(())
}

/// The signature of a body at a time, in hexadecimal.
fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    // A key of any length is accepted, so the error cannot occur; an empty signature matches nothing.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::text(&mac.finalize().into_bytes())
}

/// The timestamp as it was written, and the v1 signatures.
fn parse(header: &str) -> Option<(&str, Vec<&str>)> {
    let mut timestamp = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        let (name, value) = part.split_once('=')?;
        match name {
            // Twice a timestamp would let a signature speak for another time.
            "t" if timestamp.is_some() => return None,
            "t" if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => timestamp = Some(value),
            "t" => return None,
            "v1" => signatures.push(value),
            _ => {}
        }
    }
    Some((timestamp?, signatures))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn accepts_and_refuses_what_the_official_sdks_do() {
        let vectors: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/vectors/signatures.json")).expect("vectors");
        assert!(vectors.len() > 10);
        for v in vectors {
            let text = |name: &str| v[name].as_str().unwrap_or_else(|| panic!("{name} of {v}")).to_owned();
            let (now, tolerance) = (v["now"].as_u64().expect("now"), v["tolerance"].as_u64().expect("tolerance"));
            let result = verify(&text("header"), text("body").as_bytes(), &[text("secret")], now, tolerance);
            assert_eq!(result.is_ok(), text("expect") == "accept", "{}: {result:?}", text("name"));
        }
    }

    #[test]
    fn either_secret_of_a_roll_is_accepted() {
        let secrets = ["whsec_old".to_owned(), "whsec_new".to_owned()];
        for secret in &secrets {
            let header = format!("t=1000,v1={}", sign(secret, "1000", b"{}"));
            assert!(verify(&header, b"{}", &secrets, 1000, TOLERANCE).is_ok());
        }
        let header = format!("t=1000,v1={}", sign("whsec_other", "1000", b"{}"));
        assert!(verify(&header, b"{}", &secrets, 1000, TOLERANCE).is_err());
    }

    proptest! {
        #[test]
        fn no_header_panics_and_none_is_genuine_by_chance(header in ".*", body in proptest::collection::vec(any::<u8>(), 0..50)) {
            prop_assert!(verify(&header, &body, &["whsec_x".to_owned()], 1000, TOLERANCE).is_err());
        }

        #[test]
        fn a_changed_body_is_refused(body in proptest::collection::vec(any::<u8>(), 1..100), at in any::<prop::sample::Index>()) {
            let header = format!("t=1000,v1={}", sign("whsec_x", "1000", &body));
            let secrets = ["whsec_x".to_owned()];
            prop_assert!(verify(&header, &body, &secrets, 1000, TOLERANCE).is_ok());
            let mut forged = body.clone();
            let at = at.index(forged.len());
            forged[at] ^= 1;
            prop_assert!(verify(&header, &forged, &secrets, 1000, TOLERANCE).is_err());
        }
    }
}
