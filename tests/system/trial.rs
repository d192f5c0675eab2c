//! A shop in which operations are run with their own samples, as a user who tries them would: the ids in a sample are
//! replaced by those of objects in the state that the operation needs, and nothing else is changed. What the answer has,
//! the platform gets.

use std::cell::RefCell;
use std::collections::BTreeSet;

use host::contract::{DescribeRequest, File, OperationFilter, OperationKind, Outcome, ResourceRecord};
use serde_json::{Value, json};
use stripe_connector::catalogue;

use crate::platform::{Shop, every};

/// What ids in samples are made of; one that is left was not replaced.
const MADE_UP: [&str; 2] = ["OzQ2eLkdIwHu7ix", "QxYz0123456789"];

/// The shop, and what was run in it.
pub struct Trial {
    pub shop: Shop,
    run: RefCell<BTreeSet<String>>,
}

impl Trial {
    pub async fn open() -> Self {
        Self { shop: Shop::open().await, run: RefCell::default() }
    }

    /// The sample of an operation, with these ids in it.
    pub async fn sample(&self, id: &str, ids: &[(&str, &Value)]) -> (OperationKind, String) {
        self.run.borrow_mut().insert(id.to_owned());
        let described = self.shop.platform.connector.describe_operation(DescribeRequest::full(id)).await;
        let described = described.unwrap_or_else(|e| panic!("{id}: {e:?}")).value;
        let mut sample: Value = serde_json::from_str(&described.sample_input).expect("JSON");
        for (field, value) in ids {
            let place = sample.pointer_mut(&pointer(field)).filter(|own| own.is_string() && value.is_string());
            *place.unwrap_or_else(|| panic!("{id}: {field} of its sample becomes {value}")) = (*value).clone();
        }
        let sample = sample.to_string();
        assert!(MADE_UP.iter().all(|part| !sample.contains(part)), "{id}: an id that is made up: {sample}");
        (described.summary.kind, sample)
    }

    /// Runs an operation with its sample and returns the output.
    pub async fn ran(&self, id: &str, ids: &[(&str, &Value)]) -> Value {
        self.ran_with(id, ids, Vec::new()).await
    }

    /// The same with files beside the sample.
    pub async fn ran_with(&self, id: &str, ids: &[(&str, &Value)], files: Vec<File>) -> Value {
        let (kind, sample) = self.sample(id, ids).await;
        let (call, connector) = (self.shop.platform.fresh(), &self.shop.platform.connector);
        let (output, records) = if kind == OperationKind::Query {
            let found = connector.run_query(&call, id, &sample, None).await;
            let found = found.unwrap_or_else(|e| panic!("{id} {sample}: {e:?}")).value;
            (found.output, found.records)
        } else {
            let done = connector.run_action_with_files(&call, id, &sample, files).await;
            let done = done.unwrap_or_else(|e| panic!("{id} {sample}: {e:?}")).value;
            (done.output, done.record.into_iter().collect())
        };
        let output: Value = serde_json::from_str(&output).expect("JSON");
        match output["data"].as_array() {
            Some(items) => {
                assert!(!items.is_empty(), "{id} {sample} finds something");
                assert_eq!(records.len(), items.len(), "{id}");
                items.iter().zip(&records).for_each(|(object, record)| has_all(id, object, record));
            }
            None => {
                let [record] = &records[..] else { panic!("{id}: {output} is not mapped") };
                has_all(id, &output, record);
            }
        }
        output
    }

    /// Runs a query with its sample that answers with a file.
    pub async fn downloaded(&self, id: &str, ids: &[(&str, &Value)]) -> File {
        let (_, sample) = self.sample(id, ids).await;
        let found = self.shop.platform.connector.run_query(&self.shop.platform.fresh(), id, &sample, None).await;
        let mut files = found.unwrap_or_else(|e| panic!("{id} {sample}: {e:?}")).value.files;
        assert_eq!(files.len(), 1, "{id}");
        files.remove(0)
    }

    /// Runs an action with its sample and returns what the service has against it.
    pub async fn declined(&self, id: &str, ids: &[(&str, &Value)]) -> String {
        let (_, sample) = self.sample(id, ids).await;
        let error = self.shop.platform.refused(id, &sample).await;
        assert_eq!(error.outcome, Outcome::Rejected, "{id}: {error:?}");
        error.message
    }

    pub async fn act(&self, id: &str, input: Value) -> Value {
        self.shop.platform.act(id, input).await
    }

    /// A payment in dollars that is confirmed with this payment method.
    pub async fn paid(&self, method: &str, more: Value) -> Value {
        let mut input = json!({"amount": 100_000, "currency": "usd", "payment_method": method, "confirm": true,
            "return_url": "https://example.com/return"});
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.act("payment_intent.create", input).await
    }
}

/// A path of the catalogue, as JSON's pointers are written.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Nothing of an object that its resource maps is missing from its record.
fn has_all(id: &str, object: &Value, record: &ResourceRecord) {
    let kind = object["object"].as_str().expect("an object");
    let table = catalogue::table().expect("a table");
    let resource = table.resource_of_object(kind).unwrap_or_else(|| panic!("{id}: nobody maps a {kind}"));
    assert_eq!((record.resource.as_str(), record.internal.as_str()), (resource.name(), resource.internal()), "{id}");
    let fields: Value = serde_json::from_str(&record.fields).expect("JSON");
    for mapping in resource.mapping() {
        let has = |path: &str| object.pointer(&pointer(path)).is_some_and(|v| !v.is_null());
        if mapping.paths().iter().any(has) {
            assert!(!fields[mapping.internal()].is_null(), "{id}: {} of {object}", mapping.internal());
        }
    }
}

/// Every entry of these resources was run.
pub async fn all_were_run(trial: &Trial, resources: &[&str]) {
    let listed = trial.shop.platform.connector.all_operations(OperationFilter::default()).await.expect("a list");
    let entries = listed.into_iter().filter(|s| s.kind != OperationKind::Trigger).map(|s| s.id);
    let all: BTreeSet<String> =
        entries.filter(|id| resources.contains(&id.split('.').next().unwrap_or_default())).collect();
    assert_eq!(*trial.run.borrow(), all);
    all_have_triggers(trial).await;
}

/// The newest events of everything that was done: each is for the trigger of its type and for any event's, and what it is
/// about is mapped where its kind is.
async fn all_have_triggers(trial: &Trial) {
    let p = &trial.shop.platform;
    let table = catalogue::table().expect("a table");
    let any = every(&["*"]).remove(0);
    let found = p.connector.recent(&p.fresh(), any, 100).await.expect("found").value;
    for event in found.events {
        assert_eq!((event.triggers.concat().as_str(), event.complete), ("*", true));
        let payload: Value = serde_json::from_str(&event.payload).expect("JSON");
        let its = &payload["data"]["object"];
        let kind = its["object"].as_str().expect("a kind");
        let is_mapped = table.resource_of_object(kind).is_some();
        let id = its["id"].as_str().unwrap_or(kind);
        let record = event.record.as_ref().map(|record| record.id.as_str());
        assert_eq!(record, is_mapped.then_some(id), "{}", event.event_type);
        let own = every(&[&event.event_type]).remove(0);
        let again = p.connector.recent(&p.fresh(), own, 1).await.expect("found").value.events;
        assert_eq!(
            again.first().map(|e| (e.triggers.concat(), &*e.event_type)),
            Some((event.event_type.clone(), &*event.event_type))
        );
    }
}
