//! `call`: one action or query. Standard output has its result as JSON and nothing else.
//!
//! A run that ended in doubt is run again by its id, with what was known of it: the failure says with which flags.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use guard::{Guarded, Outgoing, Stopped};
use host::contract::{DescribeRequest, Embedded, File, OperationKind, ResourceRecord, ResultMetadata};
use host::{CallReport, History, Invocation};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::pages::Pages;
use crate::cli::calling::{Consent, Try, permitted, watch};
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::values::{duration, moment};
use crate::cli::options::{download, input, upload};
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{Terminal, one_line};
use crate::cli::wording;

const AFTER: &str = "\
Prints what the service answered, as JSON. With --json it prints an envelope: `output`, `record` or `records` (in the
platform's terms), `next_cursor`, `files` (without their bytes), `metadata` and `report`. With --all it prints one object
of the list a line; with --all --json one envelope, a page, a line.

Where the answer never came, the same run can be run again: the same --invocation-id, with --in-doubt-since as the failure
prints it. Without the latter, an answer that says nothing of the first try would read as if nothing had been done.";

/// A million objects, in the largest pages that services give.
const MOST_PAGES: u32 = 10_000;

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
    /// So many pages at most, with --all
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_PAGES, requires = "all")]
    most_pages: u32,
    /// A file that fills a field of the input; can be given again, 16 MiB in all
    #[arg(long = "file", value_name = "FIELD=PATH", value_parser = upload::named)]
    files: Vec<upload::Named>,
    #[command(flatten)]
    target: download::Target,
    /// Which run of the step it is: the same id never does the same thing twice
    #[arg(long, value_name = "ID")]
    invocation_id: Option<String>,
    /// An earlier try of this run, begun then, may have been done: its answer was lost
    #[arg(long, value_name = "TIME", value_parser = moment, requires = "invocation_id")]
    in_doubt_since: Option<SystemTime>,
    /// How many tries of this run there were before
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "in_doubt_since")]
    tries: u32,
    /// An idempotency key of your own in place of the derived one
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Show what would be sent, and send nothing; what an operation reads first is read
    #[arg(long, conflicts_with = "all")]
    dry_run: bool,
    /// Agree to what the guard asks about
    #[arg(long)]
    yes: bool,
    /// How long the call may take, retries included: 30s, 500ms, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let input = input::read(&arguments.input, manifest.limits.input)?;
    let files = upload::read(&arguments.files)?;
    arguments.target.check()?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = match arguments.dry_run {
        true => guarding::rehearsing(options, terminal, &manifest, &link).await?,
        false => guarding::load(options, terminal, &manifest, &link).await?,
    };
    let operation = connector.describe_operation(DescribeRequest::shown(&arguments.operation)).await?.value.summary;
    match operation.kind {
        OperationKind::Action => {
            if arguments.all || arguments.cursor.is_some() {
                return Err(Failure::usage(format!("`{}` is an action: it has no pages", operation.id)));
            }
            action(&connector, &link, terminal, arguments, &input, files).await
        }
        OperationKind::Query => {
            if !files.is_empty() {
                return Err(Failure::usage(format!("`{}` is a query: it takes no file", operation.id)));
            }
            query(&connector, &link, terminal, arguments, &input).await
        }
        OperationKind::Trigger => {
            let hint = "`harness sample` prints an event of it, `harness serve` and `harness poll` receive them.";
            Err(Failure::usage(format!("`{}` is a trigger: it cannot be called", operation.id)).hint(hint))
        }
    }
}

impl Arguments {
    fn consent(&self) -> Consent {
        if self.yes { Consent::Given } else { Consent::Asked }
    }
}

/// What a dry run prints.
#[derive(Serialize)]
struct Rehearsed<'a> {
    dry_run: bool,
    operation: &'a str,
    request: Option<&'a Outgoing>,
}

fn rehearsed(terminal: &mut Terminal, operation: &str, request: Option<&Outgoing>) -> Result<(), Failure> {
    Ok(terminal.document(&Rehearsed { dry_run: true, operation, request })?)
}

/// What `--json` prints.
#[derive(Serialize)]
struct Envelope<'a> {
    operation: &'a str,
    kind: &'static str,
    output: Embedded<'a>,
    #[serde(flatten)]
    mapped: Mapped<'a>,
    files: Vec<Attached<'a>>,
    metadata: &'a ResultMetadata,
    report: &'a CallReport,
}

/// What the answer is in the platform's terms.
#[derive(Serialize)]
#[serde(untagged)]
enum Mapped<'a> {
    One { record: &'a Option<ResourceRecord> },
    Page { records: &'a [ResourceRecord], next_cursor: Option<&'a str> },
}

/// A file of the answer, and where it is now.
#[derive(Serialize)]
struct Attached<'a> {
    #[serde(flatten)]
    file: &'a File,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

