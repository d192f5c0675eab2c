//! Coupons, promotion codes, and the discounts that they become.

use serde_json::{Value, json};

use super::fields::{assign_metadata, deleted, new_metadata, object, whole};
use super::{Call, Operations, Read, Reply, calendar, customer, listing, money};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/coupons", list_coupons),
    ("POST", "/v1/coupons", create_coupon),
    ("GET", "/v1/coupons/{coupon}", retrieve_coupon),
    ("POST", "/v1/coupons/{coupon}", update_coupon),
    ("DELETE", "/v1/coupons/{coupon}", delete_coupon),
    ("GET", "/v1/promotion_codes", list_codes),
    ("POST", "/v1/promotion_codes", create_code),
    ("GET", "/v1/promotion_codes/{promotion_code}", retrieve_code),
    ("POST", "/v1/promotion_codes/{promotion_code}", update_code),
    ("DELETE", "/v1/customers/{customer}/discount", delete_customer_discount),
    ("DELETE", "/v1/subscriptions/{subscription_exposed_id}/discount", delete_subscription_discount),
];

const COUPON: &str = "coupon";
const CODE: &str = "promotion_code";
const DISCOUNT: &str = "discount";

fn create_coupon(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let percent = sent.get("percent_off").and_then(Value::as_f64);
    let amount = sent.integer("amount_off");
    let currency = sent.text("currency").map(|c| money::currency(c, "currency")).transpose()?;
    match (percent, amount) {
        (Some(_), Some(_)) => return Err(ApiError::exclusive("percent_off", "amount_off")),
        (None, None) => {
            let message = "Must provide percent_off or amount_off.";
            return Err(ApiError::invalid(message).code("parameter_missing").param("percent_off"));
        }
        (Some(percent), None) if percent <= 0.0 || percent > 100.0 => {
            let message = "Invalid percent_off: must be greater than 0 and at most 100.";
            return Err(ApiError::invalid(message).param("percent_off"));
        }
        (None, Some(amount)) if amount < 1 => return Err(ApiError::too_small("amount_off", 1)),
        (None, Some(amount)) if amount > money::LARGEST_TOTAL => {
            return Err(ApiError::too_large("amount_off", money::LARGEST_TOTAL));
        }
        (None, Some(_)) if currency.is_none() => return Err(ApiError::missing_param("currency")),
        _ => {}
    }
    let duration = sent.text("duration").unwrap_or("once");
    let months = sent.integer("duration_in_months");
    if (duration == "repeating") != months.is_some() {
        let message = "duration_in_months is required when duration is repeating, and only then.";
        return Err(ApiError::invalid(message).param("duration_in_months"));
    }
    if months.is_some_and(|m| !(1..=1200).contains(&m)) {
        return Err(ApiError::too_small("duration_in_months", 1));
    }
    check_limits(&sent)?;
    let id = match sent.text("id") {
        Some(id) if call.account.exists(COUPON, id) => {
            return Err(ApiError::invalid("Coupon already exists.").code("resource_already_exists").param("id"));
        }
        Some(id) => id.to_owned(),
        None => call.account.letters(8),
    };
    let mut coupon = whole(
        COUPON,
        json!({
            "id": id, "object": COUPON, "amount_off": amount, "created": now(), "currency": currency,
            "duration": duration, "duration_in_months": months, "livemode": call.account.live(),
            "max_redemptions": sent.get("max_redemptions"), "metadata": new_metadata(&sent),
            "name": sent.text("name"), "percent_off": percent, "redeem_by": sent.get("redeem_by"),
            "times_redeemed": 0, "valid": true,
        }),
    );
    coupon.remove("applies_to");
    if let Some(products) = sent.object("applies_to").map(|a| a.list("products")) {
        coupon.insert("applies_to".into(), json!({"products": products}));
    }
    Ok(Reply::Kept(call.account.create(COUPON, "coupon.created", &coupon)))
}

