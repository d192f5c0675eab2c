//! Invoices by hand: items, lines, discounts, taxes, every end that they can have, and credit notes.

use crate::stripe::{Answer, Stripe};
use serde_json::{Value, json};

async fn item(stripe: &Stripe, customer: &str, amount: &str) -> String {
    let form = [("customer", customer), ("amount", amount), ("currency", "usd"), ("description", "Work")];
    stripe.make("/v1/invoiceitems", &form).await.id()
}

async fn invoice(stripe: &Stripe, customer: &str, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("customer", customer), ("pending_invoice_items_behavior", "include")];
    form.extend_from_slice(more);
    stripe.make("/v1/invoices", &form).await
}

async fn act(stripe: &Stripe, id: &str, verb: &str) -> Answer {
    stripe.make(&format!("/v1/invoices/{id}/{verb}"), &[]).await
}

#[tokio::test]
async fn a_draft_is_finalized_and_paid() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let first = item(&stripe, &customer, "2000").await;
    item(&stripe, &customer, "500").await;
    let before = stripe.events().await.len();
    let draft = invoice(&stripe, &customer, &[]).await;
    assert_eq!((&draft.body["status"], &draft.body["total"]), (&json!("draft"), &json!(2500)));
    assert_eq!(draft.body["lines"]["data"].as_array().unwrap().len(), 2);
    let shown = stripe.get(&format!("/v1/invoiceitems/{first}"), &[]).await;
    assert_eq!(shown.body["invoice"], draft.body["id"]);
    let open = act(&stripe, &draft.id(), "finalize").await;
    assert_eq!((&open.body["status"], &open.body["amount_due"]), (&json!("open"), &json!(2500)));
    assert!(open.body["number"].is_string());
    let paid = act(&stripe, &draft.id(), "pay").await;
    assert_eq!((&paid.body["status"], &paid.body["amount_paid"]), (&json!("paid"), &json!(2500)));
    let again = stripe.post(&format!("/v1/invoices/{}/pay", draft.id()), &[]).await;
    assert_eq!(again.error()["code"], "invoice_already_paid");
    let expected = [
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ];
    assert_eq!(stripe.events().await[before..], expected);
}

#[tokio::test]
async fn numbers_at_the_edge_are_refused_or_taken() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let meter = [("display_name", "M"), ("event_name", "m"), ("default_aggregation[formula]", "sum")];
    let meter = stripe.make("/v1/billing/meters", &meter).await.id();
    let price = stripe.monthly("1500").await;
    for edge in [i64::MIN.to_string(), i64::MAX.to_string()] {
        let item = [("customer", customer.as_str()), ("currency", "usd"), ("amount", &edge)];
        assert_eq!(stripe.post("/v1/invoiceitems", &item).await.status, 400);
        let moved = [("currency", "usd"), ("amount", edge.as_str())];
        let path = format!("/v1/customers/{customer}/balance_transactions");
        assert_eq!(stripe.post(&path, &moved).await.status, 400);
        let range = [("customer", customer.as_str()), ("start_time", "-9223372036854775808"), ("end_time", &edge)];
        stripe.get(&format!("/v1/billing/meters/{meter}/event_summaries"), &range).await;
        let phases =
            [("customer", customer.as_str()), ("start_date", &edge), ("phases[0][items][0][price]", price.as_str())];
        assert!(stripe.post("/v1/subscription_schedules", &phases).await.status < 500);
    }
}

