//! Answers for operations without behaviour of their own: well-shaped objects made from the facts.
//!
//! Parameters that fit a field of the same name are put in; the last id in the path becomes the object's id. What
//! is created in this way is kept, so that it can be read, changed, listed and deleted; an id that was never given
//! out is answered with an example. v2 has rules of its own for this.

use serde_json::{Value, json};
use stripe_facts::{Facts, Field, Method, Shape};

use super::fields::whole;
use super::{Call, Read, Reply, listing};
use crate::conformance;
use crate::presence::{self, Presence};
use crate::protocol::ApiError;
use crate::world::{Account, Object, now, written};

/// Objects in objects: deeper ones are left out where they may be, and are all but empty where not.
const DEEPEST: usize = 6;

/// Answers an operation.
pub(super) fn answer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    if call.operation.path.starts_with("/v2/") {
        return super::v2::answer(call);
    }
    let Some(kind) = kind_of(&call.operation.response) else {
        let mut value = make(call)?;
        if let Some(object) = value.as_object_mut() {
            let kind = object.text("object").unwrap_or_default().to_owned();
            add_secrets(call.account, &kind, object);
        }
        return Ok(Reply::Made(value));
    };
    let path = call.operation.path.as_str();
    let id = call.values.last().cloned().unwrap_or_default();
    let own = path.ends_with('}');
    let known = call.account.get(kind, &id);
    match (call.operation.method, &call.operation.response) {
        (Method::Get, Shape::List(_)) => {
            if call.account.shelf(kind).is_none() {
                return make(call).map(Reply::Made);
            }
            // A list inside something has what was made inside it.
            let owner = call.values.first().cloned();
            let within = |o: &Object, id: &str| {
                o.values().any(|v| v == id) || call.account.made_in.get(o.id()).is_some_and(|owner| owner == id)
            };
            let fields = Facts::bundled().object(kind).unwrap_or_default();
            let filters: Vec<(&String, &Value)> = call
                .parameters
                .iter()
                .filter(|(name, value)| {
                    let is_range = matches!(value, Value::Object(_));
                    !is_range && *name != "created" && fields.iter().any(|f| f.name == **name)
                })
                .collect();
            listing::shelf_where(call, kind, &[], |o| {
                owner.as_deref().is_none_or(|id| within(o, id))
                    && filters.iter().all(|(name, value)| o.get(*name) == Some(*value))
            })
        }
        (Method::Get, _) if own && known.is_some() => Ok(Reply::Made(known.map(Value::Object).unwrap_or_default())),
        (Method::Delete, _) if own && known.is_some() => {
            call.account.remove(kind, &id, None);
            if let (Some(event), Some(known)) = (event(kind, "deleted"), known) {
                call.account.emit(event, written(&known));
            }
            make(call).map(Reply::Made)
        }
        (Method::Post, _) => post(call, kind, own, known),
        _ => make(call).map(Reply::Made),
    }
}

/// The object that an operation returns, or lists.
fn kind_of(response: &'static Shape) -> Option<&'static str> {
    match response {
        Shape::Ref(name) => {
            let fields = Facts::bundled().object(name)?;
            fields.iter().any(|f| f.name == "id").then_some(name.as_str())
        }
        Shape::List(inner) => kind_of(inner),
        _ => None,
    }
}

/// The event of a change of this kind, where there is one.
fn event(kind: &str, what: &str) -> Option<&'static str> {
    // Issuing is older than the dots in the names of kinds.
    let name = format!("{}.{what}", kind.replace("issuing.", "issuing_"));
    let types = &Facts::bundled().event_types;
    types.iter().map(String::as_str).find(|t| *t == name)
}

