//! The exports.
#![expect(unsafe_code, reason = "the generated glue of the component model")]
#![expect(clippy::result_large_err, reason = "the contract's error is what the exports return")]

use serde_json::{Value, json};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "connector", pub_export_macro: true });
}

use bindings::automation::connector::types as wit;
use bindings::exports::automation::connector as exported;
use exported::actions::ActionResult;
use exported::connection::{
    AuthKind, AuthMethod, ConnectionField, ConnectionReport, ConnectionType, FieldKind, Permission,
};
use exported::operations::{
    DescribeRequest, Hints, Operation, OperationFilter, OperationKind, OperationPage, OperationSummary,
};
use exported::queries::QueryResult;
use exported::resources::{ChoicePage, ChoiceRequest, FieldMapping, ResourceType, ValueKind};
use exported::triggers::{
    Event, PollResult, Receipt, RecentEvents, Subscription, SubscriptionRequest, TriggerUse, Unsubscribed,
    WebhookRequest,
};
use wit::{Error, ErrorKind, Mode, Outcome, ResourceRecord, ResultMetadata, RetryAdvice};

struct Notes;

bindings::export!(Notes with_types_in bindings);

/// Which promise is broken: the last three digits, as a test left them. None at 000.
static DAMAGE: [u8; 16] = *b"notes-damage:000";

fn damaged(number: u8) -> bool {
    let digits = std::hint::black_box(&DAMAGE).last_chunk::<3>();
    digits.is_some_and(|digits| *digits == [b'0', b'0' + number / 10, b'0' + number % 10])
}

const CREATE: &str = "note.create";
const LIST: &str = "note.list";
const CREATED: &str = "note.created";

type Result<T> = std::result::Result<T, Error>;

fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error {
        kind,
        message: if damaged(5) { String::new() } else { message.into() },
        hint: None,
        field: None,
        service_type: None,
        code: None,
        decline_code: None,
        http_status: None,
        request_id: None,
        doc_url: None,
        retry: RetryAdvice::Never,
        outcome: Outcome::NotSent,
        related: Vec::new(),
        idempotency_key: None,
        key_protects_until: None,
        replayed: false,
        attempts: 0,
        extras: Vec::new(),
    }
}

fn unknown(id: &str) -> Error {
    error(ErrorKind::UnknownOperation, format!("there is no operation {id:?}"))
}

fn metadata(attempts: u32) -> ResultMetadata {
    ResultMetadata {
        idempotency_key: None,
        key_protects_until: None,
        replayed: false,
        request_id: None,
        attempts,
        mode: Mode::Test,
        api_version: "1".to_owned(),
        account: None,
        extras: Vec::new(),
    }
}

fn field<'a>(context: &'a wit::CallContext, name: &str) -> Option<&'a str> {
    context.connection.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
}

/// Asks the service once.
fn get(context: &wit::CallContext, path: &str) -> Result<Value> {
    let base = field(context, "address").unwrap_or("https://api.notes.example");
    let url = format!("{base}{path}");
    loop {
        let token = field(context, "token").unwrap_or_default();
        let answer = waki::Client::new().get(&url).header("Authorization", format!("Bearer {token}")).send();
        match answer.and_then(|answer| answer.body()) {
            Ok(body) => {
                let unread = || Error { attempts: 1, ..error(ErrorKind::Service, "the answer is not JSON") };
                return serde_json::from_slice(&body).map_err(|_| unread());
            }
            Err(_) if damaged(9) => {}
            Err(_) => {
                let lost = error(ErrorKind::Network, "the service gave no answer");
                return Err(Error { attempts: 1, outcome: Outcome::NotSent, retry: RetryAdvice::SameKey, ..lost });
            }
        }
    }
}

/// An input that has these members and no others, all texts.
fn input(context: &wit::CallContext, text: &str, allowed: &[&str], required: &[&str]) -> Result<Value> {
    if damaged(8) {
        let _ = get(context, "/me");
    }
    let refuse = |message: String| {
        let token = field(context, "token").unwrap_or_default();
        error(ErrorKind::InvalidInput, if damaged(6) { format!("{message}, says {token}") } else { message })
    };
    let input: Value = serde_json::from_str(text).map_err(|_| refuse("the input is not JSON".to_owned()))?;
    if damaged(7) {
        return Ok(json!({}));
    }
    let Some(members) = input.as_object() else { return Err(refuse("the input is not an object".to_owned())) };
    for (name, value) in members {
        if !allowed.contains(&name.as_str()) || !value.is_string() {
            return Err(Error { field: Some(name.clone()), ..refuse(format!("{name:?} is no field, or not a text")) });
        }
    }
    match required.iter().find(|name| !members.contains_key(**name)) {
        Some(name) => Err(Error { field: Some((*name).to_owned()), ..refuse(format!("{name:?} is required")) }),
        None => Ok(input),
    }
}