#[tokio::test]
async fn lines_are_added_changed_and_removed_while_it_is_a_draft() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let id = invoice(&stripe, &customer, &[]).await.id();
    let form = [("lines[0][amount]", "700"), ("lines[0][description]", "One"), ("lines[1][amount]", "300")];
    let added = stripe.make(&format!("/v1/invoices/{id}/add_lines"), &form).await;
    assert_eq!(added.body["total"], 1000);
    let line = added.body["lines"]["data"][0]["id"].as_str().unwrap();
    stripe.make(&format!("/v1/invoices/{id}/lines/{line}"), &[("amount", "900")]).await;
    let form = [("lines[0][id]", line), ("lines[0][behavior]", "delete")];
    let removed = stripe.make(&format!("/v1/invoices/{id}/remove_lines"), &form).await;
    assert_eq!(removed.body["total"], 300);
    let other = item(&stripe, &customer, "50").await;
    stripe.make(&format!("/v1/invoices/{id}"), &[("description", "Mine")]).await;
    assert_eq!(stripe.delete(&format!("/v1/invoiceitems/{other}")).await.body["deleted"], true);
    act(&stripe, &id, "finalize").await;
    let late = stripe.post(&format!("/v1/invoices/{id}/add_lines"), &form).await;
    assert_eq!(late.status, 400);
    let late = stripe.delete(&format!("/v1/invoices/{id}")).await;
    assert_eq!(late.error()["code"], "invoice_not_editable");
    let draft = invoice(&stripe, &customer, &[]).await.id();
    assert_eq!(stripe.delete(&format!("/v1/invoices/{draft}")).await.body["deleted"], true);
}

#[tokio::test]
async fn an_invoice_can_be_sent_voided_and_given_up() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let send = [("collection_method", "send_invoice"), ("days_until_due", "7")];
    let missing = [("customer", customer.as_str()), ("collection_method", "send_invoice")];
    assert_eq!(stripe.post("/v1/invoices", &missing).await.error()["code"], "parameter_missing");
    let mut ids = Vec::new();
    for _ in 0..3 {
        item(&stripe, &customer, "800").await;
        ids.push(invoice(&stripe, &customer, &send).await.id());
    }
    let sent = act(&stripe, &ids[0], "send").await;
    assert_eq!((&sent.body["status"], sent.body["due_date"].is_i64()), (&json!("open"), true));
    assert_eq!(act(&stripe, &ids[0], "void").await.body["status"], "void");
    act(&stripe, &ids[1], "finalize").await;
    assert_eq!(act(&stripe, &ids[1], "mark_uncollectible").await.body["status"], "uncollectible");
    let form = [("paid_out_of_band", "true")];
    act(&stripe, &ids[2], "finalize").await;
    let paid = stripe.make(&format!("/v1/invoices/{}/pay", ids[2]), &form).await;
    assert_eq!(paid.body["status"], "paid");
    let events = stripe.events().await;
    for kind in ["invoice.sent", "invoice.voided", "invoice.marked_uncollectible", "invoice.paid"] {
        assert!(events.contains(&kind.to_owned()), "{kind}");
    }
}

#[tokio::test]
async fn discounts_and_taxes_change_what_is_due() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    let quarter = stripe.make("/v1/coupons", &[("percent_off", "25"), ("duration", "once")]).await.id();
    let fixed = [("amount_off", "100"), ("currency", "usd"), ("duration", "forever"), ("name", "Hundred")];
    let fixed = stripe.make("/v1/coupons", &fixed).await.id();
    let form = [("promotion[type]", "coupon"), ("promotion[coupon]", quarter.as_str()), ("code", "FALL")];
    let code = stripe.make("/v1/promotion_codes", &form).await;
    assert_eq!(code.body["promotion"]["coupon"], quarter.as_str());
    let older = stripe.unversioned("POST", "/v1/promotion_codes", &[("coupon", &quarter)]).await;
    assert_eq!(older.body["coupon"]["id"], quarter.as_str(), "{}", older.text);
    let rate = [("display_name", "VAT"), ("percentage", "10"), ("inclusive", "false")];
    let rate = stripe.make("/v1/tax_rates", &rate).await.id();
    item(&stripe, &customer, "1000").await;
    item(&stripe, &customer, "1000").await;
    let code = code.id();
    let form = [
        ("discounts[0][promotion_code]", code.as_str()),
        ("discounts[1][coupon]", fixed.as_str()),
        ("default_tax_rates[0]", rate.as_str()),
        ("shipping_cost[shipping_rate_data][display_name]", "Post"),
        ("shipping_cost[shipping_rate_data][fixed_amount][amount]", "70"),
        ("shipping_cost[shipping_rate_data][fixed_amount][currency]", "usd"),
        ("expand[]", "discounts.promotion_code"),
    ];
    let made = invoice(&stripe, &customer, &form).await.body;
    assert_eq!(made["subtotal"], 2000);
    // A quarter, then a hundred; tax on what is left; shipping is not taxed.
    assert_eq!(made["total_discount_amounts"][0]["amount"], 500);
    assert_eq!(made["total_discount_amounts"][1]["amount"], 100);
    assert_eq!((&made["total_taxes"][0]["amount"], &made["total"]), (&json!(140), &json!(1400 + 140 + 70)));
    assert_eq!(made["discounts"][0]["promotion_code"]["code"], "FALL");
    assert_eq!(stripe.get(&format!("/v1/coupons/{quarter}"), &[]).await.body["times_redeemed"], 1);
    for form in [[("percent_off", "0")], [("percent_off", "101")], [("amount_off", "5")], [("name", "x")]] {
        assert_eq!(stripe.post("/v1/coupons", &form).await.status, 400);
    }
    assert_eq!(stripe.delete(&format!("/v1/coupons/{quarter}")).await.body["deleted"], true);
}

