//! What the build makes of the sources: ids, kinds of numbers, meanings of fields, what events are about.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use stripe_table::model::{Field, Model, Operation, Request, Shape};
use stripe_table::{About, Base, Encoding, Rule, Table};
use support::{changed, fine, meaning, real};

static MODEL: LazyLock<Model> = LazyLock::new(|| fine(&real()));

fn request(id: &str) -> &'static Request {
    MODEL.requests.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"))
}

fn operation(id: &str) -> &'static Operation {
    MODEL.operations.iter().find(|o| o.id == id).unwrap_or_else(|| panic!("{id}"))
}

/// The shape at a path, through lists and into the first of several shapes that has the member.
fn at<'m>(fields: &'m [Field], path: &str) -> &'m Shape {
    fn member<'m>(shape: &'m Shape, name: &str) -> Option<&'m Shape> {
        match shape {
            Shape::Object(fields) => fields.iter().find(|f| f.name == name).map(|f| &f.shape),
            Shape::Map(item) if name == "*" => Some(item),
            Shape::Array(item) => member(item, name),
            Shape::Union(parts) => parts.iter().find_map(|p| member(p, name)),
            _ => None,
        }
    }
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let field = fields.iter().find(|f| f.name == first).unwrap_or_else(|| panic!("{path}"));
    rest.split('.')
        .filter(|n| !n.is_empty())
        .fold(&field.shape, |shape, name| member(shape, name).unwrap_or_else(|| panic!("{path}: {name}")))
}

// ----------------------------------------------------------------------------------------------------------- requests

/// Platforms store these ids: one that changes or goes breaks what they stored. New ones are added to the file.
#[test]
fn the_ids_of_requests_stay_what_they_are() {
    let kept = include_str!("request_ids.txt");
    let ids: String = MODEL.requests.iter().map(|r| format!("{} {} {}\n", r.id, r.method.name(), r.path)).collect();
    assert!(kept == ids, "request_ids.txt is not:\n{ids}");
}

