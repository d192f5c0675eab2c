//! Checkout sessions: created by the merchant, paid on a hosted page, completed.

use serde_json::{Value, json};

use super::cards::{self, Behaviour};
use super::fields::{assign_metadata, new_metadata, object};
use super::payment_intent::{self, Terms};
use super::{
    Call, Operations, Read, Reply, customer, discount, invoice_payment, listing, money, payment_method, price, product,
    setup_intent, subscription,
};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/checkout/sessions", list),
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions/{session}", retrieve),
    ("POST", "/v1/checkout/sessions/{session}", update),
    ("POST", "/v1/checkout/sessions/{session}/expire", expire),
    ("GET", "/v1/checkout/sessions/{session}/line_items", list_line_items),
    ("GET", "/v1/payment_pages/{session}", retrieve),
    ("POST", "/v1/payment_pages/{session}/confirm", confirm_page),
];

const KIND: &str = "checkout.session";
/// Where the line items are: they are part of no answer unless expanded.
const LINE_ITEMS: &str = "checkout.session.line_items";
/// What `payment_intent_data`, `subscription_data` and `setup_intent_data` said.
const DATA: &str = "checkout.session.data";
const DAY: i64 = 86_400;

fn check_url(sent: &Object, name: &str) -> Result<(), ApiError> {
    let Some(url) = sent.text(name) else { return Ok(()) };
    // `{CHECKOUT_SESSION_ID}` is no part of a URL until it is replaced.
    let plain = url.replace(['{', '}'], "");
    let sound = plain.starts_with("http://") || plain.starts_with("https://");
    if sound && plain.parse::<hyper::Uri>().is_ok_and(|u| u.host().is_some()) {
        return Ok(());
    }
    Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(name))
}

/// Line items, and what has to be created for them.
pub(super) struct Cart {
    pub(super) items: Vec<Value>,
    pub(super) new: Vec<(Option<Object>, Object)>,
    pub(super) currency: Option<String>,
    pub(super) recurring: bool,
    pub(super) total: i64,
}

pub(super) fn cart(account: &mut Account, sent: &Object) -> Result<Cart, ApiError> {
    let mut cart = Cart { items: Vec::new(), new: Vec::new(), currency: None, recurring: false, total: 0 };
    for (index, line) in sent.objects("line_items").enumerate() {
        let param = format!("line_items[{index}]");
        let (price, name) = match (line.text("price"), line.object("price_data")) {
            (Some(id), _) => {
                let price = account.find("price", id, &format!("{param}[price]"))?;
                let product = price.text("product").and_then(|p| account.get("product", p));
                (price, product.and_then(|p| p.text("name").map(str::to_owned)))
            }
            (None, Some(data)) => {
                let parent = format!("{param}[price_data]");
                let new_product = match (data.text("product"), data.object("product_data")) {
                    (Some(_), _) => None,
                    (None, Some(data)) => Some(product::build(account, data)?),
                    (None, None) => return Err(ApiError::missing_param(&format!("{parent}[product_data]"))),
                };
                let product = match &new_product {
                    Some(product) => product.clone(),
                    None => {
                        let id = data.text("product").unwrap_or_default();
                        account.find("product", id, &format!("{parent}[product]"))?
                    }
                };
                let price = price::build(account, data, product.id(), &parent)?;
                cart.new.push((new_product, price.clone()));
                (price, product.text("name").map(str::to_owned))
            }
            (None, None) => return Err(ApiError::missing_param(&format!("{param}[price]"))),
        };
        let quantity = line.integer("quantity").unwrap_or(1);
        money::check_quantity(quantity, 1, &format!("{param}[quantity]"))?;
        let currency = price.text("currency").unwrap_or_default().to_owned();
        if cart.currency.get_or_insert(currency.clone()) != &currency {
            return Err(ApiError::invalid("All prices in a session must have the same currency.").param(param));
        }
        let amount = price::total(&price, quantity);
        cart.recurring |= price.object("recurring").is_some();
        cart.total = cart.total.saturating_add(amount);
        cart.items.push(json!({
            "id": account.new_id("li"),
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": currency,
            "description": name,
            "metadata": new_metadata(line),
            "price": price,
            "quantity": quantity,
        }));
    }
    Ok(cart)
}