#[tokio::test]
async fn credit_notes_take_off_before_and_give_back_after_the_payment() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    item(&stripe, &customer, "1000").await;
    let id = invoice(&stripe, &customer, &[]).await.id();
    let note = [("invoice", id.as_str()), ("amount", "400")];
    assert_eq!(stripe.post("/v1/credit_notes", &note).await.status, 400, "a draft is changed instead");
    act(&stripe, &id, "finalize").await;
    let before = stripe.make("/v1/credit_notes", &note).await;
    assert_eq!((&before.body["type"], &before.body["status"]), (&json!("pre_payment"), &json!("issued")));
    let shown = stripe.get(&format!("/v1/invoices/{id}"), &[]).await.body;
    assert_eq!((&shown["amount_remaining"], &shown["pre_payment_credit_notes_amount"]), (&json!(600), &json!(400)));
    let voided = stripe.make(&format!("/v1/credit_notes/{}/void", before.id()), &[]).await;
    assert_eq!(voided.body["status"], "void");
    let paid = act(&stripe, &id, "pay").await;
    assert_eq!(paid.body["amount_paid"], 1000);
    assert_eq!(stripe.post("/v1/credit_notes", &note).await.status, 400, "it must be said how it is given back");
    let form = [("invoice", id.as_str()), ("amount", "400"), ("refund_amount", "300"), ("credit_amount", "100")];
    let after = stripe.make("/v1/credit_notes", &form).await;
    assert_eq!(after.body["type"], "post_payment");
    let refund: &Value = &after.body["refunds"][0]["refund"];
    let refund = stripe.get(&format!("/v1/refunds/{}", refund.as_str().unwrap()), &[]).await;
    assert_eq!(refund.body["amount"], 300);
    let owner = stripe.get(&format!("/v1/customers/{customer}"), &[]).await;
    assert_eq!(owner.body["balance"], -100);
    // The credit pays the next invoice, and an invoice that costs nothing more is paid by being final.
    item(&stripe, &customer, "100").await;
    let next = invoice(&stripe, &customer, &[]).await.id();
    let next = act(&stripe, &next, "finalize").await.body;
    assert_eq!(
        (&next["status"], &next["amount_due"], &next["starting_balance"]),
        (&json!("paid"), &json!(0), &json!(-100))
    );
    let more = [("invoice", id.as_str()), ("amount", "4000"), ("credit_amount", "4000")];
    assert_eq!(stripe.post("/v1/credit_notes", &more).await.status, 400);
}

/// An open invoice over so much that is sent to the customer.
async fn sent(stripe: &Stripe, customer: &str, amount: &str) -> Answer {
    item(stripe, customer, amount).await;
    let form = [("collection_method", "send_invoice"), ("days_until_due", "7")];
    let made = invoice(stripe, customer, &form).await.id();
    act(stripe, &made, "finalize").await
}

