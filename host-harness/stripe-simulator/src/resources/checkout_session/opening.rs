//! A session is opened.

use serde_json::{Value, json};

use super::cart::{cart, keep_new};
use super::totals::sum;
use super::{DATA, KIND, LINE_ITEMS};
use crate::protocol::ApiError;
use crate::resources::fields::{assign, new_metadata, object};
use crate::resources::{Call, Read, Reply, customer, discount, money, payment_intent, rates, setup_intent};
use crate::world::{Account, Object, now};

const DAY: i64 = 86_400;
/// The shortest that a session is open.
const SHORTEST: i64 = 1800;
/// The clock of the caller may be off by this.
const LENIENCE: i64 = 60;
/// Shipping options that the customer can be offered.
const MOST_SHIPPING_OPTIONS: usize = 5;
/// Fields of the merchant's own that the customer can be asked to fill in.
const MOST_CUSTOM_FIELDS: usize = 3;

/// What is taken over as it was sent.
const PLAIN: &[&str] = &[
    "allow_promotion_codes",
    "allowed_payment_method_types",
    "billing_address_collection",
    "branding_settings",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "custom_text",
    "customer",
    "customer_email",
    "excluded_payment_method_types",
    "integration_identifier",
    "locale",
    "managed_payments",
    "optional_items",
    "origin_context",
    "permissions",
    "phone_number_collection",
    "return_url",
    "saved_payment_method_options",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "wallet_options",
];

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

/// What belongs to one mode, and what excludes each other.
fn check_together(sent: &Object, mode: &str) -> Result<(), ApiError> {
    const OF_MODES: &[(&str, &[&str])] = &[
        ("payment_intent_data", &["payment"]),
        ("invoice_creation", &["payment"]),
        ("shipping_options", &["payment"]),
        ("submit_type", &["payment", "subscription"]),
        ("customer_creation", &["payment", "setup"]),
        ("subscription_data", &["subscription"]),
        ("setup_intent_data", &["setup"]),
        ("discounts", &["payment", "subscription"]),
        ("line_items", &["payment", "subscription"]),
        ("payment_method_collection", &["subscription"]),
    ];
    for (name, modes) in OF_MODES {
        if sent.contains_key(*name) && !modes.contains(&mode) {
            let message = format!("You can not pass `{name}` in `{mode}` mode.");
            return Err(ApiError::invalid(message).param(*name));
        }
    }
    for (one, other) in
        [("customer", "customer_email"), ("customer", "customer_creation"), ("allow_promotion_codes", "discounts")]
    {
        let both = sent.contains_key(one) && sent.contains_key(other);
        if both && sent.get(one) != Some(&Value::Bool(false)) {
            let message = format!("You may only specify one of these parameters: {one}, {other}.");
            return Err(ApiError::invalid(message).code("parameters_exclusive"));
        }
    }
    if sent.contains_key("customer_update") && sent.text("customer").is_none() {
        let message = "`customer_update` can only be used with `customer`.";
        return Err(ApiError::invalid(message).param("customer_update"));
    }
    Ok(())
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    open(call.account, &sent).map(Reply::from)
}

