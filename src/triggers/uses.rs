//! The triggers that a platform has in use, each with its filters.

use super::directory::{self, Trigger};
use super::event::{Event, Head};
use crate::error::{Error, Result};
use crate::json::{Doc, Node, Writer, repeated_member};
use crate::schema::DIALECT;

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
    pub trigger: Trigger<'static>,
    /// The connected accounts whose events it wants; empty for any account's.
    pub accounts: Vec<String>,
}

/// How many accounts one use can name.
const MOST_ACCOUNTS: usize = 1000;

impl InUse {
    /// Whether an event of this account passes.
    pub fn passes(&self, account: Option<&str>) -> bool {
        self.accounts.is_empty() || account.is_some_and(|a| self.accounts.iter().any(|own| own == a))
    }
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
    Ok(InUse { trigger, accounts: accounts(&format!("{field}.input"), &one.input)? })
}

/// The event types that uses are about, each once, in their order.
pub fn event_types(uses: &[InUse]) -> Vec<&'static str> {
    let mut types: Vec<&'static str> = Vec::new();
    for one in uses {
        if !types.contains(&one.trigger.event()) {
            types.push(one.trigger.event());
        }
    }
    types
}

/// The triggers in use that an event is for.
pub fn triggers_for(uses: &[InUse], head: &Head<'_>, own: Option<&str>) -> Vec<Trigger<'static>> {
    let account = head.account.as_deref().or(own);
    let mut found: Vec<Trigger<'static>> = Vec::new();
    for one in uses.iter().filter(|u| u.trigger.event() == head.event_type && u.passes(account)) {
        if !found.contains(&one.trigger) {
            found.push(one.trigger);
        }
    }
    found
}

/// A listed event as these uses report it; none where none does. `own` is the account that the connection names.
pub fn reported(uses: &[InUse], head: &Head<'_>, event: Node<'_, '_>, own: Option<&str>) -> Option<Event> {
    let triggers = triggers_for(uses, head, own);
    if triggers.is_empty() {
        return None;
    }
    Some(Event { payload: event.raw().to_owned(), ..Event::new(head, event, &triggers, own) })
}

fn accounts(field: &str, input: &str) -> Result<Vec<String>> {
    let doc = Doc::scan_str(input)
        .map_err(|e| Error::input(field, format!("the trigger's input is not JSON: {}, at byte {}", e.what, e.at)))?;
    let root = doc.root();
    if let Some(twice) = repeated_member(root) {
        return Err(Error::input(format!("{field}.{twice}"), "the trigger's input has this member twice"));
    }
    if !root.is_object() {
        return Err(Error::input(field, "the trigger's input must be an object").hint("Without filters it is {}."));
    }
    let mut accounts = Vec::new();
    for (name, value) in root.members() {
        let field = format!("{field}.{name}");
        if name != "accounts" {
            return Err(Error::input(field, format!("triggers have no filter `{name}`"))
                .hint("The one filter that there is: `accounts`, a list of connected accounts."));
        }
        if !value.is_array() || !(1..=MOST_ACCOUNTS).contains(&value.items().count()) {
            return Err(Error::input(field, format!("`accounts` is a list of 1 to {MOST_ACCOUNTS} accounts"))
                .hint("Leave it out for the events of any account."));
        }
        for (index, id) in value.items().enumerate() {
            match id.as_str().filter(|id| is_account(id)) {
                Some(id) => accounts.push(id.into_owned()),
                None => {
                    let message = "a connected account's id is acct_ followed by letters and digits";
                    return Err(Error::input(format!("{field}[{index}]"), message));
                }
            }
        }
    }
    Ok(accounts)
}

fn is_account(id: &str) -> bool {
    let rest = id.strip_prefix("acct_").unwrap_or_default();
    !rest.is_empty() && rest.len() <= 100 && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The JSON Schema (2020-12) of every trigger's input.
pub fn input_schema() -> String {
    const HELP: &str = "Only events of these connected accounts; left out: of any account. They are delivered to an endpoint for connected accounts. Polling, and an endpoint that subscribing makes, see the events of the connection's own account.";
    let mut json = Writer::with_capacity(700);
    json.begin_object().key("$schema").string(DIALECT).key("type").string("object");
    json.key("properties").begin_object().key("accounts").begin_object();
    json.key("title").string("Connected accounts").key("description").string(HELP);
    json.key("type").string("array").key("items").begin_object();
    json.key("type").string("string").key("pattern").string("^acct_[A-Za-z0-9]{1,100}$").end_object();
    json.key("minItems").integer(1).key("maxItems").integer(MOST_ACCOUNTS as i64).key("x-order").integer(0);
    json.end_object().end_object();
    json.key("additionalProperties").boolean(false).end_object();
    json.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::error::ErrorKind;

    fn one(trigger: &str, input: &str) -> Result<Vec<InUse>> {
        check("uses", &[Use { trigger: trigger.into(), input: input.into() }])
    }

    #[test]
    fn without_filters_every_event_passes() {
        let found = one("customer.created", " {} ").expect("fine").remove(0);
        assert!(found.passes(None) && found.passes(Some("acct_1")));
    }

    #[test]
    fn the_filter_on_accounts_lets_only_theirs_pass() {
        let found = one("customer.created", r#"{"accounts":["acct_1","acct_2"]}"#).expect("fine").remove(0);
        assert!(found.passes(Some("acct_2")));
        assert!(!found.passes(Some("acct_3")) && !found.passes(None));
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
    fn the_schema_says_what_is_checked() {
        let schema: Value = serde_json::from_str(&input_schema()).expect("JSON");
        assert_eq!(schema["properties"]["accounts"]["maxItems"], MOST_ACCOUNTS);
        assert_eq!(schema["additionalProperties"], false);
    }

    proptest! {
        #[test]
        fn any_input_is_accounts_or_an_error(input in ".{0,80}") {
            let _ = one("customer.created", &input);
        }
    }
}
