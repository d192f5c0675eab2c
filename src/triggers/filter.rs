//! What one use of a trigger wants of its events: which accounts', which customer's, of which status, from which amount on.
//!
//! A filter is offered where the facts say that what the trigger is about has such a field, and refused with that reason
//! elsewhere. An event that only points at its object passes what cannot be told yet: it is held against the filters
//! once it was loaded.

use super::directory::{self, Fields, Shape, Trigger};
use super::event::Head;
use crate::catalogue::Rule;
use crate::error::{Error, Result};
use crate::input;
use crate::json::{Doc, Node, Writer, repeated_member};
use crate::schema::DIALECT;
use crate::stripe::key::Mode;

/// The filters of one use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The connected accounts whose events it wants; empty for any account's.
    pub accounts: Vec<String>,
    mode: Option<Mode>,
    customer: Option<String>,
    status: Option<String>,
    currency: Option<String>,
    minimum: Option<i64>,
}

/// How many accounts one use can name.
const MOST_ACCOUNTS: usize = 1000;
/// What an amount is called, the first that an object has.
const AMOUNTS: [&str; 3] = ["amount", "amount_total", "total"];
const NAMES: [&str; 6] = ["accounts", "livemode", "customer", "status", "currency", "minimum_amount"];

impl Filter {
    /// Reads a trigger's input.
    ///
    /// # Errors
    /// The first filter that is wrong, or that the trigger's events cannot be held against.
    pub fn read(field: &str, trigger: Trigger, input: &str) -> Result<Self> {
        let doc = Doc::scan_str(input).map_err(|e| {
            Error::input(field, format!("the trigger's input is not JSON: {}, at byte {}", e.what, e.at))
        })?;
        let root = doc.root();
        if let Some(twice) = repeated_member(root) {
            return Err(Error::input([field, ".", &*twice].concat(), "the trigger's input has this member twice"));
        }
        if !root.is_object() {
            return Err(Error::input(field, "the trigger's input must be an object").hint("Without filters it is {}."));
        }
        let mut filter = Self::default();
        let offered = root.members().next().map(|_| Offered::by(trigger)).unwrap_or_default();
        for (name, value) in root.members() {
            let field = [field, ".", &*name].concat();
            if !offered.has(&name) {
                return Err(offered.refusal(trigger, &field, &name));
            }
            filter.set(&field, &name, value, &offered)?;
        }
        Ok(filter)
    }

    fn set(&mut self, field: &str, name: &str, value: Node<'_, '_>, offered: &Offered) -> Result<()> {
        let text = || value.as_str().map(|text| text.trim().to_owned()).filter(|text| (1..=255).contains(&text.len()));
        let wrong = |what: &str| Error::input(field, ["`", name, "` must be ", what].concat());
        match name {
            "accounts" => self.accounts = accounts(field, value)?,
            "livemode" => {
                let live = value.as_bool().ok_or_else(|| wrong("true or false"))?;
                self.mode = Some(if live { Mode::Live } else { Mode::Test });
            }
            "customer" => self.customer = Some(text().ok_or_else(|| wrong("a customer's id"))?),
            "status" => {
                let status = text().ok_or_else(|| wrong("a text"))?;
                if let Some(Shape::Enum(known)) = offered.status
                    && !known.contains(&status)
                {
                    let known = known.iter().collect::<Vec<_>>().join(", ");
                    return Err(wrong(&["one of ", &known].concat()));
                }
                self.status = Some(status);
            }
            "currency" => {
                let currency = input::currency(field, value)?;
                if self.currency.replace(currency.clone()).is_some_and(|other| other != currency) {
                    return Err(Error::input(field, "`currency` is another one than that of `minimum_amount`"));
                }
            }
            _ => {
                self.minimum = Some(input::amount(field, value, self.currency.as_deref(), Some(Rule::Amount))?);
                if let Some(own) = value.get("currency") {
                    self.currency = Some(input::currency(field, own)?);
                }
            }
        }
        Ok(())
    }

    /// Whether an event passes; `account` is where it happened, `object` what it is about where that is there.
    pub fn passes(&self, head: &Head<'_>, account: Option<&str>, object: Option<Node<'_, '_>>) -> bool {
        let of_account = self.accounts.is_empty() || account.is_some_and(|a| self.accounts.iter().any(|own| own == a));
        let of_mode = self.mode.is_none_or(|mode| mode == head.mode);
        of_account && of_mode && object.is_none_or(|object| self.fits(object))
    }

    fn fits(&self, object: Node<'_, '_>) -> bool {
        let is = |wanted: &Option<String>, value: Option<Node<'_, '_>>| {
            wanted.as_ref().is_none_or(|wanted| value.is_some_and(|own| own.str_eq(wanted)))
        };
        let customer = if object.get("object").is_some_and(|own| own.str_eq("customer")) {
            object.get("id")
        } else {
            object.get("customer").map(|customer| customer.get("id").unwrap_or(customer))
        };
        let amount = || AMOUNTS.iter().find_map(|name| object.get(name)?.as_i64());
        is(&self.customer, customer)
            && is(&self.status, object.get("status"))
            && is(&self.currency, object.get("currency"))
            && self.minimum.is_none_or(|minimum| amount().is_some_and(|amount| amount >= minimum))
    }