/// Something new, something changed, or something done to what is there.
fn post(call: &mut Call<'_>, kind: &'static str, own: bool, known: Option<Object>) -> Result<Reply, ApiError> {
    let named = call.operation.path.contains('}');
    let verb = call.operation.path.rsplit('/').next().unwrap_or_default().to_owned();
    let done = match verb.as_str() {
        "cancel" => "canceled",
        "redact" => "redacted",
        "archive" => "archived",
        "expire" => "expired",
        _ => "",
    };
    if let (Some(old), true) = (&known, own) {
        let mut new = old.clone();
        copy(call.account, kind, &mut new, &call.parameters);
        super::fields::assign_metadata(&mut new, &call.parameters)?;
        let text = match event(kind, "updated") {
            Some(event) => call.account.update(kind, event, old, &new),
            None => call.account.put(kind, &new),
        };
        return Ok(Reply::Kept(text));
    }
    if let (Some(mut object), false) = (known, own) {
        copy(call.account, kind, &mut object, &call.parameters);
        set_status(kind, &mut object, done);
        let text = call.account.put(kind, &object);
        if let Some(event) = event(kind, done) {
            call.account.emit(event, text.clone());
        }
        return Ok(Reply::Kept(text));
    }
    let mut made = make(call)?;
    let collection = !own && (!named || call.operation.path.matches('{').count() == 1);
    let is_new = collection && done.is_empty() && !matches!(verb.as_str(), "preview" | "search");
    if let (true, Some(object)) = (is_new, made.as_object_mut()) {
        let id = call.account.new_id(prefix(kind));
        if let Some(owner) = call.values.first() {
            call.account.made_in.insert(id.clone(), owner.clone());
        }
        object.insert("id".into(), id.into());
        *object = whole(kind, Value::Object(std::mem::take(object)));
        add_secrets(call.account, kind, object);
        for (placeholder, value) in call.operation.path_parameters().zip(&call.values) {
            if object.get(placeholder).is_some_and(|v| v.is_null() || v.is_string()) {
                object.insert(placeholder.to_owned(), value.as_str().into());
            }
        }
        let text = call.account.put(kind, object);
        if kind == "issuing.authorization" {
            // Whoever decides on authorizations is asked first.
            call.account.emit("issuing_authorization.request", text.clone());
        }
        if let Some(event) = event(kind, "created") {
            call.account.emit(event, text.clone());
        }
        let receipt = call.parameters.object("purchase_details").is_some_and(|d| !d.list("receipt").is_empty());
        if kind == "issuing.transaction" && receipt {
            call.account.emit("issuing_transaction.purchase_details_receipt_updated", text);
        }
        if kind == "reporting.report_run" {
            // The report is there at once.
            set_status(kind, object, "succeeded");
            object.insert("succeeded_at".into(), now().into());
            let text = call.account.put(kind, object);
            call.account.emit("reporting.report_run.succeeded", text);
        }
    }
    Ok(Reply::Made(made))
}

fn set_status(kind: &str, object: &mut Object, status: &str) {
    let field = Facts::bundled().object(kind).unwrap_or_default().iter().find(|f| f.name == "status");
    if field.is_some_and(|f| conformance::fits(&f.shape, &Value::from(status))) && !status.is_empty() {
        object.insert("status".into(), status.into());
    }
}

/// Parameters that fit a field of the same name. An id where an object belongs is that object.
fn copy(account: &Account, kind: &str, object: &mut Object, sent: &Object) {
    for field in Facts::bundled().object(kind).unwrap_or_default() {
        let Some(sent) = sent.get(&field.name).filter(|_| field.name != "metadata") else { continue };
        let completed = super::fields::complete(&field.shape, sent.clone(), presence::of(kind).member(&field.name));
        if conformance::fits(&field.shape, &completed) {
            object.insert(field.name.clone(), completed);
            continue;
        }
        let (Some(id), Some(kind)) = (sent.as_str(), object_in(&field.shape)) else { continue };
        match (account.get(kind, id), object.get_mut(&field.name)) {
            (Some(known), _) => {
                object.insert(field.name.clone(), Value::Object(known));
            }
            (None, Some(Value::Object(example))) => {
                example.insert("id".into(), id.into());
            }
            _ => {}
        }
    }
}

