//! The build refuses a catalogue that disagrees with the facts or with itself, and names the file and line to mend.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

mod support;

use catalogue_build::Sources;
use stripe_facts::{Facts, Field, Shape};
use support::{also_changed, changed, fine, is, one, only, problems, real};

const ALIASES: &str = "catalogue/aliases.toml";
const MANIFEST: &str = "manifest.toml";
const COMMON: &str = "catalogue/common.toml";
const CUSTOMER: &str = "catalogue/customer.toml";
const PAYMENT: &str = "catalogue/payment_intent.toml";
const DISPUTE: &str = "catalogue/dispute.toml";
const PRICE: &str = "catalogue/price.toml";
const REFUND: &str = "catalogue/refund.toml";
const SUBSCRIPTION: &str = "catalogue/subscription.toml";
const CHECKOUT: &str = "catalogue/checkout_session.toml";
const HOOKS: &str = "catalogue/hooks.toml";
const PERMISSIONS: &str = "catalogue/permissions.toml";

#[test]
fn the_catalogue_as_it_is_has_no_problem() {
    assert_eq!(problems(&real(), Facts::bundled()), []);
}

// -------------------------------------------------------------------------------------------------- the form of files

#[test]
fn a_file_that_is_not_of_its_form_fails_with_its_line() {
    one(CUSTOMER, "dashboard = ", "dashbord = ", "dashbord = ", &["unknown field `dashbord`"]);
    one(CUSTOMER, "order = 10", "order = \"first\"", "order = \"first\"", &["invalid type"]);
    one(
        REFUND,
        "safety = \"move-money\"",
        "safety = \"move-mony\"",
        "move-mony",
        &["`move-mony` is none of read, create, change, move-money, destroy", "did you mean `move-money`"],
    );
    let missing = real().with("catalogue/Thing.toml", "title = \"Thing\"\n");
    let found = problems(&missing, Facts::bundled());
    assert!(found.iter().all(|p| p.file == "catalogue/Thing.toml") && found.len() == 2, "{found:#?}");
    assert!(found[0].what.contains("names no resource") || found[1].what.contains("names no resource"), "{found:#?}");
}

// ------------------------------------------------------------------------------------------------------ the connector

#[test]
fn another_version_fails() {
    let from = "api_version = \"2026-10-28.endive\"";
    one(MANIFEST, from, "api_version = \"2020-08-27\"", "2020-08-27", &["the facts are of `2026-10-28.endive`"]);
    one(MANIFEST, "\nversion = \"0.1.0\"", "\nversion = \"0.0.9\"", "version = \"0.0.9\"", &["the package's"]);
}

#[test]
fn egress_that_is_not_what_the_requests_need_fails() {
    let files = "url = \"https://files.stripe.com\"\nmethods = [\"GET\", \"POST\"]";
    one(
        MANIFEST,
        files,
        "url = \"https://files.stripe.com\"\nmethods = [\"POST\"]",
        "methods = [\"POST\"]",
        &["the requests to `https://files.stripe.com` are GET, POST, no more and no less"],
    );
    one(
        MANIFEST,
        "methods = [\"DELETE\", \"GET\", \"POST\"]",
        "methods = [\"DELETE\", \"GET\", \"POST\", \"PUT\"]",
        "PUT",
        &["are DELETE, GET, POST, no more"],
    );
    let sources = changed(MANIFEST, "https://files.stripe.com", "https://file.stripe.com");
    let found = problems(&sources, Facts::bundled());
    assert_eq!(found.len(), 2, "{found:#?}");
    is(&found[0], &sources, "catalogue/requests.toml", "files = ", &["serves GET, POST, and manifest.toml has no"]);
    is(&found[1], &sources, MANIFEST, "https://file.stripe.com", &["no request goes to `https://file.stripe.com`"]);
}

#[test]
fn a_request_that_uses_another_method_of_a_host_asks_for_the_egress() {
    let mut facts = Facts::bundled().clone();
    let stream = facts.operations.iter_mut().find(|o| o.path == "/v2/billing/meter_event_stream").expect("there");
    stream.base = Some("files".into());
    let found = problems(&real(), &facts);
    assert_eq!(found.len(), 1, "{found:#?}");
    is(&found[0], &real(), REQUESTS, "meter_events = ", &["no request of the facts is served by `meter_events`"]);
}

