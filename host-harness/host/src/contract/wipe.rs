//! What a call hands to a component and has no more use for is wiped: a secret may be in it.

use zeroize::Zeroize;

use super::bindings::automation::connector::types::FieldValue;
use super::bindings::exports::automation::connector::triggers::SubscriptionRequest;

/// The value of a connection's field: a secret itself, in the calls that need it.
impl Drop for FieldValue {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// The key that deliveries are signed with is in a subscription's state.
impl Drop for SubscriptionRequest {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}
