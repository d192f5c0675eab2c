//! Connected accounts: what they have to tell, what they can do, and the money that passes between them and the
//! platform.

use crate::stripe::{Answer, Form, Stripe, until};
use serde_json::{Value, json};
use stripe_simulator::Options;

const REQUESTED: [(&str, &str); 3] = [
    ("country", "US"),
    ("capabilities[card_payments][requested]", "true"),
    ("capabilities[transfers][requested]", "true"),
];

async fn account(stripe: &Stripe, form: Form<'_>) -> Answer {
    stripe.make("/v1/accounts", &[&REQUESTED[..], form].concat()).await
}

/// An account that can do everything.
async fn complete(stripe: &Stripe) -> String {
    let form = [
        ("type", "custom"),
        ("business_type", "individual"),
        ("business_profile[mcc]", "5734"),
        ("business_profile[url]", "https://connected.example"),
        ("individual[first_name]", "Jenny"),
        ("individual[last_name]", "Rosen"),
        ("individual[email]", "jenny@example.com"),
        ("individual[phone]", "+15555551234"),
        ("individual[dob][day]", "1"),
        ("individual[dob][month]", "1"),
        ("individual[dob][year]", "1901"),
        ("individual[address][line1]", "address_full_match"),
        ("individual[address][city]", "San Francisco"),
        ("individual[address][state]", "CA"),
        ("individual[address][postal_code]", "94080"),
        ("individual[id_number]", "000000000"),
        ("external_account", "btok_us_verified"),
        ("tos_acceptance[date]", "1790000000"),
        ("tos_acceptance[ip]", "8.8.8.8"),
    ];
    let made = account(stripe, &form).await;
    assert_eq!(made.body["requirements"]["currently_due"], json!([]), "{}", made.text);
    made.id()
}

async fn as_account(stripe: &Stripe, account: &str, method: &str, path: &str, form: Form<'_>) -> Answer {
    let answer = stripe.call(method, path, form, &[("stripe-account", account)]).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer
}

/// The types of the events of a connected account, oldest first.
async fn events_of(stripe: &Stripe, account: &str) -> Vec<String> {
    let mut types = as_account(stripe, account, "GET", "/v1/events", &[("limit", "100")]).await.types();
    types.reverse();
    types
}

fn due(account: &Answer) -> Vec<&str> {
    account.body["requirements"]["currently_due"].as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect()
}

/// What is with an account, pending and available.
async fn balance(stripe: &Stripe, headers: Form<'_>) -> i64 {
    let balance = stripe.call("GET", "/v1/balance", &[], headers).await.body;
    let sum = |part: &str| balance[part].as_array().unwrap().iter().map(|b| b["amount"].as_i64().unwrap()).sum::<i64>();
    sum("available") + sum("pending")
}

