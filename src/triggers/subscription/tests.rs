//! What a subscription promises, against a small model of Stripe.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::state::State;
use super::*;
use crate::catalogue::Method;
use crate::error::{ErrorKind, Outcome};
use crate::triggers::model::gate::Gate;
use crate::triggers::model::{Fault, KEY, Line, Model, Seen};

const URL: &str = "https://platform.example/hooks/1";
const PATH: &str = "/v1/webhook_endpoints";
const DAY: u64 = 24 * 60 * 60;
const WITH_SECRET: &[(&str, &str)] = &[("api_key", KEY), ("webhook_secret", "whsec_ofthehand")];

fn uses(triggers: &[&str]) -> Vec<Use> {
    triggers.iter().map(|t| Use { trigger: (*t).into(), input: "{}".into() }).collect()
}

fn subscribed(session: &Session<'_>, triggers: &[&str], state: Option<&str>) -> Result<Subscription> {
    subscribe(session, &Request { callback_url: URL, triggers: &uses(triggers), state })
}

fn types(of: &[String]) -> BTreeSet<&str> {
    of.iter().map(String::as_str).collect()
}

fn extra<'e>(extras: &'e [Extra], name: &str) -> Option<&'e str> {
    extras.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// That the state is that of an endpoint which is there, delivers these types, and has that secret.
fn check(model: &Model, subscription: &Subscription, triggers: &[&str]) {
    let state = State::read(&subscription.state).expect("a state");
    assert_eq!((state.endpoint.as_str(), state.url.as_str()), (subscription.id.as_str(), URL));
    let endpoint = model.world(|w| w.endpoints.iter().find(|e| e.id == subscription.id).cloned()).expect("an endpoint");
    assert!(endpoint.enabled && endpoint.url == URL, "{endpoint:?}");
    let delivered = types(&endpoint.types);
    assert!(triggers.iter().all(|t| delivered.contains(t)), "{triggers:?} of {endpoint:?}");
    assert_eq!(state.secrets, [endpoint.secret]);
}

fn posts(requests: &[Seen]) -> usize {
    requests.iter().filter(|r| r.method == Method::Post).count()
}

/// Loses so many answers to the creation of endpoints.
fn lose_creations(model: &Model, mut count: u32) {
    model.plan(move |seen, _| {
        let lost = seen.is(Method::Post, PATH) && count > 0;
        count -= u32::from(lost);
        if lost { Fault::LostAnswer } else { Fault::None }
    });
}

#[test]
fn one_url_has_one_endpoint_that_its_triggers_share() {
    let model = Model::new();
    let line = model.line(0);
    let first = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    check(&model, &first, &["customer.created"]);
    let second = subscribed(&line.session("run-2"), &["payment.succeeded", "customer.created"], Some(&first.state));
    let second = second.expect("subscribed");
    check(&model, &second, &["customer.created", "payment_intent.succeeded"]);
    assert_eq!(types(&second.event_types), BTreeSet::from(["customer.created", "payment_intent.succeeded"]));
    assert_eq!(first.id, second.id);
    assert_eq!(model.world(|w| w.endpoints.len()), 1);
    assert!(model.requests().iter().filter(|r| r.method == Method::Post).all(|r| r.key.is_some()));
}

#[test]
fn a_subscription_that_is_as_it_should_be_changes_nothing() {
    let model = Model::new();
    let line = model.line(0);
    let first = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.requests();
    subscribed(&line.session("run-2"), &["customer.created"], Some(&first.state)).expect("subscribed");
    renew(&line.session("run-3"), &first.state).expect("renewed");
    assert_eq!(model.requests().iter().map(|r| r.method).collect::<Vec<_>>(), [Method::Get, Method::Get]);
}

#[test]
fn a_lost_answer_does_not_lose_the_signing_secret() {
    let model = Model::new();
    let line = model.line(0);
    // All answers of one run, its retries included.
    lose_creations(&model, 3);
    let error = subscribed(&line.session("run-1"), &["customer.created"], None).expect_err("lost");
    assert_eq!(error.outcome, Outcome::Unknown);
    assert_eq!(model.world(|w| w.endpoints.len()), 1);
    for run in ["run-1", "run-2"] {
        let found = subscribed(&line.session(run), &["customer.created", "invoice.paid"], None).expect("subscribed");
        check(&model, &found, &["customer.created", "invoice.paid"]);
        assert_eq!(model.world(|w| w.endpoints.len()), 1);
    }
    // One answer of a run: its own retry has the secret.
    let model = Model::new();
    let line = model.line(0);
    lose_creations(&model, 1);
    let found = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    check(&model, &found, &["customer.created"]);
    assert!(found.metadata.replayed);
}

