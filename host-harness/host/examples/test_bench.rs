//! A test bench for a connector of one's own: is what it says of itself complete, and does it refuse what it must?
//!
//! `cargo run --example test_bench -- connector.wasm manifest.toml`

use std::error::Error;

use host::contract::{DescribeRequest, Environment, OperationKind, Outcome, is_json};
use host::{Call, CallError, Connection, Connector, Grants, Host, Invocation, Package};

/// What is wrong with a connector, a line for each.
pub async fn findings(connector: &Connector) -> Result<Vec<String>, CallError> {
    let mut findings = Vec::new();
    for summary in &connector.catalogue().await?.operations {
        let request = DescribeRequest::full(&summary.id).of_kind(summary.kind);
        let operation = connector.description(request).await?;
        let texts =
            [&operation.input_schema, &operation.output_schema, &operation.sample_input, &operation.sample_output];
        if !texts.into_iter().all(|text| is_json(text)) {
            findings.push(format!("{}: a schema or a sample is no JSON", summary.id));
        }
        if summary.kind == OperationKind::Action
            && let Some(finding) = refusal(connector, &summary.id).await
        {
            findings.push(format!("{}: {finding}", summary.id));
        }
    }
    Ok(findings)
}

/// Runs an action with what is no input. Nothing may leave, and the error must say so.
async fn refusal(connector: &Connector, operation: &str) -> Option<String> {
    let none: [(&str, &str); 0] = [];
    let connection = Connection::new(connector.manifest(), Environment::Development, none).ok()?;
    let call = Call::new(connection, Invocation::fresh().ok()?);
    match connector.run_action(&call, operation, "[").await {
        Ok(_) => Some("it takes what is no JSON".to_owned()),
        Err(failure) if failure.platform().is_some() => Some(failure.to_string()),
        Err(failure) if failure.outcome() != Outcome::NotSent => Some("it sent something".to_owned()),
        Err(_) => None,
    }
}

#[tokio::main]
#[allow(dead_code, reason = "tests use the bench alone")]
async fn main() -> Result<(), Box<dyn Error>> {
    let [component, manifest] = [1, 2].map(|index| std::env::args().nth(index).unwrap_or_default());
    let package = Package::new(&std::fs::read_to_string(manifest)?, std::fs::read(component)?)?;
    let connector = Host::new()?.load_package(&package, &Grants::nothing())?;
    let findings = findings(&connector).await?;
    findings.iter().for_each(|finding| println!("{finding}"));
    println!("{} of its operations, {} findings", connector.catalogue().await?.operations.len(), findings.len());
    Ok(())
}
