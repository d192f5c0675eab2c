use serde_json::json;

use super::*;

const MINE: &str = "cus_Mine1";

fn known() -> Known {
    let mut known = Known::default();
    for (path, object) in [
        ("/v1/payment_intents/pi_Mine1", json!({"id": "pi_Mine1", "customer": MINE})),
        ("/v1/payment_intents/pi_Theirs1", json!({"id": "pi_Theirs1", "customer": "cus_Theirs1"})),
        ("/v1/payment_intents/pi_Nobodys1", json!({"id": "pi_Nobodys1", "customer": null})),
        ("/v1/payment_intents/pi_Swapped1", json!({"id": "pi_Mine1", "customer": MINE})),
        ("/v1/charges/ch_Mine1", json!({"id": "ch_Mine1", "customer": {"id": MINE}})),
        ("/v1/refunds/re_Mine1", json!({"id": "re_Mine1", "payment_intent": "pi_Mine1"})),
        ("/v1/refunds/re_Mine2", json!({"id": "re_Mine2", "customer": null, "charge": "ch_Mine1"})),
        ("/v1/refunds/re_Nobodys1", json!({"id": "re_Nobodys1", "customer": null, "payment_intent": "pi_Nobodys1"})),
        ("/v1/refunds/re_Theirs1", json!({"id": "re_Theirs1", "payment_intent": "pi_Theirs1"})),
        ("/v1/subscriptions/sub_Mine1", json!({"id": "sub_Mine1", "customer": MINE})),
        ("/v1/subscription_items/si_Mine1", json!({"id": "si_Mine1", "subscription": "sub_Mine1"})),
        ("/v1/invoices/in_Mine1", json!({"id": "in_Mine1", "customer": MINE})),
        ("/v1/payment_methods/pm_Mine1", json!({"id": "pm_Mine1", "customer": MINE})),
        ("/v1/payment_methods/pm_Theirs1", json!({"id": "pm_Theirs1", "customer": "cus_Theirs1"})),
    ] {
        known.keep(path.to_owned(), Some(object));
    }
    known.keep("/v1/charges/ch_Gone1".to_owned(), None);
    known
}

fn of(line: &str) -> Bound {
    let mut parts = line.splitn(3, ' ');
    let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
    bound(&Outgoing::made(method, target, parts.next().unwrap_or_default()), MINE, &known())
}

#[test]
fn what_is_the_customers_leaves() {
    for line in [
        "GET /v1/customers/cus_Mine1",
        "POST /v1/customers/cus_Mine1 name=Jenny&metadata[note]=pi_Theirs1",
        "GET /v1/customers/cus_Mine1/payment_methods/pm_Mine1",
        "POST /v1/payment_intents amount=5&currency=usd&customer=cus_Mine1",
        "POST /v1/payment_intents amount=5&currency=usd&customer=cus_Mine1&payment_method=pm_Mine1",
        "POST /v1/payment_intents amount=5&currency=usd&customer=cus_Mine1&payment_method=pm_card_visa",
        "GET /v1/payment_intents?customer=cus_Mine1&limit=5",
        "GET /v1/payment_intents?customer=cus_Mine1&starting_after=pi_Mine1",
        "GET /v1/payment_intents/pi_Mine1?expand[0]=latest_charge.refunds",
        "POST /v1/payment_intents/pi_Mine1/cancel cancellation_reason=requested_by_customer",
        "POST /v1/refunds payment_intent=pi_Mine1",
        "POST /v1/refunds charge=ch_Mine1&amount=5",
        "GET /v1/refunds/re_Mine1",
        "GET /v1/refunds/re_Mine2",
        "GET /v1/refunds?charge=ch_Mine1",
        "POST /v1/subscriptions customer=cus_Mine1&items[0][price]=price_1Abc",
        "POST /v1/subscription_items/si_Mine1 quantity=3",
        "POST /v1/invoices/create_preview customer=cus_Mine1",
        "GET /v1/invoices/in_Mine1/lines",
        "POST /v1/billing_portal/sessions customer=cus_Mine1&return_url=https%3A%2F%2Fexample.com",
        "GET /v1/payment_intents/search?query=customer%3A%22cus_Mine1%22",
        "GET /v1/charges/search?query=status%3A'succeeded'+AND+customer%3A'cus_Mine1'",
        "GET /v1/products/prod_1Abc",
        "GET /v1/prices?product=prod_1Abc&active=true",
    ] {
        assert_eq!(of(line), Bound::Yes, "{line}");
    }
}

