//! `call`: one action or query. Standard output has its result as JSON and nothing else.
//!
//! Whether the input is right is the connector's to say, so that every platform and this command line give the same
//! answer; here only what cannot be read at all is refused.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use host_harness::contract::{OperationKind, ToJson};
use host_harness::{Connector, Invocation};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::arguments::Options;
use crate::cli::connecting::Link;
use crate::cli::failure::Failure;
use crate::cli::json::Json;
use crate::cli::loading;
use crate::cli::progress::watch;
use crate::cli::terminal::{Terminal, one_line};
use crate::cli::values::duration;

const AFTER: &str = "\
Prints what the service answered, as JSON. With --json it prints an envelope: `output`, `record` or `records` (in the
platform's terms), `next_cursor`, `metadata` and `report`. With --all it prints one object of the list a line; with
--all --json one envelope, a page, a line.";

#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// The operation's id or an alias
    operation: String,
    /// The input: JSON, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// Where the page of a list begins: the cursor of the page before
    #[arg(long)]
    cursor: Option<String>,
    /// All pages of a list
    #[arg(long)]
    all: bool,
    /// Which run of the step it is: the same id never does the same thing twice
    #[arg(long, value_name = "ID")]
    invocation_id: Option<String>,
    /// An idempotency key of your own in place of the derived one
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// How long the call may take, retries included: 30s, 500ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let input = read_input(&arguments.input, manifest.limits.input)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    let operation = connector.describe_operation(&arguments.operation, None).await?.value.summary;
    match operation.kind {
        OperationKind::Action => {
            if arguments.all || arguments.cursor.is_some() {
                return Err(Failure::usage(format!("`{}` is an action: it has no pages", operation.id)));
            }
            action(&connector, &link, terminal, arguments, &input).await
        }
        OperationKind::Query => query(&connector, &link, terminal, arguments, &input).await,
        OperationKind::Trigger => {
            let hint = "`harness sample` prints an event of it, `harness serve` and `harness poll` receive them.";
            Err(Failure::usage(format!("`{}` is a trigger: it cannot be called", operation.id)).hint(hint))
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Envelope<'a> {
    operation: &'a str,
    kind: &'static str,
    output: Json,
    #[serde(flatten)]
    records: serde_json::Map<String, Value>,
    metadata: Value,
    report: Value,
}

async fn action(
    connector: &Connector,
    link: &Link,
    terminal: &mut Terminal,
    arguments: &Arguments,
    input: &str,
) -> Result<(), Failure> {
    let call = link.call(invocation(arguments)?);
    let running = connector.run_action(&call, &arguments.operation, input);
    let reply = watch(&format!("Running {}", arguments.operation), running).await?;
    let output = Json::of(&reply.value.output);
    if !terminal.json {
        return terminal.document(&output);
    }
    let mut records = serde_json::Map::new();
    records.insert("record".to_owned(), reply.value.record.to_json());
    terminal.document(&Envelope {
        operation: &arguments.operation,
        kind: "action",
        output,
        records,
        metadata: reply.value.metadata.to_json(),
        report: json!(reply.report),
    })
}

async fn query(
    connector: &Connector,
    link: &Link,
    terminal: &mut Terminal,
    arguments: &Arguments,
    input: &str,
) -> Result<(), Failure> {
    let mut cursor = arguments.cursor.clone();
    loop {
        let call = link.call(invocation(arguments)?);
        let running = connector.run_query(&call, &arguments.operation, input, cursor.as_deref());
        let reply = watch(&format!("Running {}", arguments.operation), running).await?;
        let (page, report) = (reply.value, json!(reply.report));
        let output = Json::of(&page.output);
        let next = page.next_cursor.clone();
        if terminal.json {
            let mut records = serde_json::Map::new();
            records.insert("records".to_owned(), page.records.to_json());
            records.insert("next_cursor".to_owned(), page.next_cursor.to_json());
            let operation = arguments.operation.as_str();
            let metadata = page.metadata.to_json();
            let envelope = Envelope { operation, kind: "query", output, records, metadata, report };
            if arguments.all { terminal.json_line(&envelope)? } else { terminal.document(&envelope)? }
        } else if arguments.all {
            match output.get("data").and_then(Json::list) {
                Some(objects) => objects.iter().try_for_each(|object| terminal.json_line(object))?,
                None => terminal.json_line(&output)?,
            }
        } else {
            terminal.document(&output)?;
        }
        match next {
            // A cursor that leads to itself would never end.
            Some(next) if arguments.all && cursor.as_deref() != Some(&next) => cursor = Some(next),
            Some(next) if !arguments.all => {
                if !terminal.json {
                    terminal.note(format_args!("there is more: --cursor {}, or --all", one_line(&next)));
                }
                return Ok(());
            }
            _ => return Ok(()),
        }
    }
}

fn invocation(arguments: &Arguments) -> Result<Invocation, Failure> {
    let mut invocation = match &arguments.invocation_id {
        Some(id) => Invocation::new(id),
        None => Invocation::fresh()?,
    };
    invocation.idempotency_key.clone_from(&arguments.idempotency_key);
    invocation.timeout = arguments.timeout;
    Ok(invocation)
}

/// The input's text. What is far over the connector's limit is not even read to its end.
fn read_input(given: &str, limit: usize) -> Result<String, Failure> {
    let (name, source): (String, Box<dyn Read>) = match given.strip_prefix('@') {
        _ if given == "-" => ("standard input".to_owned(), Box::new(std::io::stdin())),
        Some(path) => {
            let file = File::open(Path::new(path))
                .map_err(|error| Failure::usage(format!("the input file {path} cannot be read: {error}")))?;
            (path.to_owned(), Box::new(file))
        }
        None => return Ok(given.to_owned()),
    };
    let most = limit.saturating_mul(16);
    let mut bytes = Vec::new();
    let read = source.take(most as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
    if bytes.len() > most {
        let (size, limit) = (most / 1024, limit / 1024);
        return Err(Failure::usage(format!("{name} is over {size} KiB; an input has at most {limit} KiB")));
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{name} is not text in UTF-8")))
}
