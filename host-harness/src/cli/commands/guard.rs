//! `guard`: what the guard would say to a call, and by which rule; and a whole file to begin with.

use guard::{EXAMPLE, Explained, Outgoing, Verdict};
use host::contract::{DescribeRequest, OperationKind};
use serde::Serialize;

use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::options::input;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{BAD, CARE, GOOD, Terminal, one_line, paint};

const AFTER: &str = "\
Nothing is changed, and nothing is written to the audit log. With an input, the verdict is the one that `call` would get:
the request is made and judged, and objects that it depends on are read. Without one, it is the verdict by the name alone.";

#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Say what the guard would say to a call, and by which rule
    #[command(after_help = AFTER)]
    Explain(Explain),
    /// Print a whole guard's file, to begin with
    Example,
}

#[derive(clap::Args)]
struct Explain {
    /// The operation's id or an alias
    operation: String,
    /// The input: JSON, @FILE, or - for standard input
    #[arg(short, long, value_name = "JSON")]
    input: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    verdict: &'static str,
    operation: &'a str,
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
    money: Vec<String>,
    request: Option<&'a Outgoing>,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    let Command::Explain(explain) = &arguments.command else {
        return EXAMPLE.lines().try_for_each(|line| Ok(terminal.line(line)?));
    };
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    if connector.policy().is_none() {
        let hint =
            format!("Name a file with --guard, or write {}: `harness guard example` prints one.", guarding::DEFAULT);
        return Err(Failure::usage("there is no guard").hint(hint));
    }
    let call = link.fresh_call()?;
    let operation = &explain.operation;
    let explained = match &explain.input {
        None => watch("Asking the guard", connector.explain_name(&call, operation)).await?,
        Some(given) => {
            let input = input::read(given, manifest.limits.input)?;
            let described = connector.describe_operation(DescribeRequest::shown(operation)).await?.value;
            let is_action = described.summary.kind == OperationKind::Action;
            watch("Asking the guard", connector.explain(&call, operation, &input, is_action)).await?
        }
    };
    show(terminal, &explained, explain.input.is_some())
}

fn show(terminal: &mut Terminal, explained: &Explained, with_input: bool) -> Result<(), Failure> {
    let Explained { subject, ruling, request } = explained;
    let (reason, fix) = match &ruling.verdict {
        Verdict::Deny { reason, fix } => (Some(reason.as_str()), Some(fix.as_str())),
        Verdict::Ask { reason } => (Some(reason.as_str()), None),
        Verdict::Allow | Verdict::DryRun => (None, None),
    };
    let money: Vec<String> = ruling.spends.iter().map(ToString::to_string).collect();
    let (verdict, rule) = (ruling.verdict.name(), ruling.rule.to_string());
    if terminal.json {
        let request = request.as_deref();
        return Ok(terminal.document(&Told { verdict, operation: &subject.id, rule, reason, fix, money, request })?);
    }
    let style = match ruling.verdict {
        Verdict::Allow => GOOD,
        Verdict::Ask { .. } | Verdict::DryRun => CARE,
        Verdict::Deny { .. } => BAD,
    };
    terminal.line(format_args!("{}  {}", paint(style, verdict), one_line(&subject.id)))?;
    let mut row = |name: &str, text: &str| terminal.row(8, name, text);
    row("rule", &rule)?;
    reason.map_or(Ok(()), |reason| row("why", reason))?;
    fix.map_or(Ok(()), |fix| row("to do", fix))?;
    if !money.is_empty() {
        row("moves", &money.join(", "))?;
    }
    if let Some(request) = request {
        row("request", &format!("{} {}", request.method, request.url))?;
    }
    if !with_input && !matches!(ruling.verdict, Verdict::Deny { .. }) {
        terminal.note("by its name alone; with --input its money and its customer are judged as well");
    }
    Ok(())
}
