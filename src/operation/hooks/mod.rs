//! Where Stripe's meaning is not in its schema: a file a hook, found by the name that the catalogue gives.
//!
//! A hook has a say before the request, in place of it, or after it; input fields that it adds are declared in the
//! catalogue. To add one, write its file and put it into `HOOKS`.

mod cancel_subscription;
mod checkout_urls;
mod hook;
mod pause_subscription;
mod resume_subscription;

pub use hook::Hook;

use crate::catalogue::Operation;
use crate::error::{Error, ErrorKind, Result};

static HOOKS: [(&str, &Hook); 4] = [
    ("cancel-subscription", &cancel_subscription::HOOK),
    ("checkout-urls", &checkout_urls::HOOK),
    ("pause-subscription", &pause_subscription::HOOK),
    ("resume-subscription", &resume_subscription::HOOK),
];

/// The hook of an operation; none where it has none.
///
/// # Errors
/// A name that no hook has.
pub fn of(operation: Operation) -> Result<Option<&'static Hook>> {
    let name = operation.hook();
    if name.is_empty() {
        return Ok(None);
    }
    match HOOKS.iter().find(|(n, _)| *n == name) {
        Some((_, hook)) => Ok(Some(hook)),
        None => Err(Error::new(ErrorKind::Other, ["the connector has no hook `", name, "`"].concat())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_hook_of_the_catalogue_is_there_and_every_hook_has_its_place() {
        let table = catalogue::table().expect("opens");
        let operations: Vec<Operation> = table.operations().iter().filter_map(Operation::curated).collect();
        for operation in &operations {
            assert!(of(*operation).is_ok(), "{}", operation.id());
        }
        for (name, _) in HOOKS {
            assert!(operations.iter().any(|o| o.hook() == name), "{name}");
        }
    }
}
