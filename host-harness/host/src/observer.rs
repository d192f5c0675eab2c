//! Who listens to the calls of a host while they run: an embedder's metrics, audit log or live view.

use crate::egress::Denial;
use crate::report::{CallReport, EgressRecord};

/// Which call something is about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallId<'a> {
    /// The connector's id: `stripe`.
    pub connector: &'a str,
    /// The interface and function: `actions.run`.
    pub function: &'static str,
    /// The operation or trigger, where the function takes one.
    pub operation: Option<&'a str>,
    /// The invocation, where the function takes one.
    pub invocation: Option<&'a str>,
    /// For whom it runs, where the caller said so.
    pub tenant: Option<&'a str>,
}

/// Is told what calls do. Every call that began to wait or run ends with `finished`, a cancelled one too.
///
/// It is called where the call runs: an observer that takes long keeps the call, and others on its thread, waiting.
pub trait Observer: Send + Sync {
    /// A call begins: it may have to wait for its turn.
    fn started(&self, call: &CallId<'_>) {
        let _ = call;
    }

    /// A request was answered, or no answer came.
    fn request(&self, call: &CallId<'_>, request: &EgressRecord) {
        let _ = (call, request);
    }

    /// A request was not let out.
    fn denied(&self, call: &CallId<'_>, denial: &Denial) {
        let _ = (call, denial);
    }

    /// A call has ended, as its report says.
    fn finished(&self, call: &CallId<'_>, report: &CallReport) {
        let _ = (call, report);
    }
}
