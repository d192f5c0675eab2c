//! What is told of Stripe's errors.

use super::scripted::*;
use crate::error::{ErrorKind, Outcome, Retry};
use crate::stripe::client::Call;

fn said(status: u16, members: &str) -> Box<crate::error::Error> {
    refused(&post(), [answer(status, &format!(r#"{{"error":{{"type":"invalid_request_error",{members}}}}}"#))])
}

#[test]
fn every_part_of_stripes_error_is_kept() {
    let body = r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"No.","param":"x[0]",
        "doc_url":"https://stripe.com/docs","charge":"ch_1","payment_intent":{"id":"pi_1","object":"payment_intent"},
        "advice_code":"do_not_try_again","network_decline_code":"41","new_member":[1]}}"#;
    let error = refused(&post(), [answer(402, body)]);
    assert_eq!((error.kind, error.outcome, error.retry), (ErrorKind::Declined, Outcome::Rejected, Retry::Never));
    assert_eq!((error.code.as_deref(), error.decline_code.as_deref()), (Some("card_declined"), Some("lost_card")));
    assert_eq!((error.field.as_deref(), error.request_id.as_deref()), (Some("x[0]"), Some("req_1")));
    assert_eq!((error.message.as_str(), error.doc_url.as_deref()), ("No.", Some("https://stripe.com/docs")));
    assert_eq!(error.service_type.as_deref(), Some("card_error"));
    assert_eq!(error.related.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["pi_1", "ch_1"]);
    assert!(error.hint.is_some_and(|h| h.contains("general decline")), "a fraud signal is not for the customer");
    let extra = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(error.extras, [extra("advice-code", "\"do_not_try_again\""), extra("network-decline-code", "\"41\"")]);
    assert!(!error.replayed);
}

#[test]
fn one_ill_typed_member_does_not_discard_the_message() {
    for members in
        [r#""code":400,"param":null,"message":"No.""#, r#""charge":{"id":5},"decline_code":[],"message":"No.""#]
    {
        let error = said(400, members);
        assert_eq!((error.message.as_str(), error.outcome), ("No.", Outcome::Rejected), "{members}");
    }
}

#[test]
fn a_wrong_id_in_the_path_is_the_inputs_own_field() {
    let missing = |param: &str| {
        let body = format!(
            r#"{{"error":{{"type":"invalid_request_error","code":"resource_missing","param":"{param}","message":"No such."}}}}"#
        );
        answer(404, &body)
    };
    let fields = vec![("customer", "customer"), ("payment_method", "method")];
    let call = Call { path_fields: fields, ..Call::read("/v1/customers/cus_1/payment_methods/pm_1", "") };
    for (param, field) in [("id", "method"), ("payment_method", "method"), ("customer", "customer"), ("x[y]", "x.y")] {
        let error = refused(&call, [missing(param)]);
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some(field)));
    }
    // In the body it is a parameter of its own.
    let mut call = post();
    call.path_fields = vec![("id", "invoice")];
    let error =
        refused(&call, [answer(400, r#"{"error":{"type":"invalid_request_error","param":"id","message":"x"}}"#)]);
    assert_eq!(error.field.as_deref(), Some("id"));
}

#[test]
fn no_text_of_an_error_holds_the_key() {
    let body = format!(
        r#"{{"error":{{"type":"{KEY}","code":"{KEY}","decline_code":"{KEY}","message":"the key {KEY}","param":"{KEY}","doc_url":"https://x/{KEY}","charge":"{KEY}","advice_code":"{KEY}"}}}}"#
    );
    let mut call = post();
    call.idempotency_key = Some(format!("mine-{KEY}"));
    for step in [
        answer(402, &body).with("request-id", KEY).with("stripe-rate-limited-reason", KEY),
        answer(400, &format!(r#"{{"error":"{KEY}"}}"#)),
        fails(crate::stripe::transport::Failure::Broken(KEY.into())),
    ] {
        let error = refused(&call, [step]);
        let shown = format!("{error:?}");
        assert!(!shown.contains(KEY) && shown.contains("[key]"), "{shown}");
    }
}

#[test]
fn the_reason_of_a_rate_limit_is_told() {
    let step = error(429, "invalid_request_error", "rate_limit").with("stripe-rate-limited-reason", "endpoint-rate");
    assert_eq!(refused(&post(), [step]).extras, [("rate-limited-reason".to_owned(), "\"endpoint-rate\"".to_owned())]);
}

#[test]
fn kinds_follow_status_type_and_code() {
    for (status, members, kind) in [
        (401, r#""message":"x""#, ErrorKind::Authentication),
        (403, r#""message":"x""#, ErrorKind::Permission),
        (404, r#""message":"x""#, ErrorKind::NotFound),
        (
            400,
            r#""code":"resource_missing","param":"items[0][price]","message":"No such price: 'price_1'""#,
            ErrorKind::NotFound,
        ),
        (400, r#""code":"parameter_missing""#, ErrorKind::InvalidInput),
        (400, r#""param":"amount""#, ErrorKind::InvalidInput),
        (400, r#""code":"charge_already_refunded""#, ErrorKind::Conflict),
        (400, r#""code":"payment_intent_unexpected_state""#, ErrorKind::Conflict),
        (400, r#""code":"rate_limit""#, ErrorKind::RateLimited),
        (400, r#""message":"x""#, ErrorKind::Rejected),
        (429, r#""code":"lock_timeout""#, ErrorKind::Conflict),
        (429, r#""code":"rate_limit""#, ErrorKind::RateLimited),
        (408, r#""message":"x""#, ErrorKind::Timeout),
        (500, r#""message":"x""#, ErrorKind::Service),
    ] {
        assert_eq!(said(status, members).kind, kind, "{status} {members}");
    }
}

#[test]
fn v2_errors_without_a_type_are_stripes_too() {
    let mut call = post();
    call.path = "/v2/core/accounts".into();
    let error =
        refused(&call, [answer(400, r#"{"error":{"code":"invalid_fields","message":"Some fields were invalid."}}"#)]);
    assert_eq!((error.kind, error.outcome), (ErrorKind::InvalidInput, Outcome::Rejected));
}

#[test]
fn the_other_mode_is_pointed_out() {
    let message = "No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used.";
    let error = said(404, &format!(r#""code":"resource_missing","param":"id","message":"{message}""#));
    assert!(error.hint.is_some_and(|h| h.contains("other mode")));
}

/// The hint of a refusal with these members.
fn hint(status: u16, members: &str) -> String {
    said(status, members).hint.unwrap_or_else(|| panic!("no hint: {members}"))
}

#[test]
fn every_error_code_that_the_api_knows_has_a_way_out() {
    use crate::catalogue::{Shape, table};
    let members = table().expect("a table").object("payment_intent").expect("a payment intent");
    let Some(Shape::Object(error)) = members.get("last_payment_error").map(|f| f.shape()) else { panic!("no error") };
    let Some(Shape::Enum(codes)) = error.get("code").map(|f| f.shape()) else { panic!("no codes") };
    assert!(codes.len() > 200);
    for code in codes {
        let hint = hint(400, &format!(r#""code":"{code}","message":"x""#));
        assert!(hint.len() > 20 && hint.ends_with('.'), "{code}: {hint}");
    }
}

#[test]
fn every_reason_of_a_decline_has_a_way_out() {
    // Stripe's page "Decline codes", and those of its page on bank debits.
    let reasons = "authentication_not_handled authentication_required approve_with_id call_issuer card_not_supported \
        card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again duplicate_transaction expired_card \
        fraudulent generic_decline incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip \
        insufficient_funds invalid_account invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year \
        invalid_number invalid_pin issuer_not_available lost_card merchant_blacklist \
        mobile_device_authentication_required new_account_information_available no_action_taken not_permitted \
        offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded \
        previously_declined_do_not_retry processing_error reenter_transaction restricted_card \
        revocation_of_all_authorizations revocation_of_authorization security_violation service_not_allowed stolen_card \
        stop_payment_order testmode_decline transaction_not_allowed try_again_later withdrawal_count_limit_exceeded";
    let of = |reason: &str| {
        let body = format!(
            r#"{{"error":{{"type":"card_error","code":"card_declined","decline_code":"{reason}","message":"Your card was declined."}}}}"#
        );
        refused(&post(), [answer(402, &body)]).hint.expect("a hint")
    };
    let unknown = of("a_reason_of_next_year");
    assert!(unknown.contains("call the bank"), "{unknown}");
    for reason in reasons.split_whitespace() {
        let hint = of(reason);
        let says_more = hint != unknown || of("generic_decline") == hint;
        assert!(says_more, "{reason}: {hint}");
        if ["fraudulent", "lost_card", "stolen_card", "merchant_blacklist", "pickup_card"].contains(&reason) {
            assert!(hint.contains("no more than a general decline"), "{reason}: {hint}");
        }
    }
}

#[test]
fn what_the_message_says_goes_before_what_the_code_says() {
    for (status, members, says) in [
        (
            400,
            r#""param":"line_items[0]","message":"You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.""#,
            "mode `subscription`",
        ),
        (
            400,
            r#""code":"resource_missing","message":"This customer has no attached payment source or default payment method. Please consider adding a default payment method.""#,
            "default_payment_method",
        ),
        (
            404,
            r#""code":"resource_missing","param":"id","message":"No such customer: 'cus_1'; a similar object exists in live mode, but a test mode key was used to make this request.""#,
            "live key",
        ),
        (404, r#""code":"resource_missing","param":"id","message":"No such customer: 'cus_1'""#, "test and live"),
        (
            400,
            r#""param":"currency","message":"Invalid currency: xyz. Stripe currently supports these currencies: usd""#,
            "codes in the message",
        ),
        (400, r#""code":"amount_too_small","message":"Amount must be at least $0.50 usd""#, "smallest unit"),
        (
            400,
            r#""code":"parameter_invalid_integer","param":"amount","message":"Invalid integer: 10.99""#,
            "1099 for 10.99",
        ),
        (
            401,
            r#""message":"This API call cannot be made with a publishable API key. Please use a secret API key.""#,
            "publishable",
        ),
        (401, r#""code":"api_key_expired","message":"Expired API Key provided""#, "has expired"),
        (401, r#""message":"Invalid API Key provided: sk_test_***""#, "Copy the key again"),
        (409, r#""code":"idempotency_key_in_use","message":"x""#, "running already"),
        (429, r#""message":"Too many requests""#, "in parallel"),
        (
            403,
            r#""message":"Having the 'rak_charge_write' permission would allow this request to continue.""#,
            "Grant rak_charge_write (Charges and refunds: Write)",
        ),
        (
            400,
            r#""param":"query","message":"We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"`.""#,
            "joined by AND or OR",
        ),
    ] {
        let hint = hint(status, members);
        assert!(hint.contains(says), "{members}: {hint}");
    }
}

#[test]
fn a_subscription_without_a_payment_method_is_not_an_id_that_does_not_exist() {
    let message = "This customer has no attached payment source or default payment method.";
    let error = said(400, &format!(r#""code":"resource_missing","message":"{message}""#));
    assert_eq!(error.kind, ErrorKind::Conflict);
}

#[test]
fn a_new_code_still_has_the_way_out_of_its_kind() {
    assert!(hint(404, r#""code":"a_code_of_next_year","message":"x""#).contains("test and live"));
    assert!(hint(409, r#""code":"a_code_of_next_year","message":"x""#).contains("look at it first"));
}