#[test]
fn subscribe_unsubscribe_subscribe_in_one_run_makes_a_new_endpoint() {
    let model = Model::new();
    let line = model.line(0);
    let mut ids = BTreeSet::new();
    for _ in 0..4 {
        let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
        check(&model, &made, &["customer.created"]);
        assert!(ids.insert(made.id), "the endpoint that was removed is no success");
        unsubscribe(&line.session("run-1"), &made.state, None).expect("ended");
        assert_eq!(model.world(|w| w.endpoints.len()), 0);
    }
    // The same with types that come and go.
    let made = subscribed(&line.session("run-2"), &["customer.created"], None).expect("subscribed");
    for _ in 0..4 {
        let more = subscribed(&line.session("run-2"), &["invoice.paid"], Some(&made.state)).expect("subscribed");
        check(&model, &more, &["customer.created", "invoice.paid"]);
        let less = unsubscribe(&line.session("run-2"), &more.state, Some(&["invoice.paid".into()])).expect("ended");
        assert_eq!(less.event_types, ["customer.created"]);
        assert_eq!(model.world(|w| w.endpoints[0].types.clone()), ["customer.created"]);
    }
}

#[test]
fn a_run_whose_key_was_used_for_other_types_makes_its_endpoint_all_the_same() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    unsubscribe(&line.session("run-1"), &made.state, None).expect("ended");
    let made = subscribed(&line.session("run-1"), &["invoice.paid"], None).expect("subscribed");
    check(&model, &made, &["invoice.paid"]);
}