#[tokio::test]
async fn a_company_is_asked_for_what_it_has_not_told() {
    let stripe = Stripe::start().await;
    let form = [("type", "custom"), ("business_type", "company"), ("external_account", "btok_us_verified")];
    let made = account(&stripe, &form).await;
    let id = made.id();
    assert_eq!(
        due(&made),
        [
            "business_profile.mcc",
            "business_profile.url",
            "company.address.city",
            "company.address.line1",
            "company.address.postal_code",
            "company.address.state",
            "company.name",
            "company.phone",
            "company.tax_id",
            "relationship.owner",
            "relationship.representative",
            "tos_acceptance.date",
            "tos_acceptance.ip",
        ]
    );
    assert_eq!(made.body["charges_enabled"], false);
    assert_eq!(made.body["requirements"]["disabled_reason"], "requirements.past_due");
    assert_eq!(made.body["capabilities"], json!({"card_payments": "inactive", "transfers": "inactive"}));
    assert_eq!(made.body["external_accounts"]["data"][0]["last4"], "6789");
    let path = format!("/v1/accounts/{id}");
    let told = [
        ("business_profile[mcc]", "5734"),
        ("business_profile[url]", "https://connected.example"),
        ("company[name]", "Company"),
        ("company[phone]", "+15555551234"),
        ("company[tax_id]", "000000000"),
        ("company[address][line1]", "1 Street"),
        ("company[address][city]", "San Francisco"),
        ("company[address][state]", "CA"),
        ("company[address][postal_code]", "94080"),
        ("tos_acceptance[date]", "1790000000"),
        ("tos_acceptance[ip]", "8.8.8.8"),
    ];
    let changed = stripe.make(&path, &told).await;
    assert_eq!(due(&changed), ["relationship.owner", "relationship.representative"]);
    assert_eq!(changed.body["company"]["tax_id_provided"], true);
    assert!(!changed.text.contains("000000000"));
    let person = [
        ("first_name", "Jenny"),
        ("last_name", "Rosen"),
        ("relationship[owner]", "true"),
        ("relationship[representative]", "true"),
        ("relationship[title]", "CEO"),
    ];
    let person = stripe.make(&format!("{path}/persons"), &person).await;
    let asked = stripe.get(&path, &[]).await;
    assert!(due(&asked).contains(&format!("{}.dob.day", person.id()).as_str()), "{:?}", due(&asked));
    let rest = [
        ("email", "jenny@example.com"),
        ("phone", "+15555551234"),
        ("dob[day]", "1"),
        ("dob[month]", "1"),
        ("dob[year]", "1901"),
        ("address[line1]", "1 Street"),
        ("address[city]", "San Francisco"),
        ("address[state]", "CA"),
        ("address[postal_code]", "94080"),
        ("ssn_last_4", "0000"),
    ];
    let person = stripe.make(&format!("{path}/persons/{}", person.id()), &rest).await;
    assert_eq!(person.body["verification"]["status"], "verified");
    assert_eq!(person.body["ssn_last_4_provided"], true);
    let done = stripe.get(&path, &[]).await;
    assert!(due(&done).is_empty(), "{:?}", due(&done));
    for flag in ["charges_enabled", "payouts_enabled", "details_submitted"] {
        assert_eq!(done.body[flag], true, "{flag}");
    }
    assert_eq!(done.body["capabilities"], json!({"card_payments": "active", "transfers": "active"}));
    let own = as_account(&stripe, &id, "GET", "/v1/account", &[]).await;
    assert_eq!(own.body, done.body);
    assert!(stripe.events().await.is_empty(), "they are the connected account's");
    let events = events_of(&stripe, &id).await;
    for kind in [
        "account.external_account.created",
        "person.created",
        "person.updated",
        "account.updated",
        "capability.updated",
    ] {
        assert!(events.contains(&kind.to_owned()), "{kind}: {events:?}");
    }
    let capabilities = events.iter().filter(|e| *e == "capability.updated").count();
    assert_eq!(capabilities, 4, "requested, and then active");
    let capability = stripe.get(&format!("{path}/capabilities/transfers"), &[]).await;
    assert_eq!((&capability.body["status"], &capability.body["requested"]), (&"active".into(), &true.into()));
    let persons = stripe.get(&format!("{path}/persons"), &[("relationship[owner]", "true")]).await;
    assert_eq!(persons.ids(), [person.id()]);
    assert_eq!(stripe.delete(&format!("{path}/persons/{}", person.id())).await.body["deleted"], true);
    assert_eq!(stripe.get(&path, &[]).await.body["charges_enabled"], false);
}

