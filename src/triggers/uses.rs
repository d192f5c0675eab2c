//! The triggers that a platform has in use, each with its filters.

use super::directory::{self, Trigger};
use super::event::{Event, Head};
use super::filter::Filter;
use crate::error::{Error, Result};
use crate::json::Node;

/// A trigger and its input, as they came in.
#[derive(Debug, Clone)]
pub struct Use {
    /// The trigger's id or alias.
    pub trigger: String,
    /// Its input, as JSON.
    pub input: String,
}

/// The same, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InUse {
    /// The trigger.
    pub trigger: Trigger,
    /// What it wants of the events.
    pub filter: Filter,
    /// Whether it was named as thin events are, and so asks for those where one subscribes.
    pub thin: bool,
}

/// Checks uses. `field` is what they are called where they came in: `triggers`.
///
/// # Errors
/// The first that names no trigger, or whose input is not right.
pub fn check(field: &str, uses: &[Use]) -> Result<Vec<InUse>> {
    uses.iter().enumerate().map(|(index, one)| check_one(&format!("{field}[{index}]"), one)).collect()
}

/// Checks one use.
///
/// # Errors
/// As for [`check`].
pub fn check_one(field: &str, one: &Use) -> Result<InUse> {
    let trigger = directory::find(&one.trigger).map_err(|error| error.at(format!("{field}.trigger")))?;
    let thin = directory::is_thin(&one.trigger);
    Ok(InUse { trigger, thin, filter: Filter::read(&format!("{field}.input"), trigger, &one.input)? })
}

/// The event types that uses are about and that are listed as whole events, each once, in their order; `*` where it is
/// every type.
///
/// # Errors
/// That there is none: all of them come as thin events only.
pub fn listed_types(uses: &[InUse]) -> Result<Vec<&'static str>> {
    let types = whole_types(uses.iter());
    if types.is_empty() {
        let message = "these events are thin, which are not listed: they come to a subscription only";
        return Err(Error::input("triggers", message).hint("Subscribe to them, or wait for others."));
    }
    Ok(types)
}

/// The event types of uses that an endpoint for whole events delivers.
pub fn event_types(uses: &[InUse]) -> Vec<&'static str> {
    whole_types(uses.iter().filter(|one| !one.thin))
}

/// The event types of uses that an endpoint for thin events delivers, as it calls them.
pub fn thin_types(uses: &[InUse]) -> Vec<String> {
    let mut types = Vec::new();
    for one in uses.iter().filter(|one| one.thin) {
        for event in one.trigger.events() {
            types.push(if directory::is_thin(event.name()) {
                event.name().to_owned()
            } else {
                ["v1.", event.name()].concat()
            });
        }
    }
    types
}

fn whole_types<'u>(uses: impl Iterator<Item = &'u InUse>) -> Vec<&'static str> {
    let mut types: Vec<&'static str> = Vec::new();
    for one in uses {
        if one.trigger == Trigger::ANY {
            return vec!["*"];
        }
        for event in one.trigger.events() {
            if !directory::is_thin(event.name()) && !types.contains(&event.name()) {
                types.push(event.name());
            }
        }
    }
    types
}

/// The triggers in use that an event is for. `object` is what it is about, where that is there.
pub fn triggers_for(uses: &[InUse], head: &Head<'_>, object: Option<Node<'_, '_>>, own: Option<&str>) -> Vec<Trigger> {
    let account = head.account.as_deref().or(own);
    let mut found: Vec<Trigger> = Vec::new();
    for one in uses.iter().filter(|u| u.trigger.fires_at(head.topic()) && u.filter.passes(head, account, object)) {
        if !found.contains(&one.trigger) {
            found.push(one.trigger);
        }
    }
    found
}