#[test]
fn a_way_to_authenticate_that_lacks_something_fails() {
    let from = "fields = [\"api_key\", \"webhook_secret\", \"webhook_tolerance\", \"account\", \"checkout_success_url\", \"checkout_cancel_url\", \"api_base\"]";
    let sources = changed(MANIFEST, from, "fields = [\"api_kee\"]");
    let found = problems(&sources, Facts::bundled());
    assert_eq!(found.len(), 2, "{found:#?}");
    is(&found[0], &sources, MANIFEST, "name = \"api-key\"", &["does not fill `api_key`, which is required"]);
    is(&found[1], &sources, MANIFEST, "api_kee", &["no field of the connection", "did you mean `api_key`"]);
    one(
        MANIFEST,
        "token_url = \"https://connect.stripe.com/oauth/token\"\n",
        "",
        "name = \"oauth\"",
        &["method `oauth` lacks its `token_url`"],
    );
    let from = "fields = [\"api_key\", \"webhook_secret\", \"webhook_tolerance\", \"checkout_success_url\", \"checkout_cancel_url\", \"api_base\"]";
    let to = "fields = [\"api_base\", \"api_key\"]";
    one(MANIFEST, from, to, to, &["puts its access token into its first field, `api_base`, which is no secret"]);
    let http = "token_url = \"http://connect.stripe.com/oauth/token\"";
    one(MANIFEST, "token_url = \"https://connect.stripe.com/oauth/token\"", http, http, &["must begin with https://"]);
    one(MANIFEST, "kind = \"oauth\"", "kind = \"oath\"", "kind = \"oath\"", &["no kind of method", "`oauth`"]);
    one(MANIFEST, "name = \"oauth\"", "name = \"api-key\" # again", "# again", &["two methods `api-key`"]);
}

// --------------------------------------------------------------------------------------------------------- operations

#[test]
fn a_wrong_parameter_name_fails_with_its_line_and_the_right_name() {
    one(
        CUSTOMER,
        "show = [\"email\", \"name\", \"phone\"",
        "show = [\"emial\", \"name\", \"phone\"",
        "emial",
        &[
            "action `customer.create` shows parameter `emial`, which `POST /v1/customers` does not have",
            "did you mean `email`",
        ],
    );
    let from = "one_of = [\"payment_intent\", \"charge\", \"origin\"]";
    one(REFUND, from, "one_of = [\"payment_intent\", \"charg\"]", "one_of", &["parameter `charg`", "`charge`"]);
}

#[test]
fn a_wrong_type_fails_with_its_line() {
    let from = "sample = { amount = 1099,";
    one(PAYMENT, from, "sample = { amount = \"1099\",", "\"1099\"", &["`sample.amount` is `\"1099\"`", "an amount"]);
    let from = "defaults = { mode = \"payment\" }";
    one(CHECKOUT, from, "defaults = { mode = \"pay\" }", "\"pay\"", &["`defaults.mode`", "payment"]);
    let from = "sample = { customer = \"cus_QxYz0123456789\", phone = ";
    one(CUSTOMER, from, "sample = { phone = ", "sample = { phone = ", &["`sample` lacks the required `customer`"]);
}

#[test]
fn what_is_always_sent_is_a_parameter_of_the_right_type_and_no_input() {
    let from = "fixed = { submit = true }";
    one(DISPUTE, from, "fixed = { submit = 1 }", "submit = 1", &["`fixed.submit` is `1`"]);
    let says = ["`fixed.submitt` is no parameter", "did you mean `submit`"];
    one(DISPUTE, from, "fixed = { submitt = true }", "{ submitt", &says);
    let with = |more: &str| changed(DISPUTE, from, &format!("{from}\n{more}"));
    let given = with("defaults = { submit = true }");
    only(&given, Facts::bundled(), DISPUTE, "defaults = { submit = true }", &["`defaults.submit` is no parameter"]);
    let alternative = with("one_of = [\"submit\"]");
    only(&alternative, Facts::bundled(), DISPUTE, "one_of", &["shows parameter `submit`"]);
    let spoken_of = with("[actions.\"dispute.submit\".fields]\nsubmit = { title = \"Submit now\" }");
    only(&spoken_of, Facts::bundled(), DISPUTE, "Submit now", &["speaks of field `submit`"]);
    let amount = "sample = { amount = 1099,";
    let sources = changed(PAYMENT, amount, "fixed = { amount = 1099 }\nsample = {");
    let found = problems(&sources, Facts::bundled());
    assert!(found.iter().any(|p| p.what.contains("takes in major units parameter `amount`")), "{found:#?}");
}

#[test]
fn what_takes_an_operation_back_is_another_action_that_can_be_told_what() {
    // The first payment action's, of several.
    let taken_back_by = |inverse: &str| {
        let text = real().text(PAYMENT).replacen("inverse = \"refund.create\"", inverse, 1);
        real().with(PAYMENT, text)
    };
    let with = |inverse: &str, parts: &[&str]| {
        let to = format!("inverse = \"{inverse}\"");
        only(&taken_back_by(&to), Facts::bundled(), PAYMENT, &to, parts);
    };
    with("refund.creat", &["`payment_intent.create`", "the id of no action", "did you mean `refund.create`"]);
    with("create_refund", &["the id of no action"]);
    with("customer.list", &["`customer.list`, which only reads"]);
    with("payment_intent.create", &["cannot take itself back"]);
    with("product.create", &["is about `product` and takes no `payment_intent`"]);
    fine(&taken_back_by("inverse = \"payment_intent.confirm\""));
    fine(&taken_back_by(""));
    let from = "[queries.\"customer.list\"]\n";
    let to = "[queries.\"customer.list\"]\ninverse = \"customer.update\"\n";
    one(CUSTOMER, from, to, "inverse = \"customer.update", &["query `customer.list` changes nothing"]);
}