/// Keeps the products and prices that a cart brought along.
pub(super) fn keep_new(account: &mut Account, new: &[(Option<Object>, Object)]) {
    for (product, price) in new {
        if let Some(product) = product {
            account.create("product", "product.created", product);
        }
        price::keep(account, price);
    }
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    open(call.account, &sent).map(Reply::from)
}

/// Opens a session.
pub(super) fn open(account: &mut Account, sent: &Object) -> Result<Object, ApiError> {
    let Some(mode) = sent.text("mode") else { return Err(ApiError::missing_param("mode")) };
    let ui_mode = sent.text("ui_mode").unwrap_or("hosted_page");
    let hosted = ui_mode == "hosted_page";
    if hosted && sent.text("success_url").is_none() {
        return Err(ApiError::missing_param("success_url"));
    }
    for name in ["success_url", "cancel_url", "return_url"] {
        check_url(sent, name)?;
    }
    if sent.contains_key("customer") && sent.contains_key("customer_email") {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(ApiError::invalid(message).code("parameters_exclusive"));
    }
    let known = match sent.text("customer") {
        Some(id) => Some(customer::named(account, id, "customer")?),
        None => None,
    };
    if mode != "setup" && sent.list("line_items").is_empty() {
        return Err(ApiError::missing_param("line_items"));
    }
    let cart = cart(account, sent)?;
    if mode == "payment" && cart.recurring {
        return Err(ApiError::invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use \
             only one-time prices.",
        ));
    }
    if mode == "subscription" && !cart.recurring {
        let message = "You must provide at least one recurring price in `subscription` mode when using prices.";
        return Err(ApiError::invalid(message));
    }
    if mode == "payment"
        && let Some(currency) = &cart.currency
        && cart.total > 0
    {
        money::check_charge(cart.total, currency, "line_items")?;
    }
    let redeemed = discount::redeem(account, sent)?;
    if let (Some(redeemed), Some(currency)) = (&redeemed, &cart.currency) {
        discount::check_currency(redeemed, currency)?;
    }
    let named: Vec<Value> = sent
        .objects("discounts")
        .map(|d| json!({"coupon": d.get("coupon"), "promotion_code": d.get("promotion_code")}))
        .collect();
    let created = now();
    let expires_at = sent.integer("expires_at").unwrap_or(created + DAY);
    if !(created + 1800 - 60..=created + DAY + 60).contains(&expires_at) {
        let message =
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    let currency = match (cart.currency, sent.text("currency")) {
        (Some(currency), _) => Some(currency),
        (None, Some(code)) => Some(money::currency(code, "currency")?),
        (None, None) => None,
    };
    keep_new(account, &cart.new);
    let id = account.new_id(if account.live() { "cs_live" } else { "cs_test" });
    let url = hosted.then(|| format!("{}/c/pay/{id}", account.settings().base_url));
    let secret = (!hosted).then(|| format!("{id}_secret_{}", account.letters(25)));
    let owner = [("checkout_session", id.as_str())];
    let discounts = discount::attach(account, redeemed.unwrap_or_default(), &owner);
    let off = discounts.iter().filter_map(Value::as_str).fold(0, |sum: i64, id| {
        let line = (cart.total.saturating_sub(sum), None, true);
        sum.saturating_add(discount::off(account, id, &[line]).iter().sum::<i64>())
    });
    let subtotal = (mode != "setup").then_some(cart.total);
    let total = subtotal.map(|t| t.saturating_sub(off));
    let email = sent.text("customer_email").or_else(|| known.as_ref().and_then(|c| c.text("email")));
    let details = email.is_some().then(|| details(email, known.as_ref().and_then(|c| c.text("name"))));
    let creation = match mode {
        "payment" if known.is_none() => Some(sent.text("customer_creation").unwrap_or("if_required")),
        "subscription" if known.is_none() => Some("always"),
        _ => None,
    };
    let setup = match mode {
        "setup" => {
            let mut intent = object(json!({"customer": sent.get("customer")}));
            intent.extend(sent.object("setup_intent_data").cloned().unwrap_or_default());
            let intent = setup_intent::build(account, &intent);
            account.create("setup_intent", "setup_intent.created", &intent);
            Some(intent.id().to_owned())
        }
        _ => None,
    };
    let session = object(json!({
        "id": id,
        "object": KIND,
        "adaptive_pricing": if mode == "payment" { json!({"enabled": true}) } else { Value::Null },
        "after_expiration": null,
        "allow_promotion_codes": sent.get("allow_promotion_codes"),
        "allowed_payment_method_types": sent.get("allowed_payment_method_types"),
        "amount_subtotal": subtotal,
        "amount_total": total,
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": sent.get("billing_address_collection"),
        "branding_settings": null,
        "cancel_url": sent.text("cancel_url"),
        "client_reference_id": sent.text("client_reference_id"),
        "client_secret": secret,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": created,
        "currency": currency,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer": sent.text("customer"),
        "customer_account": null,
        "customer_creation": creation,
        "customer_details": details,
        "customer_email": sent.text("customer_email"),
        "discounts": named,
        "excluded_payment_method_types": null,
        "expires_at": expires_at,
        "integration_identifier": sent.get("integration_identifier"),
        "invoice": null,
        "invoice_creation": if mode == "payment" { invoice_creation(sent) } else { Value::Null },
        "livemode": account.live(),
        "locale": sent.get("locale"),
        "managed_payments": null,
        "metadata": new_metadata(sent),
        "mode": mode,
        "name_collection": null,
        "optional_items": null,
        "origin_context": sent.get("origin_context"),
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": if mode == "payment" { "if_required" } else { "always" },
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": payment_intent::method_types(sent),
        "payment_status": if total.unwrap_or_default() > 0 { "unpaid" } else { "no_payment_required" },
        "permissions": null,
        "phone_number_collection": {"enabled": false},
        "presentment_details": null,
        "recovered_from": null,
        "redirect_on_completion": (!hosted).then(|| sent.text("redirect_on_completion").unwrap_or("always")),
        "return_url": sent.text("return_url"),
        "saved_payment_method_options": null,
        "setup_intent": setup,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": sent.get("submit_type"),
        "subscription": null,
        "success_url": sent.text("success_url"),
        "tax_id_collection": null,
        "total_details": total.map(|_| json!({"amount_discount": off, "amount_shipping": 0, "amount_tax": 0})),
        "ui_mode": ui_mode,
        "url": url,
        "wallet_options": null,
    }));
    account.put(KIND, &session);
    account.put(LINE_ITEMS, &object(json!({"id": id, "created": created, "data": cart.items})));
    let data = json!({
        "id": id,
        "created": created,
        "payment": sent.object("payment_intent_data"),
        "subscription": sent.object("subscription_data"),
    });
    account.put(DATA, &object(data));
    // A session that is opened is no event; only what becomes of it is.
    Ok(session)
}

