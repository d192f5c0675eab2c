//! A result, and what the call did.

use crate::contract::SubscriptionState;
use crate::report::CallReport;

/// A result, and what the call did.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// The result.
    pub value: T,
    /// What the call did.
    pub report: CallReport,
}

impl<T> Reply<T> {
    /// The same, with its value in another form.
    pub(crate) fn into<U: From<T>>(self) -> Reply<U> {
        Reply { value: self.value.into(), report: self.report }
    }

    /// The same, with a new secret taken out of what the component said.
    pub(crate) fn hiding(mut self, state: impl FnOnce(&T) -> Option<&SubscriptionState>) -> Self {
        if let Some(state) = state(&self.value) {
            self.report.stderr = state.redact(&self.report.stderr);
        }
        self
    }
}
