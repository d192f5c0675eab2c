//! Every operation of the API, whether the catalogue has an entry for it or not: through the component, against the
//! simulator, with input made from the facts. And what the component says of each.

use std::collections::{BTreeMap, BTreeSet};

use host::contract::{
    DescribeRequest, ErrorKind, File, Mode, OperationFilter, OperationKind, OperationSummary, Outcome, ResourceRecord,
    ResultMetadata,
};
use host::{CallError, Reply};
use serde_json::{Map, Value};
use specimens::{Author, Dice, Known};
use stripe_connector::catalogue;
use stripe_facts::{Encoding, Facts, Method, Operation, Shape};
use stripe_simulator::{Options, RecordedRequest, Simulator, conformance};

use crate::platform::{KEY, Platform};
use crate::relay::{Passed, Relay};

/// Where usage is streamed to.
const STREAM: &str = "/v2/billing/meter_event_stream";

/// An operation as the facts have it, and as the component lists it.
struct Listed {
    summary: OperationSummary,
    facts: &'static Operation,
}

impl Listed {
    fn id(&self) -> &str {
        &self.summary.id
    }

    fn is_list(&self) -> bool {
        matches!(self.facts.response, Shape::List(_) | Shape::Pages(_))
    }

    /// What a success answers with: a file where the facts know nothing of it.
    fn is_file(&self) -> bool {
        self.facts.path.ends_with("/pdf")
    }

    fn names_a_path(&self) -> bool {
        self.facts.path.contains('{')
    }
}

/// Every operation of the API under its own id.
async fn all(platform: &Platform) -> Vec<Listed> {
    let filter = OperationFilter { all: true, ..OperationFilter::default() };
    let listed = platform.connector.all_operations(filter).await.expect("a list");
    let facts = Facts::bundled();
    let mut found = Vec::new();
    for summary in listed.into_iter().filter(|s| s.kind != OperationKind::Trigger) {
        // Entries of the catalogue are tested by name elsewhere.
        let Some(request) = catalogue::table().expect("a table").request(&summary.id) else { continue };
        let method = Method::parse(request.method().name()).expect("a method");
        let operation = facts.operation(method, request.path()).expect("an operation of the API");
        found.push(Listed { summary, facts: operation });
    }
    let reached: BTreeSet<(&str, &str)> =
        found.iter().map(|l| (l.facts.method.as_str(), l.facts.path.as_str())).collect();
    assert_eq!(reached.len(), facts.operations.len(), "each operation of the API is listed once under its own id");
    assert_eq!(found.len(), reached.len());
    found
}

/// Input for an operation, and the files that go with it.
fn input(author: &mut Author<'_>, operation: &Operation) -> (Map<String, Value>, Vec<File>) {
    let mut input = author.parameters(operation);
    let mut files = Vec::new();
    if operation.encoding == Encoding::Multipart {
        input.remove("file");
        input.insert("purpose".into(), "dispute_evidence".into());
        files.push(File {
            field: "file".into(),
            name: "receipt.pdf".into(),
            content_type: "application/pdf".into(),
            content: b"%PDF-1.4 a receipt \xff\x00".to_vec(),
        });
    }
    for (name, id) in author.path(operation) {
        input.insert(name.to_owned(), id.into());
    }
    (input, files)
}

/// What came back of a success: an action and a query have the same in other words.
struct Done {
    output: String,
    records: Vec<ResourceRecord>,
    files: Vec<File>,
    metadata: ResultMetadata,
}

async fn run(platform: &Platform, listed: &Listed, input: &str, files: Vec<File>) -> Result<Done, CallError> {
    let call = platform.fresh();
    if listed.summary.kind == OperationKind::Query {
        assert!(files.is_empty());
        let Reply { value, .. } = platform.connector.run_query(&call, listed.id(), input, None).await?;
        return Ok(Done { output: value.output, records: value.records, files: value.files, metadata: value.metadata });
    }
    let Reply { value, .. } = platform.connector.run_action_with_files(&call, listed.id(), input, files).await?;
    let records = value.record.into_iter().collect();
    Ok(Done { output: value.output, records, files: value.files, metadata: value.metadata })
}

/// A strict validator finds nothing wrong with the request, and it is for the operation that was meant.
fn check_request(listed: &Listed, request: &RecordedRequest) {
    let operation = listed.facts;
    let found = Facts::bundled().find(operation.method, &request.path).map(|f| f.operation.path.as_str());
    assert_eq!((request.method.as_str(), found), (operation.method.as_str(), Some(operation.path.as_str())));
    assert_eq!(conformance::check_request(&request.method, &request.path, &request.query, &request.body), Ok(()));
    assert_eq!(request.header("stripe-version"), Some(Facts::bundled().api_version.as_str()));
    let v2 = operation.encoding == Encoding::Json;
    let changes = listed.summary.kind == OperationKind::Action;
    let keyed = changes && (operation.method == Method::Post || (v2 && operation.method == Method::Delete));
    assert_eq!(request.header("idempotency-key").is_some(), keyed);
    assert!(!format!("{request:?}").contains(KEY), "the key is in no other place than its header");
    if operation.encoding == Encoding::Multipart {
        let kind = request.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
        for part in ["name=\"purpose\"", "name=\"file\"; filename=\"receipt.pdf\"", "%PDF-1.4 a receipt "] {
            assert!(request.body.contains(part), "{part} in {}", request.body);
        }
    }
}