#[test]
fn a_sample_gives_times_and_amounts_as_the_engine_takes_them() {
    let from = "sample = { status = \"active\", limit = 3 }";
    let with = |created: &str| changed(SUBSCRIPTION, from, &format!("sample = {{ created = {created} }}"));
    for created in ["1735689600", "{ gte = 1735689600 }", "\"2025-01-01T00:00:00Z\"", "\"2025-01-01T01:00:00+01:00\""] {
        fine(&with(created));
    }
    for created in ["\"2025-01-01\"", "\"2025-01-01T00:00:00\"", "\"yesterday\"", "true"] {
        only(&with(created), Facts::bundled(), SUBSCRIPTION, "sample = { created", &["`sample.created` is"]);
    }
    let from = "sample = { amount = 1099,";
    let with = |amount: &str| changed(PAYMENT, from, &format!("sample = {{ amount = {amount},"));
    fine(&with("{ decimal = \"10.99\", currency = \"usd\" }"));
    for amount in ["{ decimal = \"10.99\" }", "{ decimal = 10.99, currency = \"usd\" }", "10.99"] {
        only(&with(amount), Facts::bundled(), PAYMENT, "sample = { amount", &["`sample.amount` is"]);
    }
}

#[test]
fn a_removed_operation_fails_with_the_line_of_its_entry_and_nothing_else() {
    let mut facts = Facts::bundled().clone();
    facts.operations.retain(|o| o.name != "RefundService.create");
    let says = ["action `refund.create` sends `POST /v1/refunds`, which the API 2026-10-28.endive does not have"];
    only(&real(), &facts, REFUND, "request = \"POST /v1/refunds\"", &says);
    let from = "request = \"POST /v1/refunds\"";
    one(REFUND, from, "request = \"POST /v1/refund\"", "POST /v1/refund\"", &["did you mean `POST /v1/refunds`"]);
}

#[test]
fn safety_must_fit_the_request() {
    let from = "safety = \"destroy\"";
    one(SUBSCRIPTION, from, "safety = \"create\"", "safety = \"create\"", &["deletes, so its safety is `destroy`"]);
    one(
        REFUND,
        "safety = \"move-money\"",
        "safety = \"read\"",
        "safety = \"read\"",
        &["only queries, have safety `read`"],
    );
}

#[test]
fn a_query_sends_what_only_reads_whatever_its_method() {
    let preview = "title = \"Forecast\"\ninternal = \"forecast\"\nobject = \"invoice\"\norder = 500\nlabel = [\"id\"]\n\n[mapping]\n\n\
        [queries.\"forecast.make\"]\ntitle = \"Preview\"\ndescription = \"What it would be.\"\n\
        request = \"POST /v1/invoices/create_preview\"\nsafety = \"read\"\nshow = []\nsample = {}\n";
    let file = "catalogue/forecast.toml";
    let with = |text: &str| real().with(file, text);
    fine(&with(preview));
    let create = preview.replace("/create_preview", "");
    only(&with(&create), Facts::bundled(), file, "POST /v1/invoices\"", &["send what only reads"]);
    let action = preview.replace("queries", "actions").replace("\"read\"", "\"change\"");
    only(&with(&action), Facts::bundled(), file, "create_preview", &["only queries, send what only reads"]);
}

#[test]
fn a_name_that_another_has_fails() {
    let from = "aliases = [\"create_refund\",";
    one(
        REFUND,
        from,
        "aliases = [\"create_price\",",
        "create_price",
        &["`create_price`, which another has: `price.create`"],
    );
    let from = "aliases = [\"payment.succeeded\"]";
    let to = "aliases = [\"invoice.paid\"]";
    let sources = changed(PAYMENT, from, to);
    only(
        &sources,
        Facts::bundled(),
        "catalogue/invoice.toml",
        "[triggers.\"invoice.paid\"]",
        &["trigger `invoice.paid` has the name"],
    );
}

#[test]
fn a_name_of_another_tool_leads_to_what_there_is() {
    let with = |from: &str, to: &str, parts: &[&str]| one(ALIASES, from, to, to, parts);
    let from = "customerId = \"customer\", priceId = \"items.0.price\"";
    with(from, "customerId = \"custmer\", priceId = \"items.0.price\"", &["into `custmer`", "did you mean `customer`"]);
    with(from, "customerId = \"customer\", priceId = \"items.price\"", &["into `items.price`, which there is not"]);
    with(from, "customerId = \"customer\", priceId = \"customer\"", &["puts two inputs into `customer`"]);
    with("trialDays = \"trial", "metadata = \"trial", &["hides the operation's own `metadata`"]);
    with("currentPeriodEnd = \"items.data.0.current", "currentPeriodEnd = \"curren", &["reads `curren_period_end`"]);
    with("filter = { metadata = \"metadata\"", "filter = { metadata = \"balance\"", &["neither text nor metadata"]);
    let from = "operation = \"customer.list\"";
    one(ALIASES, from, &format!("{from}\nidempotency_key = \"key\""), "= \"key\"", &["only reads"]);
}