#[tokio::test]
async fn an_invoice_is_seen_paid_and_printed_where_it_says() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[("email", "c@example.com"), ("name", "Ann (A)")]).await.id();
    let draft = invoice(&stripe, &customer, &[]).await;
    assert_eq!(draft.body["hosted_invoice_url"], Value::Null);
    assert_eq!(stripe.send("GET", &format!("/i/{}", draft.id()), &[], "").await.status, 404, "a draft has no page");
    let open = sent(&stripe, &customer, "1200").await;
    let url = open.body["hosted_invoice_url"].as_str().unwrap();
    let page = stripe.send("GET", url, &[], "").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains(open.body["number"].as_str().unwrap()) && page.text.contains("$12.00"), "{}", page.text);
    let pdf = stripe.send("GET", open.body["invoice_pdf"].as_str().unwrap(), &[], "").await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, "application/pdf"));
    assert!(pdf.text.starts_with("%PDF-1.4") && pdf.text.contains("Ann \\(A\\)") && pdf.text.contains("$12.00"));
    let declined = stripe.submit(url, &[("card", "pm_card_chargeDeclined")]).await;
    assert!(declined.status == 402 && declined.text.contains("Your card was declined."), "{}", declined.text);
    let asked = stripe.submit(url, &[("card", "pm_card_threeDSecure2Required")]).await;
    let back = stripe.submit(asked.header("location"), &[("outcome", "succeeded")]).await;
    assert!(back.header("location").starts_with(url), "{}", back.header("location"));
    let paid = stripe.get(&format!("/v1/invoices/{}", open.id()), &[]).await.body;
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(1200)));
    assert!(!stripe.send("GET", url, &[], "").await.text.contains("<form"));
    assert_eq!(stripe.submit(url, &[("card", "pm_card_visa")]).await.status, 400);
}

#[tokio::test]
async fn payments_are_attached_and_pay_a_part_or_all() {
    let stripe = Stripe::start().await;
    let (customer, method) = stripe.customer_with("pm_card_visa").await;
    let open = sent(&stripe, &customer, "3000").await.id();
    let attach = format!("/v1/invoices/{open}/attach_payment");
    let pay = async |amount: &str, confirm: &str| {
        let form = [
            ("amount", amount),
            ("currency", "usd"),
            ("customer", customer.as_str()),
            ("confirm", confirm),
            ("payment_method", method.as_str()),
        ];
        stripe.make("/v1/payment_intents", &form).await.id()
    };
    let first = pay("1000", "true").await;
    let partly = stripe.make(&attach, &[("payment_intent", &first)]).await.body;
    assert_eq!(
        (&partly["status"], &partly["amount_paid"], &partly["amount_remaining"]),
        (&json!("open"), &json!(1000), &json!(2000))
    );
    assert_eq!(stripe.post(&attach, &[("payment_intent", &first)]).await.error()["param"], "payment_intent");
    let later = pay("2500", "false").await;
    assert_eq!(stripe.make(&attach, &[("payment_intent", &later)]).await.body["status"], "open");
    stripe.make(&format!("/v1/payment_intents/{later}/confirm"), &[]).await;
    let paid = stripe.get(&format!("/v1/invoices/{open}"), &[("expand[]", "payments")]).await.body;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"], &paid["amount_overpaid"]),
        (&json!("paid"), &json!(3000), &json!(500))
    );
    let payments = paid["payments"]["data"].as_array().unwrap();
    let sums: Vec<_> = payments.iter().map(|p| (&p["status"], &p["amount_paid"])).collect();
    assert_eq!(sums, [(&json!("paid"), &json!(2500)), (&json!("paid"), &json!(1000))]);
    let events = stripe.events().await;
    assert_eq!(events.iter().filter(|e| *e == "invoice_payment.paid").count(), 2);
    assert_eq!(events.iter().filter(|e| *e == "invoice.paid").count(), 1);
    let draft = invoice(&stripe, &customer, &[]).await.id();
    let early = stripe.post(&format!("/v1/invoices/{draft}/attach_payment"), &[("payment_intent", &first)]).await;
    assert_eq!(early.status, 400);
}