    /// Whether anything of it is asked of events beyond their type.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn accounts(field: &str, value: Node<'_, '_>) -> Result<Vec<String>> {
    if !value.is_array() || !(1..=MOST_ACCOUNTS).contains(&value.items().count()) {
        return Err(Error::input(field, format!("`accounts` is a list of 1 to {MOST_ACCOUNTS} accounts"))
            .hint("Leave it out for the events of any account."));
    }
    let mut accounts = Vec::new();
    for (index, id) in value.items().enumerate() {
        match id.as_str().filter(|id| is_account(id)) {
            Some(id) => accounts.push(id.into_owned()),
            None => {
                let message = "a connected account's id is acct_ followed by letters and digits";
                return Err(Error::input(format!("{field}[{index}]"), message));
            }
        }
    }
    Ok(accounts)
}

fn is_account(id: &str) -> bool {
    let rest = id.strip_prefix("acct_").unwrap_or_default();
    !rest.is_empty() && rest.len() <= 100 && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What the events of a trigger can be held against, beyond account and mode.
#[derive(Debug, Default)]
struct Offered {
    customer: bool,
    /// What statuses there are.
    status: Option<Shape<'static>>,
    currency: bool,
    amount: bool,
}

impl Offered {
    /// What everything that the trigger is about has.
    fn by(trigger: Trigger) -> Self {
        let objects = directory::objects(trigger);
        let all = |has: &dyn Fn(Fields<'static>) -> bool| {
            !objects.is_empty() && objects.iter().all(|object| object.is_some_and(|(_, fields)| has(fields)))
        };
        let has = |name: &str| all(&|fields| fields.get(name).is_some());
        let customers = objects.iter().all(|object| object.is_some_and(|(name, _)| name == "customer"));
        let statuses = |fields: Fields<'static>| fields.get("status").map(|field| field.shape());
        Self {
            customer: has("customer") || (customers && !objects.is_empty()),
            // Of several kinds of objects each has its own.
            status: match objects.as_slice() {
                [Some((_, fields))] => {
                    statuses(*fields).filter(|shape| matches!(shape, Shape::Enum(_) | Shape::String))
                }
                _ => has("status").then_some(Shape::String),
            },
            currency: has("currency"),
            amount: all(&|fields| AMOUNTS.iter().any(|name| fields.get(name).is_some())),
        }
    }

    fn has(&self, name: &str) -> bool {
        match name {
            "accounts" | "livemode" => true,
            "customer" => self.customer,
            "status" => self.status.is_some(),
            "currency" => self.currency,
            "minimum_amount" => self.amount,
            _ => false,
        }
    }

    fn refusal(&self, trigger: Trigger, field: &str, name: &str) -> Box<Error> {
        let offered: Vec<&str> = NAMES.into_iter().filter(|name| self.has(name)).collect();
        let message = if NAMES.contains(&name) {
            ["what `", &*trigger.id(), "` is about has nothing that `", name, "` could be held against"].concat()
        } else {
            ["triggers have no filter `", name, "`"].concat()
        };
        Error::input(field, message).hint(["Its filters are `", &offered.join("`, `"), "`."].concat())
    }
}

/// The JSON Schema (2020-12) of a trigger's input.
pub fn input_schema(trigger: Trigger) -> String {
    let offered = Offered::by(trigger);
    let mut json = Writer::with_capacity(1500);
    json.begin_object().key("$schema").string(DIALECT).key("type").string("object");
    json.key("properties").begin_object();
    for (order, name) in NAMES.into_iter().filter(|name| offered.has(name)).enumerate() {
        let (title, help, schema) = described(name);
        json.key(name).begin_object().key("title").string(title).key("description").string(help);
        match offered.status.filter(|_| name == "status") {
            Some(Shape::Enum(known)) => {
                json.key("type").string("string").key("enum").strings(known);
            }
            _ => {
                for (key, value) in schema {
                    json.key(key).raw(value);
                }
            }
        }
        json.key("x-order").integer(order as i64).end_object();
    }
    json.end_object().key("additionalProperties").boolean(false).end_object();
    json.finish()
}

type Keywords = &'static [(&'static str, &'static str)];

fn described(name: &str) -> (&'static str, &'static str, Keywords) {
    match name {
        "accounts" => (
            "Connected accounts",
            "Only events of these connected accounts; left out: of any account. They are delivered to an endpoint for connected accounts. Polling, and an endpoint that subscribing makes, see the events of the connection's own account.",
            &[
                ("type", r#""array""#),
                ("items", r#"{"type":"string","pattern":"^acct_[A-Za-z0-9]{1,100}$"}"#),
                ("minItems", "1"),
                ("maxItems", "1000"),
            ],
        ),
        "livemode" => {
            ("Live mode", "Only events of live mode, or, with false, of test mode.", &[("type", r#""boolean""#)])
        }
        "customer" => (
            "Customer",
            "Only events about this customer.",
            &[("type", r#""string""#), ("minLength", "1"), ("x-choices", r#""customer""#)],
        ),
        "status" => {
            ("Status", "Only events after which the status is this.", &[("type", r#""string""#), ("minLength", "1")])
        }
        "currency" => (
            "Currency",
            "Only amounts in this currency.",
            &[("type", r#""string""#), ("pattern", r#""^[A-Za-z]{3}$""#)],
        ),
        _ => (
            "Minimum amount",
            "Only from this amount on, in the smallest unit, or {\"decimal\": \"10.99\", \"currency\": \"usd\"} for amounts in that currency.",
            &[(
                "anyOf",
                r#"[{"type":"integer","minimum":0},{"type":"object","properties":{"decimal":{"type":"string"},"currency":{"type":"string"}},"required":["decimal","currency"],"additionalProperties":false}]"#,
            )],
        ),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