/// The kind of object that a shape holds whole.
fn object_in(shape: &'static Shape) -> Option<&'static str> {
    match shape {
        Shape::Ref(name) => Some(name),
        Shape::Union(parts) => parts.iter().find_map(object_in),
        _ => None,
    }
}

/// What only the simulator can have made up: secrets, and addresses where the object is shown.
fn add_secrets(account: &mut Account, kind: &str, object: &mut Object) {
    let id = object.id().to_owned();
    let mode = if account.live() { "live" } else { "test" };
    let address = format!("{}/_simulator/objects/{kind}/{id}", account.settings().base_url);
    let random = account.letters(48);
    let short: String = random.chars().take(25).collect();
    let made = |name: &str| {
        Some(match (kind, name) {
            ("account_session", "client_secret") => format!("accs_secret__{random}"),
            ("customer_session", "client_secret") => format!("cuss_secret_{random}"),
            ("financial_connections.session", "client_secret") => format!("{id}_client_secret_{short}"),
            ("identity.verification_session", "client_secret") => format!("{id}_secret_{mode}_{random}"),
            ("ephemeral_key", "secret") => format!("ek_{mode}_{random}"),
            ("terminal.connection_token", "secret") => format!("pst_{mode}_{random}"),
            (_, "client_secret") => format!("{id}_secret_{short}"),
            (_, "secret") => random.clone(),
            (_, "url" | "redirect_url" | "hosted_regulatory_receipt_url") => address.clone(),
            _ => return None,
        })
    };
    // Objects may lack these later on, and have them when they are made.
    let fresh: &[&str] = match kind {
        "ephemeral_key" => &["secret"],
        "identity.verification_session" => &["client_secret", "url"],
        _ => &[],
    };
    for name in fresh {
        object.entry(*name).or_insert(Value::Null);
    }
    for (name, value) in object.iter_mut() {
        if matches!(name.as_str(), "expires" | "expires_at") && *value == 0 {
            *value = (now() + 3_600).into();
        }
        // What was sent stays, and of what may be missing only what a customer is sent to with is made up.
        let is_example = value.as_str().is_some_and(|text| text == text_example(name));
        let is_awaited = value.is_null() && (name.ends_with("secret") || kind == "identity.verification_session");
        if let (true, Some(made)) = (is_example || is_awaited, made(name)) {
            *value = made.into();
        }
    }
}

/// An object of the shape that the operation returns.
fn make(call: &mut Call<'_>) -> Result<Value, ApiError> {
    let mut value = example(&call.operation.response, 0, presence::of(""));
    let url = call.path();
    let Some(object) = value.as_object_mut() else { return Ok(value) };
    let kind = object.text("object").unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "list" | "search_result") {
        listing::check_empty(&call.parameters, kind_of(&call.operation.response).unwrap_or("object"))?;
        object.insert("url".into(), url.into());
        return Ok(value);
    }
    let own_id = call.operation.path.ends_with('}').then(|| call.values.last()).flatten();
    if let Some(id) = own_id {
        object.insert("id".into(), id.as_str().into());
    }
    if call.operation.method == Method::Delete {
        let kept: Value = match object.get("id") {
            Some(id) => json!({"id": id, "object": kind, "deleted": true}),
            None => json!({"object": kind, "deleted": true}),
        };
        if conformance::check_object(&kept).is_ok() {
            return Ok(kept);
        }
    }
    copy(call.account, &kind, object, &call.parameters);
    if object.contains_key("metadata") && call.parameters.contains_key("metadata") {
        object.insert("metadata".into(), super::fields::new_metadata(&call.parameters));
    }
    for (name, here) in [("livemode", Value::Bool(call.account.live())), ("created", now().into())] {
        if object.get(name).is_some_and(|v| v.is_boolean() || v.is_i64()) {
            object.insert(name.into(), here);
        }
    }
    Ok(value)
}

/// Some value of a shape.
pub(super) fn of_shape(shape: &Shape) -> Value {
    example(shape, 0, presence::of(""))
}

/// A value of a shape.
fn example(shape: &Shape, depth: usize, presence: &Presence) -> Value {
    match shape {
        Shape::Any => json!({}),
        Shape::Boolean => false.into(),
        Shape::True => true.into(),
        Shape::Integer => 0.into(),
        Shape::Number => 0.0.into(),
        Shape::Decimal => "0".into(),
        Shape::String => "string".into(),
        Shape::Enum(values) => values.first().map_or("", String::as_str).into(),
        Shape::Array(_) => json!([]),
        Shape::Map(_) => json!({}),
        Shape::Object(fields) => members(fields, depth, presence),
        Shape::Union(parts) => parts.first().map_or(Value::Null, |p| example(p, depth, presence)),
        Shape::Ref(name) => match Facts::bundled().object(name) {
            Some(fields) => members(fields, depth + 1, presence::of(name)),
            None => json!({}),
        },
        Shape::Expandable(names) => format!("{}_simulated", names.first().map_or("obj", |n| prefix(n))).into(),
        Shape::List(_) => json!({"object": "list", "data": [], "has_more": false, "url": "/v1/list"}),
        Shape::Search(_) => {
            json!({"object": "search_result", "data": [], "has_more": false, "next_page": null, "url": "/v1/search"})
        }
        Shape::Pages(_) => json!({"data": [], "next_page_url": null, "previous_page_url": null}),
    }
}

