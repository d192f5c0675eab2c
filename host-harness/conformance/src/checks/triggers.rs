//! Events: samples of them, and requests that hold none.

use std::collections::HashSet;

use host::contract::{Event, OperationKind, OperationSummary, WebhookRequest, is_json};

use crate::report::{Check, Findings};
use crate::subject::{Refused, Subject};

/// A sample of a trigger is an event of it.
pub(crate) async fn samples(subject: &Subject, listed: &[OperationSummary], resources: &HashSet<String>) -> Check {
    let mut findings = Findings::default();
    for trigger in listed.iter().filter(|summary| summary.kind == OperationKind::Trigger) {
        let what = format!("{}: its sample event", trigger.id);
        let (event, report) = match subject.heard(&what, subject.connector.sample(&trigger.id).await) {
            Ok(sampled) => sampled,
            Err(refused) => {
                findings.broken(refused.said(&what));
                continue;
            }
        };
        let Event { id, event_type, triggers, payload, record, .. } = &event;
        findings.that(triggers.contains(&trigger.id), || format!("{what} matches {triggers:?}, and not the trigger"));
        findings.that(!id.is_empty() && !event_type.is_empty(), || format!("{what} has no id or no type"));
        findings.that(is_json(payload), || format!("{what} has a payload that is not JSON"));
        findings.that(report.requests.is_empty() && report.denials.is_empty(), || format!("{what} made a request"));
        if let Some(record) = record {
            let known = resources.contains(&record.resource) && is_json(&record.fields);
            findings.that(known, || format!("{what} became a record of {:?}, which is no resource", record.resource));
        }
    }
    findings.named("events", "a sample of a trigger is an event of it, and needs no network")
}

/// A request that nobody signed is no event, and is checked without the network.
pub(crate) async fn forged(subject: &Subject) -> Check {
    let mut findings = Findings::default();
    let call = match subject.call(None) {
        Ok(call) => call,
        Err(reason) => {
            findings.broken(reason);
            return findings.named("webhooks", FORGED);
        }
    };
    for body in [&b""[..], b"{", b"{}", b"[]", b"null", b"\xff\xfe"] {
        let what = format!("receive of {:?}", String::from_utf8_lossy(body));
        let request = WebhookRequest::post("/hook", Vec::new(), body.to_vec());
        let received = subject.connector.receive(&call, None, Vec::new(), request).await;
        match subject.heard(&what, received) {
            Ok((receipt, report)) => {
                findings.that(receipt.events.is_empty(), || format!("{what}: it was taken for an event"));
                findings.that(report.requests.is_empty() && report.denials.is_empty(), || {
                    format!("{what}: a request was made")
                });
            }
            Err(Refused::Error(error, report)) => match crate::subject::incomplete(&error, &report) {
                None => findings.held(),
                Some(reason) => findings.broken(format!("{what}: {reason}")),
            },
            Err(platform) => findings.broken(platform.said(&what)),
        }
    }
    findings.named("webhooks", FORGED)
}

const FORGED: &str = "a webhook request that nobody signed is no event, and needs no network";