fn check_limits(sent: &Object) -> Result<(), ApiError> {
    if sent.integer("max_redemptions").is_some_and(|m| m < 1) {
        return Err(ApiError::too_small("max_redemptions", 1));
    }
    for name in ["redeem_by", "expires_at"] {
        if sent.integer(name).is_some_and(|t| t <= now()) {
            let message = format!("Invalid timestamp: {name} must be in the future.");
            return Err(ApiError::invalid(message).param(name));
        }
    }
    Ok(())
}

fn retrieve_coupon(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(COUPON).map(Reply::from)
}

fn update_coupon(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(COUPON)?;
    let mut new = old.clone();
    if let Some(name) = call.parameters.get("name") {
        new.insert("name".into(), if name == "" { Value::Null } else { name.clone() });
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(COUPON, "coupon.updated", &old, &new)))
}

fn delete_coupon(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let coupon = call.named(COUPON)?;
    let id = coupon.id().to_owned();
    call.account.remove(COUPON, &id, None);
    call.account.emit("coupon.deleted", written(&coupon));
    Ok(deleted(COUPON, &id).into())
}

fn list_coupons(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    listing::shelf(call, COUPON, &[])
}

fn create_code(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = std::mem::take(&mut call.parameters);
    let (coupon, param) = match (sent.object("promotion").and_then(|p| p.text("coupon")), sent.text("coupon")) {
        (Some(coupon), _) => (coupon, "promotion[coupon]"),
        (None, Some(coupon)) => (coupon, "coupon"),
        (None, None) => return Err(ApiError::missing_param("promotion[coupon]")),
    };
    let coupon = call.account.find(COUPON, coupon, param)?;
    check_limits(&sent)?;
    if let Some(id) = sent.text("customer") {
        customer::named(call.account, id, "customer")?;
    }
    let code = match sent.text("code") {
        Some(code) if code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => code.to_owned(),
        Some(_) => {
            return Err(ApiError::invalid("Promotion codes are made of letters, digits and dashes.").param("code"));
        }
        None => call.account.letters(8).to_uppercase(),
    };
    let taken = |c: &Object| c.is_true("active") && c.text("code").is_some_and(|o| o.eq_ignore_ascii_case(&code));
    if !call.account.select(CODE, "", taken).is_empty() {
        let message = format!("An active promotion code with `code: {code}` already exists.");
        return Err(ApiError::invalid(message).param("code"));
    }
    let empty = Object::new();
    let restrictions = sent.object("restrictions").unwrap_or(&empty);
    let code = whole(
        CODE,
        json!({
            "id": call.account.new_id("promo"), "object": CODE,
            "active": sent.get("active").is_none_or(|a| *a == true), "code": code, "created": now(),
            "customer": sent.text("customer"), "expires_at": sent.get("expires_at"),
            "livemode": call.account.live(), "max_redemptions": sent.get("max_redemptions"),
            "metadata": new_metadata(&sent), "promotion": {"coupon": coupon.id(), "type": "coupon"},
            "restrictions": {
                "first_time_transaction": restrictions.is_true("first_time_transaction"),
                "minimum_amount": restrictions.get("minimum_amount"),
                "minimum_amount_currency": restrictions.get("minimum_amount_currency"),
            },
            "times_redeemed": 0,
        }),
    );
    Ok(Reply::Kept(call.account.create(CODE, "promotion_code.created", &code)))
}

fn retrieve_code(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(CODE).map(Reply::from)
}

fn update_code(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named(CODE)?;
    let mut new = old.clone();
    if let Some(active) = call.parameters.get("active") {
        new.insert("active".into(), active.clone());
    }
    assign_metadata(&mut new, &call.parameters)?;
    Ok(Reply::Kept(call.account.update(CODE, "promotion_code.updated", &old, &new)))
}

fn list_codes(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let sent = &call.parameters;
    let equal = [("code", "code"), ("coupon", "promotion.coupon"), ("customer", "customer")];
    listing::shelf_where(call, CODE, &equal, |c| sent.get("active").is_none_or(|a| c.get("active") == Some(a)))
}

/// A coupon that can be redeemed, and the promotion code that it was found by.
pub(super) struct Redeemed {
    coupon: Object,
    code: Option<Object>,
}

