use serde_json::{Value, json};

use super::*;
use crate::connection::Fields;
use crate::error::{ErrorKind, Outcome};
use crate::operation::session::{History, Invocation};
use crate::sample;
use crate::stripe::tests::scripted::{BEGINNING, KEY, Sent, Step, World, answer, broken, error};

fn session<'w>(world: &'w World, history: Option<History>) -> Session<'w> {
    let fields = Fields { values: vec![("api_key".into(), KEY.into())], development: true };
    let invocation = Invocation { id: "run-1".into(), idempotency_key: None, timeout: None, history };
    Session::start(world, world, &fields, invocation).expect("a session")
}

fn act_in(world: &World, id: &str, input: &Value) -> Result<Done> {
    run_action(&mut session(world, None), id, &input.to_string(), Vec::new())
}

fn ask_in(world: &World, id: &str, input: &Value, cursor: Option<&str>) -> Result<Found> {
    run_query(&session(world, None), id, &input.to_string(), cursor)
}

/// The one request that left.
fn only(world: &World) -> Sent {
    let sent = world.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.into_iter().next().expect("one")
}

fn body(sent: &Sent) -> String {
    String::from_utf8_lossy(sent.body.as_deref().unwrap_or_default()).into_owned()
}

const CUSTOMER: &str = r#"{ "id": "cus_1",  "object":"customer", "email":"a\u0062@c.example", "balance": 1e2 }"#;

#[test]
fn an_answer_is_handed_on_as_it_came_with_its_object_mapped() {
    let world = World::of([answer(200, CUSTOMER)]);
    let done = act_in(&world, "customer.create", &json!({"email": "ab@c.example"})).expect("done");
    assert_eq!(done.output, CUSTOMER);
    let record = done.record.expect("a record");
    assert_eq!((record.resource, record.id.as_str()), ("customer", "cus_1"));
    assert_eq!(serde_json::from_str::<Value>(&record.fields).expect("JSON")["email"], "ab@c.example");
    assert_eq!((done.metadata.attempts, done.files.len()), (1, 0));
}

