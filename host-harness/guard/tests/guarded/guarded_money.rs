//! Caps: what calls, runs and days may move, also when many race for it.

use guard::{Guarded, Stopped};
use serde_json::{Value, json};

use crate::shop::{Shop, refused, run};

fn cap(on: &str, per: &str, amount: &str) -> String {
    format!("[[cap]]\non = \"{on}\"\nper = \"{per}\"\namount = \"{amount}\"\ncurrency = \"usd\"\n")
}

fn payment(amount: u64) -> Value {
    json!({ "amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": true,
        "return_url": "https://example.com/return" })
}

async fn pay(guarded: &Guarded, shop: &Shop, amount: u64) -> Result<Value, Stopped> {
    let paid = run(guarded, &shop.fresh(), "payment_intent.create", &payment(amount), true).await?;
    Ok(serde_json::from_str(&paid).unwrap())
}

#[tokio::test]
async fn refunds_and_payouts_have_caps_of_their_own() {
    let shop = Shop::open().await;
    let guarded = shop.behind(&[cap("payments", "call", "100"), cap("refunds", "call", "20")].concat()).await;
    let paid = pay(&guarded, &shop, 10_000).await.unwrap();
    refused(pay(&guarded, &shop, 10_001).await);
    // Without an amount, all of it goes back.
    let whole = json!({ "payment_intent": paid["id"] });
    let refusal = refused(run(&guarded, &shop.fresh(), "refund.create", &whole, true).await);
    assert!(refusal.reason.contains("100.00 USD is over the cap of 20.00 USD"), "{refusal:?}");
    let part = json!({ "payment_intent": paid["id"], "amount": 2_000 });
    assert!(run(&guarded, &shop.fresh(), "refund.create", &part, true).await.is_ok());
    let payout = json!({ "amount": 1, "currency": "usd" });
    refused(run(&guarded, &shop.fresh(), "payout.create", &payout, true).await);
    // What is bought by its price is counted by its price.
    let customer = shop.act("customer.create", json!({ "payment_method": "pm_card_visa" })).await;
    let product = shop.act("product.create", json!({ "name": "Plan" })).await;
    let price = json!({ "product": product["id"], "unit_amount": 4_000, "currency": "usd", "recurring": { "interval": "month" } });
    let price = shop.act("price.create", price).await;
    let buy = |quantity: u64| json!({ "customer": customer["id"], "items": [{ "price": price["id"], "quantity": quantity }] });
    let refusal = refused(run(&guarded, &shop.fresh(), "subscription.create", &buy(3), true).await);
    assert!(refusal.reason.contains("120.00 USD"), "{refusal:?}");
    let bought = run(&guarded, &shop.fresh(), "subscription.create", &buy(2), true).await;
    assert!(!matches!(bought, Err(Stopped::Denied(_))), "{bought:?}");
}

#[tokio::test]
async fn a_days_cap_counts_what_was_done_and_what_nobody_knows() {
    let shop = Shop::open().await;
    let policy = format!("ledger = \"ledger.jsonl\"\n{}", cap("payments", "day", "100"));
    let guarded = shop.behind(&policy).await;
    pay(&guarded, &shop, 4_000).await.unwrap();
    // A decline moves nothing.
    let declined = json!({ "amount": 6_000, "currency": "usd", "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": true, "return_url": "https://example.com/return" });
    let ended = run(&guarded, &shop.fresh(), "payment_intent.create", &declined, true).await;
    assert!(matches!(ended, Err(Stopped::Failed(_))), "{ended:?}");
    pay(&guarded, &shop, 5_000).await.unwrap();
    let refusal = refused(pay(&guarded, &shop, 1_001).await);
    assert!(refusal.reason.contains("over what is left of the cap of 100.00 USD per day: 10.00 USD"), "{refusal:?}");
    // The same run once more spends nothing twice.
    let again = shop.call("order_7");
    for _ in 0..3 {
        run(&guarded, &again, "payment_intent.create", &payment(1_000), true).await.unwrap();
    }
    assert!(refused(pay(&guarded, &shop, 50).await).reason.contains(": 0.00 USD"));
    // Another guard of the same file knows.
    refused(pay(&shop.behind(&policy).await, &shop, 50).await);
}

#[tokio::test]
async fn a_hundred_payments_at_once_never_exceed_a_cap() {
    let shop = Shop::open().await;
    let policy = format!("ledger = \"ledger.jsonl\"\n{}", cap("payments", "day", "70"));
    let mut racers = Vec::new();
    for _ in 0..4 {
        racers.push(shop.behind(&policy).await);
    }
    let mut racing = tokio::task::JoinSet::new();
    for index in 0..100 {
        let (guarded, call) = (racers[index % racers.len()].clone(), shop.fresh());
        racing.spawn(async move { run(&guarded, &call, "payment_intent.create", &payment(1_000), true).await });
    }
    let (mut paid, mut refusals) = (0, 0);
    while let Some(ended) = racing.join_next().await {
        match ended.unwrap() {
            Ok(_) => paid += 1,
            Err(Stopped::Denied(refusal)) => {
                assert!(refusal.reason.contains("per day"), "{refusal:?}");
                refusals += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((paid, refusals), (7, 93));
    assert_eq!(shop.acted().len(), 7);
}