#[tokio::test]
async fn a_payment_asks_for_what_is_left() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.customer_with("pm_card_visa").await;
    item(&stripe, &customer, "1000").await;
    let id = invoice(&stripe, &customer, &[]).await.id();
    act(&stripe, &id, "finalize").await;
    stripe.make("/v1/credit_notes", &[("invoice", id.as_str()), ("amount", "400")]).await;
    let paid = stripe.make(&format!("/v1/invoices/{id}/pay"), &[("expand[]", "payments")]).await.body;
    let payment = &paid["payments"]["data"][0];
    assert_eq!((&paid["amount_paid"], &payment["amount_paid"]), (&json!(600), &json!(600)));
    let intent = payment["payment"]["payment_intent"].as_str().unwrap();
    assert_eq!(stripe.get(&format!("/v1/payment_intents/{intent}"), &[]).await.body["amount_received"], 600);
    let form = [("invoice", id.as_str()), ("amount", "100"), ("refund_amount", "100"), ("expand[]", "refunds.refund")];
    let note = stripe.make("/v1/credit_notes", &form).await;
    let pdf = stripe.send("GET", note.body["pdf"].as_str().unwrap(), &[], "").await;
    assert!(pdf.status == 200 && pdf.text.starts_with("%PDF"), "{}", pdf.text);
    item(&stripe, &customer, "500").await;
    let other = invoice(&stripe, &customer, &[]).await.id();
    act(&stripe, &other, "finalize").await;
    let form = [("paid_out_of_band", "true"), ("expand[]", "payments")];
    let elsewhere = stripe.make(&format!("/v1/invoices/{other}/pay"), &form).await.body;
    assert_eq!((&elsewhere["status"], &elsewhere["amount_paid_off_stripe"]), (&json!("paid"), &json!(500)));
    assert_eq!(elsewhere["payments"]["data"][0]["status"], "canceled");
}

#[tokio::test]
async fn the_portal_cancels_resumes_and_changes_the_card() {
    let stripe = Stripe::start().await;
    let (customer, old) = stripe.customer_with("pm_card_visa").await;
    let price = stripe.monthly("1500").await;
    let form = [("customer", customer.as_str()), ("items[0][price]", &price), ("default_payment_method", &old)];
    let subscription = stripe.make("/v1/subscriptions", &form).await.id();
    let form = [("customer", customer.as_str()), ("return_url", "https://shop.example/account")];
    let session = stripe.make("/v1/billing_portal/sessions", &form).await;
    let url = session.body["url"].as_str().unwrap();
    let page = stripe.send("GET", url, &[], "").await.text;
    assert!(page.contains(&subscription) && page.contains("4242") && page.contains("$15.00"), "{page}");
    let path = format!("/v1/subscriptions/{subscription}");
    assert_eq!(stripe.submit(url, &[("cancel", &subscription)]).await.status, 303);
    assert_eq!(stripe.get(&path, &[]).await.body["cancel_at_period_end"], true);
    assert!(stripe.send("GET", url, &[], "").await.text.contains("name=\"resume\""));
    stripe.submit(url, &[("resume", &subscription)]).await;
    let kept = stripe.get(&path, &[]).await.body;
    assert_eq!((&kept["cancel_at_period_end"], &kept["cancel_at"]), (&json!(false), &Value::Null));
    let refused = stripe.submit(url, &[("card", "pm_card_chargeDeclined")]).await;
    assert!(refused.status == 402 && refused.text.contains("Your card was declined."));
    stripe.submit(url, &[("card", "pm_card_mastercard")]).await;
    let owner = stripe.get(&format!("/v1/customers/{customer}"), &[]).await.body;
    let new = &owner["invoice_settings"]["default_payment_method"];
    assert_ne!(new, &json!(old));
    assert_eq!(&stripe.get(&path, &[]).await.body["default_payment_method"], new);
    let foreign = stripe.make("/v1/customers", &[]).await.id();
    let form = [("customer", foreign.as_str())];
    let other = stripe.make("/v1/billing_portal/sessions", &form).await;
    let other = stripe.submit(other.body["url"].as_str().unwrap(), &[("cancel", &subscription)]).await;
    assert_eq!(other.status, 400, "of another customer");
}
