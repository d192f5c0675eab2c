//! The ids of requests: `v1.customers.create`, `v1.payment_intents.confirm`, `v1.customers.sources.list`.
//!
//! The words of the path, and then what is done there: for reading and writing a collection or its members the SDK's
//! word for it; where the path ends in a word of its own for what is done (`…/confirm`), nothing more. Platforms store
//! ids, and tool names are made from them with `_` for the dots: letters, digits and `_`, at most 64 characters.

use std::collections::BTreeMap;

use stripe_facts::{Method, Operation};

use crate::catalogue::{REQUESTS, Requests};
use crate::problem::Report;
use crate::requests::{self, Lines};

/// What an SDK calls the methods of collections.
const METHODS: [&str; 6] = ["list", "create", "retrieve", "update", "delete", "search"];
const LONGEST: usize = 64;

/// The id of each operation, in their order. What makes them unfit is reported.
pub fn ids(operations: &[Operation], lines: &Lines<'_>, requests: &Requests, report: &mut Report<'_>) -> Vec<String> {
    let mut ids: Vec<String> = operations.iter().map(by_rule).collect();
    for (line, id) in requests.ids.get_ref() {
        let Some(at) = requests::known(line, lines, "[ids]", report) else { continue };
        let Some(slot) = ids.get_mut(at) else { continue };
        if slot == id.get_ref() {
            report.wrong(
                REQUESTS,
                line,
                format!("`{}` has the id `{slot}` by the rule: leave this out", line.get_ref()),
            );
        }
        slot.clone_from(id.get_ref());
    }
    let mut tools: BTreeMap<String, &Operation> = BTreeMap::new();
    for (id, operation) in ids.iter().zip(operations) {
        let line = format!("{} {}", operation.method.as_str(), operation.path);
        let tool = id.replace('.', "_");
        let fits = tool.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !fits || tool.len() > LONGEST {
            let what = format!(
                "`{line}` has the id `{id}` of {} characters: give it one of letters, digits, _ and dots, at most {LONGEST}",
                id.len()
            );
            report.wrong(REQUESTS, &requests.ids, what);
        }
        if let Some(other) = tools.insert(tool, operation) {
            let what = format!(
                "`{line}` and `{} {}` make the same tool name `{}`: give one of them another id",
                other.method.as_str(),
                other.path,
                id.replace('.', "_")
            );
            report.wrong(REQUESTS, &requests.ids, what);
        }
    }
    ids
}

fn by_rule(operation: &Operation) -> String {
    let segments = || operation.path.split('/').filter(|s| !s.is_empty());
    let mut words: Vec<&str> = segments().filter(|s| !s.starts_with('{')).collect();
    let method = operation.name.rsplit('.').next().unwrap_or_default();
    // `delete_discount`, `retrieve_current`: the path says of what.
    let plain = METHODS
        .into_iter()
        .find(|m| method.strip_prefix(m).is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'_', ..])));
    let ends_in_word = segments().next_back().is_some_and(|s| !s.starts_with('{'));
    // A POST to a path that ends in a word is to a collection, or the word says what is done.
    let says_it = ends_in_word
        && (words.last() == Some(&method) || (operation.method == Method::Post && !METHODS.contains(&method)));
    if !says_it {
        words.push(plain.unwrap_or(method));
    }
    words.join(".")
}
