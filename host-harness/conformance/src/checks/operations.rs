//! The catalogue as lists show it.

use std::collections::HashSet;

use host::contract::{OperationFilter, OperationSummary};

use crate::report::{Check, Findings};
use crate::subject::{Refused, Subject, incomplete};

/// What is listed can be told apart and offered to a person and to an agent.
pub(crate) async fn list(subject: &Subject) -> (Check, Vec<OperationSummary>) {
    let mut findings = Findings::default();
    let (mut ids, mut tools) = (HashSet::new(), HashSet::new());
    let listed = match subject.connector.all_operations(OperationFilter::default()).await {
        Ok(listed) => listed,
        Err(error) => {
            findings.broken(format!("operations.list: {error}"));
            Vec::new()
        }
    };
    for summary in &listed {
        let OperationSummary { id, tool_name, kind, title, description, hints, .. } = summary;
        findings.that(ids.insert((kind.name(), id)), || format!("{id}: two of the kind {} have this id", kind.name()));
        findings
            .that(tools.insert((kind.name(), tool_name)), || format!("{id}: another has the tool name {tool_name:?}"));
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        findings.that((1..=64).contains(&tool_name.len()) && tool_name.chars().all(letters), || {
            format!("{id}: the tool name {tool_name:?} is not 1 to 64 letters, digits and _")
        });
        findings.that(!title.trim().is_empty() && !description.trim().is_empty(), || {
            format!("{id}: it has no title or no description")
        });
        findings.that(!(hints.read_only && (hints.destructive || hints.moves_money)), || {
            format!("{id}: it only reads, and is destructive or moves money")
        });
    }
    (findings.named("operations", "every operation can be told apart, shown and offered as a tool"), listed)
}

/// Pages of one lead through the whole list once.
pub(crate) async fn pages(subject: &Subject) -> Check {
    /// More pages than this are not turned.
    const MOST: usize = 5;

    let mut findings = Findings::default();
    let (mut cursor, mut seen, mut cursors) = (None::<String>, HashSet::new(), HashSet::new());
    for number in 1..=MOST {
        let what = format!("operations.list, page {number}");
        let listed = subject.connector.list_operations(OperationFilter::default(), cursor.as_deref(), Some(1)).await;
        let (page, _) = match subject.heard(&what, listed) {
            Ok(page) => page,
            Err(refused) => {
                findings.broken(refused.said(&what));
                break;
            }
        };
        findings
            .that(page.operations.len() <= 1, || format!("{what}: {} came where 1 was wanted", page.operations.len()));
        for operation in page.operations {
            let fresh = seen.insert((operation.kind.name(), operation.id.clone()));
            findings.that(fresh, || format!("{what}: {} was on an earlier page", operation.id));
        }
        let Some(next) = page.next_cursor else { break };
        if !cursors.insert(next.clone()) {
            findings.broken(format!("{what}: its cursor leads back to an earlier page"));
            break;
        }
        cursor = Some(next);
    }
    let what = "operations.list with a cursor of nobody's";
    let listed = subject.connector.list_operations(OperationFilter::default(), Some("\u{1}nowhere"), None).await;
    match subject.heard(what, listed) {
        Ok(_) => findings.broken(format!("{what}: it was taken")),
        Err(Refused::Error(error, report)) => match incomplete(&error, &report) {
            None => findings.held(),
            Some(reason) => findings.broken(format!("{what}: {reason}")),
        },
        Err(platform) => findings.broken(platform.said(what)),
    }
    findings.named("cursors", "pages lead through a list once, and a cursor of nobody's is refused")
}