/// The same; without any use, every trigger that listens to the event's type.
pub fn listening(uses: &[InUse], head: &Head<'_>, object: Option<Node<'_, '_>>, own: Option<&str>) -> Vec<Trigger> {
    if uses.is_empty() { directory::listening_to(head.topic()) } else { triggers_for(uses, head, object, own) }
}

/// A listed event as these uses report it; none where none does. `own` is the account that the connection names.
pub fn reported(uses: &[InUse], head: &Head<'_>, event: Node<'_, '_>, own: Option<&str>) -> Option<Event> {
    let triggers = triggers_for(uses, head, head.object(event), own);
    if triggers.is_empty() {
        return None;
    }
    Some(Event { payload: event.raw().to_owned(), ..Event::new(head, event, &triggers, own) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    fn one(trigger: &str, input: &str) -> Result<Vec<InUse>> {
        check("uses", &[Use { trigger: trigger.into(), input: input.into() }])
    }

    #[test]
    fn names_what_is_wrong_with_an_input() {
        for (input, field) in [
            ("", "uses[0].input"),
            ("[]", "uses[0].input"),
            ("{\"accounts\":", "uses[0].input"),
            (r#"{"accounts":["acct_1"],"accounts":["acct_2"]}"#, "uses[0].input.accounts"),
            (r#"{"account":"acct_1"}"#, "uses[0].input.account"),
            (r#"{"accounts":"acct_1"}"#, "uses[0].input.accounts"),
            (r#"{"accounts":[]}"#, "uses[0].input.accounts"),
            (r#"{"accounts":null}"#, "uses[0].input.accounts"),
            (r#"{"accounts":["acct_1","cus_1"]}"#, "uses[0].input.accounts[1]"),
            (r#"{"accounts":[5]}"#, "uses[0].input.accounts[0]"),
        ] {
            let error = one("customer.created", input).expect_err(input);
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{input}");
        }
        let error = one("customer.craeted", "{}").expect_err("refused");
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::UnknownOperation, Some("uses[0].trigger")));
        assert!(error.hint.is_some_and(|h| h.contains("customer.created")));
    }

    #[test]
    fn triggers_of_one_type_ask_for_it_once_also_by_alias() {
        let uses = ["payment.succeeded", "customer.created", "payment_intent.succeeded"]
            .map(|t| Use { trigger: t.into(), input: "{}".into() });
        assert_eq!(
            event_types(&check("triggers", &uses).expect("fine")),
            ["payment_intent.succeeded", "customer.created"]
        );
    }

    #[test]
    fn several_types_ask_for_each_and_all_for_the_star() {
        let types = |trigger: &str| event_types(&one(trigger, "{}").expect("fine"));
        assert!(types("customer.subscription.*").contains(&"customer.subscription.trial_will_end"));
        assert_eq!(types("any event"), ["*"]);
    }

    #[test]
    fn what_is_named_as_a_thin_event_is_asks_for_thin_events() {
        let one = |trigger: &str| one(trigger, "{}").expect("fine");
        let v1 = one("v1.customer.created");
        assert_eq!((event_types(&v1).len(), thin_types(&v1)), (0, vec!["v1.customer.created".to_owned()]));
        assert_eq!(listed_types(&v1).expect("listed as a whole event"), ["customer.created"]);
        let v2 = one("v2.core.account.updated");
        assert_eq!((event_types(&v2).len(), thin_types(&v2)), (0, vec!["v2.core.account.updated".to_owned()]));
        assert_eq!(listed_types(&v2).expect_err("never listed").field.as_deref(), Some("triggers"));
        assert_eq!(thin_types(&one("customer.created")), [""; 0]);
        assert!(thin_types(&one("v2.core.*")).iter().all(|t| t.starts_with("v2.core.")));
        assert!(!event_types(&one("billing.*")).iter().any(|t| t.starts_with("v1.")));
    }

    proptest! {
        #[test]
        fn any_input_is_accounts_or_an_error(input in ".{0,80}") {
            let _ = one("customer.created", &input);
        }
    }
}