#[test]
fn names_that_people_write_alike_mean_one_thing() {
    let from = "[aliases.\"checkout\"]";
    let to = "[aliases.\"Create a Customer\"]";
    one(ALIASES, from, to, to, &["reads as `create_customer` of `customer.create`"]);
    let to = "[aliases.\"Create a checkout-session\"]";
    fine(&changed(ALIASES, from, to));
}

#[test]
fn an_operation_stands_with_its_resource() {
    // No other operation and no alias names it.
    let from = "[queries.\"balance.retrieve\"]";
    let to = "[queries.\"balances.retrieve\"]";
    one("catalogue/balance.toml", from, to, "balances.retrieve", &["must begin with its resource: `balance.…`"]);
}

#[test]
fn an_amount_in_major_units_needs_a_currency_beside_it() {
    let from = "sample = { payment_intent = \"pi_3OzQ2eLkdIwHu7ix0aBcDeFg\", amount = 500 }";
    fine(&changed(REFUND, from, &format!("{from}\nmajor_units = {{ amount_major = \"amount\" }}")));
    let capture = "[actions.\"payment_intent.capture\"]\n";
    one(
        PAYMENT,
        capture,
        &format!("{capture}major_units = {{ amount_major = \"amount_to_capture\" }}\n"),
        "major_units = { amount_major = \"amount_to_capture\" }",
        &["takes `amount_to_capture` in major units", "has no currency beside it"],
    );
    let from = "major_units = { unit_amount_major = \"unit_amount\" }";
    let to = "major_units = { unit_amount_major = \"nickname\" }";
    one(PRICE, from, to, to, &["takes `nickname` in major units, and the facts say text"]);
    let to = "major_units = { unit_amount_major = \"unit_amont\" }";
    one(PRICE, from, to, to, &["parameter `unit_amont`", "`unit_amount`"]);
}

// -------------------------------------------------------------------------------------------------------------- hooks

#[test]
fn a_hook_stands_on_a_request_that_it_knows() {
    let sources = changed(CHECKOUT, "hook = \"checkout-urls\"", "hook = \"checkout-url\"");
    let found = problems(&sources, Facts::bundled());
    assert_eq!(found.len(), 2, "{found:#?}");
    is(&found[0], &sources, CHECKOUT, "hook = ", &["hook `checkout-url`, which is not in", "`checkout-urls`"]);
    is(&found[1], &sources, HOOKS, "[checkout-urls]", &["no operation has the hook `checkout-urls`"]);
    one(
        HOOKS,
        "requests = [\"POST /v1/checkout/sessions\"]",
        "requests = [\"POST /v1/checkout/sessions\", \"POST /v1/checkout/session\"]",
        "POST /v1/checkout/session\"",
        &["hook `checkout-urls` sends `POST /v1/checkout/session`"],
    );
}

#[test]
fn a_hook_on_another_request_fails_with_the_line_of_the_entry() {
    let refund = "request = \"POST /v1/refunds\"";
    let to = format!("{refund}\nhook = \"checkout-urls\"");
    one(
        REFUND,
        refund,
        &to,
        "hook = \"checkout-urls\"",
        &[
            "action `refund.create`: the hook `checkout-urls` knows POST /v1/checkout/sessions, and not `POST /v1/refunds`",
        ],
    );
}

#[test]
fn a_hooks_inputs_are_those_that_it_takes() {
    let from = "at_period_end = { type = \"boolean\",";
    let to = "at_period_end = { type = \"timestamp\",";
    let sample = "AbCdEfGh\", at_period_end = true,";
    let plain = "AbCdEfGh\",";
    let sources = also_changed(changed(SUBSCRIPTION, sample, plain), SUBSCRIPTION, from, to);
    only(&sources, Facts::bundled(), SUBSCRIPTION, to, &["takes `at_period_end` as boolean"]);
    let show = "show = [\"subscription\", \"at_period_end\", \"cancellation_details\"";
    let sources = also_changed(
        changed(SUBSCRIPTION, sample, plain),
        SUBSCRIPTION,
        show,
        "show = [\"subscription\", \"cancellation_details\"",
    );
    let sources = also_changed(sources, SUBSCRIPTION, from, "at_period_ends = { type = \"boolean\",");
    let sources = also_changed(sources, ALIASES, ", atPeriodEnd = \"at_period_end\"", "");
    let found = problems(&sources, Facts::bundled());
    assert_eq!(found.len(), 2, "{found:#?}");
    is(
        &found[0],
        &sources,
        SUBSCRIPTION,
        "hook = \"cancel-subscription\"",
        &["takes `at_period_end`: add it to the inputs"],
    );
    is(
        &found[1],
        &sources,
        SUBSCRIPTION,
        "at_period_ends",
        &["takes no `at_period_ends`", "did you mean `at_period_end`"],
    );
    let from = "[actions.\"subscription.cancel\".fields]\n";
    let to = "[actions.\"subscription.cancel\".fields]\nat_period_end = { title = \"Later\" }\n";
    one(SUBSCRIPTION, from, to, "\"Later\"", &["stands in its inputs"]);
    let from = "defaults = { mode = \"payment\" }\nhook = \"checkout-urls\"";
    let sources = changed(CHECKOUT, from, "defaults = { mode = \"payment\" }");
    only(&sources, Facts::bundled(), HOOKS, "[checkout-urls]", &["no operation has the hook `checkout-urls`"]);
}

