//! One after the other: what changes the subscriptions of an account reads them first, and so two such calls at once could
//! each undo what the other did. A host lets one at a time through for each account, in the order in which they came.
//!
//! What tells accounts apart is what a connection sends: two connections of one account that send different keys are two
//! to a host, and so are two hosts. Which URL a call is about only the component knows; few accounts have more than one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::connection::Connection;
use crate::turns::Turns;

/// So many calls may wait for one lane: more than an account has triggers.
const LONGEST: usize = 256;

/// A place for one, and who waits for it.
pub(crate) type Lane = Arc<Turns>;

/// The lanes that are in use.
#[derive(Default)]
pub(crate) struct Lanes {
    of_accounts: Mutex<HashMap<[u8; 32], Weak<Turns>>>,
}

impl Lanes {
    /// The lane of a connection's account at a connector.
    pub(crate) fn of(&self, connector: &str, connection: &Connection) -> Lane {
        let mut lanes = self.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = lanes.entry(connection.account(connector)).or_default();
        lane.upgrade().unwrap_or_else(|| {
            let made = Turns::new(1, LONGEST);
            *lane = Arc::downgrade(&made);
            made
        })
    }
}
