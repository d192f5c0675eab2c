//! Invoices: drafts with lines, discounts and taxes; finalized, sent, paid, voided or given up.
//!
//! An invoice begins in [`draft`], gets what it charges for in [`lines`] and its totals in [`sums`], becomes
//! final in [`finalization`], and then is paid in [`payment`] or comes to another end in [`ending`]. What time
//! brings to invoices is `cycle`'s business; which payment pays which invoice is kept by `invoice_payment`.

mod draft;
mod ending;
mod finalization;
mod lines;
mod payment;
mod preview;
mod purchase;
mod sums;

use serde_json::{Value, json};

use super::fields::sublist;
use super::{Call, Operations, Read, Reply, invoice_payment, listing, search};
use crate::protocol::ApiError;
use crate::world::{Account, Object};

use draft::{blank, create, delete, update};
pub(super) use draft::{draft, draft_for, draft_part};
pub(super) use ending::give_up;
use ending::{mark_uncollectible, void};
pub(super) use finalization::{finalize, finalize_later, finish};
use finalization::{finalize_operation, intend, send};
pub(super) use lines::{Line, push, take_off};
use lines::{add_lines, list_lines, push_item, remove_lines, update_line, update_lines};
pub(crate) use payment::pay_on_page;
use payment::{attach_payment, pay};
pub(super) use payment::{charge, mark_paid, payment_action_required, payment_failed, settle};
use preview::preview;
pub(super) use preview::upcoming;
pub(super) use purchase::{of_quote, of_session};
pub(super) use sums::recompute;

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/invoices", list),
    ("GET", "/v1/invoices/search", find),
    ("GET", "/v1/invoices/{invoice}", retrieve),
    ("POST", "/v1/invoices/{invoice}", update),
    ("GET", "/v1/invoices/{invoice}/lines", list_lines),
    ("POST", "/v1/invoices/{invoice}/pay", pay),
    ("POST", "/v1/invoices/{invoice}/void", void),
    ("POST", "/v1/invoices", create),
    ("POST", "/v1/invoices/create_preview", preview),
    ("DELETE", "/v1/invoices/{invoice}", delete),
    ("POST", "/v1/invoices/{invoice}/add_lines", add_lines),
    ("POST", "/v1/invoices/{invoice}/attach_payment", attach_payment),
    ("POST", "/v1/invoices/{invoice}/finalize", finalize_operation),
    ("POST", "/v1/invoices/{invoice}/lines/{line_item_id}", update_line),
    ("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
    ("POST", "/v1/invoices/{invoice}/remove_lines", remove_lines),
    ("POST", "/v1/invoices/{invoice}/send", send),
    ("POST", "/v1/invoices/{invoice}/update_lines", update_lines),
];

const KIND: &str = "invoice";
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

pub(super) fn subscription_of(invoice: &Object) -> Option<String> {
    let details = invoice.object("parent")?.object("subscription_details")?;
    details.text("subscription").map(str::to_owned)
}

fn transition(invoice: &mut Object, name: &str, time: i64) {
    if let Some(Value::Object(transitions)) = invoice.get_mut("status_transitions") {
        transitions.insert(name.into(), time.into());
    }
}

fn must_be(invoice: &Object, statuses: &[&str], verb: &str) -> Result<(), ApiError> {
    let is = invoice.text("status").unwrap_or_default();
    if statuses.contains(&is) {
        return Ok(());
    }
    if verb == "pay" && is == "paid" {
        return Err(ApiError::invalid("Invoice is already paid").code("invoice_already_paid"));
    }
    let wanted = statuses.join(" or ");
    Err(ApiError::invalid(format!("You can only {verb} an {wanted} invoice. This invoice is in {is} status."))
        .code("invoice_not_editable"))
}

/// Only drafts can be changed.
pub(super) fn check_draft(invoice: &Object) -> Result<(), ApiError> {
    if invoice.text("status") == Some("draft") {
        return Ok(());
    }
    Err(ApiError::invalid("Finalized invoices can't be updated in this way").code("invoice_not_editable"))
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let equal = [
        ("collection_method", "collection_method"),
        ("customer", "customer"),
        ("status", "status"),
        ("subscription", "parent.subscription_details.subscription"),
    ];
    let due = call.parameters.get("due_date");
    listing::shelf_where(call, KIND, &equal, |i| {
        due.is_none() || i.integer("due_date").is_some_and(|d| listing::in_range(due, d))
    })
}

fn find(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    const FIELDS: &[&str] =
        &["created", "currency", "customer", "metadata", "number", "receipt_number", "status", "subscription", "total"];
    search::answer(call, KIND, FIELDS)
}

/// `payments` and `confirmation_secret` of an invoice, when expanded.
pub(super) fn include(account: &Account, field: &str, invoice: &Object) -> Option<Value> {
    let id = invoice.id();
    match field {
        "payments" => {
            let payments = invoice_payment::of_invoice(account, id).into_iter().map(Value::Object).collect();
            Some(sublist(payments, format!("/v1/invoice_payments?invoice={id}")))
        }
        "confirmation_secret" => {
            let intent = invoice_payment::intent_of(account, id)?;
            Some(json!({"client_secret": intent.get("client_secret"), "type": "payment_intent"}))
        }
        _ => None,
    }
}
