//! What a hook is.

use crate::catalogue::Operation;
use crate::error::Result;
use crate::input::Input;
use crate::json::Node;
use crate::operation::session::Session;
use crate::stripe::client::Answer;

/// Sends what a call sends.
pub type Send = fn(&Session<'_>, Operation, &Input) -> Result<Answer>;
/// Makes of what came of it what the call comes to.
pub type After = fn(&Session<'_>, Operation, &Input, Result<Answer>) -> Result<Answer>;

/// What knows what Stripe's schema does not say. What it leaves out is done as for every operation.
#[derive(Debug)]
pub struct Hook {
    /// Changes or refuses the checked input.
    pub before: Option<fn(&mut Input) -> Result<()>>,
    /// Sends, in place of the one request.
    pub send: Option<Send>,
    /// Looks at what came of it, and may ask further.
    pub after: Option<After>,
    /// Whether a repeated run without an idempotency key finds that the work was done.
    pub finds_it_done: bool,
    /// The input fields that mean nothing beside those that an input has so far.
    pub meaningless: Option<fn(Operation, Node<'_, '_>) -> Vec<&'static str>>,
}

/// A hook that does nothing.
pub const NOTHING: Hook = Hook { before: None, send: None, after: None, finds_it_done: false, meaningless: None };