/// Opens a session.
pub(in crate::resources) fn open(account: &mut Account, sent: &Object) -> Result<Object, ApiError> {
    let Some(mode) = sent.text("mode") else { return Err(ApiError::missing_param("mode")) };
    let ui_mode = sent.text("ui_mode").unwrap_or("hosted_page");
    let hosted = ui_mode == "hosted_page";
    if hosted && sent.text("success_url").is_none() {
        return Err(ApiError::missing_param("success_url"));
    }
    for name in ["success_url", "cancel_url", "return_url"] {
        check_url(sent, name)?;
    }
    check_together(sent, mode)?;
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
    let currency = match (cart.currency, sent.text("currency")) {
        (Some(currency), _) => Some(currency),
        (None, Some(code)) => Some(money::currency(code, "currency")?),
        (None, None) => None,
    };
    let redeemed = discount::redeem(account, sent)?;
    if let (Some(redeemed), Some(currency)) = (&redeemed, &currency) {
        discount::check_currency(redeemed, currency)?;
    }
    let data = sent.object("subscription_data").cloned().unwrap_or_default();
    rates::taxes_at(account, &data, "default_tax_rates", "subscription_data")?;
    let shipping = shipping_options(account, sent, currency.as_deref())?;
    let fields = custom_fields(sent)?;
    let created = now();
    let expires_at = sent.integer("expires_at").unwrap_or(created + DAY);
    if !(created + SHORTEST - LENIENCE..=created + DAY + LENIENCE).contains(&expires_at) {
        let message =
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    // From here on nothing can be refused.
    keep_new(account, &cart.new);
    shipping.iter().filter(|s| s.new).for_each(|s| drop(account.put("shipping_rate", &s.rate)));
    let id = account.new_id(if account.live() { "cs_live" } else { "cs_test" });
    let named: Vec<Value> = sent
        .objects("discounts")
        .map(|d| json!({"coupon": d.get("coupon"), "promotion_code": d.get("promotion_code")}))
        .collect();
    let owner = [("checkout_session", id.as_str())];
    let discounts = discount::prepare(account, redeemed.unwrap_or_default(), &owner);
    let mut session = blank(account, sent, &id, mode, ui_mode);
    assign(KIND, &mut session, sent, PLAIN);
    let email = sent.text("customer_email").or_else(|| known.as_ref().and_then(|c| c.text("email")));
    if email.is_some() {
        session.insert("customer_details".into(), details(email, known.as_ref()));
    }
    let creation = match mode {
        "payment" | "setup" if known.is_none() => Some(sent.text("customer_creation").unwrap_or("if_required")),
        "subscription" if known.is_none() => Some("always"),
        _ => None,
    };
    if mode == "setup" {
        let mut intent = object(json!({"customer": sent.get("customer")}));
        intent.extend(sent.object("setup_intent_data").cloned().unwrap_or_default());
        let intent = setup_intent::build(account, &intent);
        account.create("setup_intent", "setup_intent.created", &intent);
        session.insert("setup_intent".into(), intent.id().into());
    }
    for (name, value) in [
        ("created", created.into()),
        ("currency", currency.into()),
        ("custom_fields", fields.into()),
        ("customer_creation", creation.into()),
        ("discounts", named.into()),
        ("expires_at", expires_at.into()),
    ] {
        session.insert(name.into(), value);
    }
    offer_shipping(&mut session, &shipping);
    account.put(LINE_ITEMS, &object(json!({"id": id, "created": created, "data": cart.items})));
    let data = json!({
        "id": id,
        "created": created,
        "customer_update": sent.object("customer_update"),
        "discounts": discounts,
        "invoice": sent.object("invoice_creation").and_then(|i| i.object("invoice_data")),
        "payment": sent.object("payment_intent_data"),
        "rates": cart.rates,
        "sent": sent,
        "subscription": sent.object("subscription_data"),
    });
    account.put(DATA, &object(data));
    if mode != "setup" {
        sum(account, &mut session);
    }
    // A session that is opened is no event; only what becomes of it is.
    account.put(KIND, &session);
    Ok(session)
}

/// A session of a mode about which nothing else is known.
fn blank(account: &mut Account, sent: &Object, id: &str, mode: &str, ui_mode: &str) -> Object {
    let hosted = ui_mode == "hosted_page";
    let url = hosted.then(|| format!("{}/c/pay/{id}", account.settings().base_url));
    let secret = (!hosted).then(|| format!("{id}_secret_{}", account.letters(25)));
    let automatic = sent.object("automatic_tax").is_some_and(|a| a.is_true("enabled"));
    let naming = sent.object("name_collection").map(|names| {
        let each = |name: &str| {
            names.object(name).map(|n| json!({"enabled": n.is_true("enabled"), "optional": n.is_true("optional")}))
        };
        json!({"business": each("business"), "individual": each("individual")})
    });
    let tax_ids = sent
        .object("tax_id_collection")
        .map(|t| json!({"enabled": t.is_true("enabled"), "required": t.text("required").unwrap_or("never")}));
    let recovery = sent.object("after_expiration").and_then(|a| a.object("recovery")).map(|r| {
        json!({
            "recovery": {
                "allow_promotion_codes": r.is_true("allow_promotion_codes"), "enabled": r.is_true("enabled"),
                "expires_at": null, "url": null,
            },
        })
    });
    let collection = match mode {
        "payment" => "if_required",
        _ => sent.text("payment_method_collection").unwrap_or("always"),
    };
    object(json!({
        "id": id,
        "object": KIND,
        "adaptive_pricing": match sent.object("adaptive_pricing") {
            Some(pricing) => json!({"enabled": pricing.is_true("enabled")}),
            None if mode == "payment" => json!({"enabled": true}),
            None => Value::Null,
        },
        "after_expiration": recovery,
        "allow_promotion_codes": null,
        "allowed_payment_method_types": null,
        "amount_subtotal": null,
        "amount_total": null,
        "automatic_tax": {
            "enabled": automatic, "liability": automatic.then(|| json!({"type": "self"})),
            "provider": automatic.then_some("stripe"), "status": automatic.then_some("requires_location_inputs"),
        },
        "billing_address_collection": null,
        "branding_settings": null,
        "cancel_url": null,
        "client_reference_id": null,
        "client_secret": secret,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": 0,
        "currency": null,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer": null,
        "customer_account": null,
        "customer_creation": null,
        "customer_details": null,
        "customer_email": null,
        "discounts": [],
        "excluded_payment_method_types": null,
        "expires_at": 0,
        "integration_identifier": null,
        "invoice": null,
        "invoice_creation": if mode == "payment" { invoice_creation(sent) } else { Value::Null },
        "livemode": account.live(),
        "locale": null,
        "managed_payments": null,
        "metadata": new_metadata(sent),
        "mode": mode,
        "name_collection": naming,
        "optional_items": null,
        "origin_context": null,
        "payment_intent": null,
        "payment_link": null,
        "payment_method_collection": collection,
        "payment_method_configuration_details": null,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": payment_intent::method_types(sent),
        "payment_status": "no_payment_required",
        "permissions": null,
        "phone_number_collection": {"enabled": false},
        "presentment_details": null,
        "recovered_from": null,
        "redirect_on_completion": (!hosted).then(|| sent.text("redirect_on_completion").unwrap_or("always")),
        "return_url": null,
        "saved_payment_method_options": null,
        "setup_intent": null,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": "open",
        "submit_type": null,
        "subscription": null,
        "success_url": null,
        "tax_id_collection": tax_ids,
        "total_details": null,
        "ui_mode": ui_mode,
        "url": url,
        "wallet_options": null,
    }))
}

fn invoice_creation(sent: &Object) -> Value {
    let empty = Object::new();
    let creation = sent.object("invoice_creation").unwrap_or(&empty);
    let data = creation.object("invoice_data").unwrap_or(&empty);
    let rendering = data
        .object("rendering_options")
        .map(|r| json!({"amount_tax_display": r.text("amount_tax_display"), "template": r.text("template")}));
    json!({
        "enabled": creation.is_true("enabled"),
        "invoice_data": {
            "account_tax_ids": data.get("account_tax_ids").filter(|v| v.is_array()),
            "custom_fields": data.get("custom_fields").filter(|v| v.is_array()),
            "description": data.text("description"), "footer": data.text("footer"),
            "issuer": data.object("issuer"), "metadata": new_metadata(data), "rendering_options": rendering,
        },
    })
}

/// What is known of a customer before it is on the page.
pub(super) fn details(email: Option<&str>, known: Option<&Object>) -> Value {
    let of = |name: &str| known.and_then(|c| c.text(name));
    json!({
        "address": null, "business_name": of("business_name"), "email": email, "individual_name": null,
        "name": of("name"), "phone": of("phone"), "tax_exempt": of("tax_exempt").unwrap_or("none"), "tax_ids": [],
    })
}

/// A way to ship, and whether it was described here.
pub(super) struct Shipping {
    rate: Object,
    new: bool,
}

/// Reads `shipping_options`.
pub(super) fn shipping_options(
    account: &mut Account,
    sent: &Object,
    currency: Option<&str>,
) -> Result<Vec<Shipping>, ApiError> {
    if sent.list("shipping_options").len() > MOST_SHIPPING_OPTIONS {
        let message = format!("You can pass at most {MOST_SHIPPING_OPTIONS} shipping options.");
        return Err(ApiError::invalid(message).param("shipping_options"));
    }
    let mut made = Vec::new();
    for (index, option) in sent.objects("shipping_options").enumerate() {
        let at = format!("shipping_options[{index}]");
        let shipping = match (option.text("shipping_rate"), option.object("shipping_rate_data")) {
            (Some(_), Some(_)) => return Err(ApiError::exclusive("shipping_rate", "shipping_rate_data")),
            (Some(id), None) => {
                let rate = account.find("shipping_rate", id, &format!("{at}[shipping_rate]"))?;
                if !rate.is_true("active") {
                    let message = format!("The shipping rate {id} is inactive.");
                    return Err(ApiError::invalid(message).param(format!("{at}[shipping_rate]")));
                }
                Shipping { rate, new: false }
            }
            (None, Some(data)) => {
                let rate = rates::build_shipping(account, data, &format!("{at}[shipping_rate_data]"))?;
                Shipping { rate, new: true }
            }
            (None, None) => return Err(ApiError::missing_param(&format!("{at}[shipping_rate]"))),
        };
        let fixed = shipping.rate.object("fixed_amount").and_then(|f| f.text("currency"));
        if let (Some(currency), Some(fixed)) = (currency, fixed)
            && currency != fixed
        {
            let message = format!("The shipping rate is in {fixed}, but the session is in {currency}.");
            return Err(ApiError::invalid(message).param(at));
        }
        made.push(shipping);
    }
    Ok(made)
}

/// Puts the ways to ship on the session; the first of them is chosen until the customer chooses another.
fn offer_shipping(session: &mut Object, options: &[Shipping]) {
    let each = |s: &Shipping| {
        let amount = s.rate.object("fixed_amount").and_then(|f| f.integer("amount"));
        json!({"shipping_amount": amount.unwrap_or_default(), "shipping_rate": s.rate.id()})
    };
    session.insert("shipping_options".into(), options.iter().map(each).collect::<Vec<_>>().into());
    let first = options.first().map(|s| rates::shipping_cost(&s.rate));
    session.insert("shipping_cost".into(), first.unwrap_or_default());
}

/// Other ways to ship take the place of those that are there.
pub(super) fn replace_shipping(account: &mut Account, session: &mut Object, options: &[Shipping]) {
    options.iter().filter(|s| s.new).for_each(|s| drop(account.put("shipping_rate", &s.rate)));
    offer_shipping(session, options);
}

/// Reads `custom_fields`.
fn custom_fields(sent: &Object) -> Result<Vec<Value>, ApiError> {
    let fields = sent.list("custom_fields");
    if fields.len() > MOST_CUSTOM_FIELDS {
        let message = format!("You can pass at most {MOST_CUSTOM_FIELDS} custom fields.");
        return Err(ApiError::invalid(message).param("custom_fields"));
    }
    let mut made: Vec<Value> = Vec::new();
    for (index, field) in sent.objects("custom_fields").enumerate() {
        let at = format!("custom_fields[{index}]");
        let key = field.text("key").unwrap_or_default();
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let message = "A custom field's key must be alphanumeric and up to 200 characters.";
            return Err(ApiError::invalid(message).param(format!("{at}[key]")));
        }
        if made.iter().any(|m| m.get("key").is_some_and(|k| k == key)) {
            let message = format!("The key `{key}` is used by more than one custom field.");
            return Err(ApiError::invalid(message).param(format!("{at}[key]")));
        }
        let kind = field.text("type").unwrap_or("text");
        if kind == "dropdown" && field.object("dropdown").is_none_or(|d| d.list("options").is_empty()) {
            return Err(ApiError::missing_param(&format!("{at}[dropdown][options]")));
        }
        let empty = Object::new();
        let text = |name: &str| {
            let of = field.object(name).unwrap_or(&empty);
            (kind == name).then(|| {
                json!({
                    "default_value": of.text("default_value"), "maximum_length": of.get("maximum_length"),
                    "minimum_length": of.get("minimum_length"), "value": null,
                })
            })
        };
        let dropdown = field
            .object("dropdown")
            .filter(|_| kind == "dropdown")
            .map(|d| json!({"default_value": d.text("default_value"), "options": d.list("options"), "value": null}));
        made.push(json!({
            "dropdown": dropdown, "key": key, "label": field.get("label"), "numeric": text("numeric"),
            "optional": field.is_true("optional"), "text": text("text"), "type": kind,
        }));
    }
    Ok(made)
}
