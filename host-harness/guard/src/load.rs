//! Asking a connector what the guard has to know of it: what it offers, what names mean, which requests they become.

use std::collections::{BTreeMap, BTreeSet};

use host::contract::{DescribeRequest, ErrorKind, OperationFilter, OperationKind, OperationSummary};
use host::{Call, CallError, Connection, Connector, Invocation};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Entry, Safety, Template};
use crate::pattern;

/// Finds and describes requests of the whole API. A connector without these tells no requests.
const SEARCH: &str = "api.search";
const DESCRIBE: &str = "api.describe";
/// Run any of them, which their input names.
pub(crate) const ANY: [&str; 2] = ["api.read", "api.write"];
/// The largest page.
const PAGE: u32 = 100;
/// More pages than any API fills.
const MOST_PAGES: usize = 200;

/// A request as `api.search` and `api.describe` tell it.
#[derive(Deserialize)]
struct Told {
    operation: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    resource: String,
    curated: Option<String>,
}

fn safety(summary: &OperationSummary) -> BTreeSet<Safety> {
    let hints = &summary.hints;
    let mut all = BTreeSet::new();
    if hints.read_only {
        return [Safety::Read].into();
    }
    if hints.moves_money {
        all.insert(Safety::MoveMoney);
    }
    if hints.destructive {
        all.insert(Safety::Destroy);
    }
    if all.is_empty() {
        all.insert(Safety::Change);
    }
    all
}

/// A call that the component answers by itself.
pub(crate) fn offline(connection: &Connection) -> Call {
    Call::new(connection.clone(), Invocation::new("guard"))
}

/// Reads the whole catalogue, and what these names and patterns mean.
pub(crate) async fn catalogue(
    connector: &Connector,
    connection: &Connection,
    names: &[String],
) -> Result<Catalogue, CallError> {
    let mut catalogue = Catalogue::default();
    for summary in connector.all_operations(OperationFilter::default()).await? {
        let entry = Entry { resource: summary.resource.clone(), safety: safety(&summary) };
        // An action and a trigger may share an id: what acts counts.
        if summary.kind == OperationKind::Trigger {
            catalogue.entries.entry(summary.id).or_insert(entry);
        } else {
            catalogue.entries.insert(summary.id, entry);
        }
    }
    if catalogue.entries.contains_key(SEARCH) {
        match whole_api(connector, connection, &mut catalogue).await {
            // Whoever only checks deliveries has no key, and needs none.
            Err(error) if error.connector().is_some_and(|error| error.kind == ErrorKind::InvalidConnection) => {
                catalogue.sends_nothing = true;
            }
            told => told?,
        }
    }
    for name in names {
        if !name.contains('*') && catalogue.meant(name).is_err() {
            let meant = match canonical(connector, &catalogue.entries, name).await {
                Ok(id) => Ok(id),
                Err(error) => Err(error
                    .connector()
                    .and_then(|error| error.hint.clone())
                    .map_or_else(|| "`harness operations` lists what there is".to_owned(), |hint| lower(&hint))),
            };
            catalogue.meant.insert(name.trim().to_owned(), meant);
        }
    }
    let of_names: Vec<String> = catalogue
        .entries
        .keys()
        .filter(|id| {
            names
                .iter()
                .any(|name| pattern::matches(name.trim(), id) || catalogue.meant(name.trim()) == Ok(id.as_str()))
        })
        .filter(|id| catalogue.template(id).is_none())
        .cloned()
        .collect();
    for id in of_names {
        if let Some(request) = request(connector, connection, &catalogue, &id).await {
            catalogue.sends.insert(id, request);
        }
    }
    Ok(catalogue)
}

/// A hint as the end of a sentence.
fn lower(hint: &str) -> String {
    let mut letters = hint.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

async fn whole_api(connector: &Connector, connection: &Connection, catalogue: &mut Catalogue) -> Result<(), CallError> {
    #[derive(Deserialize)]
    struct Page {
        operations: Vec<Told>,
    }
    let (call, mut cursor) = (offline(connection), None::<String>);
    for _ in 0..MOST_PAGES {
        let input = json!({ "limit": PAGE }).to_string();
        let page = connector.run_query(&call, SEARCH, &input, cursor.as_deref()).await?.value;
        let told = serde_json::from_str::<Page>(&page.output).map(|page| page.operations).unwrap_or_default();
        for Told { operation, method, path, kind, resource, curated } in told {
            let reads = kind == "query";
            let of_people = curated.as_ref().and_then(|id| catalogue.entries.get(id)).cloned();
            // What nobody has said anything of may do anything.
            let safety: BTreeSet<Safety> = match (reads, method.as_str()) {
                (true, _) => [Safety::Read].into(),
                (_, "DELETE") => [Safety::Destroy].into(),
                _ => [Safety::Change, Safety::MoveMoney, Safety::Destroy].into(),
            };
            let entry = of_people.unwrap_or(Entry { resource, safety });
            catalogue.entries.insert(operation.clone(), entry);
            catalogue.templates.push(Template { id: operation, method, path, reads, curated });
        }
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(())
}

/// The id that a name means, among these.
pub(crate) async fn canonical(
    connector: &Connector,
    entries: &BTreeMap<String, Entry>,
    name: &str,
) -> Result<String, CallError> {
    let described = connector.description(DescribeRequest::shown(name)).await?;
    let id = &described.summary.id;
    // A name with fields of its own describes itself, and says what it means among its other names.
    let meant = std::iter::once(id).chain(&described.aliases).find(|id| entries.contains_key(*id));
    Ok(meant.unwrap_or(id).clone())
}

/// The id of the request that an operation sends, where the connector tells.
pub(crate) async fn request(
    connector: &Connector,
    connection: &Connection,
    catalogue: &Catalogue,
    id: &str,
) -> Option<String> {
    let told = describe(connector, connection, &json!({ "operation": id })).await.ok()?;
    catalogue.template_of(&told.method, &told.path).map(|template| template.id.clone())
}

async fn describe(connector: &Connector, connection: &Connection, input: &Value) -> Result<Told, CallError> {
    let nothing = |_| Told {
        operation: String::new(),
        method: String::new(),
        path: String::new(),
        kind: String::new(),
        resource: String::new(),
        curated: None,
    };
    let page = connector.run_query(&offline(connection), DESCRIBE, &input.to_string(), None).await?.value;
    Ok(serde_json::from_str(&page.output).unwrap_or_else(nothing))
}

/// The operation that a call of the whole API means, by its input. Empty where the input names none.
pub(crate) async fn target(connector: &Connector, connection: &Connection, input: &str) -> Result<String, CallError> {
    let given: Value = serde_json::from_str(input).unwrap_or_default();
    let names: serde_json::Map<String, Value> = ["operation", "method", "path"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), given.get(name)?.clone())))
        .collect();
    Ok(describe(connector, connection, &Value::Object(names)).await?.operation)
}
