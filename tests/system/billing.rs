//! Invoices, offers and the account that makes them, with the samples of their operations.

use host::contract::File;
use serde_json::{Value, json};

use crate::trial::{Trial, all_were_run};

/// A customer whom one can charge, a price to pay monthly and one to pay once.
async fn customer_and_prices(t: &Trial) -> (Value, Value, Value) {
    let card = json!({"email": "jenny.rosen@example.com", "payment_method": "pm_card_visa",
        "invoice_settings": {"default_payment_method": "pm_card_visa"}});
    let customer = t.act("customer.create", card).await["id"].clone();
    let mut price = json!({"currency": "usd", "unit_amount": 1500, "product_data": {"name": "Gold plan"}});
    let once = t.act("price.create", price.clone()).await["id"].clone();
    price["recurring"] = json!({"interval": "month"});
    let monthly = t.act("price.create", price).await["id"].clone();
    (customer, monthly, once)
}

#[tokio::test]
async fn invoices_items_and_credit_notes_run_with_their_samples() {
    let t = Trial::open().await;
    let (customer, monthly, _) = customer_and_prices(&t).await;
    let its = [("customer", &customer)];

    let item = t.ran("invoice_item.create", &its).await;
    let item = [("invoice_item", &item["id"])];
    assert_eq!(t.ran("invoice_item.update", &item).await["amount"], 3000);
    t.ran("invoice_item.retrieve", &item).await;
    t.ran("invoice_item.list", &[]).await;
    assert_eq!(t.ran("invoice_item.delete", &item).await["deleted"], true);

    let invoice = t.ran("invoice.create", &its).await;
    let one = [("invoice", &invoice["id"])];
    for operation in ["invoice.update", "invoice.add_lines", "invoice.list_lines", "invoice.finalize", "invoice.send"] {
        t.ran(operation, &one).await;
    }
    let sent = t.ran("invoice.retrieve", &one).await;
    assert_eq!((&sent["status"], &sent["total"]), (&json!("open"), &json!(15_000)));
    t.ran("invoice.list", &[]).await;
    assert_eq!(t.ran("invoice.search", &[]).await["data"][0]["id"], invoice["id"]);

    t.ran("credit_note.preview", &one).await;
    let note = t.ran("credit_note.create", &one).await;
    let note = [("credit_note", &note["id"])];
    t.ran("credit_note.retrieve", &note).await;
    t.ran("credit_note.list", &[]).await;
    assert_eq!(t.ran("credit_note.void", &note).await["status"], "void");
    assert_eq!(t.ran("invoice.mark_uncollectible", &one).await["status"], "uncollectible");
    assert_eq!(t.ran("invoice.void", &one).await["status"], "void");

    let draft = t.ran("invoice.create", &its).await;
    assert_eq!(t.ran("invoice.delete", &[("invoice", &draft["id"])]).await["deleted"], true);
    let charged = t.act("invoice.create", json!({"customer": customer})).await;
    let one = [("invoice", &charged["id"])];
    t.ran("invoice.add_lines", &one).await;
    t.ran("invoice.finalize", &one).await;
    assert_eq!(t.ran("invoice.pay", &one).await["status"], "paid");
    // What takes a payment back: of a paid invoice one says where the amount goes.
    let back = json!({"invoice": charged["id"], "amount": 500, "refund_amount": 500});
    assert_eq!(t.act("credit_note.create", back).await["post_payment_amount"], 500);

    let subscribed = json!({"customer": customer, "items": [{"price": monthly}]});
    let subscription = t.act("subscription.create", subscribed).await;
    assert_eq!(t.ran("invoice.preview", &[("subscription", &subscription["id"])]).await["total"], 1500);
    all_were_run(&t, &["invoice", "invoice_item", "credit_note"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn quotes_checkout_pages_payment_links_and_the_portal_run_with_their_samples() {
    let t = Trial::open().await;
    let (customer, _, price) = customer_and_prices(&t).await;
    let sold = ("line_items.0.price", &price);

    let quote = t.ran("quote.create", &[("customer", &customer), sold]).await;
    let one = [("quote", &quote["id"])];
    assert_eq!(t.ran("quote.finalize", &one).await["status"], "open");
    assert_eq!(t.downloaded("quote.pdf", &one).await.content_type, "application/pdf");
    t.ran("quote.retrieve", &one).await;
    t.ran("quote.list", &[]).await;
    assert!(t.ran("quote.accept", &one).await["invoice"].is_string());
    let other = t.ran("quote.create", &[("customer", &customer), sold]).await;
    assert_eq!(t.ran("quote.cancel", &[("quote", &other["id"])]).await["status"], "canceled");

    let session = t.ran("checkout_session.create", &[sold]).await;
    let one = [("session", &session["id"])];
    t.ran("checkout_session.retrieve", &one).await;
    t.ran("checkout_session.list", &[]).await;
    let lines = t.ran("checkout_session.list_line_items", &one).await;
    assert_eq!(lines["data"][0]["amount_total"], 1500);
    assert_eq!(t.ran("checkout_session.expire", &one).await["status"], "expired");

    let link = t.ran("payment_link.create", &[sold]).await;
    let one = [("payment_link", &link["id"])];
    t.ran("payment_link.update", &one).await;
    t.ran("payment_link.retrieve", &one).await;
    t.ran("payment_link.list", &[]).await;
    assert_eq!(t.ran("payment_link.deactivate", &one).await["active"], false);
    assert_eq!(t.ran("payment_link.activate", &one).await["active"], true);

    assert!(t.ran("billing_portal_session.create", &[("customer", &customer)]).await["url"].is_string());
    all_were_run(&t, &["quote", "checkout_session", "payment_link", "billing_portal_session"]).await;
    t.shop.checked_requests();
}

#[tokio::test]
async fn accounts_events_files_and_webhook_endpoints_run_with_their_samples() {
    let t = Trial::open().await;
    let account = t.act("v1.accounts.create", json!({"type": "express", "country": "US"})).await;
    assert_ne!(t.ran("account.retrieve_own", &[]).await["id"], account["id"]);
    let one = [("account", &account["id"])];
    t.ran("account.retrieve", &one).await;
    assert_eq!(t.ran("account.list", &[]).await["data"][0]["id"], account["id"]);
    assert!(t.ran("account_link.create", &one).await["url"].is_string());

    t.act("customer.create", json!({})).await;
    let event = t.ran("event.list", &[]).await["data"][0].clone();
    t.ran("event.retrieve", &[("event", &event["id"])]).await;

    let receipt = File {
        field: "file".into(),
        name: "receipt.pdf".into(),
        content_type: "application/pdf".into(),
        content: b"%PDF-1.4 a receipt".to_vec(),
    };
    let file = t.ran_with("file.upload", &[], vec![receipt]).await;
    let one = [("file", &file["id"])];
    t.ran("file.retrieve", &one).await;
    let link = t.ran("file_link.create", &one).await;
    assert_eq!(t.ran("file_link.expire", &[("file_link", &link["id"])]).await["expired"], true);

    let endpoint = t.ran("webhook_endpoint.create", &[]).await;
    // Events come in the endpoint's version, whichever the requests name.
    assert_eq!(endpoint["api_version"], stripe_facts::Facts::bundled().api_version);
    let one = [("webhook_endpoint", &endpoint["id"])];
    t.ran("webhook_endpoint.update", &one).await;
    t.ran("webhook_endpoint.retrieve", &one).await;
    t.ran("webhook_endpoint.list", &[]).await;
    assert_eq!(t.ran("webhook_endpoint.delete", &one).await["deleted"], true);
    all_were_run(&t, &["account", "account_link", "event", "file", "file_link", "webhook_endpoint"]).await;
    t.shop.checked_requests();
}
