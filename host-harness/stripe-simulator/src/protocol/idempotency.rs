//! What is kept for an idempotency key, and when an answer is given again.
//!
//! An answer is kept once the operation was executed, errors too; what failed before that (a key that is
//! refused, a parameter that is wrong, a conflict) is not. v2 gives only successes again: of what failed it
//! remembers which request the key stands for, and executes that anew.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::form::{Branch, Tree};
use super::{ApiError, Namespace};
use crate::world::{Account, Slot};

/// Characters that a key can have.
const LONGEST: usize = 255;

/// The parameters as text that does not depend on their order.
fn write(branch: &Branch, out: &mut String) {
    let mut members: Vec<(&String, &Tree)> = branch.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    out.push('{');
    for (name, tree) in members {
        let _ = write!(out, "{name:?}:");
        match tree {
            Tree::Text(text) => {
                let _ = write!(out, "{text:?},");
            }
            Tree::Exact(value) => {
                let _ = write!(out, "{value},");
            }
            Tree::Branch(inner) => write(inner, out),
        }
    }
    out.push('}');
}

/// An answer that is kept.
#[derive(Debug, Clone)]
pub(crate) struct KeptAnswer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// The request that was executed.
    pub(crate) request_id: Arc<str>,
    request: Fingerprint,
    /// Whether the answer is given again; else it only says what the key stands for.
    repeats: bool,
    /// When it is forgotten, in Unix seconds of the simulator's clock.
    until: i64,
}

/// What tells one request from another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fingerprint {
    endpoint: Box<str>,
    parameters: [u8; 16],
}

/// A keyed request.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    pub(crate) key: Arc<str>,
    namespace: Namespace,
    request: Fingerprint,
}

impl Keyed {
    pub(crate) fn new(key: &str, method: &str, path: &str, sent: &Branch) -> Result<Self, ApiError> {
        if key.chars().count() > LONGEST {
            let message = format!("Idempotency-Key is too long: keys can have up to {LONGEST} characters.");
            return Err(ApiError::idempotency(message));
        }
        let mut canonical = method.to_owned();
        write(sent, &mut canonical);
        let digest = Sha256::digest(canonical.as_bytes());
        let mut parameters = [0; 16];
        for (kept, byte) in parameters.iter_mut().zip(digest) {
            *kept = byte;
        }
        let request = Fingerprint { endpoint: path.into(), parameters };
        Ok(Self { key: key.into(), namespace: Namespace::of(path), request })
    }

    /// The kept answer, if there is one; an error when the key stands for another request or is in use.
    pub(crate) fn look_up(&self, account: &Account) -> Result<Option<KeptAnswer>, ApiError> {
        let kept = match account.idempotency.get(&self.key) {
            None => return Ok(None),
            Some(Slot::InFlight) => {
                return Err(ApiError::invalid(format!(
                    "There is currently another in-progress request using this Idempotent Key (that probably means \
                     you submitted twice, and the other request is still going through): {}. Please try again later.",
                    self.key
                ))
                .status_is(409)
                .code("idempotency_key_in_use"));
            }
            Some(Slot::Done(kept)) if kept.until <= account.clock() => return Ok(None),
            Some(Slot::Done(kept)) => kept,
        };
        if kept.request.endpoint != self.request.endpoint {
            return Err(ApiError::idempotency(format!(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for ('{}' \
                 vs '{}'). Try using a key other than '{}' if you meant to execute a different request.",
                self.request.endpoint, kept.request.endpoint, self.key
            )));
        }
        if kept.request != self.request {
            return Err(ApiError::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{}' if you meant to execute a different request.",
                self.key
            )));
        }
        Ok(kept.repeats.then(|| kept.clone()))
    }

    /// The request begins: until it ends, its key is in use.
    pub(crate) fn begin(&self, account: &mut Account) {
        account.idempotency.insert(Arc::clone(&self.key), Slot::InFlight);
    }

    /// The request was executed.
    pub(crate) fn keep(&self, account: &mut Account, status: u16, body: Bytes, request_id: Arc<str>) {
        let kept = KeptAnswer {
            status,
            body,
            request_id,
            request: self.request.clone(),
            repeats: status < 400 || self.namespace.repeats_errors(),
            until: account.clock().saturating_add(self.namespace.keeps_for()),
        };
        account.idempotency.insert(Arc::clone(&self.key), Slot::Done(kept));
    }
}
