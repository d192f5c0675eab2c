//! Entries by id, and the error where there is none.

use std::borrow::Cow;

use stripe_table::{OperationKind, Table, alike};

use super::embedded::table;
use super::nearest::did_you_mean;
use super::operation::Operation;
use super::own::{OWN, Own, own};
use super::trigger::{ANY_NAMES, Trigger, in_plural};
use crate::error::{Error, ErrorKind, Result};

/// An entry of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A trigger.
    Trigger(Trigger),
    /// An action or query.
    Operation(Operation),
    /// An action or query that is no one request of the API.
    Own(&'static Own),
}

impl Entry {
    /// The entry's id.
    pub fn id(self) -> Cow<'static, str> {
        match self {
            Self::Trigger(t) => t.id(),
            Self::Operation(o) => o.id().into(),
            Self::Own(o) => o.id.into(),
        }
    }

    /// What it is.
    pub fn kind(self) -> OperationKind {
        match self {
            Self::Trigger(_) => OperationKind::Trigger,
            Self::Operation(o) => o.kind(),
            Self::Own(o) => o.kind,
        }
    }
}

/// The entry of this id or alias. Without a kind an action comes first, then a query, then a trigger.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn entry(id: &str, kind: Option<OperationKind>) -> Result<Entry> {
    if let Some(own) = own(id).filter(|own| kind.is_none_or(|k| k == own.kind)) {
        return Ok(Entry::Own(own));
    }
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
/// id it is the action, unless a kind is given. Where nothing has the very name, one that people write alike is meant.
///
/// # Errors
/// That there is none, with the nearest names, or with what the name is instead.
pub fn operation(id: &str, kind: Option<OperationKind>) -> Result<Operation> {
    let table = table()?;
    let all = named(table, id);
    let found = match kind {
        Some(kind) => all.iter().find(|o| o.kind() == kind),
        None => all.iter().find(|o| o.kind() == OperationKind::Action).or(all.first()),
    };
    match (found, kind) {
        (Some(found), _) => Ok(*found),
        (None, None) => Err(unknown(id)),
        (None, Some(kind)) => {
            let error = Error::new(ErrorKind::UnknownOperation, ["there is no ", kind.name(), " `", id, "`"].concat());
            Err(match all.first() {
                Some(other) => {
                    let other = if other.kind() == OperationKind::Action { "an action" } else { "a query" };
                    error.hint(["`", id, "` is ", other, ": run it as one."].concat())
                }
                None => did_you_mean(
                    error,
                    id,
                    &mut operation_names(Some(kind)).into_iter(),
                    "List the operations to see all of this kind.",
                ),
            })
        }
    }
}

/// What has this very name, with fields of its own first; else what has a name that people write alike, which the build
/// sees to that one thing has.
fn named(table: Table<'static>, name: &str) -> Vec<Operation> {
    let mut found: Vec<Operation> = Operation::renamed(&|own| own == name).into_iter().collect();
    found.extend(table.operation(name).iter().filter_map(Operation::curated));
    found.extend(table.request(name).map(Operation::plain));
    if found.is_empty() {
        let is_it = |own: &str| alike(own, name);
        found.extend(Operation::renamed(&is_it).or_else(|| operations().into_iter().find(|o| has_name(*o, &is_it))));
    }
    found
}

fn has_name(operation: Operation, is_it: &dyn Fn(&str) -> bool) -> bool {
    is_it(operation.id()) || operation.entry().is_some_and(|entry| entry.aliases().iter().any(is_it))
}