#[tokio::test]
async fn an_account_is_rejected_and_deleted() {
    let stripe = Stripe::start().await;
    let id = complete(&stripe).await;
    let path = format!("/v1/accounts/{id}");
    let rejected = stripe.make(&format!("{path}/reject"), &[("reason", "fraud_other")]).await;
    assert_eq!(rejected.body["requirements"]["disabled_reason"], "rejected.platform_fraud");
    assert_eq!((&rejected.body["charges_enabled"], &rejected.body["payouts_enabled"]), (&false.into(), &false.into()));
    let still = stripe.make(&path, &[("metadata[a]", "1")]).await;
    assert_eq!(still.body["charges_enabled"], false);
    let back = stripe.make(&format!("{path}/unreject"), &[]).await;
    assert_eq!(back.body["charges_enabled"], true);
    assert_eq!(stripe.get("/v1/accounts", &[]).await.ids(), std::slice::from_ref(&id));
    assert_eq!(stripe.delete(&path).await.body, json!({"id": id, "object": "account", "deleted": true}));
    let gone = stripe.get(&path, &[]).await;
    assert_eq!((gone.status, &gone.error()["code"]), (403, &"account_invalid".into()));
    assert_eq!(events_of(&stripe, &id).await.last().unwrap(), "account.application.deauthorized");
}

#[tokio::test]
async fn an_express_account_is_onboarded_by_a_link() {
    let stripe = Stripe::start().await;
    let id = account(&stripe, &[("type", "express")]).await.id();
    let login = format!("/v1/accounts/{id}/login_links");
    assert_eq!(stripe.post(&login, &[]).await.status, 400);
    let form = [
        ("account", id.as_str()),
        ("type", "account_onboarding"),
        ("refresh_url", "https://platform.example/again"),
        ("return_url", "https://platform.example/done"),
    ];
    let link = stripe.make("/v1/account_links", &form).await;
    assert_eq!(link.body["expires_at"].as_i64().unwrap() - link.body["created"].as_i64().unwrap(), 300);
    let url = link.body["url"].as_str().unwrap();
    let shown = stripe.send("GET", url, &[], "").await;
    assert!(shown.text.contains("business_type"), "{}", shown.text);
    let done = stripe.submit(url, &[]).await;
    assert_eq!(done.header("location"), "https://platform.example/done");
    let known = stripe.get(&format!("/v1/accounts/{id}"), &[]).await;
    assert_eq!(known.body["charges_enabled"], true, "{}", known.text);
    let again = stripe.send("GET", url, &[], "").await;
    assert_eq!(again.header("location"), "https://platform.example/again");
    let login = stripe.make(&login, &[]).await;
    assert_eq!(stripe.send("GET", login.body["url"].as_str().unwrap(), &[], "").await.status, 200);
    let form = [form[0], ("type", "account_update"), form[2], form[3]];
    assert_eq!(stripe.post("/v1/account_links", &form).await.error()["param"], "type");
}

fn charge_of(intent: &Answer) -> &Value {
    &intent.body["latest_charge"]
}

