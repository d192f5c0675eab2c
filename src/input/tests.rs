use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalogue::{self, Operation};
use crate::error::{ErrorKind, Outcome};

fn operation(id: &str) -> Operation {
    catalogue::operation(id, None).expect(id)
}

/// Every entry of the catalogue and every request of the API.
fn every_operation() -> impl Iterator<Item = Operation> {
    let table = catalogue::table().expect("opens");
    table.operations().iter().filter_map(Operation::curated).chain(table.requests().iter().map(Operation::plain))
}

fn ok(id: &str, input: Value) -> Input {
    check(operation(id), &input.to_string(), Vec::new()).unwrap_or_else(|e| panic!("{id} {input}: {e:?}"))
}

fn refused(id: &str, input: &str) -> (String, String) {
    let error = check(operation(id), input, Vec::new()).expect_err(input);
    assert_eq!((error.kind, error.outcome), (ErrorKind::InvalidInput, Outcome::NotSent));
    (error.field.unwrap_or_default(), format!("{} {}", error.message, error.hint.unwrap_or_default()))
}

#[test]
fn names_the_missing_field() {
    assert_eq!(refused("payment_intent.create", r#"{"currency":"usd"}"#).0, "amount");
    assert_eq!(refused("payment_intent.confirm", "{}").0, "payment_intent");
    assert_eq!(refused("v1.payment_intents.confirm", "{}").0, "intent");
    assert_eq!(
        refused("checkout_session.create", r#"{"line_items":[{"price_data":{"unit_amount":1}}]}"#).0,
        "line_items[0].price_data.currency"
    );
}

#[test]
fn names_an_unknown_field_and_the_nearest() {
    let (field, text) = refused("customer.create", r#"{"emial":"a@b.c"}"#);
    assert_eq!(field, "emial");
    assert!(text.contains("`email`"), "{text}");
    let (field, text) = refused("customer.create", r#"{"address":{"zip":"1"}}"#);
    assert_eq!(field, "address.zip");
    assert!(text.contains("postal_code"), "{text}");
    assert_eq!(refused("v1.customers.create", r#"{"emial":"a@b.c"}"#).0, "emial");
}

#[test]
fn names_the_path_of_an_ill_typed_value() {
    for (id, input, field) in [
        ("customer.create", r#"{"email":5}"#, "email"),
        ("payment_intent.create", r#"{"amount":"1099","currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":10.5,"currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":true,"currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":99999999999999999999,"currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":1e400,"currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":1,"currency":"usd","confirm":"yes"}"#, "confirm"),
        (
            "subscription.create",
            r#"{"customer":"cus_1","items":[{"price":"price_1"},{"quantity":"2"}]}"#,
            "items[1].quantity",
        ),
        ("subscription.create", r#"{"customer":"cus_1","items":[{"quantity":1e400}]}"#, "items[0].quantity"),
        ("subscription.create", r#"{"customer":"cus_1","items":{"price":"price_1"}}"#, "items"),
        ("customer.create", r#"{"metadata":{"a":1}}"#, "metadata.a"),
        ("customer.create", r#"{"tax_exempt":"perhaps"}"#, "tax_exempt"),
        ("customer.list", r#"{"created":{"gte":"yesterday"}}"#, "created.gte"),
        ("customer.list", r#"{"created":"yesterday"}"#, "created"),
        ("customer.list", r#"{"limit":99999999999999999999}"#, "limit"),
    ] {
        assert_eq!(refused(id, input).0, field, "{input}");
    }
}

#[test]
fn a_member_that_comes_twice_is_refused_wherever_it_is() {
    for (id, input, field) in [
        ("payment_intent.create", r#"{"amount":1,"amount":999999,"currency":"usd"}"#, "amount"),
        ("payment_intent.create", r#"{"amount":1,"\u0061mount":999999,"currency":"usd"}"#, "amount"),
        ("subscription.create", r#"{"customer":"cus_1","items":[{"price":"a","price":"b"}]}"#, "items[0].price"),
        ("customer.create", r#"{"metadata":{"a":"1","a":"2"}}"#, "metadata.a"),
    ] {
        let (at, text) = refused(id, input);
        assert_eq!(at, field, "{input}");
        assert!(text.contains("twice"), "{text}");
    }
}

#[test]
fn refuses_amounts_that_stripe_would_not_take() {
    assert!(refused("payment_intent.create", r#"{"amount":-5,"currency":"usd"}"#).1.contains("at least 1"));
    assert!(refused("payment_intent.create", r#"{"amount":0,"currency":"usd"}"#).1.contains("at least 1"));
    assert!(
        refused("price.create", r#"{"unit_amount":-1,"currency":"usd","product":"prod_1"}"#).1.contains("negative")
    );
    ok("price.create", json!({"unit_amount": 0, "currency": "usd", "product": "prod_1"}));
}

#[test]
fn a_credit_among_the_first_invoices_items_may_be_negative() {
    let input = json!({"customer": "cus_1", "items": [{"price": "price_1"}],
        "add_invoice_items": [{"price_data": {"currency": "usd", "product": "prod_1", "unit_amount": -500}}]});
    let checked = ok("subscription.create", input);
    assert_eq!(checked.parameters["add_invoice_items"][0]["price_data"]["unit_amount"], -500);
}

#[test]
fn takes_a_whole_number_however_json_writes_it() {
    for amount in ["1099", "1099.0", "1.099e3"] {
        let text = format!(r#"{{"amount":{amount},"currency":"usd"}}"#);
        let checked = check(operation("payment_intent.create"), &text, Vec::new()).expect(amount);
        assert_eq!(checked.parameters["amount"], json!(1099));
    }
}

#[test]
fn a_number_with_a_fraction_is_sent_as_it_is_written() {
    for (written, sent) in
        [("12.5", json!("12.5")), ("0.1000000000000000055", json!("0.1000000000000000055")), ("10.0", json!(10))]
    {
        let text = format!(r#"{{"duration":"once","percent_off":{written}}}"#);
        let checked = check(operation("v1.coupons.create"), &text, Vec::new()).expect(written);
        assert_eq!(checked.parameters["percent_off"], sent);
    }
    assert_eq!(refused("v1.coupons.create", r#"{"percent_off":1e-1}"#).0, "percent_off");
    assert_eq!(refused("v1.coupons.create", r#"{"percent_off":"12.5"}"#).0, "percent_off");
}

/// What travels as JSON would become text.
#[test]
fn no_number_with_a_fraction_travels_as_json() {
    fn has_number(shape: catalogue::Shape<'_>) -> bool {
        use catalogue::Shape;
        match shape {
            Shape::Number | Shape::Any => true,
            Shape::Array(item) | Shape::Map(item) => has_number(item.get()),
            Shape::Object(fields) => fields.iter().any(|f| has_number(f.shape())),
            Shape::Union(parts) => parts.iter().any(has_number),
            _ => false,
        }
    }
    for operation in every_operation().filter(|o| o.request().encoding() == catalogue::Encoding::Json) {
        for field in operation.parameters() {
            assert!(!has_number(field.shape()), "{}: {}", operation.id(), field.name());
        }
    }
}

#[test]
fn currencies_have_three_letters_and_are_sent_in_lower_case() {
    for bad in ["us", "usdd", "us1", "u$d", "", "€"] {
        assert_eq!(refused("payment_intent.create", &json!({"amount": 1, "currency": bad}).to_string()).0, "currency");
    }
    assert_eq!(ok("payment_intent.create", json!({"amount": 1, "currency": "EUR"})).parameters["currency"], "eur");
}

#[test]
fn amounts_in_major_units_become_minor_ones() {
    let input = ok("payment_intent.create", json!({"amount_major": "10.99", "currency": "usd"}));
    assert_eq!(input.parameters["amount"], json!(1099));
    assert!(!input.parameters.contains_key("amount_major"));
    assert_eq!(
        ok("payment_intent.create", json!({"amount_major": "500", "currency": "JPY"})).parameters["amount"],
        json!(500)
    );
    for (input, field) in [
        (r#"{"amount_major":"1","amount":100,"currency":"usd"}"#, "amount_major"),
        (r#"{"amount_major":"10.999","currency":"usd"}"#, "amount_major"),
        (r#"{"amount_major":true,"currency":"usd"}"#, "amount_major"),
        (r#"{"amount_major":"1"}"#, "currency"),
        (r#"{"amount_major":"0.00","currency":"usd"}"#, "amount"),
        (r#"{"amount_major":"-1.00","currency":"usd"}"#, "amount"),
    ] {
        assert_eq!(refused("payment_intent.create", input).0, field, "{input}");
    }
}

#[test]
fn amounts_are_taken_as_a_decimal_with_its_currency_wherever_they_stand() {
    let decimal = |text: &str, currency: &str| json!({"decimal": text, "currency": currency});
    for (text, currency, minor) in [
        ("10.99", "usd", 1099),
        ("10.99", "USD", 1099),
        ("500", "jpy", 500),
        ("1.230", "kwd", 1230),
        ("15", "isk", 1500),
    ] {
        let checked = ok("payment_intent.create", json!({"amount": decimal(text, currency), "currency": currency}));
        assert_eq!(checked.parameters["amount"], json!(minor), "{text} {currency}");
    }
    let line = json!({"price_data": {"currency": "eur", "product": "prod_1", "unit_amount": decimal("3.50", "eur")}});
    let checked = ok("checkout_session.create", json!({"line_items": [line]}));
    assert_eq!(checked.parameters["line_items"][0]["price_data"]["unit_amount"], 350);
    let negative = json!({"customer": "cus_1", "items": [], "add_invoice_items": [{"price_data": {"currency": "usd",
        "product": "prod_1", "unit_amount": decimal("-5.00", "usd")}}]});
    let checked = ok("subscription.create", negative);
    assert_eq!(checked.parameters["add_invoice_items"][0]["price_data"]["unit_amount"], -500);
    assert_eq!(ok("refund.create", json!({"charge": "ch_1", "amount": decimal("5", "usd")})).parameters["amount"], 500);
    assert_eq!(
        ok("v1.refunds.create", json!({"charge": "ch_1", "amount": decimal("5", "usd")})).parameters["amount"],
        500
    );
}

#[test]
fn a_decimal_amount_agrees_with_the_currency_that_is_in_reach() {
    for (id, input, field) in [
        (
            "payment_intent.create",
            json!({"amount": {"decimal": "1", "currency": "eur"}, "currency": "usd"}),
            "amount.currency",
        ),
        // The one around it counts where there is none beside it.
        (
            "payment_intent.create",
            json!({"amount": 100, "currency": "usd", "transfer_data": {"destination": "acct_1",
                "amount": {"decimal": "1", "currency": "eur"}}}),
            "transfer_data.amount.currency",
        ),
        ("payment_intent.create", json!({"amount": {"decimal": "1"}, "currency": "usd"}), "amount.currency"),
        ("payment_intent.create", json!({"amount": {"currency": "usd"}, "currency": "usd"}), "amount.decimal"),
        (
            "payment_intent.create",
            json!({"amount": {"decimal": "1.999", "currency": "usd"}, "currency": "usd"}),
            "amount.decimal",
        ),
        (
            "payment_intent.create",
            json!({"amount": {"decimal": "1.5", "currency": "jpy"}, "currency": "jpy"}),
            "amount.decimal",
        ),
        (
            "payment_intent.create",
            json!({"amount": {"decimal": "1.234", "currency": "kwd"}, "currency": "kwd"}),
            "amount.decimal",
        ),
        ("payment_intent.create", json!({"amount": {"decimal": "0", "currency": "usd"}, "currency": "usd"}), "amount"),
        (
            "payment_intent.create",
            json!({"amount": {"decimal": "1", "currency": "usd", "unit": "major"}, "currency": "usd"}),
            "amount.unit",
        ),
    ] {
        assert_eq!(refused(id, &input.to_string()).0, field, "{input}");
    }
    // In a price's further currencies the name of the entry is the currency.
    let options = |currency: &str| {
        json!({"currency": "usd", "unit_amount": 100, "product": "prod_1",
            "currency_options": {"eur": {"unit_amount": {"decimal": "9", "currency": currency}}}})
    };
    assert_eq!(ok("price.create", options("eur")).parameters["currency_options"]["eur"]["unit_amount"], 900);
    assert_eq!(refused("price.create", &options("usd").to_string()).0, "currency_options.eur.unit_amount.currency");
}

#[test]
fn times_are_taken_as_seconds_or_as_people_write_them() {
    for (given, sent) in [
        (json!(1769853600), 1769853600),
        (json!("2026-01-31T10:00:00Z"), 1769853600),
        (json!("2026-01-31T11:00:00+01:00"), 1769853600),
        (json!("2026-01-31"), 1769817600),
    ] {
        assert_eq!(ok("customer.list", json!({"created": {"gte": given}})).parameters["created"]["gte"], sent);
        assert_eq!(ok("customer.list", json!({"created": given})).parameters["created"], sent);
    }
    let (field, text) = refused("customer.list", r#"{"created":1769853600000}"#);
    assert_eq!(field, "created");
    assert!(text.contains("milliseconds"), "{text}");
    let hint = |given: &str| refused("customer.list", &json!({"created": {"gte": given}}).to_string()).1;
    assert!(hint("2026-01-31T10:00:00").contains("offset"));
    assert!(hint("1769853600").contains("without quotes"));
}

#[test]
fn times_of_v2_travel_as_text() {
    let created = |given: Value| {
        ok("v2.core.events.list", json!({"created": {"gte": given}})).parameters["created"]["gte"].clone()
    };
    assert_eq!(created(json!(1769853600)), "2026-01-31T10:00:00Z");
    assert_eq!(created(json!("2026-01-31T10:00:00.000Z")), "2026-01-31T10:00:00.000Z");
    let event = json!({"event_name": "x", "payload": {"value": "1"}, "timestamp": 1769853600});
    assert_eq!(ok("v2.billing.meter_events.create", event).parameters["timestamp"], "2026-01-31T10:00:00Z");
    let number = json!({"event_name": "x", "payload": {"value": "1"}, "identifier": 5});
    assert_eq!(refused("v2.billing.meter_events.create", &number.to_string()).0, "identifier");
}

#[test]
fn exactly_one_of_alternatives_is_wanted() {
    assert!(refused("refund.create", "{}").1.contains("exactly one"));
    assert!(refused("refund.create", r#"{"payment_intent":"pi_1","charge":"ch_1"}"#).1.contains("exactly one"));
    ok("refund.create", json!({"charge": "ch_1"}));
}

#[test]
fn a_wrong_value_is_told_the_right_ones() {
    let (field, text) = refused("refund.create", r#"{"charge":"ch_1","reason":"because"}"#);
    assert_eq!(field, "reason");
    for reason in ["duplicate", "fraudulent", "requested_by_customer"] {
        assert!(text.contains(reason), "{text}");
    }
    // Also where there are many.
    let (_, text) = refused("v1.payment_methods.create", r#"{"type":"carte"}"#);
    assert!(text.contains("us_bank_account") && text.contains("alipay"), "{text}");
}

#[test]
fn what_is_expanded_in_a_list_lies_within_its_objects() {
    let (field, text) = refused("customer.list", r#"{"expand":["data.sources","default_source"]}"#);
    assert_eq!(field, "expand[1]");
    assert!(text.contains("Write `data.default_source`"), "{text}");
    let (field, _) = refused("customer.retrieve", r#"{"customer":"cus_1","expand":["a.b.c.d.e"]}"#);
    assert_eq!(field, "expand[0]");
    ok("customer.list", json!({"expand": ["data.default_source"]}));
    ok("customer.retrieve", json!({"customer": "cus_1", "expand": ["default_source", "a.b.c.d"]}));
}

#[test]
fn a_range_of_times_takes_seconds_dates_and_moments() {
    let range = json!({"gte": "2026-01-01", "lt": "2026-01-01T01:00:00+01:00", "gt": 5});
    let input = ok("customer.list", json!({"created": range}));
    assert_eq!(input.parameters["created"], json!({"gte": 1_767_225_600, "lt": 1_767_225_600, "gt": 5}));
    assert_eq!(ok("customer.list", json!({"created": "2026-01-01"})).parameters["created"], 1_767_225_600);
}

#[test]
fn fields_that_exclude_each_other_are_refused_together() {
    for (id, input, field, names) in [
        (
            "customer.list",
            r#"{"starting_after":"cus_1","ending_before":"cus_2"}"#,
            "ending_before",
            ["starting_after", "ending_before"],
        ),
        ("v1.events.list", r#"{"type":"a.b","types":["c.d"]}"#, "types", ["`type`", "`types`"]),
        (
            "v1.coupons.create",
            r#"{"amount_off":5,"currency":"usd","percent_off":5}"#,
            "percent_off",
            ["amount_off", "percent_off"],
        ),
        (
            "checkout_session.create",
            r#"{"mode":"payment","line_items":[{"price":"price_1","price_data":{"currency":"usd"}}]}"#,
            "line_items[0].price_data",
            ["`price`", "`price_data`"],
        ),
        (
            "v1.checkout.sessions.create",
            r#"{"line_items":[{"price_data":{"currency":"usd","product":"prod_1","product_data":{"name":"x"}}}]}"#,
            "line_items[0].price_data.product_data",
            ["`product`", "`product_data`"],
        ),
        (
            "v1.subscriptions.create",
            r#"{"customer":"cus_1","trial_end":1800000000,"trial_period_days":7}"#,
            "trial_period_days",
            ["trial_end", "trial_period_days"],
        ),
    ] {
        let (at, text) = refused(id, input);
        assert_eq!(at, field, "{text}");
        assert!(names.iter().all(|name| text.contains(name)) && text.contains("exclude each other"), "{text}");
    }
    // What takes back the one does not exclude the other.
    ok(
        "v1.subscriptions.update",
        json!({"subscription_exposed_id": "sub_1", "cancel_at": "", "cancel_at_period_end": true}),
    );
    ok(
        "v1.subscriptions.update",
        json!({"subscription_exposed_id": "sub_1", "cancel_at": 1800000000, "cancel_at_period_end": false}),
    );
}

#[test]
fn an_amount_is_no_finer_than_stripe_takes_it() {
    for (id, input, field, says) in [
        ("payment_intent.create", r#"{"amount":1234,"currency":"kwd"}"#, "amount", "multiple of 10"),
        ("payment_intent.create", r#"{"amount":1050,"currency":"isk"}"#, "amount", "multiple of 100"),
        ("payment_intent.create", r#"{"amount":1050,"currency":"UGX"}"#, "amount", "multiple of 100"),
        ("payout.create", r#"{"amount":1050,"currency":"huf"}"#, "amount", "multiple of 100"),
        (
            "payout.create",
            r#"{"amount_major":"10.50","currency":"twd"}"#,
            "amount_major",
            "1000 for instance, which is 10.00 TWD",
        ),
        (
            "payment_intent.create",
            r#"{"amount":{"decimal":"1.234","currency":"kwd"},"currency":"kwd"}"#,
            "amount.decimal",
            "at most 2 decimals",
        ),
    ] {
        let (at, text) = refused(id, input);
        assert_eq!(at, field, "{text}");
        assert!(text.contains(says), "{text}");
    }
    for (id, amount, currency) in [
        ("payment_intent.create", 1230, "kwd"),
        ("payment_intent.create", 1100, "isk"),
        ("payment_intent.create", 1050, "huf"),
        ("payment_intent.create", 1050, "twd"),
        ("payout.create", 1000, "huf"),
        ("payout.create", 1050, "usd"),
    ] {
        ok(id, json!({"amount": amount, "currency": currency}));
    }
}

#[test]
fn only_an_id_that_cannot_be_is_refused() {
    let made_by_stripe = |prefix: &str| json!({"payment_intent": format!("{prefix}1OzQ2eLkdIwHu7ix")}).to_string();
    assert!(refused("payment_intent.confirm", &made_by_stripe("cus_")).1.contains("id of a customer"));
    let price = |product: &str| json!({"currency": "usd", "unit_amount": 1, "product": product});
    let (field, text) = refused("price.create", &price("in_1OzQ2eLkdIwHu7ix").to_string());
    assert_eq!(field, "product");
    assert!(text.contains("an invoice"), "{text}");
    assert!(
        refused("price.create", &price("sub_sched_1OzQ2eLkdIwHu7ix").to_string()).1.contains("subscription schedule")
    );
    // People name products, and Stripe's test cards have names, too.
    for own in ["in_store", "cus_1", "sub_gold-plan-2026-01", "sub_plan_1OzQ2eLkdIwHu7ix", "com.example.gold", "Gold"] {
        assert_eq!(ok("price.create", price(own)).parameters["product"], own);
    }
    let nested = json!({"customer": "cus_1", "items": [{"price": "prod_1OzQ2eLkdIwHu7ix"}]}).to_string();
    assert_eq!(refused("subscription.create", &nested).0, "items[0].price");
}

#[test]
fn ids_in_the_path_are_anything_that_names_one_object() {
    let path = |id: &str| check(operation("customer.retrieve"), &json!({"customer": id}).to_string(), Vec::new());
    for good in ["cus_1", "com.example.gold", "a:b", "25%", "größe", "...", &"x".repeat(255)] {
        assert_eq!(path(good).expect(good).path, [good]);
    }
    for bad in ["", ".", "..", "a/b", "../x", "a?b", "a#b", "a b", "a\nb", "a\u{0}b", "\u{a0}", &"x".repeat(256)] {
        assert_eq!(path(bad).expect_err(bad).field.as_deref(), Some("customer"), "{bad:?}");
    }
    assert_eq!(refused("customer.retrieve", r#"{"customer":5}"#).0, "customer");
}

#[test]
fn metadata_limits_are_kept_locally() {
    let long = json!({"metadata": {"k": "v".repeat(501)}}).to_string();
    assert_eq!(refused("customer.create", &long).0, "metadata.k");
    let nested = json!({"line_items": [], "payment_intent_data": {"metadata": {"k[0]": "v"}}}).to_string();
    assert_eq!(refused("checkout_session.create", &nested).0, "payment_intent_data.metadata.k[0]");
}

#[test]
fn null_and_empty_text_unset_where_stripe_lets_them() {
    for nothing in [json!(null), json!("")] {
        assert_eq!(ok("customer.create", json!({"metadata": nothing})).parameters["metadata"], "");
        assert_eq!(ok("customer.create", json!({"metadata": {"k": nothing}})).parameters["metadata"]["k"], "");
        let (field, text) = refused("customer.create", &json!({"email": nothing}).to_string());
        assert_eq!(field, "email");
        assert!(text.contains("Leave the field out"), "{text}");
        assert!(refused("customer.create", &json!({"balance": nothing}).to_string()).1.contains("Leave the field out"));
    }
    // What travels as JSON has a null of its own.
    let v2 = json!({"event_name": "x", "payload": {"gone": null, "empty": ""}, "identifier": ""});
    let checked = ok("v2.billing.meter_events.create", v2).parameters;
    assert_eq!((&checked["payload"]["gone"], &checked["payload"]["empty"]), (&Value::Null, &json!("")));
    assert_eq!(checked["identifier"], "");
}

#[test]
fn only_a_json_object_of_bearable_size_is_read() {
    assert!(refused("customer.create", "{").1.contains("not JSON"));
    assert!(refused("customer.create", "[1]").1.contains("not a list"));
    let big = json!({"description": "x".repeat(2 * 1024 * 1024)}).to_string();
    assert!(refused("customer.create", &big).1.contains("at most 1024 KiB"));
    for empty in ["", " \n"] {
        assert!(check(operation("customer.create"), empty, Vec::new()).is_ok());
    }
    let (field, text) = refused("customer.create", r#"{"address":{"city":Berlin}}"#);
    assert_eq!(field, "address.city", "{text}");
}

#[test]
fn defaults_fill_what_is_left_out() {
    assert_eq!(ok("checkout_session.create", json!({"line_items": []})).parameters["mode"], "payment");
    assert_eq!(ok("checkout_session.create", json!({"mode": "setup", "currency": "usd"})).parameters["mode"], "setup");
}

#[test]
fn what_is_always_sent_is_sent_and_cannot_be_given() {
    let submit = operation("dispute.submit");
    assert_eq!(Value::Object(ok("dispute.submit", json!({"dispute": "du_1"})).parameters), json!({"submit": true}));
    for submit in ["true", "false", "null"] {
        let (field, text) = refused("dispute.submit", &format!(r#"{{"dispute":"du_1","submit":{submit}}}"#));
        assert_eq!(field, "submit");
        assert!(text.contains("always sends `submit` as true"), "{text}");
    }
    assert!(submit.parameters().get("submit").is_some() && !submit.input_names().contains(&"submit"));
    assert!(!refused("dispute.submit", r#"{"dispute":"du_1","submi":true}"#).1.contains("`submit`"));
}

#[test]
fn fields_of_a_hook_are_kept_apart() {
    let checked = ok("subscription.cancel", json!({"subscription": "sub_1", "at_period_end": true}));
    assert_eq!(checked.extra["at_period_end"], true);
    assert!(checked.parameters.is_empty());
    assert_eq!(refused("subscription.cancel", r#"{"subscription":"sub_1","at_period_end":1}"#).0, "at_period_end");
}

fn evidence() -> File {
    File {
        field: "file".into(),
        name: "evidence.pdf".into(),
        content_type: "application/pdf".into(),
        content: b"%PDF".to_vec(),
    }
}

#[test]
fn a_file_goes_along_where_one_is_taken() {
    let upload = operation("v1.files.create");
    let input = r#"{"purpose":"dispute_evidence"}"#;
    let checked = check(upload, input, vec![evidence()]).expect("fine");
    let (field, file) = checked.file.expect("a file");
    assert_eq!((field, file.name.as_str(), file.content.as_slice()), ("file", "evidence.pdf", b"%PDF".as_slice()));
    assert!(!checked.parameters.contains_key("file"));
    let refused = |files: Vec<File>| {
        let error = check(upload, input, files).expect_err("refused");
        (error.field.unwrap_or_default(), error.message)
    };
    assert_eq!(refused(vec![]).0, "file");
    assert_eq!(refused(vec![evidence(), evidence()]).0, "file");
    assert_eq!(refused(vec![File { field: "image".into(), ..evidence() }]).0, "image");
    assert!(refused(vec![File { content: vec![0; 16 * 1024 * 1024 + 1], ..evidence() }]).1.contains("at most"));
    assert!(refused(vec![File { content: vec![], ..evidence() }]).1.contains("empty"));
    for name in ["", "a\"b", "a\r\nb", "a\0b"] {
        assert!(refused(vec![File { name: name.into(), ..evidence() }]).1.contains("name"), "{name:?}");
    }
    for kind in ["", "pdf", "/", "a/", "application/pdf\r\nX: y"] {
        assert!(refused(vec![File { content_type: kind.into(), ..evidence() }]).1.contains("media type"), "{kind:?}");
    }
    let none = check(operation("customer.create"), "{}", vec![evidence()]).expect_err("takes none");
    assert_eq!(none.field.as_deref(), Some("file"));
    let as_text = check(upload, r#"{"purpose":"dispute_evidence","file":"x"}"#, vec![evidence()]).expect_err("refused");
    assert_eq!(as_text.field.as_deref(), Some("file"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        for operation in every_operation() {
            let _ = check(operation, &text, Vec::new());
        }
    }

    #[test]
    fn no_value_of_any_type_panics(value in arbitrary(), pick in any::<prop::sample::Index>()) {
        for operation in every_operation() {
            let names = operation.input_names();
            if names.is_empty() {
                continue;
            }
            let text = json!({ *pick.get(&names): value }).to_string();
            let _ = check(operation, &text, Vec::new());
        }
    }
}

fn arbitrary() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,10}|currency|decimal|metadata|gte|amount", inner, 0..5)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// An id that a field of this name cannot take.
fn foreign(name: &str) -> &'static str {
    if name == "customer" { "prod_1234567890abcdef" } else { "cus_1234567890abcdef" }
}

/// A value for each place within a shape that takes text and is called after a resource, with a foreign id there.
fn with_foreign_ids(name: &str, shape: catalogue::Shape<'static>, depth: u32) -> Vec<Value> {
    use catalogue::Shape;
    match shape {
        _ if depth > 5 => Vec::new(),
        Shape::String if catalogue::table().expect("opens").resource(name).is_some() => vec![json!(foreign(name))],
        Shape::Array(item) => {
            with_foreign_ids(name, item.get(), depth).into_iter().map(|value| json!([value])).collect()
        }
        // What does not fit one part may fit another.
        Shape::Union(parts) => match parts.iter().filter(|p| !p.is_empty_string()).collect::<Vec<_>>()[..] {
            [only] => with_foreign_ids(name, only, depth),
            _ => Vec::new(),
        },
        Shape::Object(fields) => {
            let of = |f: catalogue::Field<'static>| {
                with_foreign_ids(f.name(), f.shape(), depth + 1).into_iter().map(move |v| json!({f.name(): v}))
            };
            fields.iter().flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

/// In every input of every operation, however deep, and in every path.
#[test]
fn an_id_of_something_else_is_refused_by_what_it_belongs_to() {
    let mut tried = 0;
    for operation in every_operation() {
        let path_fields = operation.path_fields();
        let path: Map<String, Value> = path_fields.iter().map(|n| ((*n).to_owned(), json!("x"))).collect();
        let in_path = path_fields.iter().filter_map(|name| {
            let wanted = resource_in_path(operation, name)?;
            Some(((*name).to_owned(), json!(foreign(wanted.name()))))
        });
        let parameters = operation.parameters().iter().filter(|_| operation.one_of().is_empty());
        let parameters = parameters.flat_map(|f| {
            with_foreign_ids(f.name(), f.shape(), 0).into_iter().map(move |value| (f.name().to_owned(), value))
        });
        for (field, value) in in_path.chain(parameters).collect::<Vec<_>>() {
            let mut input = path.clone();
            input.insert(field.clone(), value);
            let input = Value::Object(input).to_string();
            let of = if input.contains("prod_") {
                "and this is the id of a product"
            } else {
                "and this is the id of a customer"
            };
            let error = check(operation, &input, Vec::new()).expect_err(&input);
            let about = error.field.as_deref().is_some_and(|f| f.starts_with(&field));
            assert!(error.message.ends_with(of) && about, "{}: {input}: {error:?}", operation.id());
            tried += 1;
        }
    }
    assert!(tried > 800, "{tried}");
}

#[test]
fn what_a_caller_names_and_ids_of_ones_own_are_nobodys() {
    ok(
        "customer.create",
        json!({"metadata": {"customer": "ch_1234567890abcdefghij", "price": "prod_1234567890abcdef"}}),
    );
    ok("subscription.create", json!({"customer": "cus_1", "items": [{"price": "gold-monthly"}]}));
    ok("coupon.create", json!({"id": "cus_1234567890abcdef", "percent_off": 5}));
    ok("payment_intent.create", json!({"amount": 1, "currency": "usd", "payment_method": "card_1234567890abcdef"}));
    let wrong = json!({"customer": "cus_1", "items": [{"price": "prod_1234567890abcdef"}]}).to_string();
    let (field, text) = refused("subscription.create", &wrong);
    assert_eq!(field, "items[0].price");
    assert!(text.contains("needs the id of a price, and this is the id of a product"), "{text}");
    let (field, text) = refused("v1.payment_intents.confirm", r#"{"intent":"seti_1234567890abcdef"}"#);
    assert_eq!(field, "intent");
    assert!(
        text.contains("of a payment intent, and this is the id of a payment setup") || text.contains("setup"),
        "{text}"
    );
}

/// A value for each amount within a shape that has no currency beside it or around it, as a decimal with its own.
fn lone_amounts(shape: catalogue::Shape<'static>, depth: u32) -> Vec<Value> {
    use catalogue::Shape;
    match shape {
        _ if depth > 8 => Vec::new(),
        Shape::Amount => vec![json!({"decimal": "12.34", "currency": "usd"})],
        Shape::Array(item) => lone_amounts(item.get(), depth).into_iter().map(|value| json!([value])).collect(),
        Shape::Union(parts) => parts.iter().flat_map(|part| lone_amounts(part, depth)).collect(),
        Shape::Object(fields) if fields.get("currency").is_none() => {
            let of = |f: catalogue::Field<'static>| {
                lone_amounts(f.shape(), depth + 1).into_iter().map(move |v| json!({f.name(): v}))
            };
            fields.iter().flat_map(of).collect()
        }
        _ => Vec::new(),
    }
}

/// The one number in a value.
fn number_in(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64(),
        Value::Array(items) => items.iter().find_map(number_in),
        Value::Object(members) => members.values().find_map(number_in),
        _ => None,
    }
}

#[test]
fn an_amount_without_a_currency_beside_it_brings_its_own_in_every_operation_of_the_api() {
    let (mut operations, mut amounts, mut whole) = (0, 0, 0);
    for operation in catalogue::table().expect("opens").requests().iter().map(Operation::plain) {
        let mut checker = Checker::new(operation, None);
        let parameters = operation.parameters();
        let before = amounts;
        for field in parameters.iter().filter(|_| parameters.get("currency").is_none()) {
            for value in lone_amounts(field.shape(), 0) {
                amounts += 1;
                let text = json!({field.name(): value}).to_string();
                let given = scan(&text).expect("JSON");
                match checker.field(field.name(), given.root().get(field.name()).expect("it"), field.shape()) {
                    Ok(checked) => {
                        whole += 1;
                        assert_eq!(number_in(&checked), Some(1234), "{}: {text}", operation.id());
                    }
                    // What else the object needs is asked for when its members are fine.
                    Err(error) => {
                        assert!(error.message.ends_with("is required"), "{}: {text}: {error:?}", operation.id());
                        checker = Checker::new(operation, None);
                    }
                }
            }
        }
        operations += usize::from(amounts > before);
    }
    assert!(amounts >= 100 && operations >= 40, "{amounts} in {operations}");
    assert!(whole * 2 > amounts, "{whole} of {amounts} were taken as they are");
}