/// What deliveries are signed with is hidden, wherever it stands.
fn without_signing_secret(answer: &str) -> String {
    let mut pieces = answer.split("\"whsec_");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (_, rest) = piece.split_once('"').expect("a text ends");
        out += "\"(hidden)\"";
        out += rest;
    }
    out
}

/// The answer is handed on as it came, and what is mapped of it is.
fn check_success(listed: &Listed, done: &Done, answer: &Passed) -> Value {
    assert_eq!(answer.status, 200);
    if listed.is_file() {
        let [file] = &done.files[..] else { panic!("one file was expected, not {}", done.files.len()) };
        assert_eq!((file.content_type.as_str(), &file.content), ("application/pdf", &answer.body));
        return serde_json::from_str(&done.output).expect("JSON");
    }
    let whole = String::from_utf8(answer.body.clone()).expect("text");
    assert_eq!(done.output, without_signing_secret(&whole), "the output is the answer");
    assert!(done.files.is_empty());
    let output: Value = serde_json::from_str(&done.output).expect("JSON");
    let path = filled(listed);
    assert_eq!(conformance::check_response(listed.facts.method.as_str(), &path, &output), Ok(()));

    let table = catalogue::table().expect("a table");
    let mapped = |value: &Value| {
        let object = value["object"].as_str().unwrap_or_default();
        let resource = table.resource_of_object(object).map(|r| r.name().to_owned());
        resource.map(|name| (name, value["id"].as_str().unwrap_or(object).to_owned()))
    };
    let expected: Vec<(String, String)> = match (&listed.facts.response, output["data"].as_array()) {
        (Shape::List(_) | Shape::Search(_) | Shape::Pages(_), Some(items)) => items.iter().filter_map(mapped).collect(),
        _ => mapped(&output).into_iter().collect(),
    };
    let records: Vec<(String, String)> = done.records.iter().map(|r| (r.resource.clone(), r.id.clone())).collect();
    assert_eq!(records, expected, "what is mapped of {output}");
    output
}

/// A path of the operation, for what reads only its form.
fn filled(listed: &Listed) -> String {
    let segment = |s: &str| if s.starts_with('{') { "id_1".to_owned() } else { s.to_owned() };
    listed.facts.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The error says all that the service said, and nothing is in doubt.
fn check_error(error: &host::contract::Error, answer: &Passed) {
    let told: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let told = &told["error"];
    let text = |name: &str| told[name].as_str();
    assert!(!matches!(error.kind, ErrorKind::Other(_)), "a kind that says nothing");
    assert_eq!((error.outcome, error.http_status), (Outcome::Rejected, Some(answer.status)));
    assert_eq!((error.service_type.as_deref(), error.code.as_deref()), (text("type"), text("code")));
    assert_eq!(error.decline_code.as_deref(), text("decline_code"));
    assert_eq!(error.doc_url.as_deref(), text("doc_url"));
    assert!(!error.message.is_empty());
    // A refused key is the one answer that has no request's id.
    assert_eq!(error.request_id, answer.request_id);
    assert!(answer.status == 401 || answer.request_id.is_some());
    assert!(!format!("{error:?}").contains(KEY));
}

/// Whether it was refused before it was sent, for what the facts do not say: fields that exclude each other, what is
/// expanded in lists, and ids of something else.
fn refused_unsent(result: &Result<Done, CallError>) -> bool {
    let Err(CallError::Connector(failure)) = result else { return false };
    let (error, outcome) = (&failure.error, failure.error.outcome);
    let says = |part: &str| error.message.contains(part);
    let has_way_out = says("exclude each other") || says("is expanded in the objects");
    let known = (has_way_out && error.hint.is_some()) || says("and this is the id of");
    outcome == Outcome::NotSent && error.attempts == 0 && known
}

/// How often an operation was tried, and how often it succeeded.
#[derive(Default)]
struct Tally {
    tried: usize,
    succeeded: usize,
}

/// Tells which operation a failure was about.
struct About(String);

impl Drop for About {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the operation: {}", self.0);
        }
    }
}

