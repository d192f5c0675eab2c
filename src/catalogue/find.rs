//! Entries by id, and the error where there is none.

use stripe_table::{OperationKind, Trigger};

use super::embedded::table;
use super::nearest::did_you_mean;
use super::operation::Operation;
use crate::error::{Error, ErrorKind, Result};

/// An entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A trigger.
    Trigger(Trigger<'static>),
    /// An action or query.
    Operation(Operation),
}

impl Entry {
    /// The entry's id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trigger(t) => t.id(),
            Self::Operation(o) => o.id(),
        }
    }

    /// What it is.
    pub fn kind(self) -> OperationKind {
        match self {
            Self::Trigger(_) => OperationKind::Trigger,
            Self::Operation(o) => o.kind(),
        }
    }
}

/// The entry of this id or alias. Without a kind an action comes first, then a query, then a trigger.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn entry(id: &str, kind: Option<OperationKind>) -> Result<Entry> {
    match kind {
        Some(OperationKind::Trigger) => trigger(id).map(Entry::Trigger),
        Some(kind) => operation(id, Some(kind)).map(Entry::Operation),
        None => match operation(id, None) {
            Ok(found) => Ok(Entry::Operation(found)),
            Err(error) => trigger(id).map(Entry::Trigger).map_err(|_| error),
        },
    }
}

/// The action or query of this id or alias, or the request of the API of this id. Of an action and a query with one
/// id it is the action, unless a kind is given.
///
/// # Errors
/// That there is none, with the nearest names, or with what the name is instead.
pub fn operation(id: &str, kind: Option<OperationKind>) -> Result<Operation> {
    let table = table()?;
    let curated = || table.operation(id).iter().filter_map(Operation::curated);
    let all = || curated().chain(table.request(id).map(Operation::plain));
    let found = match kind {
        Some(kind) => all().find(|o| o.kind() == kind),
        None => all().find(|o| o.kind() == OperationKind::Action).or_else(|| all().next()),
    };
    match (found, kind) {
        (Some(found), _) => Ok(found),
        (None, None) => Err(unknown(id)),
        (None, Some(kind)) => {
            let error = Error::new(ErrorKind::UnknownOperation, ["there is no ", kind.name(), " `", id, "`"].concat());
            Err(match all().next() {
                Some(other) => {
                    let other = if other.kind() == OperationKind::Action { "an action" } else { "a query" };
                    error.hint(["`", id, "` is ", other, ": run it as one."].concat())
                }
                None => did_you_mean(
                    error,
                    id,
                    &mut operations().filter(|o| o.kind() == kind).flat_map(names),
                    "List the operations to see all of this kind.",
                ),
            })
        }
    }
}

/// The trigger of this id or alias.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn trigger(id: &str) -> Result<Trigger<'static>> {
    table()?.trigger(id).ok_or_else(|| {
        did_you_mean(
            Error::new(ErrorKind::UnknownOperation, ["there is no trigger `", id, "`"].concat()),
            id,
            &mut trigger_names(),
            "List the operations of kind trigger to see all of them.",
        )
    })
}

/// That nothing has this id, with the nearest ids and aliases of all kinds.
pub fn unknown(id: &str) -> Box<Error> {
    did_you_mean(
        Error::new(ErrorKind::UnknownOperation, ["there is no operation `", id, "`"].concat()),
        id,
        &mut operations().flat_map(names).chain(trigger_names()),
        "List the operations to see all of them.",
    )
}

/// What people have described first, then every request of the API.
fn operations() -> impl Iterator<Item = Operation> {
    table().into_iter().flat_map(|table| {
        table.operations().iter().filter_map(Operation::curated).chain(table.requests().iter().map(Operation::plain))
    })
}

fn names(operation: Operation) -> impl Iterator<Item = &'static str> {
    std::iter::once(operation.id()).chain(operation.aliases())
}

fn trigger_names() -> impl Iterator<Item = &'static str> {
    table()
        .into_iter()
        .flat_map(|table| table.triggers().iter().flat_map(|t| std::iter::once(t.id()).chain(t.aliases())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(id: &str, kind: Option<OperationKind>) -> String {
        let error = entry(id, kind).expect_err(id);
        assert_eq!(error.kind, ErrorKind::UnknownOperation);
        error.hint.unwrap_or_default()
    }

    #[test]
    fn finds_by_id_alias_and_the_apis_own_id() {
        for (id, found) in [
            ("customer.create", "customer.create"),
            ("create_customer", "customer.create"),
            ("v1.customers.create", "v1.customers.create"),
            ("customer.created", "customer.created"),
            ("payment.succeeded", "payment_intent.succeeded"),
        ] {
            assert_eq!(entry(id, None).expect(id).id(), found);
        }
    }

    #[test]
    fn a_misspelt_name_is_told_the_nearest() {
        assert!(hint("customer.creat", None).contains("`customer.create`"));
        assert!(hint("customer.crated", Some(OperationKind::Trigger)).contains("`customer.created`"));
        assert!(hint("v1.customer.create", None).contains("`v1.customers.create`"));
        assert!(hint("zebra", None).contains("List the operations"));
    }

    #[test]
    fn a_name_of_another_kind_is_told_so() {
        assert!(hint("customer.create", Some(OperationKind::Query)).contains("is an action"));
        assert!(hint("customer.list", Some(OperationKind::Action)).contains("is a query"));
    }
}