#[test]
fn a_plain_request_of_the_api_runs_by_its_own_id() {
    let world = World::of([answer(200, r#"{"id":"txi_1","object":"tax.transaction"}"#)]);
    let input = json!({"calculation": "taxcalc_1", "reference": "order 1"});
    let done = act_in(&world, "v1.tax.transactions.create_from_calculation", &input).expect("done");
    let sent = only(&world);
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/tax/transactions/create_from_calculation"));
    assert_eq!(body(&sent), "calculation=taxcalc_1&reference=order%201");
    assert!(sent.header("idempotency-key").is_some());
    assert!(done.record.is_none(), "a transaction is mapped to nothing");
}

#[test]
fn an_entry_and_its_plain_request_have_one_key() {
    let key = |id: &str| {
        let world = World::of([answer(200, CUSTOMER)]);
        act_in(&world, id, &json!({"email": "a@b.example"})).expect("done");
        only(&world).header("idempotency-key").map(str::to_owned).expect("a key")
    };
    assert_eq!(key("customer.create"), key("v1.customers.create"));
}

#[test]
fn what_deliveries_are_signed_with_is_in_no_result() {
    let endpoint = r#"{"id":"we_1","object":"webhook_endpoint","secret":"whsec_abcdefgh","url":"https://a.example"}"#;
    let world = World::of([answer(200, endpoint)]);
    let input = json!({"url": "https://a.example", "enabled_events": ["*"]});
    let done = act_in(&world, "v1.webhook_endpoints.create", &input).expect("done");
    assert_eq!(done.output, endpoint.replace("whsec_abcdefgh", "(hidden)"));
    assert!(!format!("{done:?}").contains("whsec_"));

    let page = r#"{"data":[{"id":"ed_1","object":"v2.core.event_destination","webhook_endpoint":{"signing_secret":"whsec_abcdefgh"}}],"next_page_url":null}"#;
    let world = World::of([answer(200, page)]);
    let found = ask_in(&world, "v2.core.event_destinations.list", &json!({}), None).expect("found");
    assert_eq!(found.output, page.replace("whsec_abcdefgh", "(hidden)"));
}

const STREAM: &str = "v2.billing.meter_event_stream.create";
const TOKEN: &str = "abc123token";

fn usage() -> Value {
    json!({"events": [{"event_name": "calls", "payload": {"stripe_customer_id": "cus_1", "value": "3"}}]})
}

fn opened() -> Step {
    let session = json!({"id": "mtr_event_sess_1", "object": "v2.billing.meter_event_session",
        "authentication_token": TOKEN, "created": "2026-11-21T00:00:00.000Z"});
    answer(200, &session.to_string())
}

#[test]
fn usage_is_streamed_with_the_token_of_a_session_that_the_call_opens() {
    let world = World::of([opened(), answer(200, "{}")]);
    let done = act_in(&world, STREAM, &usage()).expect("done");
    let [open, stream] = world.sent().try_into().expect("two requests");
    assert_eq!((open.method.as_str(), open.path.as_str()), ("POST", "/v2/billing/meter_event_session"));
    assert_eq!(open.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(open.header("idempotency-key"), None);
    assert_eq!((stream.method.as_str(), stream.path.as_str()), ("POST", "/v2/billing/meter_event_stream"));
    assert_eq!(stream.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert!(stream.header("idempotency-key").is_some());
    assert_eq!(done.metadata.attempts, 2);
    assert!(!format!("{done:?}").contains(TOKEN));
}

#[test]
fn no_usage_is_sent_where_no_session_is_opened() {
    let refusal = error(403, "invalid_request_error", "no_permission");
    let nothing = answer(200, r#"{"id":"mtr_event_sess_1","object":"v2.billing.meter_event_session"}"#);
    for first in [refusal, nothing] {
        let world = World::of([first]);
        let error = act_in(&world, STREAM, &usage()).expect_err("refused");
        assert_eq!((error.outcome, world.sent().len(), error.attempts), (Outcome::Rejected, 1, 1), "{error:?}");
    }
    // Opening one changes nothing, and is tried again.
    let world = World::of([broken(), opened(), answer(200, "{}")]);
    act_in(&world, STREAM, &usage()).expect("done");
}

#[test]
fn a_token_that_is_sent_back_is_in_no_error() {
    let body =
        json!({"error": {"type": "invalid_request_error", "message": format!("what is {TOKEN}?"), "code": TOKEN}});
    let world = World::of([opened(), answer(400, &body.to_string())]);
    let error = act_in(&world, STREAM, &usage()).expect_err("refused");
    assert!(!format!("{error:?}").contains(TOKEN), "{error:?}");
    assert_eq!(error.outcome, Outcome::Rejected);
}

#[test]
fn a_post_that_only_reads_is_a_query_without_a_key() {
    let world = World::of([answer(200, r#"{"id":"in_1","object":"invoice","amount_due":5,"currency":"usd"}"#)]);
    let found = ask_in(&world, "v1.invoices.create_preview", &json!({"customer": "cus_1"}), None).expect("found");
    let sent = only(&world);
    assert_eq!((sent.method.as_str(), sent.header("idempotency-key")), ("POST", None));
    assert_eq!((body(&sent).as_str(), found.records.len()), ("customer=cus_1", 1));
}

#[test]
fn v2_is_spoken_in_json_and_its_removals_carry_a_key() {
    let world = World::of([answer(200, r#"{"object":"v2.billing.meter_event","identifier":"x"}"#)]);
    let input = json!({"event_name": "calls", "payload": {"value": "1"}, "timestamp": 1_769_853_600});
    act_in(&world, "v2.billing.meter_events.create", &input).expect("done");
    let sent = only(&world);
    assert_eq!(sent.header("content-type"), Some("application/json"));
    let sent: Value = serde_json::from_str(&body(&sent)).expect("JSON");
    assert_eq!(sent["timestamp"], "2026-01-31T10:00:00Z");

    let world = World::of([answer(200, r#"{"id":"we_1","object":"v2.core.event_destination"}"#)]);
    act_in(&world, "v2.core.event_destinations.delete", &json!({"id": "we_1"})).expect("done");
    let sent = only(&world);
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("DELETE", "/v2/core/event_destinations/we_1"));
    assert!(sent.header("idempotency-key").is_some());
}

#[test]
fn requests_go_to_the_host_that_serves_them() {
    let world = World::of([answer(200, r#"{"id":"file_1","object":"file"}"#)]);
    let file = File {
        field: "file".into(),
        name: "a.pdf".into(),
        content_type: "application/pdf".into(),
        content: b"%PDF".to_vec(),
    };
    let input = r#"{"purpose":"dispute_evidence"}"#;
    run_action(&mut session(&world, None), "v1.files.create", input, vec![file]).expect("done");
    let sent = only(&world);
    assert_eq!((sent.address.as_str(), sent.path.as_str()), ("files.stripe.com", "/v1/files"));
    assert!(sent.header("content-type").is_some_and(|t| t.starts_with("multipart/form-data; boundary=")));
    assert!(body(&sent).contains("filename=\"a.pdf\"") && body(&sent).contains("dispute_evidence"));

    let world = World::of([opened(), answer(200, "{}")]);
    act_in(&world, STREAM, &usage()).expect("done");
    let addresses: Vec<String> = world.sent().into_iter().map(|sent| sent.address).collect();
    assert_eq!(addresses, ["api.stripe.com", "meter-events.stripe.com"]);
}

#[test]
fn a_file_comes_out_as_bytes_with_a_name() {
    let pdf = answer(200, "%PDF-1.7").with("content-disposition", "attachment; filename=\"quote.pdf\"");
    let world = World::of([pdf]);
    let found = ask_in(&world, "v1.quotes.pdf", &json!({"quote": "qt_1"}), None).expect("found");
    let [file] = found.files.as_slice() else { panic!("one file") };
    assert_eq!(
        (file.field.as_str(), file.name.as_str(), file.content.as_slice()),
        ("file", "quote.pdf", b"%PDF-1.7".as_slice())
    );
    let told: Value = serde_json::from_str(&found.output).expect("JSON");
    assert_eq!((&told["name"], &told["size"]), (&json!("quote.pdf"), &json!(8)));
    assert!(found.records.is_empty());
}

#[test]
fn lists_go_on_forwards_and_backwards() {
    let page = r#"{"object":"list","url":"/v1/customers","has_more":true,"data":[{"id":"cus_1","object":"customer"},{"id":"cus_2","object":"customer"}]}"#;
    for (input, cursor, path, next) in [
        (json!({"limit": 2}), None, "/v1/customers?limit=2", "cus_2"),
        (json!({"limit": 2}), Some("cus_9"), "/v1/customers?limit=2&starting_after=cus_9", "cus_2"),
        (json!({"ending_before": "cus_8"}), None, "/v1/customers?ending_before=cus_8", "cus_1"),
        (json!({"ending_before": "cus_8"}), Some("cus_9"), "/v1/customers?ending_before=cus_9", "cus_1"),
    ] {
        let world = World::of([answer(200, page)]);
        let found = ask_in(&world, "customer.list", &input, cursor).expect("found");
        assert_eq!((only(&world).path.as_str(), found.next_cursor.as_deref()), (path, Some(next)));
        assert_eq!(found.records.len(), 2);
    }
}

#[test]
fn searches_and_v2_lists_go_on_by_their_page() {
    let search =
        r#"{"object":"search_result","url":"/v1/customers/search","has_more":true,"next_page":"tok=","data":[]}"#;
    let world = World::of([answer(200, search)]);
    let query = json!({"query": "email~\"a\""});
    assert_eq!(
        ask_in(&world, "v1.customers.search", &query, None).expect("found").next_cursor.as_deref(),
        Some("tok=")
    );
    ask_in(&world, "v1.customers.search", &query, Some("tok=")).expect("found");
    assert!(world.sent()[1].path.ends_with("&page=tok%3D"), "{:?}", world.sent()[1]);

    // An empty page in the middle is none at the end.
    let middle = r#"{"data":[],"next_page_url":"/v2/core/events?page=page_2&limit=1","previous_page_url":null}"#;
    let last = r#"{"data":[{"id":"evt_1","object":"v2.core.event"}],"next_page_url":null,"previous_page_url":null}"#;
    let world = World::of([answer(200, middle), answer(200, last)]);
    let first = ask_in(&world, "v2.core.events.list", &json!({"limit": 1}), None).expect("found");
    assert_eq!(first.next_cursor.as_deref(), Some("page_2"));
    let second = ask_in(&world, "v2.core.events.list", &json!({"limit": 1}), Some("page_2")).expect("found");
    assert_eq!((world.sent()[1].path.as_str(), second.next_cursor), ("/v2/core/events?limit=1&page=page_2", None));
}

#[test]
fn what_has_no_pages_takes_no_cursor() {
    let world = World::of([]);
    let error = ask_in(&world, "customer.retrieve", &json!({"customer": "cus_1"}), Some("x")).expect_err("refused");
    assert_eq!((error.field.as_deref(), world.sent().len()), (Some("cursor"), 0));
}

#[test]
fn an_operation_of_the_other_kind_is_told_so_and_not_run() {
    let world = World::of([]);
    let error = ask_in(&world, "customer.create", &json!({}), None).expect_err("refused");
    assert_eq!(error.kind, ErrorKind::UnknownOperation);
    assert!(error.hint.is_some_and(|h| h.contains("is an action")) && world.sent().is_empty());
}

#[test]
fn a_wrong_id_in_the_path_is_named_as_the_input_has_it() {
    let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"id","message":"No such customer"}}"#;
    let world = World::of([answer(404, missing)]);
    let error = ask_in(&world, "customer.retrieve", &json!({"customer": "cus_1"}), None).expect_err("missing");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("customer")));
    let intent = missing.replace("\"id\"", "\"intent\"");
    let world = World::of([answer(404, &intent)]);
    let error = act_in(&world, "payment_intent.confirm", &json!({"payment_intent": "pi_1"})).expect_err("missing");
    assert_eq!(error.field.as_deref(), Some("payment_intent"));
}

const NOT_THERE: &str = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","param":"id","message":"No such customer: 'cus_1'"}}"#;

#[test]
fn what_was_deleted_is_told_apart_from_what_never_was() {
    let input = json!({"customer": "cus_1", "name": "Ada"});
    let world =
        World::of([answer(404, NOT_THERE), answer(200, r#"{"id":"cus_1","object":"customer","deleted":true}"#)]);
    let error = act_in(&world, "customer.update", &input).expect_err("deleted");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::NotFound, Some("customer")));
    assert_eq!((error.outcome, error.attempts), (Outcome::Rejected, 2));
    assert!(
        error.message.ends_with("it was deleted") && error.hint.is_some_and(|h| h.contains("was deleted, for good"))
    );
    assert_eq!(world.sent()[1].path, "/v1/customers/cus_1");

    let world = World::of([answer(404, NOT_THERE)]);
    let error = act_in(&world, "customer.update", &input).expect_err("missing");
    assert!(error.hint.is_some_and(|h| h.contains("test and live")) && !error.message.contains("deleted"));
}

#[test]
fn what_cannot_be_deleted_is_not_looked_for() {
    for refusal in [
        NOT_THERE.replace("customer: 'cus_1'", "payment_intent: 'pi_1'"),
        NOT_THERE.replace("'cus_1'", "'cus_1'; a similar object exists in live mode"),
    ] {
        let world = World::of([answer(404, &refusal)]);
        act_in(&world, "customer.update", &json!({"customer": "cus_1"})).expect_err("missing");
        assert_eq!(world.sent().len(), 1, "{refusal}");
    }
}

#[test]
fn a_plain_request_and_a_read_send_nothing_else() {
    let input = json!({"customer": "cus_1"});
    let world = World::of([answer(404, NOT_THERE)]);
    act_in(&world, "v1.customers.update", &input).expect_err("missing");
    ask_in(&world, "customer.retrieve", &input, None).expect_err("missing");
    assert_eq!(world.sent().len(), 2);

    let nothing = r#"{"object":"search_result","url":"/","has_more":false,"next_page":null,"data":[]}"#;
    let world = World::of([answer(200, nothing)]);
    ask_in(&world, "v1.customers.search", &json!({"query": "email:\"a@b.c\""}), None).expect("found");
    assert_eq!(world.sent().len(), 1);
}

#[test]
fn a_deleted_object_is_not_taken_for_an_empty_one() {
    let world = World::of([answer(200, r#"{"id":"cus_1","object":"customer","deleted":true}"#)]);
    let found = ask_in(&world, "customer.retrieve", &json!({"customer": "cus_1"}), None).expect("found");
    assert!(note(&found).contains("was deleted"));
}

fn note(found: &Found) -> String {
    let note = found.metadata.extras.iter().find(|(name, _)| name == "note").map(|(_, value)| value.as_str());
    serde_json::from_str::<String>(note.unwrap_or("\"\"")).expect("JSON")
}

#[test]
fn a_list_without_anything_says_what_it_may_be() {
    let list = |data: &str| format!(r#"{{"object":"list","url":"/","has_more":false,"data":[{data}]}}"#);
    let noted = |id: &str, input: Value, data: &str| {
        let world = World::of([answer(200, &list(data))]);
        note(&ask_in(&world, id, &input, None).expect("found"))
    };
    let filtered = noted("customer.list", json!({"email": "ada@example.com", "limit": 3}), "");
    for says in ["in test mode fits `email`", "live mode has objects of its own", "`customer.search`", "whole values"] {
        assert!(filtered.contains(says), "{says}: {filtered}");
    }
    let wrong = noted("subscription.list", json!({"customer": "sub_1"}), "");
    assert!(wrong.contains("`customer` looks like the id of another kind: subscription"), "{wrong}");
    let bare = noted("customer.list", json!({"limit": 3}), "");
    assert!(bare.contains("Nothing is there in test mode") && !bare.contains("fits"), "{bare}");
    assert_eq!(noted("customer.list", json!({"email": "a@b.c"}), r#"{"id":"cus_1","object":"customer"}"#), "");

    // The end of a list is no empty list.
    let world = World::of([answer(200, &list(""))]);
    let found = ask_in(&world, "customer.list", &json!({"email": "a@b.c"}), Some("cus_9")).expect("found");
    assert_eq!(note(&found), "");
}

#[test]
fn a_search_says_that_it_lags() {
    let search = r#"{"object":"search_result","url":"/","has_more":false,"data":[{"id":"cus_1","object":"customer"}]}"#;
    let world = World::of([answer(200, search)]);
    let found = ask_in(&world, "customer.search", &json!({"query": "name~\"a\""}), None).expect("found");
    assert!(note(&found).contains("lags behind"));
}

#[test]
fn what_a_search_does_not_find_yet_a_list_finds() {
    let nothing =
        r#"{"object":"search_result","url":"/v1/customers/search","has_more":false,"next_page":null,"data":[]}"#;
    let one =
        r#"{ "object":"list","url":"/v1/customers","has_more":true,"data":[{"id":"cus_1",  "object":"customer"}]}"#;
    let input = json!({"query": "email:\"ada@example.com\"", "limit": 1});
    let world = World::of([answer(200, nothing), answer(200, one)]);
    let found = ask_in(&world, "customer.search", &input, None).expect("found");
    assert_eq!(world.sent()[1].path, "/v1/customers?email=ada%40example.com&limit=1");
    let output: Value = serde_json::from_str(&found.output).expect("JSON");
    assert_eq!((&output["object"], &output["next_page"]), (&json!("search_result"), &json!("list:cus_1")));
    assert_eq!(
        (found.records.len(), found.next_cursor.as_deref(), found.metadata.attempts),
        (1, Some("list:cus_1"), 2)
    );
    assert!(note(&found).contains("what a list finds"));

    // It goes on as a list.
    let world = World::of([answer(200, one)]);
    ask_in(&world, "customer.search", &input, Some("list:cus_1")).expect("found");
    assert_eq!(only(&world).path, "/v1/customers?email=ada%40example.com&limit=1&starting_after=cus_1");

    // Where a list finds nothing either, or may not be asked, the search's answer stands.
    for second in [
        answer(200, &one.replace(r#"{"id":"cus_1",  "object":"customer"}"#, "")),
        error(403, "invalid_request_error", "x"),
    ] {
        let world = World::of([answer(200, nothing), second]);
        let found = ask_in(&world, "customer.search", &input, None).expect("found");
        assert_eq!((found.output.as_str(), world.sent().len()), (nothing, 2));
        assert!(note(&found).contains("Nothing"));
    }
    let world = World::of([]);
    let other = json!({"query": "name~\"ada\""});
    let error = ask_in(&world, "customer.search", &other, Some("list:cus_1")).expect_err("another query");
    assert_eq!((error.field.as_deref(), world.sent().len()), (Some("cursor"), 0));
}

#[test]
fn only_what_carries_a_key_or_finds_its_work_done_is_safe_to_repeat() {
    let safe = |id: &str| is_idempotent(catalogue::operation(id, None).expect(id));
    for id in ["customer.create", "customer.list", "subscription.cancel", "v2.core.event_destinations.delete"] {
        assert!(safe(id), "{id}");
    }
    for id in ["v1.customers.delete", "v1.subscriptions.cancel", "v1.plans.delete"] {
        assert!(!safe(id), "{id}");
    }
}

const GONE: (&str, &str) = ("invalid_request_error", "resource_missing");
const CANCELED: &str = r#"{"id":"sub_1","object":"subscription","status":"canceled"}"#;
const ACTIVE: &str = r#"{"id":"sub_1","object":"subscription","status":"active"}"#;

fn gone() -> Step {
    error(404, GONE.0, GONE.1)
}

fn cancel(world: &World, history: Option<History>) -> Result<Done> {
    run_action(&mut session(world, history), "subscription.cancel", r#"{"subscription":"sub_1"}"#, Vec::new())
}

#[test]
fn a_subscription_that_this_step_has_ended_before_is_found_ended() {
    let world = World::of([broken(), gone(), answer(200, CANCELED)]);
    let done = cancel(&world, None).expect("done");
    assert_eq!((done.output.as_str(), done.metadata.replayed, done.metadata.attempts), (CANCELED, true, 3));
    let methods: Vec<String> = world.sent().into_iter().map(|s| s.method).collect();
    assert_eq!(methods, ["DELETE", "DELETE", "GET"]);
}

#[test]
fn a_look_that_fails_settles_nothing() {
    let look_fails = [
        error(401, "invalid_request_error", "x"),
        error(403, "invalid_request_error", "x"),
        answer(504, "<html>"),
        broken(),
    ];
    for look in look_fails {
        let world = World::of([broken(), gone(), look.clone()]);
        let error = cancel(&world, None).map(|_| ()).expect_err("unknown");
        assert_eq!(error.outcome, Outcome::Unknown, "{look:?}");
        assert_eq!(error.attempts as usize, world.sent().len(), "{look:?}");
        let hint = error.hint.expect("a hint");
        assert!(!hint.contains("key") && hint.contains("looked up"), "{hint}");

        // The same across runs.
        let world = World::of([gone(), look.clone()]);
        let history = Some(History { first_try: BEGINNING - 60, tries: 1, in_doubt: true });
        let error = cancel(&world, history).map(|_| ()).expect_err("unknown");
        assert_eq!((error.outcome, error.attempts as usize), (Outcome::Unknown, world.sent().len()), "{look:?}");

        // Without a doubt there is nothing to settle: it was refused.
        let world = World::of([gone(), look]);
        let error = cancel(&world, None).map(|_| ()).expect_err("rejected");
        assert_eq!((error.kind, error.outcome), (ErrorKind::NotFound, Outcome::Rejected));
    }
}

#[test]
fn a_subscription_that_never_was_is_not_found() {
    for look in [gone(), answer(200, ACTIVE)] {
        let world = World::of([gone(), look]);
        let error = cancel(&world, None).map(|_| ()).expect_err("none");
        assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::NotFound, Outcome::Rejected, 2));
    }
}

#[test]
fn an_end_that_waits_is_an_update_under_a_key() {
    let world = World::of([answer(200, ACTIVE)]);
    let input = json!({"subscription": "sub_1", "at_period_end": true, "cancellation_details": {"comment": "x"}});
    act_in(&world, "subscription.cancel", &input).expect("done");
    let sent = only(&world);
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/subscriptions/sub_1"));
    assert_eq!(body(&sent), "cancellation_details[comment]=x&cancel_at_period_end=true");
    assert!(sent.header("idempotency-key").is_some());

    let world = World::of([]);
    let both = json!({"subscription": "sub_1", "at_period_end": true, "invoice_now": true});
    let error = act_in(&world, "subscription.cancel", &both).map(|_| ()).expect_err("refused");
    assert_eq!((error.field.as_deref(), world.sent().len()), (Some("invoice_now"), 0));
}

#[test]
fn bad_input_after_a_doubtful_try_does_not_hide_the_doubt() {
    let world = World::of([]);
    let history = Some(History { first_try: BEGINNING - 60, tries: 1, in_doubt: true });
    let error = run_action(&mut session(&world, history), "customer.create", r#"{"email":5}"#, Vec::new()).map(|_| ());
    assert_eq!(error.expect_err("refused").outcome, Outcome::Unknown);
}

/// Each of the API's operations with its sample: one request leaves (after the one that opens a session, where usage is
/// streamed), and its answer is read.
#[test]
fn every_operation_runs_with_its_sample() {
    let table = catalogue::table().expect("opens");
    let plain = table.requests().iter().map(Operation::plain);
    for operation in table.operations().iter().filter_map(Operation::curated).chain(plain) {
        let id = operation.id();
        let (input, output) = (sample::input(operation), sample::output(operation));
        let before = (id == STREAM).then(opened);
        let requests = before.iter().len() + 1;
        let world = World::of(before.into_iter().chain([answer(200, &output)]));
        let mut session = session(&world, None);
        if operation.kind() == OperationKind::Query {
            let found = run_query(&session, id, &input, None).unwrap_or_else(|e| panic!("{id}: {e:?}"));
            assert_eq!(found.files.len(), usize::from(operation.request().binary()), "{id}");
        } else {
            let field = operation.parameters().iter().find(|f| f.shape() == catalogue::Shape::File);
            let file = field.map(|f| File {
                field: f.name().to_owned(),
                name: "a.pdf".into(),
                content_type: "application/pdf".into(),
                content: vec![1],
            });
            let done = run_action(&mut session, id, &input, file.into_iter().collect())
                .unwrap_or_else(|e| panic!("{id}: {e:?}"));
            assert_eq!(done.output, output, "{id}");
        }
        let sent = world.sent();
        assert_eq!(sent.len(), requests, "{id}");
        let sent = sent.last().expect("a request");
        assert!(!sent.path.contains(['{', '}', ' ']) && sent.path.starts_with("/v"), "{id}: {}", sent.path);
    }
}

#[test]
fn an_alias_and_its_operation_share_their_key_and_speak_their_own_names() {
    let answer_of = |text: &str| World::of([answer(200, text)]);
    let customer = r#"{"id":"cus_1","object":"customer","email":"a@b.example"}"#;
    let (world, plain) = (answer_of(customer), answer_of(customer));
    let done = act_in(&world, "stripe-create-customer", &json!({"email": "a@b.example", "name": "A"})).expect("done");
    assert_eq!(done.output, r#"{"customerId":"cus_1","email":"a@b.example"}"#);
    assert_eq!(done.record.expect("a record").id, "cus_1");
    act_in(&plain, "customer.create", &json!({"email": "a@b.example", "name": "A"})).expect("done");
    let (sent, plain) = (only(&world), only(&plain));
    assert_eq!((sent.header("idempotency-key"), body(&sent)), (plain.header("idempotency-key"), body(&plain)));
}

#[test]
fn a_key_beside_the_parameters_is_the_callers_own() {
    let send = |id: &str, input: Value| {
        let world = World::of([answer(200, CUSTOMER)]);
        act_in(&world, id, &input).expect("done");
        let sent = only(&world);
        (sent.header("idempotency-key").map(str::to_owned), body(&sent))
    };
    let (own, sent) = send("stripe.customer.create", json!({"email": "a@b.example", "idempotencyKey": "signup-1"}));
    let (other, _) = send("stripe.customer.create", json!({"email": "a@b.example", "idempotencyKey": "signup-2"}));
    let (run, _) = send("stripe.customer.create", json!({"email": "a@b.example"}));
    assert!(own != other && own != run && other != run);
    assert_eq!(sent, "email=a%40b.example");
}

#[test]
fn an_error_of_an_alias_names_the_field_that_was_given() {
    let world = World::of([]);
    let error = act_in(&world, "stripe-create-subscription", &json!({"customerId": "cus_1", "priceId": 5}));
    assert_eq!(error.map(|_| ()).expect_err("refused").field.as_deref(), Some("priceId"));
    let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing","message":"No such customer: 'cus_1'","param":"customer"}}"#;
    let world = World::of([answer(400, missing).with("request-id", "req_1")]);
    let input = json!({"customerId": "cus_1", "priceId": "price_1"});
    let error = act_in(&world, "stripe-create-subscription", &input).map(|_| ()).expect_err("refused");
    assert_eq!(error.field.as_deref(), Some("customerId"));
}

#[test]
fn the_whole_api_is_written_as_its_own_operations_are() {
    let send = |id: &str, input: Value| {
        let world = World::of([answer(200, CUSTOMER)]);
        let done = act_in(&world, id, &input).expect("done");
        let sent = only(&world);
        (
            sent.method.clone(),
            sent.path.clone(),
            body(&sent),
            sent.header("idempotency-key").map(str::to_owned),
            done.output,
        )
    };
    let direct = send("v1.customers.update", json!({"customer": "cus_1", "name": "A"}));
    for input in [
        json!({"operation": "v1.customers.update", "input": {"customer": "cus_1", "name": "A"}}),
        json!({"operation": "POST /v1/customers/cus_1", "input": {"name": "A"}}),
        json!({"method": "POST", "path": "/v1/customers/cus_1", "params": {"name": "A"}}),
    ] {
        assert_eq!(send("api.write", input), direct);
    }
    let error = |id: &str, input: Value| act_in(&World::of([]), id, &input).map(|_| ()).expect_err("refused");
    let wrong = json!({"customer": "cus_1", "nmae": "A"});
    let direct = error("v1.customers.update", wrong.clone());
    assert_eq!(error("api.write", json!({"operation": "v1.customers.update", "input": wrong})), direct);
}

#[test]
fn the_whole_api_is_read_page_by_page() {
    let page = r#"{"object":"list","data":[{"id":"cus_1","object":"customer"}],"has_more":true,"url":"/v1/customers"}"#;
    let world = World::of([answer(200, page)]);
    let input = json!({"method": "GET", "path": "/v1/customers", "params": {"limit": 1}});
    let found = ask_in(&world, "api.read", &input, Some("cus_0")).expect("found");
    assert_eq!((found.output.as_str(), found.next_cursor.as_deref(), found.records.len()), (page, Some("cus_1"), 1));
    assert_eq!(only(&world).path, "/v1/customers?limit=1&starting_after=cus_0");
}

#[test]
fn searching_and_describing_the_api_asks_nobody() {
    let world = World::of([]);
    let found = ask_in(&world, "api.search", &json!({"words": "refund a payment"}), None).expect("found");
    assert!(found.output.contains("\"v1.refunds.create\"") && found.metadata.attempts == 0);
    let described = ask_in(&world, "api.describe", &json!({"operation": "POST /v1/refunds"}), None).expect("described");
    assert!(described.output.contains("\"v1.refunds.create\"") && world.sent().is_empty());
    let error = act_in(&world, "api.search", &json!({})).map(|_| ()).expect_err("a query");
    assert!(error.hint.is_some_and(|hint| hint.contains("is a query")));
}

const UNCOLLECTED: &str =
    r#"{"id":"sub_1","object":"subscription","status":"active","pause_collection":{"behavior":"void"}}"#;
const PAUSED: &str = r#"{"id":"sub_1","object":"subscription","status":"paused","pause_collection":null}"#;
const PAUSED_BOTH_WAYS: &str =
    r#"{"id":"sub_1","object":"subscription","status":"paused","pause_collection":{"behavior":"void"}}"#;

fn resume(world: &World, input: &Value, history: Option<History>) -> Result<Done> {
    run_action(&mut session(world, history), "subscription.resume", &input.to_string(), Vec::new())
}

fn lines(world: &World) -> Vec<String> {
    world.sent().iter().map(|s| [s.method.as_str(), " ", &s.path, " ", &body(s)].concat()).collect()
}

#[test]
fn a_pause_ends_in_the_way_that_it_began() {
    const LOOK: &str = "GET /v1/subscriptions/sub_1 ";
    const COLLECT: &str = "POST /v1/subscriptions/sub_1 pause_collection=";
    const RESUME: &str = "POST /v1/subscriptions/sub_1/resume ";
    for (found, sent) in [
        (UNCOLLECTED, vec![LOOK, COLLECT]),
        (PAUSED, vec![LOOK, RESUME]),
        (PAUSED_BOTH_WAYS, vec![LOOK, COLLECT, RESUME]),
    ] {
        let world = World::of([answer(200, found), answer(200, ACTIVE)]);
        let done = resume(&world, &json!({"subscription": "sub_1"}), None).expect("done");
        assert_eq!((done.output.as_str(), lines(&world)), (ACTIVE, sent.iter().map(|s| (*s).to_owned()).collect()));
        assert!(world.sent().iter().skip(1).all(|s| s.header("idempotency-key").is_some()));
    }
}

#[test]
fn a_subscription_that_goes_on_already_is_resumed() {
    let world = World::of([answer(200, ACTIVE)]);
    let done = resume(&world, &json!({"subscription": "sub_1"}), None).expect("done");
    assert_eq!((done.output.as_str(), done.metadata.replayed, world.sent().len()), (ACTIVE, true, 1));
}

#[test]
fn a_subscription_that_has_ended_is_not_resumed() {
    let world = World::of([answer(200, CANCELED), error(400, "invalid_request_error", "x")]);
    let error = resume(&world, &json!({"subscription": "sub_1"}), None).map(|_| ()).expect_err("refused");
    assert_eq!((error.outcome, error.attempts), (Outcome::Rejected, 2));
}

#[test]
fn what_only_means_something_to_a_paused_subscription_is_not_dropped() {
    let input = json!({"subscription": "sub_1", "proration_behavior": "none"});
    let world = World::of([answer(200, UNCOLLECTED)]);
    let error = resume(&world, &input, None).map(|_| ()).expect_err("refused");
    assert_eq!((error.field.as_deref(), error.outcome), (Some("proration_behavior"), Outcome::Rejected));
    assert_eq!((world.sent().len(), error.attempts), (1, 1));
    let world = World::of([answer(200, PAUSED), answer(200, ACTIVE)]);
    resume(&world, &input, None).expect("done");
    assert_eq!(lines(&world).pop().expect("one"), "POST /v1/subscriptions/sub_1/resume proration_behavior=none");
}

#[test]
fn a_look_that_fails_leaves_open_what_an_earlier_try_resumed() {
    let look = || World::of([error(401, "invalid_request_error", "x")]);
    let input = json!({"subscription": "sub_1"});
    assert_eq!(resume(&look(), &input, None).map(|_| ()).expect_err("refused").outcome, Outcome::Rejected);
    let history = Some(History { first_try: BEGINNING - 60, tries: 1, in_doubt: true });
    assert_eq!(resume(&look(), &input, history).map(|_| ()).expect_err("unknown").outcome, Outcome::Unknown);
    let world = World::of([gone()]);
    let error = resume(&world, &input, None).map(|_| ()).expect_err("none");
    assert_eq!((error.kind, error.outcome), (ErrorKind::NotFound, Outcome::Rejected));
}