// ----------------------------------------------------------------------------------------------------------- encoding

const UPLOAD: &str = "title = \"Upload\"\ninternal = \"file\"\nobject = \"file\"\norder = 500\nlabel = [\"id\"]\n\n[mapping]\n\n\
    [actions.\"upload.create\"]\ntitle = \"Upload a file\"\ndescription = \"Keeps a file.\"\nrequest = \"POST /v1/files\"\n\
    safety = \"create\"\nshow = [\"file\", \"purpose\"]\nsample = { purpose = \"dispute_evidence\" }\n";

#[test]
fn a_file_travels_beside_plain_values() {
    let file = "catalogue/upload.toml";
    let with = |text: String| real().with(file, text);
    fine(&with(UPLOAD.to_owned()));
    let sources = with(UPLOAD.replace("\"purpose\"]", "\"file_link_data\"]"));
    only(
        &sources,
        Facts::bundled(),
        file,
        "show = ",
        &["shows `file_link_data`, which is an object", "only plain values"],
    );
    let sources =
        with(UPLOAD.replace("\"dispute_evidence\" }", "\"dispute_evidence\", file_link_data = { create = true } }"));
    only(&sources, Facts::bundled(), file, "sample = ", &["gives `file_link_data`", "only plain values"]);
    let sources = with(UPLOAD.replace("sample = { ", "sample = { file = \"a.pdf\", "));
    only(&sources, Facts::bundled(), file, "sample = ", &["`sample.file` is a file, which is given beside the input"]);
}

#[test]
fn a_request_that_cannot_carry_its_file_fails() {
    let requests = "catalogue/requests.toml";
    let upload = "\"POST /v1/files\" = \"file\"\n";
    // The catalogue's own operation that uploads suffers, too; here it is about the requests.
    let one = |sources: &Sources, at: &str, says: &[&str]| {
        let found = problems(sources, Facts::bundled());
        let own: Vec<_> = found.iter().filter(|p| p.file == requests).collect();
        let [problem] = own[..] else { panic!("one problem: {found:#?}") };
        is(problem, sources, requests, at, says);
    };
    let says = "`POST /v1/files` is multipart: say which parameter is the file";
    one(&changed(requests, upload, ""), "[uploads]", &[says]);
    let sources = changed(requests, upload, "\"POST /v1/files\" = \"fil\"\n");
    one(&sources, "= \"fil\"", &["has no parameter `fil`", "did you mean `file`"]);
    let sources = changed(requests, upload, &format!("{upload}\"POST /v1/refunds\" = \"reason\"\n"));
    let found = problems(&sources, Facts::bundled());
    assert_eq!(found.len(), 2, "{found:#?}");
    is(&found[0], &sources, REFUND, "request = ", &["`refund.create` cannot be sent", "travels as form"]);
    is(&found[1], &sources, requests, "\"POST /v1/refunds\"", &["is no multipart request"]);
    let mut facts = Facts::bundled().clone();
    let upload = facts.operations.iter_mut().find(|o| o.path == "/v1/files" && o.base.is_some()).expect("there");
    upload.parameters.retain(|p| p.name != "file");
    let file = "catalogue/upload.toml";
    let sources = real().with(file, UPLOAD.replace("\"file\", ", ""));
    let found = problems(&sources, &facts);
    let problem = found.iter().find(|p| p.file == file).expect("a problem");
    is(problem, &sources, file, "request = ", &["`upload.create` cannot be sent", "has 0 files; one can be sent"]);
}

// ------------------------------------------------------------------------------------------------------------- fields

#[test]
fn what_is_said_of_no_field_fails_with_its_line() {
    let from = "invoice_now = { title";
    one(
        SUBSCRIPTION,
        from,
        "invoice_new = { title",
        "invoice_new",
        &["operation `subscription.cancel` speaks of field `invoice_new`", "did you mean `invoice_now`"],
    );
    let from = "\"items.price_data.unit_amount\"";
    one(
        SUBSCRIPTION,
        from,
        "\"item.price_data.unit_amount\"",
        "\"item.price_data",
        &["no operation of `subscription` has a field `item.price_data.unit_amount`", "`items.price_data.unit_amount`"],
    );
    one(
        COMMON,
        "\"*.metadata\" = {",
        "\"*.metdata\" = {",
        "metdata",
        &["no operation that inherits this", "`metadata`"],
    );
    one(COMMON, "[fields]\n", "[fields]\nnickname = { title = \"Nick\" }\n\"a.b\" = {}\n", "\"a.b\"", &["`a.b`"]);
}

#[test]
fn only_what_inherits_is_spoken_of() {
    let sources = changed("catalogue/balance.toml", "inherits = [\"common\"]\n", "");
    let model = fine(&sources);
    assert_eq!(support::meaning(&model, "balance.retrieve", "expand"), None);
    one(
        REFUND,
        "inherits = [\"common\"]",
        "inherits = [\"comon\"]",
        "comon",
        &["only `common`", "did you mean `common`"],
    );
}

