//! What a restricted key has to be allowed: Stripe's names of permissions, and which operations need which.
//!
//! Two levels each, and writing includes reading. The names are those that Stripe's refusals use, `rak_customer_read`.
//! Needs no network: `connection_test` finds out what a key has.

use std::borrow::Cow;

use crate::catalogue::{self, Entry, Operation, Permission, Trigger};
use crate::error::Result;

/// How much of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Reading.
    Read,
    /// Writing, and reading with it.
    Write,
}

/// A permission and who needs it.
#[derive(Debug, PartialEq)]
pub struct Need {
    /// What is needed; none where nobody says which permission it is.
    pub permission: Option<(Permission<'static>, Level)>,
    /// The operations that need it.
    pub operations: Vec<Cow<'static, str>>,
}

impl Need {
    /// What people tick: `Customers: Write`.
    pub fn title(&self) -> String {
        match self.permission {
            Some((permission, level)) => title(permission, level),
            None => "Not known: when a key lacks it, Stripe's refusal names it".to_owned(),
        }
    }

    /// Its name in Stripe's words.
    pub fn grant(&self) -> Option<String> {
        let (permission, level) = self.permission?;
        Some(["rak_", permission.name(), if level == Level::Write { "_write" } else { "_read" }].concat())
    }
}

fn title(permission: Permission<'_>, level: Level) -> String {
    [permission.title(), if level == Level::Write { ": Write" } else { ": Read" }].concat()
}

/// The fewest permissions that these operations and triggers can do with.
///
/// # Errors
/// An operation that does not exist.
pub fn least(operations: &[String]) -> Result<Vec<Need>> {
    let mut entries = Vec::new();
    for id in operations {
        entries.push(catalogue::entry(id, None)?);
    }
    let mut needs = needs(&entries)?;
    // What may be written may be read.
    for at in 0..needs.len() {
        let writes = needs.get(at).and_then(|n| n.permission).filter(|(_, level)| *level == Level::Write);
        let Some((permission, _)) = writes else { continue };
        let read = needs.iter_mut().find(|n| n.permission == Some((permission, Level::Read)));
        let moved = read.map(|n| std::mem::take(&mut n.operations)).unwrap_or_default();
        if let Some(need) = needs.get_mut(at) {
            need.operations.extend(moved);
        }
    }
    needs.retain(|n| !n.operations.is_empty());
    Ok(needs)
}

/// What everything that people see needs, reading and writing apart, and triggers.
///
/// # Errors
/// A damaged table.
pub fn curated() -> Result<Vec<Need>> {
    let table = catalogue::table()?;
    let operations = table.operations().iter().filter_map(Operation::curated).map(Entry::Operation);
    needs(&operations.chain(table.triggers().iter().map(Trigger::Curated).map(Entry::Trigger)).collect::<Vec<_>>())
}

/// In the order in which keys are shown, reading before writing, what is not known last.
fn needs(entries: &[Entry]) -> Result<Vec<Need>> {
    let permissions = catalogue::table()?.permissions();
    let levels = || permissions.iter().flat_map(|p| [(p, Level::Read), (p, Level::Write)]);
    let of = |wanted: Option<(Permission<'static>, Level)>| {
        let mut operations = Vec::new();
        for entry in entries {
            let needed = match entry {
                Entry::Trigger(_) => wanted.is_some_and(|(p, level)| of_triggers(p) == Some(level)),
                Entry::Operation(operation) => of_operation(*operation) == wanted,
                // What it runs is not known before it runs; looking things up needs nothing.
                Entry::Own(own) => wanted.is_none() && matches!(own.id, "api.read" | "api.write"),
            };
            if needed && !operations.contains(&entry.id()) {
                operations.push(entry.id());
            }
        }
        Need { permission: wanted, operations }
    };
    Ok(levels().map(Some).chain([None]).map(of).filter(|n| !n.operations.is_empty()).collect())
}

fn of_operation(operation: Operation) -> Option<(Permission<'static>, Level)> {
    let level = if operation.reads() { Level::Read } else { Level::Write };
    let name = operation.request().permission();
    catalogue::table().ok()?.permissions().iter().find(|p| p.name() == name).map(|p| (p, level))
}

fn of_triggers(permission: Permission<'_>) -> Option<Level> {
    match permission.triggers() {
        "read" => Some(Level::Read),
        "write" => Some(Level::Write),
        _ => None,
    }
}

/// The permission that Stripe's refusal names: `rak_customer_read`. Of several, any of which would do, the `expected` one
/// where it is among them.
pub fn named_in<'m>(message: &'m str, expected: Option<&str>) -> Option<&'m str> {
    let mut words =
        message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| word.starts_with("rak_"));
    let first = words.next();
    first.filter(|w| Some(*w) == expected).or_else(|| words.find(|w| Some(*w) == expected)).or(first)
}

