//! What the operations do: one file a resource, and the few things that all of them need.
//!
//! A resource's file begins with the list of its `OPERATIONS`; adding a resource is adding a file and naming it
//! in [`handlers`]. Handlers get typed, validated parameters and an account, change objects through the
//! account and return the object; they check everything before they change anything. Operations without a
//! handler are answered by [`synthetic`]; those under `/v2` have a room of their own.

mod account;
mod account_link;
mod application_fee;
mod asked;
mod authorization;
mod balance;
mod calendar;
mod cards;
mod cash_balance;
mod charge;
mod checkout_session;
mod command_line;
mod confirmation_token;
mod credit_note;
mod customer;
mod cycle;
mod destination;
mod discount;
mod dispute;
mod download;
mod early_fraud_warning;
mod event;
mod expand;
mod external_account;
mod fields;
mod file;
mod file_link;
mod foreign_cards;
mod invoice;
mod invoice_payment;
mod invoiceitem;
mod listing;
mod meter;
mod money;
mod payment_intent;
mod payment_link;
mod payment_method;
mod payout;
mod person;
mod portal;
mod price;
mod product;
mod quote;
mod rates;
mod read;
mod refund;
mod schedule;
mod search;
mod setup_attempt;
mod setup_intent;
mod source;
mod subscription;
mod subscription_item;
mod synthetic;
mod tax_id;
mod test_clock;
mod token;
mod v2;
mod webhook_endpoint;

use bytes::Bytes;
use serde_json::Value;
use stripe_facts::{Facts, Operation, Shape};

pub(crate) use account_link::{Onboarding, onboard};
pub(crate) use calendar::day as calendar_day;
pub(crate) use cards::{TEST_CARDS, TestCard};
pub(crate) use checkout_session::{Paid, current as current_session, pay, problem, recover};
pub(crate) use download::of as download_of;
pub(crate) use expand::check as check_expand;
pub(crate) use file::{Contents, PATH as UPLOADS};
pub(crate) use file_link::open as open_file_link;
pub(crate) use invoice::pay_on_page as pay_invoice;
pub(crate) use money::amount as format_amount;
pub(crate) use payment_intent::complete_authentication;
pub(crate) use payment_link::visit;
pub(crate) use portal::{Action as PortalAction, act as act_in_portal};
pub(crate) use read::Read;
pub(crate) use setup_intent::verify_deposits;
pub(crate) use v2::{SESSION, STREAM, session_of};

use crate::older;
use crate::presence;
use crate::protocol::{ApiError, Upload};
use crate::world::{Account, Object};

/// An operation that is being executed.
pub(crate) struct Call<'a> {
    pub(crate) account: &'a mut Account,
    pub(crate) operation: &'static Operation,
    /// The parameters that are not in the path, typed.
    pub(crate) parameters: Object,
    /// What stands for the placeholders of the path.
    pub(crate) values: Vec<String>,
    /// The file that was sent.
    pub(crate) upload: Option<Upload>,
    /// The paths that the answer is expanded at.
    pub(crate) expand: Vec<String>,
}

impl Call<'_> {
    /// The id in the path.
    fn id(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// The object of this kind whose id is in the path.
    fn named(&self, kind: &'static str) -> Result<Object, ApiError> {
        let object = self.account.find(kind, self.id(), "id")?;
        // Whoever works on an object of a test clock sees that clock.
        test_clock::enter_of(self.account, &object);
        Ok(object)
    }
}

/// What a handler returns.
pub(crate) enum Reply {
    /// An object as it is kept.
    Kept(Bytes),
    /// Something made for this answer.
    Made(Value),
}

impl From<Object> for Reply {
    fn from(object: Object) -> Self {
        Self::Made(Value::Object(object))
    }
}

/// Carries out one operation.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result<Reply, ApiError>;

/// The operations of one resource: method, path, code.
type Operations = &'static [(&'static str, &'static str, Handler)];

