//! Every call has an end that is told, whichever end that is, and no component decides what is believed of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::http::{Ask, Server, answer, asking, asking_in, header};
use crate::support::{Guest, call, manifest};
use host::contract::{Environment, Outcome, SubscriptionRequest, SubscriptionState};
use host::{Busy, CacheFolder, Call, CallError, CallId, CallOutcome, CallReport, Connection, Connector, Denial};
use host::{EgressRecord, Grants, Host, HostConfig, Invocation, Observer, PlatformError, Running, TraceParent};

/// What an observer was told, in order.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn tell(&self, what: &str, call: &CallId<'_>, more: &str) {
        let (function, operation) = (call.function, call.operation.unwrap_or_default());
        self.0.lock().unwrap().push(format!("{what} {} {function} {operation} {more}", call.connector));
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn started(&self, call: &CallId<'_>) {
        self.tell("started", call, call.invocation.unwrap_or_default());
    }

    fn request(&self, call: &CallId<'_>, request: &EgressRecord) {
        self.tell("request", call, &format!("{} {:?}", request.method, request.status));
    }

    fn denied(&self, call: &CallId<'_>, denial: &Denial) {
        self.tell("denied", call, &denial.destination);
    }

    fn finished(&self, call: &CallId<'_>, report: &CallReport) {
        self.tell("finished", call, &format!("{:?} {}", report.outcome, report.requests.len()));
    }
}

fn load(guest: &Guest, server: &Server, observer: Arc<dyn Observer>) -> Connector {
    let config = HostConfig { cache: CacheFolder::Off, calls: 16, ..HostConfig::default() };
    let grants = Grants::default().allow(&server.base).unwrap();
    Host::observed(config, observer).unwrap().load(&guest.build(), &manifest(), &grants).unwrap()
}

async fn server() -> Server {
    Server::start(|_| vec![answer(200, "", "done")]).await
}

fn post(server: &Server) -> Ask {
    Ask::new("POST", format!("{}/v1/charges", server.base)).body(1)
}

/// Polls a call so many times, and then gives it back.
struct Polls<'a, T> {
    call: &'a mut Running<T>,
    left: usize,
}

impl<T> Future for Polls<'_, T> {
    type Output = bool;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        if self.left == 0 {
            return Poll::Ready(false);
        }
        self.left -= 1;
        match Pin::new(&mut *self.call).poll(context) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending => {
                if self.left == 0 {
                    return Poll::Ready(false);
                }
                Poll::Pending
            }
        }
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_anywhere_says_what_had_left() {
    let server = server().await;
    let connector = load(&asking(&[post(&server), post(&server)]), &server, Arc::new(Told::default()));
    let (mut reported, mut in_doubt) = (0, 0);
    for polls in 0.. {
        let before = server.seen().len();
        let mut running = connector.run_action(&call(Invocation::new("run_1")), "a", "{}");
        let ended = Polls { call: &mut running, left: polls }.await;
        let report = running.cancel();
        reported += report.requests.len();
        let seen = server.seen().len() - before;
        assert!(seen <= report.requests.len(), "after {polls} polls: {seen} seen, {report:?}");
        if ended {
            assert_eq!((report.outcome, report.requests.len()), (CallOutcome::Ok, 2));
            break;
        }
        assert_eq!(report.outcome, CallOutcome::Cancelled);
        let expected = if report.requests.is_empty() { Outcome::NotSent } else { Outcome::Unknown };
        assert_eq!(report.outcome_of_run(), expected);
        assert!(report.history_after(report.outcome_of_run()).in_doubt == (expected == Outcome::Unknown));
        in_doubt += usize::from(expected == Outcome::Unknown);
        assert!(polls < 1_000, "it never ends");
    }
    assert!(in_doubt > 0, "some were cancelled with a request on its way");
    assert!(server.seen().len() <= reported, "nothing left without a report");
}

#[tokio::test]
async fn a_call_that_is_dropped_is_told_to_the_observer() {
    let (server, told) = (Server::deaf().await, Arc::new(Told::default()));
    let connector = load(&asking(&[post(&server)]), &server, told.clone());
    let mut running = connector.run_action(&call(Invocation::new("run_1")), "charge", "{}");
    // The server never answers: once the request has left, the call waits.
    sent(&mut running).await;
    let report = running.report();
    assert_eq!((report.outcome, report.outcome_of_run()), (CallOutcome::Cancelled, Outcome::Unknown));
    drop(running);
    let expected = ["started stripe actions.run charge run_1", "finished stripe actions.run charge Cancelled 1"];
    assert_eq!(told.all(), expected);
}

#[tokio::test]
async fn an_observer_is_told_of_requests_and_denials_while_a_call_runs() {
    let (server, told) = (server().await, Arc::new(Told::default()));
    let elsewhere = Ask::new("GET", "https://example.com/");
    let connector = load(&asking(&[post(&server), elsewhere]), &server, told.clone());
    connector.run_action(&call(Invocation::new("run_1")), "charge", "{}").await.unwrap();
    let expected = [
        "started stripe actions.run charge run_1",
        "request stripe actions.run charge POST Some(200)",
        "denied stripe actions.run charge https://example.com",
        "finished stripe actions.run charge Ok 1",
    ];
    assert_eq!(told.all(), expected);
}

#[tokio::test]
async fn a_trace_is_carried_on_by_every_request_in_place_of_the_guests() {
    let server = server().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let own = post(&server).header("traceparent", "00-11111111111111111111111111111111-1111111111111111-01");
    let connector = load(&asking(&[post(&server), own]), &server, Arc::new(Told::default()));
    let within = call(Invocation::new("run_1")).within(TraceParent::parse(trace).unwrap());
    connector.run_action(&within, "a", "{}").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|head| header(head, "traceparent") == Some(trace)), "{seen:?}");
}