/// What people tick for one of Stripe's names: `Customers: Read`.
pub fn title_of(name: &str) -> Option<String> {
    let name = name.strip_prefix("rak_")?;
    let (name, level) = match name.strip_suffix("_read") {
        Some(name) => (name, Level::Read),
        None => (name.strip_suffix("_write")?, Level::Write),
    };
    catalogue::table().ok()?.permissions().iter().find(|p| p.name() == name).map(|p| title(p, level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn grants(operations: &[&str]) -> Vec<String> {
        let operations: Vec<String> = operations.iter().map(|o| (*o).to_owned()).collect();
        least(&operations).expect("known").iter().map(|n| n.grant().unwrap_or_else(|| "?".into())).collect()
    }

    #[test]
    fn names_the_fewest_permissions_for_what_is_chosen() {
        assert_eq!(grants(&[]), [""; 0]);
        assert_eq!(grants(&["customer.list"]), ["rak_customer_read"]);
        assert_eq!(grants(&["customer.list", "customer.create"]), ["rak_customer_write"]);
        assert_eq!(grants(&["refund.create", "v1.prices.list"]), ["rak_charge_write", "rak_plan_read"]);
        assert_eq!(grants(&["invoice.paid"]), ["rak_event_read", "rak_webhook_write"]);
        // Requests of the API have ids too; of some nobody says what they need.
        assert_eq!(grants(&["v1.tax_ids.create", "v1.topups.list"]), ["rak_top_up_read", "?"]);
    }

    #[test]
    fn every_chosen_operation_stands_in_the_list_once() {
        let chosen = ["customer.list", "customer.create", "customer.create", "create_customer"].map(str::to_owned);
        let needs = least(&chosen).expect("known");
        assert_eq!(needs.len(), 1);
        assert_eq!((needs[0].title().as_str(), needs[0].operations.len()), ("Customers: Write", 2));
    }

    #[test]
    fn an_operation_that_does_not_exist_is_no_permission() {
        let error = least(&["customer.creat".to_owned()]).expect_err("unknown");
        assert_eq!(error.kind, ErrorKind::UnknownOperation);
    }

    #[test]
    fn every_operation_that_people_see_is_in_the_list_of_all() {
        let needs = curated().expect("a table");
        let table = catalogue::table().expect("a table");
        for id in table.operations().iter().map(|o| o.id()).chain(table.triggers().iter().map(|t| t.id())) {
            assert!(needs.iter().any(|n| n.operations.iter().any(|own| own == id)), "{id}");
        }
        // What sends any request of the API needs what that one needs.
        let unknown = needs.iter().filter(|n| n.permission.is_none()).flat_map(|n| &n.operations);
        // Of these Stripe's pages name none either; its refusal does.
        let expected = ["api.", "early_fraud_warning.", "test_clock."];
        let unknown: Vec<_> = unknown.filter(|id| !expected.iter().any(|begin| id.starts_with(begin))).collect();
        assert!(unknown.is_empty(), "nobody says what a curated operation needs: {unknown:?}");
    }

    #[test]
    fn stripes_refusal_names_the_permission() {
        let one = "Having the 'rak_customer_read' permission would allow this request to continue.";
        assert_eq!(named_in(one, None), Some("rak_customer_read"));
        let any =
            "Having the 'rak_confirmation_token_client_read', 'rak_setup_intent_read' permissions would allow it.";
        assert_eq!(named_in(any, Some("rak_setup_intent_read")), Some("rak_setup_intent_read"));
        assert_eq!(named_in(any, Some("rak_other_read")), Some("rak_confirmation_token_client_read"));
        assert_eq!(named_in("the required permissions are not available for use by restricted keys", None), None);
        assert_eq!(title_of("rak_plan_write").as_deref(), Some("Prices and plans: Write"));
        assert_eq!(title_of("rak_something_new_read"), None);
    }
}
