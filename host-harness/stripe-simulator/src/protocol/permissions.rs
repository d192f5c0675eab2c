//! Restricted keys: what a key may do, when that was said of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;

use super::{ApiError, auth};

/// Path heads whose permission is not named after them in the singular.
const NAMES: &[(&str, &str)] = &[
    ("account", "connected_account"),
    ("accounts", "connected_account"),
    ("balance", "balance"),
    ("balance_transactions", "balance"),
    ("billing_portal", "customer_portal"),
    ("checkout", "checkout_session"),
    ("credit_notes", "credit_note"),
    ("event_destinations", "event_destinations"),
    ("file_links", "file"),
    ("invoice_payments", "invoice"),
    ("invoiceitems", "invoice"),
    ("meter_events", "billing_meter_event"),
    ("meters", "billing_meter"),
    ("payment_links", "payment_links"),
    ("prices", "plan"),
    ("refunds", "charge"),
    ("setup_attempts", "setup_intent"),
    ("subscription_items", "subscription"),
    ("subscription_schedules", "subscription"),
    ("tax_rates", "tax_rate"),
    ("test_clocks", "billing_clock"),
    ("topups", "top_up"),
    ("webhook_endpoints", "webhook"),
];

/// The restricted keys whose permissions were chosen; any other may do everything.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    keys: Mutex<HashMap<String, HashSet<String>>>,
}

impl Permissions {
    /// Chooses what a key may do: `customer_read`, `rak_webhook_write`, … Writing includes reading.
    pub(crate) fn restrict<'p>(&self, key: &str, permissions: impl Iterator<Item = &'p str>) {
        let plain = permissions.map(|p| p.strip_prefix("rak_").unwrap_or(p).to_owned());
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), plain.collect());
    }

    /// Whether the key of a request may do what it asks for.
    pub(super) fn check(&self, headers: &HeaderMap, method: &str, path: &str, account: &str) -> Result<(), ApiError> {
        let Some(key) = auth::key(headers).filter(|k| k.starts_with("rk_")) else { return Ok(()) };
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(granted) = keys.get(&key) else { return Ok(()) };
        let noun = noun(path);
        let writes = format!("{noun}_write");
        let reads = format!("{noun}_read");
        if granted.contains(&writes) || (method == "GET" && granted.contains(&reads)) {
            return Ok(());
        }
        let wanted = if method == "GET" { reads } else { writes };
        Err(ApiError::invalid(format!(
            "The provided key '{}' does not have the required permissions for this endpoint on account '{account}'. \
             Having the 'rak_{wanted}' permission would allow this request to continue.",
            auth::redact(&key)
        ))
        .status_is(403))
    }
}

/// What a permission for a path is about.
fn noun(path: &str) -> String {
    let mut segments = path.split('/').skip(2);
    let head = match segments.next() {
        Some("core" | "test_helpers" | "billing") => segments.next().unwrap_or_default(),
        head => head.unwrap_or_default(),
    };
    if head == "customers" && segments.nth(1) == Some("payment_methods") {
        return "payment_method".to_owned();
    }
    if let Some((_, noun)) = NAMES.iter().find(|(h, _)| *h == head) {
        return (*noun).to_owned();
    }
    match head.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => head.strip_suffix('s').unwrap_or(head).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_named_after_what_they_are_about() {
        assert_eq!(noun("/v1/customers/cus_1"), "customer");
        assert_eq!(noun("/v1/webhook_endpoints"), "webhook");
        assert_eq!(noun("/v1/payment_intents/pi_1/confirm"), "payment_intent");
        assert_eq!(noun("/v2/core/event_destinations"), "event_destinations");
        assert_eq!(noun("/v1/refunds"), "charge");
        assert_eq!(noun("/v1/account"), "connected_account");
        assert_eq!(noun("/v1/test_helpers/test_clocks/clock_1/advance"), "billing_clock");
        assert_eq!(noun("/v1/customers/cus_1/payment_methods"), "payment_method");
        assert_eq!(noun(""), "");
    }
}