/// The trigger of this id or alias, of an event type, of one that people write alike, of an event type behind the plural
/// of what it is about (`customers/customer.created`), or of several types: `customer.subscription.*`.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn trigger(id: &str) -> Result<Trigger> {
    let table = table()?;
    // A thin notification of an event has its type behind the version.
    let name = id.strip_prefix("v1.").unwrap_or(id);
    let of_subject = || {
        let (plural, event) = id.split_once('/')?;
        let curated = table.trigger(event).map(Trigger::Curated);
        let found = of_event(event).or(curated)?;
        alike(&in_plural(found.subject()), plural).then_some(found)
    };
    let several = || {
        let beginning = name.strip_suffix('*')?;
        if beginning.is_empty() {
            return (name == id).then_some(Trigger::ANY);
        }
        let known = table.events().iter().map(|event| event.name()).find(|event| event.starts_with(beginning))?;
        known.get(..beginning.len()).filter(|b| b.ends_with('.')).map(Trigger::Every)
    };
    let written_alike = || {
        let curated =
            || table.triggers().iter().find(|t| std::iter::once(t.id()).chain(t.aliases()).any(|own| alike(own, id)));
        let plain =
            || table.events().iter().find(|event| alike(event.name(), id)).and_then(|event| of_event(event.name()));
        let any = || ANY_NAMES.iter().any(|own| alike(own, id)).then_some(Trigger::ANY);
        curated().map(Trigger::Curated).or_else(plain).or_else(any)
    };
    let found = table.trigger(id).map(Trigger::Curated).or_else(|| of_event(name)).or_else(|| of_event(id));
    found.or_else(several).or_else(of_subject).or_else(written_alike).ok_or_else(|| {
        did_you_mean(
            Error::new(ErrorKind::UnknownOperation, ["there is no trigger `", id, "`"].concat()),
            id,
            &mut trigger_names().into_iter(),
            "List the operations of kind trigger to see all of them.",
        )
    })
}

/// The trigger of an event type.
pub fn of_event(event_type: &str) -> Option<Trigger> {
    let table = table().ok()?;
    let curated = table.triggers_of_event(event_type).first().map(Trigger::Curated);
    curated.or_else(|| table.event(event_type).map(Trigger::Plain))
}

/// That nothing has this id, with the nearest ids and aliases of all kinds.
pub fn unknown(id: &str) -> Box<Error> {
    let mut names = operation_names(None);
    for own in &OWN {
        names.push(own.id);
    }
    names.append(&mut trigger_names());
    did_you_mean(
        Error::new(ErrorKind::UnknownOperation, ["there is no operation `", id, "`"].concat()),
        id,
        &mut names.into_iter(),
        "List the operations to see all of them.",
    )
}

/// What people have described first, then every request of the API. In lists and not in chained iterators, which are
/// code again wherever they are used: these are asked for where a name is not found.
fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    if let Ok(table) = table() {
        for operation in table.operations() {
            all.extend(Operation::curated(operation));
        }
        for request in table.requests() {
            all.push(Operation::plain(request));
        }
    }
    all
}

fn operation_names(kind: Option<OperationKind>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for operation in operations() {
        if kind.is_none_or(|kind| operation.kind() == kind) {
            names.push(operation.id());
            names.append(&mut operation.aliases());
        }
    }
    names
}

