//! Whether what is missing was deleted: Stripe answers the same to both, and tells them apart when the object is read.

use super::request::filled;
use super::session::Session;
use crate::catalogue::{self, Method, Operation};
use crate::error::{Error, ErrorKind, Outcome};
use crate::json::Node;
use crate::stripe::client::Call;

/// The error, told apart where the object that it names was deleted. Costs a read, and only where the API deletes such
/// objects at all.
pub fn explain(session: &Session<'_>, operation: Operation, mut error: Box<Error>) -> Box<Error> {
    let is_missing = error.kind == ErrorKind::NotFound && error.code.as_deref() == Some("resource_missing");
    if !is_missing || error.message.contains("similar object") {
        return error;
    }
    if let Some(deleted) = error.message.split('\'').nth(1).and_then(|id| deleted(session, operation, id)) {
        error.message = [error.message.trim_end_matches('.'), ": it was deleted"].concat();
        error.hint = Some(match error.hint.take() {
            // What to do about a doubt still holds.
            Some(doubt) if error.outcome == Outcome::Unknown => [&deleted, " ", &doubt].concat(),
            _ => deleted,
        });
        error.extra("deleted", "true");
    }
    error.attempts = session.attempts();
    error
}

/// What to say of an object that was deleted; none where it was not, or nobody can tell.
fn deleted(session: &Session<'_>, operation: Operation, id: &str) -> Option<String> {
    let table = catalogue::table().ok()?;
    let resource = table.resource_of_id(id)?;
    // What reads the object has read it already.
    let path = resource.retrieve().filter(|r| *r != operation.request())?.path();
    let can_be = table.requests().iter().any(|r| r.method() == Method::Delete && r.path() == path);
    if !can_be || path.matches('{').count() != 1 {
        return None;
    }
    let answer = session.client().send(&Call::read(filled(path, &[id.to_owned()]), "")).ok()?;
    is_deleted(answer.body.root()).then(|| {
        let title = resource.title().to_ascii_lowercase();
        ["This ", &title, " existed and was deleted, for good: use another one, or create it anew."].concat()
    })
}

/// Whether an object is what remains of a deleted one.
pub fn is_deleted(object: Node<'_, '_>) -> bool {
    object.get("deleted").and_then(Node::as_bool) == Some(true)
}