#[test]
fn nothing_else_does() {
    for line in [
        // Other customers, wherever they stand.
        "GET /v1/customers",
        "GET /v1/customers?limit=1&email=a@b.c",
        "GET /v1/customers/search?query=customer%3A%22cus_Mine1%22",
        "GET /v1/customers/cus_Theirs1",
        "GET /v1/customers/cus_Mine1x",
        "GET /v1/customers/legacy_custom",
        "GET /v1/customers/%63us_Theirs1",
        "GET /v1/customers/cus_Mine1%2F..%2Fcus_Theirs1",
        "GET /v1/customers/../customers/cus_Theirs1",
        "POST /v1/customers name=Another",
        "DELETE /v1/customers/cus_Theirs1",
        "POST /v1/payment_intents amount=5&currency=usd&customer=cus_Theirs1",
        "POST /v1/payment_intents amount=5&currency=usd&customer=legacy",
        "POST /v1/payment_intents amount=5&currency=usd&customer=",
        "POST /v1/payment_intents customer=cus_Mine1&customer=cus_Theirs1",
        "POST /v1/payment_intents customer=cus_Mine1&customer[]=cus_Theirs1",
        "POST /v1/payment_intents customer=cus_Mine1&description=for+cus_Theirs1",
        "POST /v1/payment_intents customer=cus_Mine1&metadata[for]=cus_Theirs1",
        "POST /v1/payment_intents customer_account=acct_1Abc&customer=cus_Mine1",
        "POST /v1/payment_intents customer=cus_Mine1&x[customer]=cus_Theirs1",
        "POST /v1/payment_intents customer=gcus_Mine1",
        "POST /v1/payment_intents x[customer]=cus_Mine1",
        // Nobody's, or everybody's.
        "POST /v1/payment_intents amount=5&currency=usd",
        "GET /v1/payment_intents",
        "GET /v1/charges?limit=100",
        "GET /v1/events",
        "GET /v1/balance_transactions",
        "GET /v1/payouts",
        "GET /v1/files/file_1Abc",
        "GET /v1/subscriptions?status=all&price=price_1Abc",
        "GET /v1/checkout/sessions",
        "POST /v1/products name=x",
        "POST /v1/coupons/free percent_off=100",
        "POST /v1/payouts amount=5&currency=usd",
        "POST /v1/webhook_endpoints url=https%3A%2F%2Fexample.com",
        "GET /v1/test_helpers/customers/cus_Mine1/x",
        "GET /v2/core/accounts/acct_1Abc",
        // Objects of others, and of whom nobody knows.
        "GET /v1/payment_intents/pi_Theirs1",
        "GET /v1/payment_intents/pi_Nobodys1",
        "GET /v1/payment_intents/pi_Swapped1",
        "GET /v1/payment_intents/pi_Theirs1?customer=cus_Mine1",
        "POST /v1/payment_intents/pi_Theirs1 customer=cus_Mine1",
        "GET /v1/charges/ch_Gone1",
        "POST /v1/refunds payment_intent=pi_Theirs1",
        "POST /v1/refunds payment_intent=pi_Mine1&charge=ch_Gone1",
        "GET /v1/refunds/re_Theirs1",
        "GET /v1/refunds/re_Nobodys1",
        "POST /v1/subscriptions customer=cus_Mine1&default_payment_method=pm_Theirs1&items[0][price]=price_1Abc",
        "POST /v1/payment_methods/pm_Theirs1/attach customer=cus_Mine1",
        "POST /v1/payment_methods/pm_Theirs1/detach",
        "GET /v1/payment_intents?customer=cus_Mine1&starting_after=pi_Theirs1",
        "POST /v1/payment_intents customer=cus_Mine1&transfer_data[destination]=acct_1Abc",
        "POST /v1/payment_intents customer=cus_Mine1&on_behalf_of=acct_1Abc",
        "POST /v1/payment_intents customer=cus_Mine1&payment_method=src_1Abc",
        "GET /v1/balance_transactions/txn_1Abc",
        // Searches that find more.
        "GET /v1/payment_intents/search?query=status%3A'succeeded'",
        "GET /v1/payment_intents/search?query=customer%3A'cus_Mine1'+OR+status%3A'succeeded'",
        "GET /v1/payment_intents/search?query=customer%3A'cus_Mine1'+or+amount%3E1",
        "GET /v1/payment_intents/search?query=-customer%3A'cus_Mine1'",
        "GET /v1/payment_intents/search?query=customer%3A'cus_Mine1'+status%3A'succeeded'",
        "GET /v1/payment_intents/search?query=metadata%5B'a'%5D%3A%22x+AND+customer%3A'cus_Mine1'+AND+y%22",
        "GET /v1/payment_intents/search?query=metadata%5B'a'%5D%3A%22x%5C%22+AND+customer%3A'cus_Mine1'+AND+y%22",
        "GET /v1/payment_intents/search?query=customer%3A'cus_Mine1'+AND",
        "GET /v1/payment_intents/search?query=customer%3A'cus_Mine1",
        "GET /v1/payment_intents/search?query=(customer%3A'cus_Mine1')",
        "GET /v1/payment_intents/search?customer=cus_Mine1",
        "GET /v1/payment_intents/search",
    ] {
        assert!(matches!(of(line), Bound::No(_)), "{line}: {:?}", of(line));
    }
}

#[test]
fn what_is_not_known_yet_is_looked_up() {
    assert_eq!(of("GET /v1/invoices/in_New1"), Bound::Needs("/v1/invoices/in_New1".to_owned()));
    let weird = of("GET /v1/charges/weird?customer=cus_Mine1");
    assert_eq!(weird, Bound::Needs("/v1/charges/weird".to_owned()), "whatever it is, it is not left out");
    assert_eq!(of("POST /v1/refunds charge=ch_New1"), Bound::Needs("/v1/charges/ch_New1".to_owned()));
}

#[test]
fn an_answer_with_another_customer_in_it_is_not_shown() {
    for (answer, is) in [
        (json!({"id": "cus_Mine1", "email": "a@b.c"}), true),
        (json!({"data": [{"customer": "cus_Mine1"}, {"customer": null}]}), true),
        (json!({"data": [{"customer": "cus_Theirs1"}]}), false),
        (json!({"data": [{"customer": "legacy"}]}), false),
        (json!({"latest_charge": {"customer": {"id": "cus_Theirs1"}}}), false),
        (json!({"url": "https://example.com/cus_Theirs1"}), false),
        (json!({"cus_Theirs1": 1}), false),
    ] {
        assert_eq!(shows_only(&answer.to_string(), MINE), is, "{answer}");
    }
    assert!(!shows_only("no JSON", MINE));
}