fn trigger_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    if let Ok(table) = table() {
        for trigger in table.triggers() {
            names.push(trigger.id());
            for alias in trigger.aliases() {
                names.push(alias);
            }
        }
        for event in table.events() {
            names.push(event.name());
        }
    }
    names
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
            ("stripe-create-customer", "stripe-create-customer"),
            ("Stripe Create Customer", "stripe-create-customer"),
            ("Create a Customer", "customer.create"),
            ("LIST CUSTOMERS", "customer.list"),
            ("V1.Customers.Create", "v1.customers.create"),
            ("Customer.Created", "customer.created"),
            ("api.search", "api.search"),
        ] {
            assert_eq!(entry(id, None).expect(id).id(), found);
        }
    }

    #[test]
    fn titles_of_other_tools_mean_the_operation() {
        for (name, id) in [
            ("Get Balance", "balance.retrieve"),
            ("List Customers", "customer.list"),
            ("Create Customer", "customer.create"),
            ("Update a Customer", "customer.update"),
            ("Create Payment Intent", "payment_intent.create"),
            ("Create a Payment Intent", "payment_intent.create"),
            ("Confirm Payment Intent", "payment_intent.confirm"),
            ("Confirm a Payment Intent", "payment_intent.confirm"),
            ("Get Payment Intent", "payment_intent.retrieve"),
            ("List Payment Intents", "payment_intent.list"),
            ("List Charges", "charge.list"),
            ("Create Refund", "refund.create"),
            ("Get Refund", "refund.retrieve"),
            ("List Balance Transactions", "balance_transaction.list"),
            ("List Payouts", "payout.list"),
        ] {
            assert_eq!(entry(name, None).expect(name).id(), id);
        }
    }

    #[test]
    fn every_event_type_of_the_api_is_a_trigger_by_each_of_its_names() {
        let events = table().expect("opens").events();
        assert!(events.len() >= 275);
        for event in events {
            let known = of_event(event.name()).expect("a trigger");
            assert!(known.fires_at(event.name()) && known.id() == event.name(), "{known:?}");
            assert!(!known.title().is_empty() && known.description().ends_with('.'), "{known:?}");
            let thin = (!known.is_thin()).then(|| ["v1.", event.name()].concat());
            for name in
                known.aliases().into_iter().chain([event.name().to_owned(), event.name().to_uppercase()]).chain(thin)
            {
                assert_eq!(trigger(&name).expect(&name), known);
            }
        }
        for (name, id) in [
            ("customers/customer.created", "customer.created"),
            ("subscriptions/customer.subscription.created", "customer.subscription.created"),
            ("checkout_sessions/checkout.session.completed", "checkout.session.completed"),
            ("Payment Intents/payment_intent.succeeded", "payment_intent.succeeded"),
            ("issuing_cards/issuing_card.created", "issuing_card.created"),
        ] {
            assert_eq!(trigger(name).expect(name).id(), id);
        }
        assert!(trigger("customers/invoice.paid").is_err() && trigger("/customer.created").is_err());
    }

    #[test]
    fn several_types_are_a_trigger_by_what_they_begin_with() {
        for (name, id, yes, no) in [
            ("customer.subscription.*", "customer.subscription.*", "customer.subscription.paused", "customer.updated"),
            ("invoice.*", "invoice.*", "invoice.paid", "invoice_payment.paid"),
            ("v1.invoice.*", "invoice.*", "invoice.paid", "invoiceitem.created"),
            ("*", "*", "some.type.of.tomorrow", ""),
            ("Any Event", "*", "invoice.paid", ""),
            ("any_event", "*", "invoice.paid", ""),
            ("v2.core.*", "v2.core.*", "v2.core.account.updated", "v2.money_management.adjustment.created"),
            ("billing.*", "billing.*", "v1.billing.meter.no_meter_found", "billing_portal.session.created"),
        ] {
            let found = trigger(name).expect(name);
            assert_eq!(found.id(), id);
            assert!(found.fires_at(yes) && (no.is_empty() || !found.fires_at(no)), "{name}");
        }
        assert_eq!(trigger("customer.subscription.*").expect("known").resource(), "subscription");
        assert_eq!((Trigger::ANY.resource(), Trigger::ANY.tool_name()), ("", "any_event".to_owned()));
        for name in ["customer.subscripti*", "customer*", "zebra.*", "v1.*", ".*", "**", "*.created"] {
            assert!(trigger(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_trigger_has_a_tool_name_of_its_own_that_agents_take() {
        let mut names = std::collections::BTreeSet::new();
        for known in table().expect("opens").events().iter().filter_map(|event| of_event(event.name())) {
            let name = known.tool_name();
            let is_one = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && (1..=64).contains(&name.len());
            assert!(is_one && names.insert(name), "{known:?}");
        }
        assert!(
            names.contains("customer_created")
                && names.contains("connections_account_supported_payment_method_types_updated")
        );
    }

    #[test]
    fn a_type_that_nobody_has_described_says_what_its_name_says() {
        let found = trigger("issuing_card.created").expect("known");
        assert_eq!((found.title().as_str(), found.resource()), ("Issuing card created", ""));
        assert_eq!(found.description(), "Stripe sent `issuing_card.created`, which is about a `issuing.card` object.");
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
