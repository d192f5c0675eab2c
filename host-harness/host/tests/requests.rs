//! What a component can do over the network, and what it cannot.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::http::{Ask, Server, answer, asking, asking_again, asking_in};
use crate::support::{Guest, host, manifest};
use host::contract::{DescribeRequest, Environment, OperationFilter, WebhookRequest};
use host::{Call, CallReport, Connection, Connector, DenialReason, Departure, Gate, Grants, Invocation};

fn connection() -> Call {
    let fields = [("api_key", "sk_test_51HostHarness"), ("webhook_secret", "whsec_51HostHarness")];
    Call::new(Connection::new(&manifest(), Environment::Development, fields).unwrap(), Invocation::new("run_1"))
}

/// Loaded with this granted, and all the time that a test build may take.
fn load(guest: &Guest, grants: &Grants) -> Connector {
    let mut manifest = manifest();
    manifest.limits.cpu = Duration::from_secs(100);
    manifest.limits.memory = 256 << 20;
    host().load(&guest.build(), &manifest, grants).unwrap()
}

fn granting(server: &Server) -> Grants {
    Grants::default().allow(&server.base).unwrap()
}

async fn run(guest: &Guest, grants: &Grants) -> CallReport {
    load(guest, grants).run_action(&connection(), "a", "{}").await.unwrap().report
}

async fn willing() -> Server {
    Server::start(|_| vec![answer(200, "", "ok")]).await
}

#[tokio::test]
async fn a_function_that_needs_no_network_has_none() {
    let server = willing().await;
    let load =
        |interface: &str, name: &str| load(&asking_in(interface, name, &Ask::get(&server.base)), &granting(&server));
    let request = WebhookRequest::post("/", Vec::new(), Vec::new());
    let reports = [
        load("connection", "describe").describe_connection().await.unwrap().report,
        load("operations", "list").list_operations(OperationFilter::default(), None, None).await.unwrap().report,
        load("operations", "describe").describe_operation(DescribeRequest::shown("a")).await.unwrap().report,
        load("operations", "object-schema").object_schema("a").await.unwrap().report,
        load("resources", "list").list_resources().await.unwrap().report,
        load("resources", "resolve").resolve_resource("a").await.unwrap().report,
        load("triggers", "sample").sample("a").await.unwrap().report,
        load("triggers", "receive").receive(&connection(), None, Vec::new(), request).await.unwrap().report,
    ];
    for report in reports {
        assert_eq!((report.denied, &report.denials[0].reason), (1, &DenialReason::NoNetwork), "{}", report.function);
        assert!(report.requests.is_empty());
    }
    assert!(server.seen().is_empty());
}