#[test]
fn a_rule_holds_against_its_type() {
    let from = "nickname = { title = \"Nickname\",";
    let to = "nickname = { rule = \"amount\", title = \"Nickname\",";
    one(PRICE, from, to, to, &["`nickname` has a rule for another type; the facts say text"]);
    let from = "\"*.metadata\" = { title";
    let to = "\"*.metadata\" = { rule = \"currency\", title";
    one(COMMON, from, to, to, &["`*.metadata` has a rule for another type"]);
}

#[test]
fn a_field_picks_a_resource_that_can_be_listed() {
    let from =
        "charge = { title = \"Charge\", help = \"The charge, ch_…; give this or the payment.\", picks = \"charge\" }";
    let with =
        |picks: &str| changed(REFUND, from, &from.replace("picks = \"charge\"", &format!("picks = \"{picks}\"")));
    only(
        &with("chrage"),
        Facts::bundled(),
        REFUND,
        "chrage",
        &["names resource `chrage`, which has no file", "`charge`"],
    );
    only(
        &with("balance"),
        Facts::bundled(),
        REFUND,
        "picks = \"balance\"",
        &["field `charge` picks a `balance`, and catalogue/balance.toml has no choices"],
    );
}

#[test]
fn a_field_picks_what_needs_only_what_the_operation_takes() {
    let from = "payment_method = { title = \"Payment method\", help = \"A saved payment method, pm_…; in test mode also pm_card_visa.\" }";
    let to = from.replace(" }", ", picks = \"payment_method\" }");
    one(
        PAYMENT,
        from,
        &to,
        "help = \"A saved payment method",
        &[
            "`payment_method` of operation `payment_intent.confirm` picks a `payment_method`, whose choices need `customer`",
        ],
    );
}

// ---------------------------------------------------------------------------------------------------------- resources

#[test]
fn a_resource_that_the_facts_do_not_know_so_fails() {
    let from = "object = \"checkout.session\"";
    let sources = changed(CHECKOUT, from, "object = \"checkout.sesion\"");
    let found = problems(&sources, Facts::bundled());
    is(&found[0], &sources, CHECKOUT, "checkout.sesion", &["did you mean `checkout.session`"]);
    let charge = "catalogue/charge.toml";
    let from = "paid = \"boolean paid\"";
    one(charge, from, "paid = \"boolean payed\"", "payed", &["object `charge` has no `payed`", "did you mean `paid`"]);
    let from = "amount_received = \"money amount_received\"";
    one(PAYMENT, from, "amount_received = \"money status\"", "money status", &["maps `status` as money", "one of"]);
    one(PAYMENT, from, "amount_received = \"timestamp amount_received\"", "timestamp amount_received", &["an amount"]);
    one(PAYMENT, from, "amount_received = \"money created\"", "money created", &["a point in time"]);
    one(PAYMENT, from, "amount_received = \"mony amount_received\"", "mony", &["`mony` is no kind", "`money`"]);
    one(PAYMENT, from, "amount_received = \"amount_received\"", "= \"amount_received\"", &["write \"KIND PATH\""]);
    one(CUSTOMER, "label = [\"name\",", "label = [\"nam\",", "label", &["object `customer` has no `nam`"]);
    // A drop-down goes through an id to what stands behind it; the mapping of an answer does not.
    one(
        PRICE,
        "\"product.name\"]",
        "\"product.nam\"]",
        "detail",
        &["reads `product.nam`", "has no `nam`", "did you mean `name`"],
    );
    one(
        PRICE,
        "name = \"text nickname\"",
        "name = \"text product.name\"",
        "text product.name",
        &["object `price` has no `name`"],
    );
}

#[test]
fn choices_are_a_list_of_the_resource_and_say_what_they_need() {
    let from = "choices = \"GET /v1/customers\"";
    let to = "choices = \"GET /v1/products\"";
    one(CUSTOMER, from, to, to, &["lists by `GET /v1/products`, which is of `product` and not of `customer`"]);
    let to = "choices = \"GET /v1/customers/{customer}\"\nchoices_need = [\"customer\"]";
    one(CUSTOMER, from, to, "choices = ", &["lists by `GET /v1/customers/{customer}`, which answers no list"]);
    let method = "catalogue/payment_method.toml";
    one(method, "choices_need = [\"customer\"]\n", "", "choices = ", &["needs `customer`: name it in `choices_need`"]);
    let sources = changed(method, "choices_need = [\"customer\"]", "choices_need = [\"customer\", \"typ\"]");
    let found = problems(&sources, Facts::bundled());
    assert!(found.iter().any(|p| p.what.contains("does not take `typ` (did you mean `type`?)")), "{found:#?}");
}

#[test]
fn search_and_retrieve_find_the_resource() {
    let from = "search_fields = [\"name\", \"email\", \"phone\"]\n";
    one(CUSTOMER, from, "", "search = ", &["has `search` and no `search_fields`"]);
    one(
        CUSTOMER,
        "search = \"GET /v1/customers/search\"\n",
        "",
        "search_fields",
        &["has `search_fields` and no `search`"],
    );
    let from = "search = \"GET /v1/customers/search\"";
    one(CUSTOMER, from, "search = \"GET /v1/customers\"", "search = ", &["answers no search"]);
    let from = "retrieve = \"GET /v1/customers/{customer}\"";
    one(CUSTOMER, from, "retrieve = \"GET /v1/customers\"", "retrieve = ", &["does not read one by its id alone"]);
    one(
        CUSTOMER,
        from,
        "retrieve = \"GET /v1/prices/{price}\"",
        "retrieve = ",
        &["is of `price` and not of `customer`"],
    );
}