impl exported::connection::Guest for Notes {
    fn describe() -> ConnectionType {
        let field = |name: &str, kind, title: &str, required| ConnectionField {
            name: name.to_owned(),
            kind,
            title: title.to_owned(),
            help: String::new(),
            required,
            placeholder: None,
            link: None,
            default_value: None,
        };
        ConnectionType {
            title: "Notes".to_owned(),
            api_version: "1".to_owned(),
            methods: vec![AuthMethod {
                name: "token".to_owned(),
                title: "Access token".to_owned(),
                kind: AuthKind::Fields,
                fields: vec!["token".to_owned(), "address".to_owned()],
            }],
            fields: vec![
                field("token", FieldKind::Secret, "Access token", true),
                field("address", FieldKind::Url, "Address", false),
            ],
        }
    }

    fn test(context: wit::CallContext) -> Result<ConnectionReport> {
        get(&context, "/me")?;
        Ok(ConnectionReport {
            mode: Mode::Test,
            account_id: None,
            account_name: None,
            api_version: "1".to_owned(),
            restricted: false,
            permissions: Vec::new(),
            extras: Vec::new(),
        })
    }

    /// A token may do everything.
    fn permissions(operations: Vec<String>) -> Result<Vec<Permission>> {
        match operations.iter().find(|id| !catalogue().iter().any(|summary| summary.id == **id)) {
            Some(id) => Err(error(ErrorKind::UnknownOperation, format!("there is no operation {id:?}"))),
            None => Ok(Vec::new()),
        }
    }
}

fn summary(id: &str, kind: OperationKind, title: &str) -> OperationSummary {
    let reads = kind != OperationKind::Action;
    OperationSummary {
        id: id.to_owned(),
        tool_name: if damaged(10) { id.to_owned() } else { id.replace('.', "_") },
        kind,
        title: title.to_owned(),
        description: format!("{title}."),
        resource: "note".to_owned(),
        hints: Hints { read_only: reads, destructive: false, idempotent: true, moves_money: false },
        inverse: None,
        extras: Vec::new(),
    }
}

fn catalogue() -> Vec<OperationSummary> {
    vec![
        summary(CREATED, OperationKind::Trigger, "A note was written"),
        summary(CREATE, OperationKind::Action, "Write a note"),
        summary(LIST, OperationKind::Query, "List notes"),
    ]
}

impl exported::operations::Guest for Notes {
    fn list(filter: OperationFilter, cursor: Option<String>, limit: Option<u32>) -> Result<OperationPage> {
        let begin: usize = match &cursor {
            None => 0,
            Some(_) if damaged(4) => 1,
            Some(cursor) => cursor.parse().map_err(|_| error(ErrorKind::InvalidInput, "the cursor is of nobody's"))?,
        };
        let fits = |summary: &OperationSummary| filter.kind.is_none_or(|kind| kind == summary.kind);
        let all: Vec<OperationSummary> = catalogue().into_iter().filter(fits).collect();
        let limit = usize::try_from(limit.unwrap_or(200)).unwrap_or(200);
        let end = begin.saturating_add(limit);
        let next_cursor = (end < all.len()).then(|| end.to_string());
        Ok(OperationPage { operations: all.into_iter().skip(begin).take(limit).collect(), next_cursor })
    }

    fn describe(request: DescribeRequest) -> Result<Operation> {
        let wanted = |summary: &OperationSummary| {
            summary.id == request.id && request.kind.is_none_or(|kind| kind == summary.kind)
        };
        let summary = catalogue().into_iter().find(wanted).ok_or_else(|| unknown(&request.id))?;
        let note = json!({ "id": "note_1", "text": "Buy milk" });
        let (input, sample_input, output, sample_output) = match summary.kind {
            OperationKind::Action => (
                json!({ "type": "object", "required": ["text"], "additionalProperties": false,
                    "properties": { "text": { "type": if damaged(2) { "txt" } else { "string" } } } }),
                if damaged(3) { json!({ "text": 5 }) } else { json!({ "text": "Buy milk" }) },
                json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } }),
                note,
            ),
            OperationKind::Query => (
                json!({ "type": "object", "additionalProperties": false, "properties": { "text": { "type": "string" } } }),
                json!({}),
                json!({ "type": "object", "properties": { "data": { "type": "array" } } }),
                json!({ "data": [note] }),
            ),
            OperationKind::Trigger => {
                let nothing = json!({ "type": "object", "additionalProperties": false });
                (nothing, json!({}), json!({ "type": "object" }), note)
            }
        };
        let mut input = input;
        if let (true, Some(root)) = (damaged(1), input.as_object_mut()) {
            root.insert("anyOf".to_owned(), json!([{ "type": "object" }]));
        }
        Ok(Operation {
            summary,
            aliases: Vec::new(),
            input_schema: input.to_string(),
            output_schema: output.to_string(),
            sample_input: sample_input.to_string(),
            sample_output: sample_output.to_string(),
        })
    }

    fn object_schema(name: String) -> Result<String> {
        Err(error(ErrorKind::UnknownOperation, format!("there is no object {name:?}")))
    }
}