/// Holds back what is under a path, and remembers what it saw.
#[derive(Debug, Default)]
struct NotUnder(&'static str, Mutex<Vec<String>>);

impl Gate for NotUnder {
    fn admit(&self, request: &Departure<'_>) -> Result<(), String> {
        let headers: Vec<String> = request.headers().map(|(name, value)| format!("{name}: {value}")).collect();
        let seen = format!("{} {} {} {headers:?}", request.method, request.path, request.body.len());
        self.1.lock().unwrap().push(seen);
        if request.path.starts_with(self.0) { Err("it is not wanted".to_owned()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_gate_of_the_callers_sees_every_request_and_holds_back_what_it_wants() {
    let server = willing().await;
    let at = |path: &str| format!("{}{path}", server.base);
    let guest = asking(&[Ask::get(at("/wanted")), Ask::new("POST", at("/unwanted")).with_key().body(1)]);
    let gate = Arc::new(NotUnder("/unwanted", Mutex::default()));
    let call = connection().through(Arc::clone(&gate) as Arc<dyn Gate>);
    let report = load(&guest, &granting(&server)).run_action(&call, "a", "{}").await.unwrap().report;
    assert_eq!((server.seen().len(), report.requests.len(), report.denied), (1, 1, 1));
    assert_eq!(report.denials[0].reason, DenialReason::HeldBack("it is not wanted".to_owned()));
    assert!(!report.may_have_acted());
    let seen = gate.1.lock().unwrap().clone();
    assert!(seen[0].starts_with("GET /wanted 0 ") && seen[1].starts_with("POST /unwanted 4096 "), "{seen:?}");
    assert!(seen[1].contains("authorization: (secret)") && !seen[1].contains("51HostHarness"), "{seen:?}");
}

#[tokio::test]
async fn a_method_that_nobody_knows_does_not_leave() {
    let server = willing().await;
    for method in ["CONNECT", "TRACE", "FOO", "PRI", "get"] {
        let report =
            run(&asking(&[Ask::new(method, format!("{}/", server.base)).with_key()]), &granting(&server)).await;
        assert!(matches!(report.denials[0].reason, DenialReason::Method(_)), "{method}: {:?}", report.denials);
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_grant_for_one_port_of_a_machine_opens_no_other() {
    let (granted, other) = (willing().await, willing().await);
    let by_name = |server: &Server| server.base.replace("127.0.0.1", "localhost");
    let guest = asking(&[Ask::get(by_name(&other)), Ask::get(&other.base), Ask::get(by_name(&granted))]);
    let report = run(&guest, &Grants::default().allow(&by_name(&granted)).unwrap()).await;
    let denied: Vec<_> = report.denials.iter().map(|denial| (denial.destination.as_str(), &denial.reason)).collect();
    let expected = [by_name(&other), other.base.clone()];
    let expected: Vec<_> = expected.iter().map(|origin| (origin.as_str(), &DenialReason::NotGranted)).collect();
    assert_eq!(denied, expected);
    assert!(other.seen().is_empty());
    assert_eq!((granted.seen().len(), report.requests[0].status), (1, Some(200)));
}

#[tokio::test]
async fn denials_are_counted_and_the_first_are_kept() {
    let long = format!("http://192.0.2.1:1/{}", "x".repeat(20_000));
    let report = run(&asking_again(&Ask::get(long), 2_000), &Grants::default()).await;
    assert_eq!((report.denied, report.denials.len()), (2_000, 20));
    let json = serde_json::to_string(&report).unwrap();
    assert!(json.len() < 20_000, "{}", json.len());
}

#[tokio::test]
async fn a_head_that_is_too_long_does_not_leave() {
    let server = willing().await;
    let url = format!("{}/{}", server.base, "x".repeat(33 << 10));
    let report = run(&asking(&[Ask::get(url)]), &granting(&server)).await;
    assert!(matches!(report.denials[0].reason, DenialReason::Head(_)), "{:?}", report.denials);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_long_does_not_leave_whether_it_says_so_or_not() {
    let server = willing().await;
    let ask = || Ask::new("POST", format!("{}/", server.base));
    let announced = ask().header("content-length", "30000000").abandoned();
    let report = run(&asking(&[announced, ask().body(5200)]), &granting(&server)).await;
    assert!(report.denials.iter().any(|denial| matches!(denial.reason, DenialReason::Body(_))), "{:?}", report.denials);
    assert!(report.requests.is_empty() && server.seen().is_empty());
}

/// A figure of this process, in MiB: `VmHWM`, the most that it ever had, or `VmRSS`, what it has now.
fn memory(figure: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_matches(|letter: char| !letter.is_ascii_digit()).parse::<usize>().unwrap() >> 10
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn bodies_on_their_way_do_not_fill_the_hosts_memory() {
    let before = memory("VmRSS:");
    let (deaf, body) = (Server::deaf().await, 4 << 8); // 4 MiB
    let nowhere = Ask::new("POST", "http://192.0.2.1:1/").body(body).unfinished().abandoned();
    let unread = Ask::new("POST", format!("{}/", deaf.base)).body(body).abandoned();
    for (ask, reason) in [(nowhere, DenialReason::NotGranted), (unread, DenialReason::InFlight(24 << 20))] {
        // Bodies without an end are not denied before the call is over.
        let endless = reason == DenialReason::NotGranted;
        let report = run(&asking_again(&ask, 60), &granting(&deaf)).await;
        assert!(endless || report.denials.iter().any(|denial| denial.reason == reason), "{report:?}");
    }
    let grown = memory("VmHWM:").saturating_sub(before);
    assert!(grown < 120, "{grown} MiB");
}