#[test]
fn no_two_resources_claim_one_id() {
    let with =
        |prefixes: &str| changed(REFUND, "id_prefixes = [\"re_\", \"pyr_\"]", &format!("id_prefixes = [{prefixes}]"));
    let refused = |prefixes: &str, says: &[&str]| only(&with(prefixes), Facts::bundled(), REFUND, "id_prefixes", says);
    refused("\"re_\", \"py_\"", &["the prefix `py_` is of resource `charge` already"]);
    refused("\"re_\", \"re_\"", &["the prefix `re_` is of resource `refund` already"]);
    refused("\"re\"", &["the prefix `re` must end with _"]);
    refused("\"cs_test_\"", &["`cs_` of resource `checkout_session` with a mode"]);
    // The engine takes the longest that fits.
    fine(&with("\"re_\", \"sub_refund_\""));
}

// ------------------------------------------------------------------------------------------------ triggers and permissions

#[test]
fn an_unknown_event_type_fails_with_its_line_and_the_right_one() {
    let invoice = "catalogue/invoice.toml";
    one(
        invoice,
        "event = \"invoice.paid\"",
        "event = \"invoice.payed\"",
        "invoice.payed",
        &["trigger `invoice.paid` listens to event `invoice.payed`", "did you mean `invoice.paid`"],
    );
    one(
        invoice,
        "event = \"invoice.paid\"",
        "event = \"charge.dispute.created\"",
        "charge.dispute.created",
        &["which is about `dispute` and not about `invoice`"],
    );
}

#[test]
fn a_probe_reads_without_input_and_shows_its_own_permission() {
    let from = "probe = \"GET /v1/events\"";
    one(PERMISSIONS, from, "probe = \"GET /v1/event\"", "GET /v1/event\"", &["did you mean `GET /v1/events`"]);
    one(PERMISSIONS, from, "probe = \"GET /v1/events/{id}\"", "/{id}", &["a probe reads, and needs no input"]);
    one(PERMISSIONS, from, "probe = \"POST /v1/refunds\"", "POST", &["a probe reads, and needs no input"]);
    one(PERMISSIONS, from, "probe = \"GET /v1/refunds\"", "GET /v1/refunds", &["which needs `charge`"]);
}

#[test]
fn every_request_needs_a_permission_or_is_said_to_need_an_unknown_one() {
    one(
        PERMISSIONS,
        "\"/v1/tax/associations\", ",
        "",
        "# What a restricted key",
        &["no entry has `/v1/tax/associations", "`unknown`"],
    );
    one(
        PERMISSIONS,
        "\"/v1/sigma\"",
        "\"/v1/sigma\", \"/v1/zeta\"",
        "/v1/zeta",
        &["no request begins with `/v1/zeta`"],
    );
    one(PERMISSIONS, "\"/v1/sigma\"", "\"/v1/sigma\", \"/v1/tokens\"", "paths = [\"/v1/tokens\"]", &["twice"]);
    one(PERMISSIONS, "name = \"token\"", "name = \"source\" # again", "# again", &["`source` already"]);
}

// -------------------------------------------------------------------------------------------------------- hints

const ERRORS: &str = "catalogue/errors.toml";

#[test]
fn every_error_code_of_the_facts_has_one_hint() {
    let codes = "codes = [\"coupon_expired\"]";
    one(ERRORS, codes, "codes = []", "[[errors]]", &["error code `coupon_expired` has no hint"]);
    let two = "codes = [\"coupon_expired\", \"card_declind\"]";
    one(ERRORS, codes, two, "card_declind", &["`card_declind` is no error code", "did you mean `card_declined`"]);
    let twice = "codes = [\"coupon_expired\", \"url_invalid\"]";
    one(ERRORS, codes, twice, "codes = [\"url_invalid\"]", &["`url_invalid` has a hint already"]);
    let reasons = "codes = [\"testmode_decline\", \"lost_card\"]";
    one(ERRORS, "codes = [\"testmode_decline\"]", reasons, reasons, &["`lost_card` has a hint already"]);
}

#[test]
fn what_excludes_each_other_stands_beside_each_other() {
    let from = "fields = [\"amount_off\", \"percent_off\"]";
    for wrong in ["fields = [\"amount_off\", \"zeta\"]", "fields = [\"amount_off\"]"] {
        one(ERRORS, from, wrong, wrong, &["no request takes `amount_off"]);
    }
}

#[test]
fn a_hint_is_a_short_sentence() {
    let from = "hint = \"Give a whole address, https:// and all.\"";
    let long = format!("hint = \"{}.\"", "very ".repeat(50));
    for wrong in ["hint = \"Give a whole address\"", "hint = \"\"", long.as_str()] {
        one(ERRORS, from, wrong, wrong, &["a hint is a sentence or two"]);
    }
    let from = "has = \"must convert to at least\"";
    one(ERRORS, from, "has = \"No\"", "has = \"No\"", &["so short a part"]);
}