fn members(fields: &[Field], depth: usize, presence: &Presence) -> Value {
    let mut object = Object::new();
    let kind = fields.iter().find(|f| f.name == "object").and_then(|f| match &f.shape {
        Shape::Enum(values) => values.first().cloned(),
        _ => None,
    });
    for Field { name, required, nullable, shape } in fields {
        let value = match (name.as_str(), shape) {
            ("id", Shape::String) => format!("{}_simulated", kind.as_deref().map_or("obj", prefix)).into(),
            ("created", Shape::Integer) => now().into(),
            (name, Shape::String) if *required => text_example(name).into(),
            _ if *required && (depth < DEEPEST || !*nullable) => example(shape, depth, presence.member(name)),
            _ if presence.member(name).may_lack() => continue,
            _ => Value::Null,
        };
        object.insert(name.clone(), value);
    }
    Value::Object(object)
}

/// A text as a field of this name has it.
fn text_example(name: &str) -> &'static str {
    match name {
        "client_secret" | "secret" => "secret",
        "country" => "US",
        "currency" | "default_currency" => "usd",
        "email" | "contact_email" => "jenny.rosen@example.com",
        "last4" => "4242",
        "name" => "Jenny Rosen",
        "phone" => "+15555550123",
        name if name == "url" || name.ends_with("_url") => "https://example.com",
        _ => "string",
    }
}

/// What ids of a kind begin with: the noun itself where no better is known.
fn prefix(kind: &str) -> &str {
    match kind {
        "account" => "acct",
        "apple_pay_domain" => "apwc",
        "application_fee" => "fee",
        "apps.secret" => "appsecret",
        "billing.alert" => "alrt",
        "billing.credit_balance_transaction" => "cbtxn",
        "billing.credit_grant" => "credgr",
        "billing_portal.configuration" => "bpc",
        "billing_portal.session" => "bps",
        "climate.order" => "climorder",
        "climate.product" => "climsku",
        "coupon" => "co",
        "customer" => "cus",
        "customer_cash_balance_transaction" => "ccsbtxn",
        "dispute" => "du",
        "entitlements.active_entitlement" => "ent",
        "entitlements.feature" => "feat",
        "ephemeral_key" => "ephkey",
        "fee_refund" => "fr",
        "file_link" => "link",
        "financial_connections.account" => "fca",
        "financial_connections.session" => "fcsess",
        "financial_connections.transaction" => "fctxn",
        "forwarding.request" => "fwdreq",
        "identity.verification_report" => "vr",
        "identity.verification_session" => "vs",
        "invoice_rendering_template" => "inrtem",
        "issuing.authorization" => "iauth",
        "issuing.card" => "ic",
        "issuing.cardholder" => "ich",
        "issuing.dispute" => "idp",
        "issuing.personalization_design" => "pd",
        "issuing.physical_bundle" => "ics",
        "issuing.token" => "intok",
        "issuing.transaction" => "ipi",
        "payment_method_configuration" => "pmc",
        "payment_method_domain" => "pmd",
        "payout" => "po",
        "product_feature" => "prodft",
        "promotion_code" => "promo",
        "quote" => "qt",
        "radar.early_fraud_warning" => "issfr",
        "radar.value_list" => "rsl",
        "radar.value_list_item" => "rsli",
        "reporting.report_run" => "frr",
        "review" => "prv",
        "scheduled_query_run" => "sqr",
        "setup_attempt" => "setatt",
        "shipping_rate" => "shr",
        "source" => "src",
        "tax.calculation" => "taxcalc",
        "tax.registration" => "taxreg",
        "tax.transaction" => "tax",
        "tax_code" => "txcd",
        "tax_id" => "txi",
        "tax_rate" => "txr",
        "terminal.configuration" => "tmc",
        "terminal.location" => "tml",
        "terminal.reader" => "tmr",
        "topup" => "tu",
        "transfer" => "tr",
        "treasury.credit_reversal" => "credrev",
        "treasury.debit_reversal" => "debrev",
        "treasury.financial_account" => "fa",
        "treasury.inbound_transfer" => "ibt",
        "treasury.outbound_payment" => "obp",
        "treasury.outbound_transfer" => "obt",
        "treasury.received_credit" => "rc",
        "treasury.received_debit" => "rd",
        "treasury.transaction" => "trxn",
        "treasury.transaction_entry" => "trxne",
        other => other.rsplit('.').next().unwrap_or(other),
    }
}