/// Says after its requests that it failed: with this case of `outcome`.
fn saying(asks: &[Ask], outcome: u8) -> Guest {
    // The result is an error, in which the outcome comes after kind, texts and advice.
    let error =
        format!("(i32.store8 (i32.const 1024) (i32.const 1)) (i32.store8 (i32.const 1160) (i32.const {outcome}))");
    asking(asks).at_the_end(&error)
}

const NOT_SENT: u8 = 0;
const REJECTED: u8 = 1;
const COMMITTED: u8 = 3;

/// What is believed of what a component says after these requests, and what the record keeps of what it said.
async fn believed(server: &Server, asks: &[Ask], said: u8) -> (Outcome, Vec<String>) {
    let connector = load(&saying(asks, said), server, Arc::new(Told::default()));
    let failure = connector.run_action(&call(Invocation::new("run_1")), "a", "{}").await.unwrap_err();
    let error = failure.connector().unwrap();
    assert_eq!(error.outcome, failure.outcome());
    assert_eq!(failure.history().in_doubt, error.outcome == Outcome::Unknown);
    (error.outcome, error.extras.iter().map(|extra| format!("{} {}", extra.name, extra.value)).collect())
}

#[tokio::test]
async fn a_component_that_says_that_nothing_was_sent_is_not_believed_when_something_was() {
    let (server, overruled) = (server().await, "outcome-said-by-component \"not-sent\"".to_owned());
    assert_eq!(believed(&server, &[post(&server)], NOT_SENT).await, (Outcome::Unknown, vec![overruled.clone()]));
    let reads = [Ask::get(format!("{}/v1/balance", server.base))];
    assert_eq!(believed(&server, &reads, NOT_SENT).await, (Outcome::NotSent, Vec::new()), "reading changes nothing");
    assert_eq!(believed(&server, &[], NOT_SENT).await, (Outcome::NotSent, Vec::new()));
    let masked = [Ask::get(format!("{}/v1/balance", server.base)).header("X-HTTP-Method-Override", "POST")];
    assert_eq!(believed(&server, &masked, NOT_SENT).await.0, Outcome::Unknown, "it asked to be taken as a POST");
    let masked = [Ask::get(format!("{}/v1/balance?_method=DELETE", server.base))];
    assert_eq!(believed(&server, &masked, NOT_SENT).await.0, Outcome::Unknown, "it asked to be taken as a DELETE");
}

#[tokio::test]
async fn a_refusal_is_believed_where_the_service_gave_one() {
    let refusing = Server::start(|_| vec![answer(402, "", "declined")]).await;
    assert_eq!(believed(&refusing, &[post(&refusing)], REJECTED).await, (Outcome::Rejected, Vec::new()));
    let server = server().await;
    assert_eq!(believed(&server, &[post(&server)], REJECTED).await.0, Outcome::Unknown, "it was answered with 200");
    assert_eq!(believed(&server, &[post(&server)], COMMITTED).await, (Outcome::Committed, Vec::new()));
}

/// Lets a call run until its request has left.
async fn sent<T>(running: &mut Running<T>) {
    while running.report().requests.is_empty() {
        assert!(!Polls { call: running, left: 1 }.await, "it ended without a request");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_changes_the_subscriptions_of_an_account_is_done_one_after_the_other() {
    let server = Server::deaf().await;
    // It subscribes with a request, and does everything else by a trap.
    let connector = load(&asking_in("triggers", "subscribe", &post(&server)), &server, Arc::new(Told::default()));
    let of = |key: &str| {
        let fields = [("api_key", key), ("webhook_secret", "whsec_51HostHarness")];
        Call::new(Connection::new(&manifest(), Environment::Development, fields).unwrap(), Invocation::new("run_1"))
    };
    let (ours, theirs) = (of("sk_test_51HostHarness"), of("sk_test_51SomebodyElse"));
    let state = SubscriptionState::new("{}".to_owned());

    let mut first = connector.subscribe(&ours, SubscriptionRequest::new("https://example.com/a", Vec::new()));
    sent(&mut first).await;
    let mut second = connector.unsubscribe(&ours, &state, None);
    let mut third = connector.renew(&ours, &state);
    for _ in 0..100 {
        assert!(!Polls { call: &mut second, left: 1 }.await && !Polls { call: &mut third, left: 1 }.await);
        assert!(!Polls { call: &mut first, left: 1 }.await);
        tokio::task::yield_now().await;
    }
    let trap =
        |error: CallError| matches!(error, CallError::Platform(it) if matches!(it.error, PlatformError::Trap(_)));
    assert!(trap(connector.unsubscribe(&theirs, &state, None).await.unwrap_err()), "another account's does not wait");
    assert!(connector.run_action(&ours, "a", "{}").await.is_err(), "nor does anything else");

    let mut hurried = ours.clone();
    hurried.invocation.timeout = Some(Duration::from_millis(1));
    let error = connector.renew(&hurried, &state).await.unwrap_err();
    assert!(matches!(error, CallError::Platform(it) if it.error == PlatformError::Busy(Busy::Subscriptions)));

    assert_eq!(first.cancel().outcome_of_run(), Outcome::Unknown);
    assert!(trap(second.await.unwrap_err()), "its turn comes when the first has ended, whichever end that was");
    assert!(trap(third.await.unwrap_err()));
}