fn invoice_creation(sent: &Object) -> Value {
    let enabled = sent.object("invoice_creation").is_some_and(|i| i.is_true("enabled"));
    json!({
        "enabled": enabled,
        "invoice_data": {
            "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
            "metadata": {}, "rendering_options": null,
        },
    })
}

fn details(email: Option<&str>, name: Option<&str>) -> Value {
    json!({
        "address": null, "business_name": null, "email": email, "individual_name": null, "name": name, "phone": null,
        "tax_exempt": "none", "tax_ids": [],
    })
}

/// What the page does when its customer pays, for tools that do without the page.
fn confirm_page(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let session = call.named(KIND)?;
    let id = call.parameters.text("payment_method").unwrap_or_default().to_owned();
    let method = payment_method::named(call.account, &id, "payment_method")?;
    if method.text("type") != Some("card") {
        return confirm_later(call.account, session, &method).map(Reply::from);
    }
    let billing = method.object("billing_details").cloned().unwrap_or_default();
    let (email, name) = (billing.text("email").unwrap_or_default(), billing.text("name").unwrap_or_default());
    let card = payment_method::card(&method).handle();
    pay(call.account, session.id(), &card, email, name)?;
    call.named(KIND).map(Reply::from)
}

/// A debit: the session is complete before the money is there, and what comes of it is told later.
fn confirm_later(account: &mut Account, mut session: Object, method: &Object) -> Result<Object, ApiError> {
    if session.text("status") != Some("open") {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    let sent = object(json!({"customer": session.get("customer")}));
    let currency = session.text("currency").unwrap_or("eur").to_owned();
    let amount = session.integer("amount_total").unwrap_or_default();
    let mut intent = payment_intent::build(account, amount, &currency, &sent);
    intent.insert("payment_method".into(), method.id().into());
    intent.insert("payment_method_types".into(), json!([method.get("type")]));
    account.create("payment_intent", "payment_intent.created", &intent);
    intent.insert("status".into(), "processing".into());
    let text = account.put("payment_intent", &intent);
    account.emit("payment_intent.processing", text);
    session.insert("payment_intent".into(), intent.id().into());
    session.insert("status".into(), "complete".into());
    session.insert("url".into(), Value::Null);
    let text = account.put(KIND, &session);
    account.emit("checkout.session.completed", text);
    let bank = method.text("type").and_then(|t| method.object(t));
    let fails = bank.and_then(|b| b.text("last4")).is_some_and(|l| payment_method::FAILING_DEBITS.contains(&l));
    if fails {
        payment_intent::fail_debit(account, &mut intent);
        let text = account.put(KIND, &session);
        account.emit("checkout.session.async_payment_failed", text);
    } else {
        payment_intent::settle_debit(account, &mut intent, method);
        session.insert("payment_status".into(), "paid".into());
        let text = account.put(KIND, &session);
        account.emit("checkout.session.async_payment_succeeded", text);
    }
    Ok(session)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn update(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut session = call.named(KIND)?;
    assign_metadata(&mut session, &call.parameters)?;
    Ok(Reply::Kept(call.account.put(KIND, &session)))
}

fn expire(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut session = call.named(KIND)?;
    let status = session.text("status").unwrap_or_default();
    if status != "open" {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             `{status}`."
        );
        return Err(ApiError::invalid(message));
    }
    session.insert("status".into(), "expired".into());
    session.insert("url".into(), Value::Null);
    let text = call.account.put(KIND, &session);
    call.account.emit("checkout.session.expired", text.clone());
    Ok(Reply::Kept(text))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let equal = [
        ("customer", "customer"),
        ("payment_intent", "payment_intent"),
        ("payment_link", "payment_link"),
        ("subscription", "subscription"),
        ("status", "status"),
    ];
    let email = call.parameters.object("customer_details").and_then(|d| d.text("email"));
    listing::shelf_where(call, KIND, &equal, |s| {
        email.is_none() || s.object("customer_details").and_then(|d| d.text("email")) == email
    })
}

fn items_of(account: &Account, session: &str) -> Vec<Value> {
    account.get(LINE_ITEMS, session).map(|i| i.list("data").to_vec()).unwrap_or_default()
}

fn list_line_items(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let session = call.named(KIND)?;
    let items = items_of(call.account, session.id());
    listing::parts(call, "item", items)
}

/// `line_items` of a session, when expanded.
pub(super) fn line_items(account: &Account, session: &Object) -> Value {
    let id = session.id();
    super::fields::sublist(items_of(account, id), format!("/v1/checkout/sessions/{id}/line_items"))
}

/// What came of paying.
#[derive(Debug)]
pub(crate) enum Paid {
    /// The session is complete; the page where the customer goes, if there is one.
    Complete(Option<String>),
    /// The customer has to authenticate at this URL first.
    Authenticate(String),
}

/// The customer pays on the hosted page with a test card, named by its ready-made payment method or by number.
///
/// # Errors
/// When the session is not open, and when the card is declined; the customer can try again.
pub(crate) fn pay(account: &mut Account, id: &str, card: &str, email: &str, name: &str) -> Result<Paid, ApiError> {
    let mut session = account.find(KIND, id, "id")?;
    if session.text("status") != Some("open") {
        return Err(ApiError::invalid("This Checkout Session is no longer open."));
    }
    let number: String = card.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let card = cards::by_payment_method(card)
        .or_else(|| cards::by_number(&number))
        .ok_or_else(|| ApiError::card("incorrect_number", "Your card number is incorrect.").param("number"))?;
    let own_email = session.text("customer_email").map(str::to_owned);
    let email = if email.is_empty() { own_email.as_deref() } else { Some(email) };
    let name = (!name.is_empty()).then_some(name);
    let billing = json!({"card": {"cvc": "123"}, "billing_details": {"email": email, "name": name}});
    if let (Behaviour::Declines(code, decline_code), false) = (card.behaviour, session.text("mode") == Some("payment"))
    {
        return Err(payment_method::decline_error(code, decline_code));
    }
    let method = payment_method::build(account, card, &object(billing));
    account.put("payment_method", &method);
    if session.object("customer_details").is_none() || email.is_some() {
        session.insert("customer_details".into(), details(email, name));
    }
    let data = account.get(DATA, id).unwrap_or_default();
    let usage = data.object("payment").and_then(|p| p.text("setup_future_usage"));
    let needs_customer = session.text("customer_creation") == Some("always") || usage.is_some();
    if session.text("customer").is_none() && needs_customer {
        let customer = customer::create_for_checkout(account, email, name);
        session.insert("customer".into(), customer.into());
    }
    account.put(KIND, &session);
    match session.text("mode") {
        Some("subscription") => subscribe(account, &session, &data, method)?,
        Some("setup") => {
            let intent =
                account.find("setup_intent", session.text("setup_intent").unwrap_or_default(), "setup_intent")?;
            account.purposes.insert(intent.id().to_owned(), (KIND, id.to_owned()));
            setup_intent::attempt(account, intent, method, &Terms::default())?;
        }
        _ => charge(account, session, &data, &method)?,
    }
    Ok(result(account, id))
}

fn result(account: &Account, id: &str) -> Paid {
    let session = account.get(KIND, id).unwrap_or_default();
    if session.text("status") == Some("open")
        && let Some(intent) = intent_of(account, &session).or_else(|| setup_of(account, &session))
        && intent.text("status") == Some("requires_action")
    {
        return Paid::Authenticate(format!("{}/_simulator/authenticate/{}", account.settings().base_url, intent.id()));
    }
    Paid::Complete(session.text("success_url").map(|u| u.replace("{CHECKOUT_SESSION_ID}", id)))
}

fn setup_of(account: &Account, session: &Object) -> Option<Object> {
    account.get("setup_intent", session.text("setup_intent")?)
}

fn intent_of(account: &Account, session: &Object) -> Option<Object> {
    if let Some(id) = session.text("payment_intent") {
        return account.get("payment_intent", id);
    }
    let subscription = account.get("subscription", session.text("subscription")?)?;
    invoice_payment::intent_of(account, subscription.text("latest_invoice")?)
}

fn charge(account: &mut Account, mut session: Object, data: &Object, method: &Object) -> Result<(), ApiError> {
    let amount = session.integer("amount_total").unwrap_or_default();
    if amount == 0 {
        complete(account, session.id());
        return Ok(());
    }
    let mut intent = match intent_of(account, &session) {
        Some(intent) => intent,
        None => {
            let mut sent = data.object("payment").cloned().unwrap_or_default();
            sent.insert("customer".into(), session.get("customer").cloned().unwrap_or_default());
            let currency = session.text("currency").unwrap_or("usd").to_owned();
            let intent = payment_intent::build(account, amount, &currency, &sent);
            account.purposes.insert(intent.id().to_owned(), (KIND, session.id().to_owned()));
            account.create("payment_intent", "payment_intent.created", &intent);
            session.insert("payment_intent".into(), intent.id().into());
            account.put(KIND, &session);
            intent
        }
    };
    payment_intent::attempt(account, &mut intent, method, &Terms::default())?;
    if intent.text("status") == Some("requires_capture") {
        // The money is held: for the customer that is all.
        complete(account, session.id());
    }
    Ok(())
}

fn subscribe(account: &mut Account, session: &Object, data: &Object, method: Object) -> Result<(), ApiError> {
    let owner = session.text("customer").unwrap_or_default();
    let method = payment_method::attach_to(account, method, owner);
    if let Some(mut intent) = intent_of(account, session) {
        return payment_intent::attempt(account, &mut intent, &method, &Terms::default());
    }
    let items: Vec<Value> = items_of(account, session.id())
        .iter()
        .filter(|i| i.pointer("/price/recurring").is_some_and(|r| !r.is_null()))
        .map(|i| json!({"price": i.pointer("/price/id"), "quantity": i.get("quantity")}))
        .collect();
    let mut sent = data.object("subscription").cloned().unwrap_or_default();
    sent.insert("customer".into(), owner.into());
    sent.insert("default_payment_method".into(), method.id().into());
    sent.insert("items".into(), items.into());
    if !session.list("discounts").is_empty() {
        let discounts = session.objects("discounts").map(|d| match d.text("promotion_code") {
            Some(code) => json!({"promotion_code": code}),
            None => json!({"coupon": d.get("coupon")}),
        });
        sent.insert("discounts".into(), discounts.collect::<Vec<_>>().into());
    }
    let start = subscription::Start { sent: &sent, session: Some(session.id()) };
    let created = subscription::create(account, &start)?;
    let Some(mut session) = account.get(KIND, session.id()) else { return Ok(()) };
    if session.text("status") == Some("open") {
        session.insert("subscription".into(), created.id().into());
        session.insert("invoice".into(), created.get("latest_invoice").cloned().unwrap_or_default());
        account.put(KIND, &session);
        if matches!(created.text("status"), Some("active" | "trialing")) {
            complete(account, session.id());
        } else if let Some(intent) = intent_of(account, &session)
            && intent.object("last_payment_error").is_some()
        {
            return Err(payment_method::decline_error("card_declined", "generic_decline"));
        }
    }
    Ok(())
}

/// What the session is for happened.
pub(super) fn complete(account: &mut Account, id: &str) {
    let Some(mut session) = account.get(KIND, id) else { return };
    let being_created = account.being_created.is_some();
    if session.text("status") != Some("open") || being_created {
        return;
    }
    let captured = intent_of(account, &session).is_none_or(|i| i.text("status") != Some("requires_capture"));
    let due = session.integer("amount_total").unwrap_or_default() > 0;
    let trial = session
        .text("subscription")
        .and_then(|s| account.get("subscription", s))
        .is_some_and(|s| s.text("status") == Some("trialing"));
    let payment = match (session.text("mode"), due) {
        (Some("setup"), _) | (_, false) => "no_payment_required",
        _ if trial => "no_payment_required",
        _ if captured => "paid",
        _ => "unpaid",
    };
    session.insert("payment_status".into(), payment.into());
    session.insert("status".into(), "complete".into());
    session.insert("url".into(), Value::Null);
    let text = account.put(KIND, &session);
    account.emit("checkout.session.completed", text);
}