#[tokio::test]
async fn a_destination_charge_is_passed_on_and_comes_back() {
    let stripe = Stripe::start().await;
    let id = complete(&stripe).await;
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("application_fee_amount", "123"),
        ("transfer_data[destination]", id.as_str()),
        ("expand[]", "latest_charge"),
    ];
    let intent = stripe.make("/v1/payment_intents", &form).await;
    let charge = charge_of(&intent);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    let transfer = stripe.get(&format!("/v1/transfers/{}", text(&charge["transfer"])), &[]).await;
    assert_eq!((&transfer.body["amount"], &transfer.body["source_transaction"]), (&1000.into(), &charge["id"]));
    assert_eq!(transfer.body["transfer_group"], format!("group_{}", intent.id()));
    let fee_path = format!("/v1/application_fees/{}", text(&charge["application_fee"]));
    let fee = stripe.get(&fee_path, &[]).await;
    assert_eq!((&fee.body["amount"], &fee.body["account"]), (&123.into(), &id.as_str().into()));
    assert_eq!(fee.body["charge"], transfer.body["destination_payment"]);
    assert_eq!(fee.body["originating_transaction"], charge["id"]);
    let payment_path = format!("/v1/charges/{}", text(&transfer.body["destination_payment"]));
    let payment = as_account(&stripe, &id, "GET", &payment_path, &[("expand[]", "balance_transaction")]).await;
    assert_eq!(payment.body["balance_transaction"]["net"], 877);
    assert_eq!(payment.body["balance_transaction"]["fee_details"][0]["type"], "application_fee");
    let headers = [("stripe-account", id.as_str())];
    assert_eq!(balance(&stripe, &headers).await, 877);
    let platform = balance(&stripe, &[]).await;
    let own_fee = 1000 - (platform + 1000 - 123);
    assert!(own_fee > 0, "the platform pays for the processing: {platform}");

    let refund = [
        ("charge", charge["id"].as_str().unwrap()),
        ("amount", "500"),
        ("reverse_transfer", "true"),
        ("refund_application_fee", "true"),
    ];
    let first = stripe.make("/v1/refunds", &refund).await;
    assert!(first.body["transfer_reversal"].is_string());
    assert_eq!(stripe.get(&fee_path, &[]).await.body["amount_refunded"], 61);
    let payment = as_account(&stripe, &id, "GET", &payment_path, &[]).await;
    assert_eq!((&payment.body["amount_refunded"], &payment.body["refunded"]), (&500.into(), &false.into()));
    stripe.make("/v1/refunds", &refund).await;
    let fee = stripe.get(&fee_path, &[]).await;
    assert_eq!((&fee.body["amount_refunded"], &fee.body["refunded"]), (&123.into(), &true.into()));
    assert_eq!(fee.body["refunds"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(balance(&stripe, &headers).await, 0);
    assert_eq!(balance(&stripe, &[]).await, -own_fee);
    let transfer = stripe.get(&format!("/v1/transfers/{}", transfer.id()), &[]).await;
    assert_eq!(transfer.body["reversed"], true);
    let events = stripe.events().await;
    for kind in ["transfer.created", "application_fee.created", "transfer.reversed", "application_fee.refunded"] {
        assert!(events.contains(&kind.to_owned()), "{kind}: {events:?}");
    }
}

#[tokio::test]
async fn a_direct_charge_pays_the_platform_its_fee() {
    let stripe = Stripe::start().await;
    let id = complete(&stripe).await;
    let form = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("application_fee_amount", "100"),
        ("expand[]", "latest_charge.balance_transaction"),
    ];
    let refused = stripe.post("/v1/payment_intents", &form).await;
    assert_eq!(refused.error()["param"], "application_fee_amount", "{}", refused.text);
    let intent = as_account(&stripe, &id, "POST", "/v1/payment_intents", &form).await;
    let charge = charge_of(&intent);
    let fees = &charge["balance_transaction"]["fee_details"];
    assert_eq!((&fees[0]["type"], &fees[0]["amount"]), (&"application_fee".into(), &100.into()));
    assert_eq!(fees[1]["type"], "stripe_fee");
    let listed = stripe.get("/v1/application_fees", &[("charge", charge["id"].as_str().unwrap())]).await;
    assert_eq!(listed.ids(), [charge["application_fee"].as_str().unwrap()]);
    assert_eq!(listed.body["data"][0]["account"], id);
    assert_eq!(balance(&stripe, &[]).await, 100);
    assert_eq!(stripe.events().await, ["application_fee.created"]);
    assert!(events_of(&stripe, &id).await.contains(&"payment_intent.succeeded".to_owned()));
    let refunds = format!("/v1/application_fees/{}/refunds", listed.ids()[0]);
    let part = stripe.make(&refunds, &[("amount", "40"), ("metadata[why]", "kind")]).await;
    let too_much = stripe.post(&refunds, &[("amount", "61")]).await;
    assert_eq!(too_much.error()["param"], "amount");
    let changed = stripe.make(&format!("{refunds}/{}", part.id()), &[("metadata[why]", "")]).await;
    assert_eq!(changed.body["metadata"], json!({}));
    assert_eq!(stripe.get(&refunds, &[]).await.ids(), [part.id()]);
    let refund = [("charge", charge["id"].as_str().unwrap()), ("refund_application_fee", "true")];
    as_account(&stripe, &id, "POST", "/v1/refunds", &refund).await;
    assert_eq!(balance(&stripe, &[]).await, 0);
}