/// Runs clients against each other, their requests in the given order.
fn race<T: Send>(
    order: Vec<usize>,
    prepare: impl FnOnce(&Model),
    runs: &[&(dyn Fn(&Line<'_>) -> T + Sync)],
) -> (Model, Vec<T>) {
    let model = Model::gated(Gate::ordered(runs.len(), order));
    prepare(&model);
    let results = std::thread::scope(|scope| {
        let model = &model;
        let started: Vec<_> = runs
            .iter()
            .enumerate()
            .map(|(number, run)| {
                scope.spawn(move || {
                    let result = run(&model.line(number));
                    model.leave();
                    result
                })
            })
            .collect();
        started.into_iter().map(|s| s.join().expect("no panic")).collect()
    });
    (model, results)
}

const EACH: [&str; 4] = ["checkout.session.completed", "customer.created", "invoice.paid", "charge.succeeded"];

fn subscribe_each(number: usize) -> impl Fn(&Line<'_>) -> Subscription + Sync {
    move |line| {
        let wanted = EACH[number];
        subscribed(&line.session(&format!("run-{number}")), &[wanted], None).expect("subscribed")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn concurrent_subscribes_lose_no_type_whichever_state_is_kept(order in proptest::collection::vec(0usize..4, 0..60), clients in 2usize..=4, kept in any::<prop::sample::Index>()) {
        let runs = [subscribe_each(0), subscribe_each(1), subscribe_each(2), subscribe_each(3)];
        let runs: Vec<&(dyn Fn(&Line<'_>) -> Subscription + Sync)> =
            runs.iter().take(clients).map(|r| r as &(dyn Fn(&Line<'_>) -> Subscription + Sync)).collect();
        let (model, made) = race(order, |_| {}, &runs);
        for one in &made {
            check(&model, one, &EACH[..clients]);
        }
        // Whatever state the platform has kept: the next call leaves one endpoint.
        let model = model.opened();
        let line = model.line(0);
        let renewed = renew(&line.session("later"), &made[kept.index(clients)].state).expect("renewed");
        check(&model, &renewed, &EACH[..clients]);
        prop_assert_eq!(model.world(|w| w.endpoints.len()), 1);
    }

    #[test]
    fn concurrent_subscribes_to_an_endpoint_lose_no_type(order in proptest::collection::vec(0usize..2, 0..30)) {
        let model = Model::new();
        let first = subscribed(&model.line(0).session("run"), &["customer.updated"], None).expect("subscribed");
        let world = model.world(std::mem::take);
        let state = &first.state;
        let run = |number: usize| move |line: &Line<'_>| {
            subscribed(&line.session(&format!("run-{number}")), &[EACH[number]], Some(state)).expect("subscribed")
        };
        let (one, other) = (run(0), run(1));
        let (model, made) = race(order, |m| m.world(|w| *w = world), &[&one, &other]);
        for one in &made {
            prop_assert_eq!(&one.id, &first.id);
            check(&model, one, &["customer.updated", EACH[0], EACH[1]]);
        }
    }

    #[test]
    fn whatever_goes_wrong_the_next_run_has_the_endpoint_and_its_secret(
        faults in proptest::collection::vec(prop_oneof![
            3 => Just(Fault::None), 2 => Just(Fault::LostAnswer), 1 => Just(Fault::Unreachable),
            1 => Just(Fault::Foreign(502)), 1 => Just(Fault::Refused(500, "api_error")), 1 => Just(Fault::Refused(429, "invalid_request_error")),
        ], 0..14),
        same_run in any::<bool>(),
    ) {
        let model = Model::new();
        let line = model.line(0);
        let mut left = faults.into_iter();
        model.plan(move |_, _| left.next().unwrap_or(Fault::None));
        let first = subscribed(&line.session("run-1"), &["customer.created"], None);
        let run = if same_run { "run-1" } else { "run-2" };
        let mut made = first;
        for _ in 0..6 {
            if let Ok(made) = &made {
                check(&model, made, &["customer.created"]);
                break;
            }
            assert!(!format!("{made:?}").contains("SECRET"));
            made = subscribed(&line.session(run), &["customer.created"], None);
        }
        let made = made.expect("subscribed in the end");
        model.all_is_well();
        let renewed = renew(&line.session("run-3"), &made.state).expect("renewed");
        check(&model, &renewed, &["customer.created"]);
        prop_assert_eq!(model.world(|w| w.endpoints.len()), 1);
    }

    #[test]
    fn whatever_goes_wrong_ending_can_be_repeated(
        faults in proptest::collection::vec(prop_oneof![Just(Fault::None), Just(Fault::LostAnswer), Just(Fault::Foreign(502))], 0..10),
        all in any::<bool>(),
    ) {
        let model = Model::new();
        let line = model.line(0);
        let made = subscribed(&line.session("run-1"), &["customer.created", "invoice.paid"], None).expect("subscribed");
        let ended = ["invoice.paid".to_owned()];
        let ended = (!all).then_some(&ended[..]);
        let mut left = faults.into_iter();
        model.plan(move |_, _| left.next().unwrap_or(Fault::None));
        let done = (0..6).find_map(|_| {
            let result = unsubscribe(&line.session("run-2"), &made.state, ended);
            assert!(!format!("{result:?}").contains("SECRET"));
            result.ok()
        });
        let done = done.expect("ended in the end");
        prop_assert_eq!(done.state.is_none(), all);
        let left = model.world(|w| w.endpoints.iter().map(|e| e.types.clone()).collect::<Vec<_>>());
        prop_assert_eq!(left, if all { vec![] } else { vec![vec!["customer.created".to_owned()]] });
    }
}

#[test]
fn an_endpoint_whose_secret_is_lost_is_named_and_not_doubled() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.world(|w| w.now += DAY);
    model.requests();
    let error = subscribed(&line.session("run-2"), &["customer.created"], None).expect_err("no secret");
    assert_eq!((error.kind, error.outcome), (ErrorKind::Conflict, Outcome::Rejected));
    assert!(error.message.contains(&made.id) && error.hint.as_deref().is_some_and(|h| h.contains("webhook_secret")));
    assert_eq!(error.related[0].id, made.id);
    assert_eq!(posts(&model.requests()), 0, "the request would make a second endpoint");
    // With the state, or with the secret in the connection, it is used.
    let held = subscribed(&line.session("run-3"), &["customer.created"], Some(&made.state)).expect("subscribed");
    check(&model, &held, &["customer.created"]);
    let session = line.session_with(WITH_SECRET, "run-4");
    let found = subscribed(&session, &["invoice.paid"], None).expect("subscribed");
    assert_eq!((&found.id, extra(&found.extras, "signed-with")), (&made.id, Some("\"webhook_secret\"")));
    assert_eq!(State::read(&found.state).expect("a state").secrets, [""; 0]);
}

#[test]
fn an_endpoint_that_the_repeated_request_made_is_removed_again_and_told_of() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.world(|w| w.keys.clear());
    let error = subscribed(&line.session("run-2"), &["customer.created"], None).expect_err("no secret");
    assert!(error.message.contains("removed again"), "{}", error.message);
    assert_eq!(model.world(|w| w.endpoints.iter().map(|e| e.id.clone()).collect::<Vec<_>>()), [made.id]);
}

#[test]
fn an_endpoint_that_a_person_made_is_used_with_the_connections_secret_and_stays_theirs() {
    let model = Model::new();
    let line = model.line(0);
    let id = model.world(|w| w.make_by_hand(URL, &["customer.created", "plan.created"]));
    let error = subscribed(&line.session("run-1"), &["invoice.paid"], None).expect_err("no secret");
    assert!(error.kind == ErrorKind::Conflict && error.message.contains(&id) && error.message.contains("person"));
    let session = line.session_with(WITH_SECRET, "run-2");
    let made = subscribed(&session, &["invoice.paid", "customer.created"], None).expect("subscribed");
    assert_eq!(types(&made.event_types), BTreeSet::from(["customer.created", "invoice.paid", "plan.created"]));
    let less = unsubscribe(&line.session_with(WITH_SECRET, "run-3"), &made.state, Some(&["invoice.paid".into()]))
        .expect("ended");
    assert_eq!(less.event_types, ["customer.created", "plan.created"]);
    let none = unsubscribe(
        &line.session_with(WITH_SECRET, "run-4"),
        &less.state.expect("a state"),
        Some(&["customer.created".into()]),
    );
    let none = none.expect("ended");
    assert_eq!(
        (none.state, none.event_types.as_slice()),
        (None, &["customer.created".to_owned(), "plan.created".into()][..])
    );
    let left = model.world(|w| w.endpoints[0].clone());
    assert_eq!((left.id, left.metadata.len()), (id, 0));
    assert_eq!(left.types, ["customer.created", "plan.created"]);
    // All at once, too.
    let made = subscribed(&line.session_with(WITH_SECRET, "run-5"), &["invoice.paid"], None).expect("subscribed");
    let none = unsubscribe(&line.session_with(WITH_SECRET, "run-6"), &made.state, None).expect("ended");
    assert_eq!((none.state, model.world(|w| w.endpoints[0].types.len())), (None, 2));
}

#[test]
fn an_endpoint_for_every_type_stays_one() {
    let model = Model::new();
    let line = model.line(0);
    model.world(|w| w.make_by_hand(URL, &["*"]));
    let made = subscribed(&line.session_with(WITH_SECRET, "run-1"), &["invoice.paid"], None).expect("subscribed");
    assert_eq!(made.event_types, ["*"]);
    let ended = unsubscribe(&line.session_with(WITH_SECRET, "run-2"), &made.state, None).expect("ended");
    assert_eq!(ended.event_types, ["*"]);
}

#[test]
fn what_a_person_adds_to_our_endpoint_is_kept() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.world(|w| w.endpoints[0].types.push("plan.created".into()));
    let more = subscribed(&line.session("run-2"), &["invoice.paid"], Some(&made.state)).expect("subscribed");
    assert_eq!(types(&more.event_types), BTreeSet::from(["customer.created", "invoice.paid", "plan.created"]));
    let less = unsubscribe(&line.session("run-3"), &more.state, Some(&["invoice.paid".into()])).expect("ended");
    assert_eq!(less.event_types, ["customer.created", "plan.created"]);
    unsubscribe(&line.session("run-4"), &less.state.expect("a state"), None).expect("ended");
    assert_eq!(model.world(|w| w.endpoints.len()), 0);
}

#[test]
fn sixteen_endpoints_are_listed_without_what_may_be_secret() {
    let model = Model::new();
    let line = model.line(0);
    model.world(|w| {
        for number in 0..16 {
            w.make_by_hand(&format!("https://user:pass@other.example/{number}?token=abc"), &["*"]);
        }
    });
    let error = subscribed(&line.session("run-1"), &["customer.created"], None).expect_err("too many");
    let hint = error.hint.expect("a hint");
    assert!(hint.contains("https://other.example/0") && hint.contains("https://other.example/15"), "{hint}");
    assert!(!hint.contains("token") && !hint.contains("pass"), "{hint}");
    assert_eq!(error.outcome, Outcome::Rejected);
    // Each by its id, with what one decides by; and for a machine as resources.
    let ids: Vec<String> = model.world(|w| w.endpoints.iter().map(|e| e.id.clone()).collect());
    assert!(ids.iter().all(|id| hint.contains(&format!("{id} (enabled) "))), "{hint}");
    assert_eq!(error.related.len(), 16);
}

#[test]
fn any_event_delivers_every_type_and_ends_without_taking_away_what_others_want() {
    let model = Model::new();
    let line = model.line(0);
    let some = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    let all = subscribed(&line.session("run-2"), &["*", "invoice.*"], Some(&some.state)).expect("subscribed");
    assert_eq!((all.event_types.as_slice(), all.id.as_str()), (&["*".to_owned()][..], some.id.as_str()));
    let less = unsubscribe(&line.session("run-3"), &all.state, Some(&["any event".into(), "invoice.*".into()]));
    assert_eq!(less.expect("ended").event_types, ["customer.created"]);
}

#[test]
fn an_endpoint_can_be_made_for_any_event_and_for_types_that_begin_alike() {
    let model = Model::new();
    let line = model.line(0);
    let any = subscribed(&line.session("run-1"), &["*", "customer.created"], None).expect("subscribed");
    assert_eq!(any.event_types, ["*"]);
    unsubscribe(&line.session("run-2"), &any.state, None).expect("ended");
    let several = subscribed(&line.session("run-3"), &["customer.subscription.*"], None).expect("subscribed");
    assert!(
        several.event_types.len() > 5 && several.event_types.iter().all(|t| t.starts_with("customer.subscription."))
    );
}

#[test]
fn an_endpoint_that_was_switched_off_or_moved_or_lacks_types_is_mended() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created", "invoice.paid"], None).expect("subscribed");
    model.world(|w| {
        w.endpoints[0].enabled = false;
        w.endpoints[0].url = "https://elsewhere.example".into();
        w.endpoints[0].types = vec!["invoice.paid".into()];
    });
    let renewed = renew(&line.session("run-2"), &made.state).expect("renewed");
    check(&model, &renewed, &["customer.created", "invoice.paid"]);
    assert_eq!(renewed.id, made.id);
    assert_eq!(extra(&renewed.extras, "mended"), Some(r#"["status","url","event-types"]"#));
    model.world(|w| w.endpoints[0].enabled = false);
    let again = subscribed(&line.session("run-3"), &["customer.created"], Some(&renewed.state)).expect("subscribed");
    check(&model, &again, &["customer.created"]);
}

#[test]
fn an_endpoint_that_somebody_deleted_is_made_anew_with_its_types() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created", "invoice.paid"], None).expect("subscribed");
    model.world(|w| w.endpoints.clear());
    let renewed = renew(&line.session("run-2"), &made.state).expect("renewed");
    check(&model, &renewed, &["customer.created", "invoice.paid"]);
    assert_ne!(renewed.id, made.id);
    assert_eq!(extra(&renewed.extras, "replaces"), Some(format!("\"{}\"", made.id).as_str()));
    model.world(|w| w.endpoints.clear());
    let again = subscribed(&line.session("run-3"), &["charge.succeeded"], Some(&renewed.state)).expect("subscribed");
    check(&model, &again, &["customer.created", "invoice.paid", "charge.succeeded"]);
}

#[test]
fn another_version_of_the_api_is_told_of() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    assert_eq!(extra(&made.extras, "endpoint-api-version"), None);
    model.world(|w| w.endpoints[0].api_version = Some("2024-06-20".into()));
    let renewed = renew(&line.session("run-2"), &made.state).expect("renewed");
    assert_eq!(extra(&renewed.extras, "endpoint-api-version"), Some("\"2024-06-20\""));
}

#[test]
fn a_failure_after_the_endpoint_was_made_does_not_lose_its_secret() {
    let model = Model::new();
    let line = model.line(0);
    model.plan(|seen, world| {
        if seen.method == Method::Get && !world.endpoints.is_empty() { Fault::Unreachable } else { Fault::None }
    });
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    check(&model, &made, &["customer.created"]);
    assert!(extra(&made.extras, "not-looked-at-again").is_some());
}

#[test]
fn hundreds_of_types_are_subscribed_to_and_found_again() {
    let model = Model::new();
    let line = model.line(0);
    let many: EventTypes = (0..275).map(|i| format!("some_resource.number_{i}.happened")).collect();
    let wish = |state| Wish { kind: Kind::Snapshot, url: URL, types: many.clone(), state, foreign: None };
    let kept = upkeep::keep(&line.session("run-1"), wish(None)).expect("kept");
    assert_eq!((kept.endpoint.types, kept.secrets.len()), (many.clone(), 1));
    // Its secret is had from the request that it was made with, though it delivers more since.
    let again = upkeep::keep(&line.session("run-2"), wish(None)).expect("kept");
    assert_eq!((again.endpoint.id, again.secrets), (kept.endpoint.id, kept.secrets));
}

#[test]
fn ending_what_is_gone_is_no_error() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.world(|w| w.endpoints.clear());
    for ended in [None, Some(&["customer.created".to_owned()][..])] {
        let gone = unsubscribe(&line.session("run-2"), &made.state, ended).expect("no error");
        assert_eq!((gone.state, gone.event_types.len()), (None, 0));
    }
}

#[test]
fn ending_also_removes_what_a_lost_answer_left_behind() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.world(|w| w.endpoints.clear());
    lose_creations(&model, 3);
    subscribed(&line.session("run-2"), &["customer.created"], Some(&made.state)).expect_err("lost");
    assert_eq!(model.world(|w| w.endpoints.len()), 1);
    unsubscribe(&line.session("run-3"), &made.state, None).expect("ended");
    assert_eq!(model.world(|w| w.endpoints.len()), 0);
}

#[test]
fn a_state_of_another_url_account_or_mode_sends_nothing() {
    let model = Model::new();
    let line = model.line(0);
    let made = subscribed(&line.session("run-1"), &["customer.created"], None).expect("subscribed");
    model.requests();
    let other = [("api_key", KEY), ("account", "acct_1")];
    let live = [("api_key", "sk_live_model")];
    for fields in [&other[..], &live] {
        let session = line.session_with(fields, "run-2");
        for error in [
            subscribed(&session, &["customer.created"], Some(&made.state)).expect_err("refused"),
            renew(&session, &made.state).expect_err("refused"),
            unsubscribe(&session, &made.state, None).expect_err("refused"),
        ] {
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("state")));
            assert!(!format!("{error:?}").contains("SECRET"));
        }
    }
    let elsewhere = Request {
        callback_url: "https://platform.example/hooks/2",
        triggers: &uses(&["invoice.paid"]),
        state: Some(&made.state),
    };
    let error = subscribe(&line.session("run-3"), &elsewhere).expect_err("refused");
    assert!(error.message.contains("another URL") && !format!("{error:?}").contains("SECRET"));
    assert_eq!(model.requests(), []);
}