async fn action(
    connector: &Guarded,
    link: &Link,
    terminal: &mut Terminal,
    arguments: &Arguments,
    input: &str,
    files: Vec<File>,
) -> Result<(), Failure> {
    let call = link.call(invocation(arguments)?);
    let verdict = connector.permit_action(&call, &arguments.operation, input, files);
    let permit = match permitted(terminal, arguments.consent(), verdict).await {
        Err(Stopped::DryRun { operation, request }) => return rehearsed(terminal, &operation, request.as_deref()),
        decided => decided?,
    };
    let step = Try::of_step(terminal, &arguments.operation, &call.invocation);
    let running = connector.run_action(permit);
    let reply = step.watch(terminal, &format!("Running {}", arguments.operation), running).await?;
    // From here on it was done, whatever becomes of its result.
    let done = reply.value;
    let known = step.done(&done.metadata, done.record.as_ref());
    let written = Written::of(&done.files, &arguments.target);
    let output = Embedded(&done.output);
    let shown = if terminal.json {
        terminal.document(&Envelope {
            operation: &arguments.operation,
            kind: "action",
            output,
            mapped: Mapped::One { record: &done.record },
            files: written.attached(&done.files),
            metadata: &done.metadata,
            report: &reply.report,
        })
    } else {
        terminal.document(&output)
    };
    known.shown(shown)?;
    written.tell(terminal, &done.files).map_err(|failure| known.but(&failure.to_string()))
}

async fn query(
    connector: &Guarded,
    link: &Link,
    terminal: &mut Terminal,
    arguments: &Arguments,
    input: &str,
) -> Result<(), Failure> {
    let mut cursor = arguments.cursor.clone();
    let mut pages = Pages::new(arguments.most_pages);
    loop {
        let call = link.call(invocation(arguments)?);
        let verdict = connector.permit_query(&call, &arguments.operation, input, cursor.as_deref());
        let permit = match permitted(terminal, arguments.consent(), verdict).await {
            Err(Stopped::DryRun { operation, request }) => return rehearsed(terminal, &operation, request.as_deref()),
            decided => decided?,
        };
        let reply = watch(&format!("Running {}", arguments.operation), connector.run_query(permit)).await?;
        let page = reply.value;
        let written = Written::of(&page.files, &arguments.target);
        let output = Embedded(&page.output);
        if terminal.json {
            let envelope = Envelope {
                operation: &arguments.operation,
                kind: "query",
                output,
                mapped: Mapped::Page { records: &page.records, next_cursor: page.next_cursor.as_deref() },
                files: written.attached(&page.files),
                metadata: &page.metadata,
                report: &reply.report,
            };
            if arguments.all { terminal.json_line(&envelope)? } else { terminal.document(&envelope)? }
        } else if arguments.all {
            match items(&page.output) {
                Some(objects) => objects.iter().try_for_each(|object| terminal.json_line(object))?,
                None => terminal.json_line(&output)?,
            }
        } else {
            terminal.document(&output)?;
        }
        written.tell(terminal, &page.files)?;
        match page.next_cursor {
            Some(next) if arguments.all => cursor = Some(pages.after(cursor.as_deref(), next)?),
            Some(next) => {
                if !terminal.json {
                    terminal.note(format_args!("there is more: --cursor {}, or --all", wording::shell_word(&next)));
                }
                return Ok(());
            }
            None => return Ok(()),
        }
    }
}

/// The objects of a page.
fn items(page: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Page<'a> {
        #[serde(borrow)]
        data: Vec<&'a RawValue>,
    }
    serde_json::from_str::<Page<'_>>(page).ok().map(|page| page.data)
}

/// What became of the files of an answer. The answer itself is shown in any case: it may be the proof of a payment.
struct Written {
    paths: Vec<Option<PathBuf>>,
    failure: Option<Failure>,
}

impl Written {
    fn of(files: &[File], target: &download::Target) -> Self {
        let mut written = Self { paths: Vec::new(), failure: None };
        for file in files {
            match target.write(file, files.len()) {
                Ok(path) => written.paths.push(path),
                Err(failure) => {
                    written.failure = Some(failure);
                    break;
                }
            }
        }
        written
    }

    fn attached<'a>(&self, files: &'a [File]) -> Vec<Attached<'a>> {
        let paths = self.paths.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        let path = |path: &PathBuf| path.display().to_string();
        files.iter().zip(paths).map(|(file, at)| Attached { file, path: at.map(path) }).collect()
    }

    /// Says where they are, and what went wrong.
    fn tell(self, terminal: &mut Terminal, files: &[File]) -> Result<(), Failure> {
        let told = if terminal.json { &[] } else { files };
        for (file, path) in told.iter().zip(&self.paths) {
            let about = format!(
                "{} ({}, {})",
                one_line(&file.name),
                one_line(&file.content_type),
                wording::bytes(file.content.len())
            );
            match path {
                Some(path) => terminal.note(format_args!("{about} is in {}", path.display())),
                None => terminal.note(format_args!("the answer has the file {about}: --output-file writes it")),
            }
        }
        self.failure.map_or(Ok(()), Err)
    }
}

fn invocation(arguments: &Arguments) -> Result<Invocation, Failure> {
    let mut invocation = match &arguments.invocation_id {
        Some(id) => Invocation::new(id),
        None => Invocation::fresh()?,
    };
    invocation.idempotency_key.clone_from(&arguments.idempotency_key);
    invocation.timeout = arguments.timeout;
    let tries = arguments.tries;
    invocation.history = arguments.in_doubt_since.map(|since| History { tries, ..History::in_doubt_since(since) });
    Ok(invocation)
}