#[test]
fn every_request_has_an_id_that_makes_a_tool_name() {
    assert_eq!(MODEL.requests.len(), 648);
    assert!(MODEL.requests.is_sorted_by_key(|r| &r.id));
    let tools: BTreeSet<String> = MODEL.requests.iter().map(|r| r.id.replace('.', "_")).collect();
    assert_eq!(tools.len(), 648);
    assert!(tools.iter().all(|t| t.len() <= 64 && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')));
}

#[test]
fn an_id_says_what_is_done_to_what() {
    for (id, line) in [
        ("v1.customers.create", "POST /v1/customers"),
        ("v1.customers.sources.list", "GET /v1/customers/{customer}/sources"),
        ("v1.customers.discount.delete", "DELETE /v1/customers/{customer}/discount"),
        ("v1.customers.search", "GET /v1/customers/search"),
        ("v1.payment_intents.confirm", "POST /v1/payment_intents/{intent}/confirm"),
        ("v1.subscriptions.cancel", "DELETE /v1/subscriptions/{subscription_exposed_id}"),
        ("v1.account.retrieve", "GET /v1/account"),
        ("v1.invoices.finalize", "POST /v1/invoices/{invoice}/finalize"),
        ("v1.apps.secrets.delete", "POST /v1/apps/secrets/delete"),
        ("v1.quotes.pdf", "GET /v1/quotes/{quote}/pdf"),
        ("v2.core.events.retrieve", "GET /v2/core/events/{id}"),
        ("v2.core.event_destinations.ping", "POST /v2/core/event_destinations/{id}/ping"),
    ] {
        let request = request(id);
        assert_eq!(format!("{} {}", request.method.name(), request.path), line);
    }
}

#[test]
fn what_the_facts_lack_is_known_of_requests() {
    let ids = |is: fn(&Request) -> bool| -> Vec<&str> {
        MODEL.requests.iter().filter(|r| is(r)).map(|r| r.id.as_str()).collect()
    };
    let reading_posts = ids(|r| r.read_only && r.method != stripe_table::Method::Get);
    assert_eq!(reading_posts, ["v1.invoices.create_preview"]);
    assert_eq!(ids(|r| r.binary), ["v1.quotes.pdf"]);
    assert_eq!(ids(|r| r.base == Base::Files), ["v1.files.create", "v1.quotes.pdf"]);
    assert_eq!(ids(|r| r.base == Base::MeterEvents), ["v2.billing.meter_event_stream.create"]);
    assert_eq!(ids(|r| r.encoding == Encoding::Multipart), ["v1.files.create"]);
    assert_eq!(at(&request("v1.files.create").parameters, "file"), &Shape::File);
}

// -------------------------------------------------------------------------------------------------------------- kinds

#[test]
fn numbers_are_times_amounts_or_plain_wherever_they_stand() {
    let parameters = |id: &str, path: &str| at(&request(id).parameters, path);
    assert_eq!(parameters("v1.payment_intents.create", "amount"), &Shape::Amount);
    assert_eq!(
        parameters("v1.payment_intents.create", "mandate_data.customer_acceptance.accepted_at"),
        &Shape::Timestamp
    );
    assert_eq!(parameters("v1.customers.list", "limit"), &Shape::Integer);
    assert_eq!(parameters("v1.customers.create", "balance"), &Shape::Amount);
    assert_eq!(parameters("v1.prices.create", "currency_options.*.unit_amount"), &Shape::Amount);
    assert_eq!(parameters("v1.prices.create", "custom_unit_amount.minimum"), &Shape::Amount);
    assert_eq!(parameters("v1.checkout.sessions.create", "line_items.adjustable_quantity.minimum"), &Shape::Integer);
    let delivery = "shipping_options.shipping_rate_data.delivery_estimate.minimum.value";
    assert_eq!(parameters("v1.checkout.sessions.create", delivery), &Shape::Integer);
    assert_eq!(parameters("v1.billing.credit_grants.create", "amount.monetary.value"), &Shape::Amount);
    assert_eq!(parameters("v1.payouts.list", "arrival_date.gte"), &Shape::Timestamp);
    assert_eq!(parameters("v1.topups.list", "amount.gte"), &Shape::Amount);
    assert_eq!(parameters("v1.billing.alerts.create", "usage_threshold.gte"), &Shape::Integer);
    assert_eq!(parameters("v1.accounts.create", "company.registration_date.day"), &Shape::Integer);
    assert_eq!(parameters("v1.accounts.create", "tos_acceptance.date"), &Shape::Timestamp);
    let object = |name: &str, path: &str| at(&MODEL.objects[name], path);
    assert_eq!(object("invoice", "total"), &Shape::Amount);
    assert_eq!(object("file", "size"), &Shape::Integer);
    assert_eq!(object("cash_balance", "available.*"), &Shape::Amount);
    assert_eq!(object("ephemeral_key", "expires"), &Shape::Timestamp);
}

#[test]
fn a_choice_of_shapes_stays_one() {
    let trial_end = at(&request("v1.subscriptions.create").parameters, "trial_end");
    let Shape::Union(parts) = trial_end else { panic!("{trial_end:?}") };
    assert!(parts.contains(&Shape::Timestamp) && parts.contains(&Shape::Enum(vec!["now".into()])), "{parts:?}");
    let created = at(&request("v1.customers.list").parameters, "created");
    let Shape::Union(parts) = created else { panic!("{created:?}") };
    assert!(parts.contains(&Shape::Timestamp), "{parts:?}");
}

// ------------------------------------------------------------------------------------------------------------- fields

#[test]
fn a_credit_within_a_subscription_may_be_negative_and_a_price_may_not() {
    let rule = |operation, path| meaning(&MODEL, operation, path).and_then(|m| m.rule);
    assert_eq!(rule("subscription.create", "add_invoice_items.price_data.unit_amount"), None);
    assert_eq!(rule("subscription.create", "items.price_data.unit_amount"), Some(Rule::Amount));
    assert_eq!(rule("checkout_session.create", "line_items.price_data.unit_amount"), Some(Rule::Amount));
    assert_eq!(rule("price.create", "unit_amount"), Some(Rule::Amount));
    assert_eq!(rule("price.create", "currency_options.*.unit_amount"), Some(Rule::Amount));
    assert_eq!(rule("product.create", "default_price_data.unit_amount"), Some(Rule::Amount));
    assert_eq!(rule("payment_intent.create", "amount"), Some(Rule::PositiveAmount));
    assert_eq!(rule("refund.create", "amount"), Some(Rule::PositiveAmount));
    assert_eq!(rule("payment_intent.create", "payment_method_options.card.mandate_options.amount"), None);
}

#[test]
fn a_refund_is_of_a_payment_a_charge_or_a_customers_balance() {
    assert_eq!(operation("refund.create").one_of, ["payment_intent", "charge", "origin"]);
}

#[test]
fn a_payment_is_taken_back_by_a_refund() {
    assert_eq!(operation("payment_intent.create").inverse, "refund.create");
    assert_eq!(operation("refund.create").inverse, "");
}

#[test]
fn payment_methods_are_offered_where_their_customer_is_known() {
    let resource = MODEL.resources.iter().find(|r| r.name == "payment_method").expect("there");
    assert_eq!(resource.choices, "v1.customers.payment_methods.list");
    assert_eq!(resource.choices_need, ["customer"]);
    let picks = |operation, path| meaning(&MODEL, operation, path).expect("a meaning").picks;
    assert_eq!(picks("payment_intent.create", "payment_method"), "payment_method");
    assert_eq!(picks("subscription.create", "default_payment_method"), "payment_method");
    // Neither takes a customer whose they would be.
    assert_eq!(picks("payment_intent.confirm", "payment_method"), "");
    assert_eq!(picks("customer.create", "payment_method"), "");
}

#[test]
fn old_payments_have_their_charge_elsewhere() {
    let payment = MODEL.resources.iter().find(|r| r.name == "payment_intent").expect("there");
    let charge = payment.mapping.iter().find(|m| m.internal == "charge").expect("mapped");
    assert_eq!(charge.paths, ["latest_charge", "charges.data.0.id"]);
}

#[test]
fn the_nearest_entry_speaks_and_the_next_says_what_it_leaves_open() {
    let common = "catalogue/common.toml";
    let text = real().text(common).replace(
        "[fields]\n",
        "[fields]\nreason = { title = \"Common\", help = \"Common.\" }\n\"*.reason\" = { title = \"Anywhere\" }\n",
    );
    let sources = real().with(common, text);
    let said = |sources: &catalogue_build::Sources| {
        let meaning = meaning(&fine(sources), "refund.create", "reason").expect("a meaning");
        (meaning.title, meaning.help)
    };
    let own = "reason = { title = \"Reason\", help = \"Why the money goes back.\" }\n";
    assert_eq!(said(&sources), ("Reason".into(), "Why the money goes back.".into()));
    let refund = sources.text("catalogue/refund.toml").replace(own, "reason = { title = \"Reason\" }\n");
    let sources = sources.with("catalogue/refund.toml", refund);
    assert_eq!(said(&sources), ("Reason".into(), "Common.".into()));
    let refund = sources.text("catalogue/refund.toml").replace("reason = { title = \"Reason\" }\n", "");
    let refund = refund + "\n[actions.\"refund.create\".fields]\nreason = { help = \"Here.\" }\n";
    let sources = sources.with("catalogue/refund.toml", refund);
    assert_eq!(said(&sources), ("Common".into(), "Here.".into()));
}

#[test]
fn an_end_of_a_path_speaks_at_any_depth_and_only_of_whole_names() {
    let said = |path| meaning(&MODEL, "subscription.create", path).map(|m| m.title);
    assert_eq!(said("metadata").as_deref(), Some("Metadata"));
    assert_eq!(said("items.metadata").as_deref(), Some("Metadata"));
    assert_eq!(said("items.price").as_deref(), Some("Price"));
    // `application_fee_amount` is not an `amount`.
    assert_eq!(meaning(&MODEL, "payment_intent.create", "application_fee_amount"), None);
    assert!(MODEL.operations.iter().all(|o| o.meanings.is_sorted_by_key(|m| &m.path)));
}

#[test]
fn a_hooks_input_has_its_type_and_its_words() {
    let cancel = operation("subscription.cancel");
    assert_eq!(cancel.hook, "cancel-subscription");
    let [input] = cancel.extra.as_slice() else { panic!("{:?}", cancel.extra) };
    assert_eq!((input.name.as_str(), &input.shape, input.required), ("at_period_end", &Shape::Boolean, false));
    assert_eq!(meaning(&MODEL, "subscription.cancel", "at_period_end").expect("there").title, "At the period's end");
}

// ------------------------------------------------------------------------------------------------------------- events

#[test]
fn an_event_is_about_the_object_that_the_sdks_say() {
    let about = |name: &str| MODEL.events.iter().find(|e| e.name == name).expect("there").object.as_deref();
    let thin = |e: &&stripe_table::model::EventType| e.name.starts_with("v1.") || e.name.starts_with("v2.");
    assert_eq!(MODEL.events.iter().filter(|e| !thin(e)).count(), 275);
    assert_eq!(MODEL.events.iter().filter(|e| e.object.is_none() && !thin(e)).count(), 19);
    assert!(MODEL.events.iter().filter(thin).all(|e| e.object.is_none()));
    assert_eq!(about("customer.created"), Some("customer"));
    assert_eq!(about("customer.subscription.created"), Some("subscription"));
    assert_eq!(about("charge.dispute.created"), Some("dispute"));
    assert_eq!(about("charge.refund.updated"), Some("refund"));
    assert_eq!(about("issuing_card.created"), Some("issuing.card"));
    assert_eq!(about("application_fee.refunded"), Some("application_fee"));
    assert_eq!(about("application_fee.refund.updated"), Some("fee_refund"));
    assert_eq!(about("source.chargeable"), Some("source"));
    assert_eq!(about("source.mandate_notification"), None);
    assert_eq!(about("billing.alert.triggered"), None);
    assert!(MODEL.events.iter().filter_map(|e| e.object.as_ref()).all(|o| MODEL.objects.contains_key(o)));
}

// ------------------------------------------------------------------------------------------------------ the catalogue

#[test]
fn the_most_used_come_first() {
    let names: Vec<&str> = MODEL.resources.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names[..4], ["customer", "product", "price", "payment_intent"]);
    let sources = changed("catalogue/balance.toml", "order = 100", "order = 1");
    assert_eq!(fine(&sources).resources[0].name, "balance");
    assert_eq!(MODEL.operations[0].id, "customer.create");
}

#[test]
fn a_request_needs_the_permission_of_the_longest_path_that_fits() {
    let of = |id: &str| MODEL.requests.iter().find(|r| r.id == id).map(|r| r.permission.as_str());
    for (id, permission) in [
        ("v1.customers.create", "customer"),
        ("v1.customers.payment_methods.list", "payment_method"),
        ("v1.refunds.create", "charge"),
        ("v1.prices.list", "plan"),
        ("v1.accounts.login_links.create", "edit_link"),
        ("v1.tax_ids.create", ""),
    ] {
        assert_eq!(of(id), Some(permission), "{id}");
    }
    let permission = |name: &str| MODEL.permissions.iter().find(|p| p.name == name).expect("there");
    assert_eq!(permission("customer").probe, "v1.customers.list");
    assert_eq!((permission("event").triggers.as_str(), permission("webhook").triggers.as_str()), ("read", "write"));
}

#[test]
fn a_message_says_more_than_a_reason_and_a_reason_more_than_a_code() {
    let kinds: Vec<About> = MODEL.advice.iter().map(|a| a.about).collect();
    assert!(kinds.is_sorted_by_key(|kind| std::cmp::Reverse(*kind as u8)), "{kinds:?}");
    let hint = |about, of: &str| {
        let of = of.to_owned();
        MODEL.advice.iter().find(|a| a.about == about && a.of.contains(&of)).map(|a| a.hint.as_str())
    };
    assert_ne!(hint(About::Error, "expired_card"), None);
    assert_ne!(hint(About::Error, "insufficient_funds"), hint(About::Decline, "insufficient_funds"));
}

#[test]
fn a_user_connects_by_key_or_by_consent() {
    let [key, oauth] = MODEL.auth_methods.as_slice() else { panic!("{:?}", MODEL.auth_methods) };
    assert_eq!((key.name.as_str(), key.kind.as_str(), key.fields[0].as_str()), ("api-key", "fields", "api_key"));
    assert_eq!((oauth.name.as_str(), oauth.kind.as_str(), oauth.fields[0].as_str()), ("oauth", "oauth", "api_key"));
    assert_eq!(oauth.authorize_url, "https://connect.stripe.com/oauth/authorize");
    assert_eq!(oauth.token_url, "https://connect.stripe.com/oauth/token");
    assert_eq!((oauth.scopes[0].as_str(), oauth.pkce), ("read_write", false));
}

#[test]
fn constants_are_what_the_manifest_says() {
    let constant = |name: &str| MODEL.constants.get(name).map(String::as_str);
    assert_eq!(constant("api_version"), Some("2026-10-28.endive"));
    assert_eq!(constant("response_bytes"), Some("16777216"));
    assert_eq!(constant("base.files"), Some("https://files.stripe.com"));
}

// ---------------------------------------------------------------------------------------------------------- the table

#[test]
fn what_is_written_reads_back() {
    let bytes = stripe_table::write(&MODEL).expect("fits");
    let table = Table::open(&bytes).expect("opens");
    table.verify().expect("whole");
    assert_eq!(table.constant("api_version"), Some("2026-10-28.endive"));
    assert_eq!((table.requests().len(), table.events().len()), (648, MODEL.events.len()));
    assert!(MODEL.requests.iter().all(|r| table.request(&r.id).is_some_and(|t| t.path() == r.path)));
    assert!(MODEL.objects.keys().all(|name| table.object(name).is_some()));
}

#[test]
fn the_example_in_the_readme_builds() {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let example = blocks.into_iter().find(|block| block.contains("payout.update")).expect("an example");
    let file = "catalogue/payout.toml";
    let model = fine(&real().with(file, format!("{}\n{example}", real().text(file))));
    assert!(model.operations.iter().any(|o| o.id == "payout.update" && o.request == "v1.payouts.update"));
}