#[test]
fn a_subscription_that_cannot_work_sends_nothing() {
    let model = Model::new();
    let line = model.line(0);
    for (url, triggers, kind) in [
        ("/hook", &["customer.created"][..], ErrorKind::InvalidInput),
        ("ftp://example.com", &["customer.created"], ErrorKind::InvalidInput),
        ("https:///x", &["customer.created"], ErrorKind::InvalidInput),
        (URL, &[], ErrorKind::InvalidInput),
        (URL, &["customer.craeted"], ErrorKind::UnknownOperation),
    ] {
        let request = Request { callback_url: url, triggers: &uses(triggers), state: None };
        assert_eq!(subscribe(&line.session("run"), &request).expect_err(url).kind, kind);
    }
    assert_eq!(model.requests(), []);
}

#[test]
fn events_of_connected_accounts_need_an_endpoint_that_a_person_made_for_them() {
    let model = Model::new();
    let line = model.line(0);
    let connected = [Use { trigger: "customer.created".into(), input: r#"{"accounts":["acct_1"]}"#.into() }];
    let request = Request { callback_url: URL, triggers: &connected, state: None };
    let error = subscribe(&line.session("run-1"), &request).expect_err("it would never fire");
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("triggers[0].input.accounts")));
    assert_eq!(posts(&model.requests()), 0);
    model.world(|w| w.make_by_hand(URL, &["plan.created"]));
    subscribe(&line.session_with(WITH_SECRET, "run-2"), &request).expect("subscribed");
    // The account that the connection itself is of is its own.
    model.world(|w| w.endpoints.clear());
    let own = line.session_with(&[("api_key", KEY), ("account", "acct_1")], "run-3");
    let made = subscribe(&own, &request).expect("subscribed");
    assert_eq!(State::read(&made.state).expect("a state").account.as_deref(), Some("acct_1"));
    assert!(model.requests().iter().rev().take(3).all(|r| r.account.as_deref() == Some("acct_1")));
}