impl exported::actions::Guest for Notes {
    fn run(context: wit::CallContext, operation: String, text: String, _: Vec<wit::File>) -> Result<ActionResult> {
        if operation != CREATE {
            return Err(unknown(&operation));
        }
        input(&context, &text, &["text"], &["text"])?;
        let output = get(&context, "/notes")?.to_string();
        Ok(ActionResult { output, record: None, files: Vec::new(), metadata: metadata(1) })
    }
}

impl exported::queries::Guest for Notes {
    fn run(context: wit::CallContext, operation: String, text: String, _: Option<String>) -> Result<QueryResult> {
        if operation != LIST {
            return Err(unknown(&operation));
        }
        input(&context, &text, &["text"], &[])?;
        let output = get(&context, "/notes")?.to_string();
        Ok(QueryResult { output, records: Vec::new(), files: Vec::new(), next_cursor: None, metadata: metadata(1) })
    }
}

fn event() -> Event {
    let triggers = if damaged(11) { Vec::new() } else { vec![CREATED.to_owned()] };
    Event {
        id: "event_1".to_owned(),
        event_type: CREATED.to_owned(),
        triggers,
        occurred_at: 1_800_000_000,
        mode: Mode::Test,
        account: None,
        api_version: Some("1".to_owned()),
        payload: json!({ "id": "event_1", "note": { "id": "note_1", "text": "Buy milk" } }).to_string(),
        complete: true,
        record: Some(ResourceRecord {
            resource: "note".to_owned(),
            internal: "note".to_owned(),
            id: "note_1".to_owned(),
            title: "Buy milk".to_owned(),
            url: None,
            fields: json!({ "text": "Buy milk" }).to_string(),
        }),
        extras: Vec::new(),
    }
}

fn no_webhooks() -> Error {
    error(ErrorKind::Rejected, "the service delivers nothing; poll in its place")
}

impl exported::triggers::Guest for Notes {
    fn receive(_: wit::CallContext, _: Option<String>, _: Vec<TriggerUse>, _: WebhookRequest) -> Result<Receipt> {
        if damaged(12) {
            return Ok(Receipt { events: vec![event()], ignored: Vec::new(), response: None });
        }
        Err(error(ErrorKind::Signature, "the service signs nothing, so nothing is genuine"))
    }

    fn load(_: wit::CallContext, _: Vec<TriggerUse>, _: String) -> Result<Event> {
        Err(error(ErrorKind::InvalidInput, "no event of the service is thin"))
    }

    fn subscribe(_: wit::CallContext, _: SubscriptionRequest) -> Result<Subscription> {
        Err(no_webhooks())
    }

    fn renew(_: wit::CallContext, _: String) -> Result<Subscription> {
        Err(no_webhooks())
    }

    fn unsubscribe(_: wit::CallContext, _: String, _: Option<Vec<String>>) -> Result<Unsubscribed> {
        Ok(Unsubscribed { state: None, event_types: Vec::new(), metadata: metadata(0) })
    }

    fn poll(context: wit::CallContext, _: Vec<TriggerUse>, cursor: Option<String>) -> Result<PollResult> {
        get(&context, "/events")?;
        let cursor = cursor.unwrap_or_else(|| "0".to_owned());
        Ok(PollResult { events: Vec::new(), cursor, has_more: false, metadata: metadata(1) })
    }

    fn recent(context: wit::CallContext, _: TriggerUse, _: u32) -> Result<RecentEvents> {
        get(&context, "/events")?;
        Ok(RecentEvents { events: Vec::new(), metadata: metadata(1) })
    }

    fn sample(trigger: String) -> Result<Event> {
        if trigger == CREATED { Ok(event()) } else { Err(unknown(&trigger)) }
    }
}

impl exported::resources::Guest for Notes {
    fn list() -> Vec<ResourceType> {
        vec![ResourceType {
            name: "note".to_owned(),
            internal: "note".to_owned(),
            title: "Note".to_owned(),
            id_prefixes: vec!["note_".to_owned()],
            mapping: vec![FieldMapping {
                internal: "text".to_owned(),
                external: "text".to_owned(),
                kind: ValueKind::Text,
            }],
            has_choices: false,
            choices_need: Vec::new(),
            operations: vec![CREATED.to_owned(), CREATE.to_owned(), LIST.to_owned()],
        }]
    }

    fn resolve(id: String) -> Option<String> {
        id.starts_with("note_").then(|| "note".to_owned())
    }

    fn choices(_: wit::CallContext, request: ChoiceRequest) -> Result<ChoicePage> {
        Err(error(ErrorKind::InvalidInput, format!("{:?} has no choices", request.resource)))
    }
}