/// Every operation with state.
pub(crate) fn handlers() -> impl Iterator<Item = ((&'static str, &'static str), Handler)> {
    const RESOURCES: &[Operations] = &[
        account::OPERATIONS,
        account_link::OPERATIONS,
        application_fee::OPERATIONS,
        authorization::OPERATIONS,
        balance::OPERATIONS,
        cash_balance::OPERATIONS,
        charge::OPERATIONS,
        checkout_session::OPERATIONS,
        command_line::OPERATIONS,
        confirmation_token::OPERATIONS,
        customer::OPERATIONS,
        event::OPERATIONS,
        invoice::OPERATIONS,
        invoice_payment::OPERATIONS,
        payment_intent::OPERATIONS,
        payment_method::OPERATIONS,
        price::OPERATIONS,
        product::OPERATIONS,
        refund::OPERATIONS,
        setup_intent::OPERATIONS,
        subscription::OPERATIONS,
        webhook_endpoint::OPERATIONS,
        portal::OPERATIONS,
        quote::OPERATIONS,
        payment_link::OPERATIONS,
        payout::OPERATIONS,
        person::OPERATIONS,
        dispute::OPERATIONS,
        external_account::OPERATIONS,
        file::OPERATIONS,
        file_link::OPERATIONS,
        tax_id::OPERATIONS,
        early_fraud_warning::OPERATIONS,
        setup_attempt::OPERATIONS,
        test_clock::OPERATIONS,
        token::OPERATIONS,
        subscription_item::OPERATIONS,
        source::OPERATIONS,
        schedule::OPERATIONS,
        rates::OPERATIONS,
        meter::OPERATIONS,
        invoiceitem::OPERATIONS,
        discount::OPERATIONS,
        credit_note::OPERATIONS,
    ];
    RESOURCES
        .iter()
        .chain(v2::RESOURCES)
        .flat_map(|r| r.iter())
        .map(|(method, path, handler)| ((*method, *path), *handler))
}

/// Executes an operation and expands its answer.
pub(crate) fn execute(call: &mut Call<'_>, handler: Option<Handler>) -> Result<Bytes, ApiError> {
    if let Some(Value::Array(paths)) = call.parameters.remove("expand") {
        call.expand = paths.into_iter().filter_map(|p| p.as_str().map(str::to_owned)).collect();
    }
    let reply = match handler {
        Some(handler) => handler(call)?,
        None => synthetic::answer(call)?,
    };
    let mut value = match reply {
        Reply::Kept(text) if call.expand.is_empty() => return Ok(text),
        Reply::Kept(text) => serde_json::from_slice(&text).unwrap_or_default(),
        Reply::Made(value) => value,
    };
    for path in &call.expand {
        expand::apply(call.account, &mut value, path, &call.operation.response, &Facts::bundled().api_version);
    }
    presence::settle(&mut value);
    Ok(shared(call.account, &value))
}

/// An answer as text: the text that is kept of the object, where that is the same.
fn shared(account: &Account, value: &Value) -> Bytes {
    let text = value.to_string();
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    let kept = member("object").zip(member("id")).and_then(|(kind, id)| account.text(kind, id));
    match kept.filter(|kept| **kept == text) {
        Some(kept) => kept.clone(),
        None => text.into_bytes().into_boxed_slice().into(),
    }
}

/// An answer as a version shows it. What only an earlier version can expand is expanded in what it shows.
pub(crate) fn in_version(account: &Account, body: Bytes, version: &str, expand: &[String], response: &Shape) -> Bytes {
    if !older::differs(version) || !older::concerns(&body) {
        return body;
    }
    let Ok(mut value) = serde_json::from_slice(&body) else { return body };
    let look_up = |apart, id: &str| older::look_up(account, apart, id);
    older::show(&mut value, version, &look_up);
    if !expand.is_empty() {
        expand.iter().for_each(|path| expand::apply(account, &mut value, path, response, version));
        older::show(&mut value, version, &look_up);
    }
    value.to_string().into()
}

/// Fields that are there only when a caller expands them.
fn include(account: &Account, kind: &str, field: &str, object: &Object) -> Option<Value> {
    match (kind, field) {
        ("customer", _) => customer::include(account, field, object),
        ("charge", "refunds") => Some(refund::of_charge(account, object)),
        ("checkout.session", "line_items") => Some(checkout_session::line_items(account, object)),
        ("item", _) => checkout_session::item_details(account, field, object),
        ("quote", "line_items") => Some(quote::line_items(account, object)),
        ("payment_link", "line_items") => Some(payment_link::line_items(account, object)),
        ("price", "tiers") => price::tiers(account, object),
        ("price", "currency_options") => Some(price::options(account, object)),
        ("invoice", _) => invoice::include(account, field, object),
        _ => None,
    }
}
