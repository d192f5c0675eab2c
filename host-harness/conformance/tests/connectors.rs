//! A connector of a made-up service keeps every promise; damaged, it breaks one, and that is what is said.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod built;

use conformance::{Report, Verdict, examine};
use host::{Host, HostConfig, Manifest};

const MANIFEST: &str = include_str!("../../../tests/notes/manifest.toml");

async fn examined(component: &[u8], manifest: &str) -> Report {
    let host = Host::with(HostConfig { pooling: false, ..HostConfig::default() }).unwrap();
    examine(&host, component, &Manifest::parse(manifest).unwrap()).await
}

/// The names of the promises that are broken, with the reasons.
fn broken(report: &Report) -> Vec<(&str, String)> {
    let reasons = |verdict: &Verdict| match verdict {
        Verdict::Broken { reasons, .. } => Some(reasons.join("; ")),
        _ => None,
    };
    report.checks.iter().filter_map(|check| Some((check.name, reasons(&check.verdict)?))).collect()
}

/// The component with other bytes in place of these, of the same length.
fn replaced(component: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = component.to_vec();
    let found: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, part)| *part == from).map(|(at, _)| at).collect();
    assert!(!found.is_empty(), "{} is not in the component", String::from_utf8_lossy(from));
    for at in found {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[tokio::test]
async fn a_connector_of_another_service_keeps_every_promise() {
    let report = examined(built::notes(), MANIFEST).await;
    assert!(report.conforms(), "{report}");
    let untried = report.checks.iter().filter(|check| matches!(check.verdict, Verdict::Untried { .. }));
    assert_eq!(untried.count(), 0, "{report}");
    let document = serde_json::to_value(&report).unwrap();
    assert_eq!((&document["checks"][0]["name"], &document["checks"][0]["verdict"]), (&"loads".into(), &"held".into()));
}

#[tokio::test]
async fn a_damaged_one_breaks_a_promise_and_is_told_which() {
    let cases = [
        (1, "schemas", "anyOf at its root, which agent APIs refuse"),
        (2, "schemas", "is not valid"),
        (3, "samples", "note.create: the input sample does not fit its schema"),
        (4, "cursors", "was on an earlier page"),
        (5, "errors", "the error has no message"),
        (6, "secrets", "a secret of the connection is in what it returned"),
        (7, "bad-input", "note.create"),
        (8, "bad-input", "a request was made for what is wrong before anything is sent"),
        (9, "deadlines", "it has to end by itself before"),
        (10, "operations", "the tool name \"note.create\" is not 1 to 64 letters"),
        (11, "events", "and not the trigger"),
        (12, "webhooks", "it was taken for an event"),
    ];
    for (number, name, said) in cases {
        let damage = format!("notes-damage:{number:03}");
        let report = examined(&replaced(built::notes(), b"notes-damage:000", damage.as_bytes()), MANIFEST).await;
        let broken = broken(&report);
        let told = broken.iter().any(|(broken, reasons)| *broken == name && reasons.contains(said));
        assert!(told && !report.conforms(), "damage {number} should break {name} with {said:?}:\n{report}");
    }
}

#[tokio::test]
async fn what_cannot_be_loaded_says_why() {
    let lacking =
        replaced(built::notes(), b"automation:connector/queries@0.1.0", b"automation:connector/queriez@0.1.0");
    let undeclared = MANIFEST.replace("    \"wasi:http/outgoing-handler\",\n", "");
    let cases = [
        (b"hello".to_vec(), MANIFEST, "no WebAssembly component"),
        (lacking, MANIFEST, "queries"),
        (built::notes().to_vec(), undeclared.as_str(), "wasi:http/outgoing-handler"),
    ];
    for (component, manifest, said) in cases {
        let report = examined(&component, manifest).await;
        let broken = broken(&report);
        assert!(matches!(&broken[..], [("loads", reason)] if reason.contains(said)), "{said}:\n{report}");
        assert_eq!(report.checks.len(), 1, "nothing of it runs");
    }
}

#[tokio::test]
async fn another_manifests_fields_are_told() {
    let other = MANIFEST.replace("name = \"token\"", "name = \"key\"");
    let report = examined(built::notes(), &other).await;
    assert!(
        broken(&report).iter().any(|(name, reasons)| *name == "connection" && reasons.contains("\"key\"")),
        "{report}"
    );
}