fn spent(object: &Object, time: &str) -> bool {
    let most = object.integer("max_redemptions");
    most.is_some_and(|m| object.integer("times_redeemed").unwrap_or_default() >= m)
        || object.integer(time).is_some_and(|t| t <= now())
}

fn redeemable(account: &Account, coupon: &str, param: &str) -> Result<Object, ApiError> {
    let coupon = account.find(COUPON, coupon, param)?;
    if spent(&coupon, "redeem_by") {
        let message = format!("Coupon {} is no longer valid and can't be applied.", coupon.id());
        return Err(ApiError::invalid(message).code("coupon_expired").param(param));
    }
    Ok(coupon)
}

fn by_code(account: &Account, code: &str, param: &str) -> Result<Redeemed, ApiError> {
    let code = account.find(CODE, code, param)?;
    if !code.is_true("active") || spent(&code, "expires_at") {
        return Err(ApiError::invalid("This promotion code is not active.").param(param));
    }
    let coupon = code.object("promotion").and_then(|p| p.text("coupon")).unwrap_or_default();
    Ok(Redeemed { coupon: redeemable(account, coupon, param)?, code: Some(code) })
}

/// What `discounts` (or, in older versions, `coupon` and `promotion_code`) of a request redeem. `None` when the
/// request says nothing of discounts.
pub(super) fn redeem(account: &Account, sent: &Object) -> Result<Option<Vec<Redeemed>>, ApiError> {
    if let Some(coupon) = sent.text("coupon") {
        return Ok(Some(vec![Redeemed { coupon: redeemable(account, coupon, "coupon")?, code: None }]));
    }
    if let Some(code) = sent.text("promotion_code") {
        return by_code(account, code, "promotion_code").map(|r| Some(vec![r]));
    }
    if !sent.contains_key("discounts") {
        return Ok(None);
    }
    let mut redeemed = Vec::new();
    for (index, one) in sent.objects("discounts").enumerate() {
        let param = |name: &str| format!("discounts[{index}][{name}]");
        if let Some(code) = one.text("promotion_code") {
            redeemed.push(by_code(account, code, &param("promotion_code"))?);
        } else if let Some(coupon) = one.text("coupon") {
            redeemed.push(Redeemed { coupon: redeemable(account, coupon, &param("coupon"))?, code: None });
        } else if let Some(id) = one.text("discount") {
            let discount = account.find(DISCOUNT, id, &param("discount"))?;
            let coupon = discount.object("source").and_then(|s| s.text("coupon")).unwrap_or_default();
            redeemed.push(Redeemed { coupon: account.find(COUPON, coupon, &param("discount"))?, code: None });
        }
    }
    Ok(Some(redeemed))
}

/// Whether what is redeemed suits a currency.
pub(super) fn check_currency(redeemed: &[Redeemed], currency: &str) -> Result<(), ApiError> {
    let other = redeemed.iter().filter_map(|r| r.coupon.text("currency")).find(|c| *c != currency);
    match other {
        Some(other) => {
            Err(ApiError::invalid(format!("The coupon is in {other}, but {currency} is charged.")).param("discounts"))
        }
        None => Ok(()),
    }
}

/// Whether nothing is left to pay of an amount. What is for some products only is not counted on.
pub(super) fn is_free(redeemed: &[Redeemed], amount: i64) -> bool {
    let general = redeemed.iter().filter(|r| !r.coupon.contains_key("applies_to"));
    let left = general.fold(amount, |left, r| match r.coupon.get("percent_off").and_then(Value::as_f64) {
        Some(percent) => left.saturating_sub((left as f64 * percent / 100.0).round() as i64),
        None => left.saturating_sub(r.coupon.integer("amount_off").unwrap_or_default()),
    });
    left <= 0
}

/// Makes discounts of something; `owner` names the members of the discount that tell of what. Their ids.
pub(super) fn attach(account: &mut Account, redeemed: Vec<Redeemed>, owner: &[(&str, &str)]) -> Vec<Value> {
    let made = prepare(account, redeemed, owner);
    count(account, &made);
    made
}

