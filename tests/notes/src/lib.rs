//! A connector of a made-up service that keeps short texts: a trigger, an action and a query, and nothing of any real
//! service. It shows that the contract is not one service's, and it can be damaged: a test replaces three digits in its
//! bytes (`DAMAGE`), and it breaks one promise of the contract.
//!
//! What lives here: the whole connector, small enough for two files. What does not: anything that another may copy as the
//! way to write one; the Stripe connector at the top of this repository is that.

#[cfg(target_family = "wasm")]
mod guest;
