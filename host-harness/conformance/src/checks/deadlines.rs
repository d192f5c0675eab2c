//! A service that never answers: the call ends in its time, with an error of the connector's own.

use std::time::{Duration, Instant};

use host::contract::{Operation, OperationKind};
use host::manifest::FieldKind;
use host::{Call, Grants, Host};
use tokio::net::TcpListener;

use crate::report::{Check, Findings, Verdict};
use crate::subject::{Refused, Subject};

/// What a call may take.
const TIMEOUT: Duration = Duration::from_millis(500);

/// What it may take longer: the host ends it then, in place of the component.
const LATE: Duration = Duration::from_millis(400);

const NAME: &str = "deadlines";
const PROMISE: &str = "against a service that never answers, a call ends in its time with an error of its own";

/// Calls against silence.
pub(crate) async fn kept(host: &Host, component: &[u8], subject: &Subject, operations: &[Operation]) -> Check {
    let untried =
        |reason: &str| Check { name: NAME, promise: PROMISE, verdict: Verdict::Untried { reason: reason.to_owned() } };
    if !subject.manifest.fields.iter().any(|field| field.kind == FieldKind::Url) {
        return untried("the connection has no address that could lead elsewhere");
    }
    let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { return untried("no port is free on loopback") };
    let Ok(address) = listener.local_addr() else { return untried("no port is free on loopback") };
    let url = format!("http://{address}");
    let silence = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let check = against(host, component, subject, operations, &url).await;
    silence.abort();
    check
}

async fn against(host: &Host, component: &[u8], subject: &Subject, operations: &[Operation], url: &str) -> Check {
    let mut findings = Findings::default();
    let loaded = Grants::nothing().allow(url).map_err(|error| error.to_string());
    let loaded = loaded.and_then(|grants| host.load(component, &subject.manifest, &grants).map_err(|e| e.to_string()));
    let connector = match loaded {
        Ok(connector) => connector,
        Err(reason) => {
            findings.broken(reason);
            return findings.named(NAME, PROMISE);
        }
    };
    // One that reads, so that the input is the only thing that can be wrong.
    let query = operations.iter().find(|operation| operation.summary.kind == OperationKind::Query);
    let call = || -> Result<Call, String> {
        let mut call = subject.call(Some(url))?;
        call.invocation.timeout = Some(TIMEOUT);
        Ok(call)
    };
    match call() {
        Ok(call) => {
            let began = Instant::now();
            let ended = subject.heard("test", connector.test_connection(&call).await).map(drop);
            judge(&mut findings, "connection.test", began.elapsed(), ended);
        }
        Err(reason) => findings.broken(reason),
    }
    if let (Some(query), Ok(call)) = (query, call()) {
        let began = Instant::now();
        let id = &query.summary.id;
        let ended = subject.heard(id, connector.run_query(&call, id, &query.sample_input, None).await).map(drop);
        judge(&mut findings, id, began.elapsed(), ended);
    }
    findings.named(NAME, PROMISE)
}

fn judge(findings: &mut Findings, what: &str, took: Duration, ended: Result<(), Refused>) {
    match ended {
        Ok(()) => findings.broken(format!("{what}: it has a result, and no service answered")),
        Err(Refused::Platform(reason)) => findings.broken(format!("{reason}; it has to end by itself before")),
        Err(Refused::Error(error, _)) if error.message.trim().is_empty() => {
            findings.broken(format!("{what}: the error has no message"));
        }
        Err(Refused::Error(..)) => findings.that(took <= TIMEOUT + LATE, || {
            format!("{what}: it ended after {} ms, and had {} ms", took.as_millis(), TIMEOUT.as_millis())
        }),
    }
}