/// Makes discounts of something that may come to nothing: they do not count as redeemed yet.
pub(super) fn prepare(account: &mut Account, redeemed: Vec<Redeemed>, owner: &[(&str, &str)]) -> Vec<Value> {
    redeemed
        .into_iter()
        .map(|Redeemed { coupon, code }| {
            let start = now();
            let end = coupon.integer("duration_in_months").map(|m| calendar::later(start, "month", m));
            let mut discount = whole(
                DISCOUNT,
                json!({
                    "id": account.new_id("di"), "object": DISCOUNT, "end": end,
                    "promotion_code": code.as_ref().map(Read::id),
                    "source": {"coupon": coupon.id(), "type": "coupon"}, "start": start,
                }),
            );
            for (name, id) in owner {
                discount.insert((*name).to_owned(), (*id).into());
            }
            account.put(DISCOUNT, &discount);
            discount.id().into()
        })
        .collect()
}

/// Counts discounts as redeemed.
pub(super) fn count(account: &mut Account, discounts: &[Value]) {
    for discount in discounts.iter().filter_map(Value::as_str) {
        let Some(discount) = account.get(DISCOUNT, discount) else { continue };
        let coupon = discount.object("source").and_then(|s| s.text("coupon"));
        if let Some(mut coupon) = coupon.and_then(|c| account.get(COUPON, c)) {
            let times = coupon.integer("times_redeemed").unwrap_or_default();
            coupon.insert("times_redeemed".into(), times.saturating_add(1).into());
            let valid = !spent(&coupon, "redeem_by");
            coupon.insert("valid".into(), valid.into());
            account.put(COUPON, &coupon);
        }
        if let Some(mut code) = discount.text("promotion_code").and_then(|c| account.get(CODE, c)) {
            let times = code.integer("times_redeemed").unwrap_or_default();
            code.insert("times_redeemed".into(), times.saturating_add(1).into());
            account.put(CODE, &code);
        }
    }
}

/// What a customer means by the text of a promotion code, if it can be redeemed now.
pub(super) fn by_text(account: &Account, text: &str) -> Option<Redeemed> {
    let same = |c: &Object| c.is_true("active") && c.text("code").is_some_and(|o| o.eq_ignore_ascii_case(text));
    let code = account.select(CODE, "", same).into_iter().next()?;
    by_code(account, code.id(), "promotion_code").ok()
}

/// Whether the restrictions of promotion codes allow a purchase.
pub(super) fn suits(
    account: &Account,
    redeemed: &[Redeemed],
    customer: Option<&str>,
    subtotal: i64,
    currency: &str,
) -> bool {
    redeemed.iter().filter_map(|r| r.code.as_ref()).all(|code| {
        let empty = Object::new();
        let restrictions = code.object("restrictions").unwrap_or(&empty);
        let bought = |id: &str| {
            let paid = |i: &Object| i.text("customer") == Some(id) && i.text("status") == Some("succeeded");
            !account.select("payment_intent", id, paid).is_empty()
        };
        let least = restrictions.integer("minimum_amount").unwrap_or_default();
        let in_currency = restrictions.text("minimum_amount_currency").is_none_or(|c| c == currency);
        code.text("customer").is_none_or(|owner| customer == Some(owner))
            && subtotal >= least
            && (least == 0 || in_currency)
            && !(restrictions.is_true("first_time_transaction") && customer.is_some_and(bought))
    })
}

/// What is redeemed, as sessions name it.
pub(super) fn named(redeemed: &Redeemed) -> Value {
    json!({"coupon": redeemed.coupon.id(), "promotion_code": redeemed.code.as_ref().map(Read::id)})
}