// ------------------------------------------------------------------------------------------------ what the facts lack

const KINDS: &str = "catalogue/kinds.toml";
const EVENTS: &str = "catalogue/events.toml";
const REQUESTS: &str = "catalogue/requests.toml";

#[test]
fn a_number_that_nobody_classified_asks_a_person() {
    let mut facts = Facts::bundled().clone();
    let refund = facts.operations.iter_mut().find(|o| o.name == "RefundService.create").expect("there");
    let field = Field { name: "retries".into(), required: false, nullable: false, shape: Shape::Integer };
    refund.parameters.push(field);
    let says = ["number `v1.refunds.create.retries`, and `retries` is in none of the lists"];
    only(&real(), &facts, KINDS, "plain = [", &says);
    let Some(Shape::Object(members)) = facts.objects.get_mut("refund") else { panic!("an object") };
    members.push(Field { name: "tries".into(), required: false, nullable: false, shape: Shape::Integer });
    assert_eq!(problems(&real(), &facts).len(), 2);
}

#[test]
fn a_list_of_kinds_has_what_there_is_and_once() {
    one(
        KINDS,
        "    \"nights\",\n",
        "    \"nights\",\n    \"nigths\",\n",
        "nigths",
        &["the API has no number `nigths`"],
    );
    one(
        KINDS,
        "    \"usage_threshold.gte\",",
        "    \"nights\", \"usage_threshold.gte\",",
        "\"nights\", \"usage",
        &["`nights` stands in the lists twice"],
    );
}

#[test]
fn an_id_is_unique_and_fit_for_a_tool() {
    let from = "[ids]\n";
    let with = |line: &str| changed(REQUESTS, from, &format!("[ids]\n{line}\n"));
    only(
        &with("\"POST /v1/refnds\" = \"v1.a\""),
        Facts::bundled(),
        REQUESTS,
        "refnds",
        &["did you mean `POST /v1/refunds`"],
    );
    only(
        &with("\"POST /v1/refunds\" = \"v1.refunds.create\""),
        Facts::bundled(),
        REQUESTS,
        "\"POST /v1/refunds\"",
        &["has the id `v1.refunds.create` by the rule"],
    );
    only(
        &with("\"POST /v1/refunds\" = \"v1.charges_create\""),
        Facts::bundled(),
        REQUESTS,
        "[ids]",
        &["`POST /v1/charges` make the same tool name `v1_charges_create`"],
    );
    only(
        &with("\"POST /v1/refunds\" = \"v1.refund-create\""),
        Facts::bundled(),
        REQUESTS,
        "[ids]",
        &["`v1.refund-create`"],
    );
    let long = format!("\"POST /v1/refunds\" = \"v1.{}\"", "a".repeat(62));
    only(&with(&long), Facts::bundled(), REQUESTS, "[ids]", &["of 65 characters", "at most 64"]);
}

#[test]
fn what_a_request_answers_is_known() {
    let pdf = "\"GET /v1/quotes/{quote}/pdf\" = \"binary\"\n";
    let says = ["do not know what `GET /v1/quotes/{quote}/pdf` answers: say `binary` or `json`"];
    one(REQUESTS, pdf, "", "[answers]", &says);
    one(
        REQUESTS,
        pdf,
        &format!("{pdf}\"GET /v1/quotes/{{quote}}\" = \"json\"\n"),
        "{quote}\" = \"json\"",
        &["the facts know what"],
    );
    let from = "[read_only]\n";
    one(REQUESTS, from, "[read_only]\n\"GET /v1/balance\" = \"reads\"\n", "GET /v1/balance", &["only reads anyway"]);
}

#[test]
fn an_event_is_about_an_object_or_listed_as_unknown() {
    let mut facts = Facts::bundled().clone();
    facts.event_types.push("wallet.topped_up".into());
    let found = problems(&real(), &facts);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].file.as_str(), found[0].line), (EVENTS, 1));
    assert!(found[0].what.contains("event type `wallet.topped_up` is about no object"), "{found:#?}");
    one(
        EVENTS,
        "\"issuing_card\" = \"issuing.card\"",
        "\"issuing_card\" = \"issuing.cards\"",
        "issuing.cards",
        &["did you mean `issuing.card`"],
    );
    for (thin, says) in [("customer.moved", "begin with v1. or v2."), ("v1.customer.created", "known already")] {
        one(EVENTS, "thin = [\n", &format!("thin = [\n    \"{thin}\",\n"), thin, &[says]);
    }
    one(
        EVENTS,
        "[objects]\n",
        "[objects]\n\"charge.disputed\" = \"dispute\"\n",
        "charge.disputed",
        &["no event type begins with"],
    );
    one(
        EVENTS,
        "[unknown]\n",
        "[unknown]\n\"charge.dispute\" = \"\"\n",
        "\"charge.dispute\" = \"\"",
        &["in [objects] too"],
    );
}