#[tokio::test]
async fn every_operation_is_sent_as_the_facts_say_and_its_answer_is_read() {
    let options = Options { demo: true, seed: Some(1), check_answers: true, ..Options::default() };
    let simulator = Simulator::start_with(options).await.expect("a simulator");
    let relay = Relay::before(simulator.address()).await;
    let platform = Platform::new(&relay.base());
    let mut operations = all(&platform).await;
    // What is listed tells of what there is, and what is deleted is deleted when all else has worked on it.
    let asks = |l: &Listed| l.facts.parameters.iter().any(|f| f.required);
    operations.sort_by_key(|l| (l.facts.method == Method::Delete, !l.is_list(), l.names_a_path(), asks(l)));

    let (mut known, mut dice) = (Known::default(), Dice::new(1));
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut refused_lists, mut ever) = (Vec::new(), BTreeSet::new());
    let mut seen = simulator.requests().len();
    // With what is required only, and then with more.
    for sparse in [true, false] {
        for listed in &operations {
            let mut author = Author { dice: &mut dice, known: &known, wrong: false, sparse };
            let (input, files) = input(&mut author, listed.facts);
            let input = Value::Object(input).to_string();
            let about = About(format!("{} {input}", listed.id()));

            let result = run(&platform, listed, &input, files).await;
            if refused_unsent(&result) {
                continue;
            }
            let answers = relay.answers();
            let requests = simulator.requests();
            // Usage is streamed with the token of a session that the call opens first.
            let before = usize::from(listed.facts.path == STREAM);
            assert!(
                answers.len() == before + 1 && requests.len() == seen + before + 1,
                "one request, one answer: {result:?}",
                result = result.as_ref().err()
            );
            seen = requests.len();
            check_request(listed, &requests[seen - 1]);
            let tally = tallies.entry(listed.facts.method.as_str()).or_default();
            tally.tried += 1;
            match result {
                Ok(done) => {
                    tally.succeeded += 1;
                    ever.insert(listed.id());
                    let metadata = &done.metadata;
                    let attempts = u32::try_from(before + 1).expect("few");
                    assert_eq!((metadata.attempts, metadata.replayed, metadata.mode), (attempts, false, Mode::Test));
                    assert!(metadata.request_id.is_some() && metadata.request_id == answers[before].request_id);
                    known.learn(&check_success(listed, &done, &answers[before]));
                }
                Err(CallError::Connector(failure)) => {
                    assert_eq!(failure.error.attempts as usize, before + 1, "{:?}", failure.error);
                    check_error(&failure.error, &answers[before]);
                    if sparse && listed.is_list() && !listed.names_a_path() && !asks(listed) {
                        refused_lists.push(format!("{}: {}", listed.id(), failure.error.message));
                    }
                }
                Err(other) => panic!("{other:?}"),
            }
            drop(about);
        }
    }
    let tally: Vec<String> = tallies.iter().map(|(m, t)| format!("{m} {} of {}", t.succeeded, t.tried)).collect();
    println!("succeeded: {}; {} of {} operations at least once", tally.join(", "), ever.len(), operations.len());
    assert!(simulator.violations().is_empty(), "{:?}", simulator.violations());
    assert!(refused_lists.is_empty(), "every list that asks for nothing answers: {refused_lists:#?}");
    let succeeded = |method: &str| tallies[method].succeeded * 100 / tallies[method].tried;
    assert!(succeeded("GET") >= 50 && succeeded("POST") >= 50, "{tally:?}");
    assert!(ever.len() * 100 >= operations.len() * 70, "{} of {}", ever.len(), operations.len());
}

/// Agent APIs refuse a whole request for a combinator at the root.
fn check_root(schema: &Value, what: &str) {
    assert_eq!(schema["type"], "object", "{what}");
    for combinator in ["oneOf", "anyOf", "allOf", "not"] {
        assert!(schema.get(combinator).is_none(), "{what}: {combinator} at the root");
    }
}

/// Strict clients refuse a `type` that is a list.
fn check_types(schema: &Value, what: &str) {
    let mut left = vec![schema];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                assert!(!members.get("type").is_some_and(Value::is_array), "{what}: a list of types in {value}");
                left.extend(members.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_operation_describes_itself_in_schemas_that_everybody_takes() {
    let platform = Platform::new("http://127.0.0.1:1");
    let operations = all(&platform).await;
    let (known, mut dice) = (Known::default(), Dice::new(2));
    let mut names = BTreeSet::new();
    for listed in &operations {
        let id = listed.id();
        let name = &listed.summary.tool_name;
        let fits = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        assert!(fits && names.insert(name.clone()), "{id}: {name} is a name of its own for every agent API");

        let mut sizes = Vec::new();
        for request in [DescribeRequest::shown(id), DescribeRequest::full(id)] {
            let described = platform.connector.describe_operation(request).await.expect("described").value;
            let schema: Value = serde_json::from_str(&described.input_schema).expect("JSON");
            check_root(&schema, id);
            check_types(&schema, id);
            assert!(jsonschema::meta::is_valid(&schema), "{id}: {schema}");
            let output: Value = serde_json::from_str(&described.output_schema).expect("JSON");
            check_types(&output, id);
            sizes.push(described.input_schema.len());
            if sizes.len() < 2 {
                continue;
            }
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            for sparse in [true, false, false] {
                let mut author = Author { dice: &mut dice, known: &known, wrong: false, sparse };
                let input = Value::Object(input(&mut author, listed.facts).0);
                let problems: Vec<String> =
                    validator.iter_errors(&input).map(|e| format!("{e} at {}", e.instance_path())).collect();
                assert!(problems.is_empty(), "{id} {input}: {problems:?}");
            }
        }
        assert!(sizes[0] <= sizes[1], "{id}: what is shown is no more than all");
    }
}