#[tokio::test]
async fn what_connected_accounts_cannot_have_is_refused() {
    let stripe = Stripe::start().await;
    let id = complete(&stripe).await;
    let refused = async |form: Form<'_>| {
        let form = [&[("amount", "1000"), ("currency", "usd")], form].concat();
        let answer = stripe.post("/v1/payment_intents", &form).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        answer.error()["param"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(refused(&[("transfer_data[destination]", "acct_none")]).await, "transfer_data[destination]");
    assert_eq!(refused(&[("on_behalf_of", "acct_none")]).await, "on_behalf_of");
    let destination = ("transfer_data[destination]", id.as_str());
    assert_eq!(refused(&[destination, ("application_fee_amount", "1001")]).await, "application_fee_amount");
    assert_eq!(refused(&[destination, ("transfer_data[amount]", "1001")]).await, "transfer_data[amount]");
    refused(&[destination, ("transfer_data[amount]", "10"), ("application_fee_amount", "1")]).await;
    let paid = [("amount", "1000"), ("currency", "usd"), ("source", "tok_visa")];
    let charge = stripe.make("/v1/charges", &paid).await.id();
    for name in ["reverse_transfer", "refund_application_fee"] {
        let answer = stripe.post("/v1/refunds", &[("charge", &charge), (name, "true")]).await;
        assert_eq!(answer.error()["param"], name, "{}", answer.text);
    }
}

#[tokio::test]
async fn endpoints_for_connected_accounts_hear_of_them_and_of_nothing_else() {
    let stripe = Stripe::start().await;
    let endpoint =
        |url: &'static str, connect: &'static str| [("url", url), ("enabled_events[]", "*"), ("connect", connect)];
    let theirs = stripe.make("/v1/webhook_endpoints", &endpoint("http://127.0.0.1:9/connect", "true")).await;
    stripe.make("/v1/webhook_endpoints", &endpoint("http://127.0.0.1:9/own", "false")).await;
    let id = complete(&stripe).await;
    stripe.make("/v1/products", &[("name", "The platform's")]).await;
    as_account(&stripe, &id, "POST", "/v1/products", &[("name", "The account's")]).await;
    let own = stripe.get("/v1/events", &[("type", "product.created")]).await.body["data"][0].clone();
    let headers = [("stripe-account", id.as_str())];
    let all = stripe.call("GET", "/v1/events", &[("type", "product.created")], &headers).await;
    let connected = all.body["data"][0].clone();
    let page = until("both deliveries", async || {
        let page = stripe.send("GET", "/", &[], "").await.text;
        let attempted = |event: &Value, path: &str| {
            let event = event["id"].as_str().unwrap();
            page.split("<tr>").any(|row| row.contains(event) && row.contains(path))
        };
        (attempted(&own, "127.0.0.1:9/own") && attempted(&connected, "127.0.0.1:9/connect")).then(|| page.clone())
    })
    .await;
    let crossed = page.split("<tr>").any(|row| {
        (row.contains(own["id"].as_str().unwrap()) && row.contains("9/connect"))
            || (row.contains(connected["id"].as_str().unwrap()) && row.contains("9/own"))
    });
    assert!(!crossed, "{page}");
    assert_eq!((&own["pending_webhooks"], &connected["pending_webhooks"]), (&1.into(), &1.into()));
    // A changed endpoint goes on hearing of the same accounts.
    let path = format!("/v1/webhook_endpoints/{}", theirs.id());
    stripe.make(&path, &[("enabled_events[]", "price.created")]).await;
    as_account(&stripe, &id, "POST", "/v1/products", &[("name", "Another")]).await;
    let all = stripe.call("GET", "/v1/events", &[("type", "product.created")], &headers).await;
    assert_eq!(all.body["data"][0]["pending_webhooks"], 0);
}

#[tokio::test]
async fn a_transfer_arrives_and_comes_back() {
    let stripe = Stripe::start().await;
    let id = complete(&stripe).await;
    let funds = [("amount", "5000"), ("currency", "usd"), ("source", "tok_bypassPending")];
    stripe.make("/v1/charges", &funds).await;
    let form = [("amount", "700"), ("currency", "usd"), ("destination", id.as_str()), ("transfer_group", "group")];
    let transfer = stripe.make("/v1/transfers", &form).await;
    let headers = [("stripe-account", id.as_str())];
    assert_eq!(balance(&stripe, &headers).await, 700);
    let payment = format!("/v1/charges/{}", transfer.body["destination_payment"].as_str().unwrap());
    let arrived = as_account(&stripe, &id, "GET", &payment, &[]).await;
    assert_eq!((&arrived.body["source_transfer"], &arrived.body["amount"]), (&transfer.body["id"], &700.into()));
    let reversals = format!("/v1/transfers/{}/reversals", transfer.id());
    let reversal = stripe.make(&reversals, &[("amount", "200")]).await;
    let refund = format!("/v1/refunds/{}", reversal.body["destination_payment_refund"].as_str().unwrap());
    let refund = as_account(&stripe, &id, "GET", &refund, &[]).await;
    assert_eq!(refund.body["source_transfer_reversal"], reversal.body["id"]);
    assert_eq!(balance(&stripe, &headers).await, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_wait_for_each_other_do_not_wait_for_ever() {
    let latency = std::time::Duration::from_millis(1);
    let stripe = Stripe::start_with(Options { latency, ..Options::default() }).await;
    let id = complete(&stripe).await;
    let there = [
        ("amount", "1000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("application_fee_amount", "100"),
    ];
    let here = [&there[..], &[("transfer_data[destination]", id.as_str())]].concat();
    let both = (0..20).map(async |_| {
        let direct = async { as_account(&stripe, &id, "POST", "/v1/payment_intents", &there).await };
        let passed = async { stripe.make("/v1/payment_intents", &here).await };
        futures_util::future::join(direct, passed).await
    });
    futures_util::future::join_all(both).await;
    let fees = stripe.get("/v1/application_fees", &[("limit", "100")]).await;
    assert_eq!(fees.ids().len(), 40);
    let payments = as_account(&stripe, &id, "GET", "/v1/charges", &[("limit", "100")]).await;
    assert_eq!(payments.ids().len(), 40);
}

/// As programs do that keep every account by its id, their own among them.
#[tokio::test]
async fn the_keys_own_account_by_its_id_is_the_same_account() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[("name", "Ada")]).await.id();
    let own = stripe.call("GET", "/v1/account", &[], &[]).await.id();
    let found = as_account(&stripe, &own, "GET", &format!("/v1/customers/{customer}"), &[]).await;
    assert_eq!(found.body["name"], "Ada");
    assert_eq!(as_account(&stripe, &own, "GET", "/v1/account", &[]).await.id(), own);
    as_account(&stripe, &own, "POST", "/v1/customers", &[("name", "Bob")]).await;
    let listed = stripe.call("GET", "/v1/customers", &[], &[]).await;
    assert_eq!(listed.body["data"].as_array().map(Vec::len), Some(2));
    // In an organisation's context the last name of the path counts.
    let context = stripe
        .call("GET", &format!("/v1/customers/{customer}"), &[], &[("stripe-context", &format!("org_1/{own}"))])
        .await;
    assert_eq!(context.status, 200, "{}", context.text);
}