/// The customer's own discount changes. The event shows the discount.
pub(super) fn set_customer(account: &mut Account, customer: &mut Object, redeemed: Option<Vec<Redeemed>>) {
    let old = customer.object("discount").cloned();
    let new = redeemed.map(|r| attach(account, r, &[("customer", customer.id())]));
    let new = new.and_then(|ids| account.get(DISCOUNT, ids.first()?.as_str()?));
    let event = match (&old, &new) {
        (None, Some(_)) => "customer.discount.created",
        (Some(_), Some(_)) => "customer.discount.updated",
        (Some(_), None) => "customer.discount.deleted",
        (None, None) => return,
    };
    if let Some(told) = new.as_ref().or(old.as_ref()) {
        account.emit(event, written(told));
    }
    customer.insert("discount".into(), new.map_or(Value::Null, Value::Object));
    account.put("customer", customer);
}

fn delete_customer_discount(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let mut customer = call.named("customer")?;
    let Some(old) = customer.object("discount").cloned() else {
        return Err(ApiError::invalid("No active discount for customer.").status_is(404).code("resource_missing"));
    };
    set_customer(call.account, &mut customer, None);
    Ok(deleted_discount(&old).into())
}

fn deleted_discount(old: &Object) -> Object {
    let mut left = old.clone();
    left.insert("deleted".into(), true.into());
    left.remove("end");
    left
}

fn delete_subscription_discount(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let old = call.named("subscription")?;
    let discount = old.list("discounts").first().and_then(Value::as_str).and_then(|d| call.account.get(DISCOUNT, d));
    let Some(discount) = discount else {
        return Err(ApiError::invalid("No active discount for subscription.").status_is(404).code("resource_missing"));
    };
    let mut new = old.clone();
    new.insert("discounts".into(), json!([]));
    call.account.emit("customer.discount.deleted", written(&discount));
    call.account.update("subscription", "customer.subscription.updated", &old, &new);
    Ok(deleted_discount(&discount).into())
}

/// What a discount takes off: per line what it takes off that one. Lines are amount, product, and whether they
/// can be discounted.
pub(super) fn off(account: &Account, discount: &str, lines: &[(i64, Option<String>, bool)]) -> Vec<i64> {
    let coupon = account
        .get(DISCOUNT, discount)
        .and_then(|d| d.object("source")?.text("coupon").map(str::to_owned))
        .and_then(|c| account.get(COUPON, &c))
        .unwrap_or_default();
    let products = coupon.object("applies_to").map(|a| a.list("products").to_vec());
    let concerned = |(amount, product, can): &(i64, Option<String>, bool)| {
        let wanted = products.as_ref().is_none_or(|p| product.as_deref().is_some_and(|id| p.iter().any(|v| v == id)));
        if *can && wanted && *amount > 0 { *amount } else { 0 }
    };
    let bases: Vec<i64> = lines.iter().map(concerned).collect();
    if let Some(percent) = coupon.get("percent_off").and_then(Value::as_f64) {
        return bases.iter().map(|b| (*b as f64 * percent / 100.0).round() as i64).collect();
    }
    let base: i64 = bases.iter().sum();
    let mut left = coupon.integer("amount_off").unwrap_or_default().min(base);
    let whole = left;
    let last = bases.iter().rposition(|b| *b > 0);
    bases
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let share = if Some(index) == last {
                left
            } else {
                let exact = i128::from(whole) * i128::from(*part) / i128::from(base.max(1));
                i64::try_from(exact).unwrap_or_default().min(left)
            };
            left -= share;
            share
        })
        .collect()
}

/// The discounts of a subscription that still hold once an invoice was made with them.
pub(super) fn lasting(account: &Account, discounts: &[Value]) -> Vec<Value> {
    let lasts = |id: &&Value| {
        let discount = id.as_str().and_then(|d| account.get(DISCOUNT, d));
        let coupon = discount.as_ref().and_then(|d| account.get(COUPON, d.object("source")?.text("coupon")?));
        discount.is_some_and(|d| d.integer("end").is_none_or(|end| end > now()))
            && coupon.is_none_or(|c| c.text("duration") != Some("once"))
    };
    discounts.iter().filter(lasts).cloned().collect()
}

/// A discount as an object of an event.
pub(super) fn object_of(account: &Account, id: &Value) -> Object {
    id.as_str().and_then(|d| account.get(DISCOUNT, d)).unwrap_or_else(|| object(json!({})))
}
