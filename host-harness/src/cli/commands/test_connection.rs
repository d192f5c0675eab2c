//! `test-connection`: whether the connection works, whether real money moves, and what a restricted key may do.

use host::contract::{Access, ConnectionReport};

use crate::cli::calling::watch;
use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::{CARE, GOOD, Terminal, Tone, one_line, paint};
use crate::cli::wording;

pub async fn run(options: &Options, terminal: &mut Terminal) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, terminal, &manifest).await?;
    let connector = guarding::load(options, terminal, &manifest, &link).await?;
    let reply = watch("Testing the connection", connector.test_connection(&link.fresh_call()?)).await?;
    let report = reply.value;
    if terminal.json {
        return Ok(terminal.document(&report)?);
    }
    let mode = wording::mode(report.mode);
    let style = if mode == "TEST" { GOOD } else { CARE };
    terminal.line(format_args!("{}", paint(style, format!("Connected, {mode}"))))?;
    let mut row = |name: &str, text: &str| terminal.row(8, name, text);
    row("account", &account(&report))?;
    row("API", &report.api_version)?;
    row("key", if report.restricted { "restricted" } else { "unrestricted: it may do everything" })?;
    if report.permissions.is_empty() {
        return Ok(());
    }
    let rows = report.permissions.into_iter().map(|permission| {
        let access = match permission.access {
            Access::Allowed => Tone::Good("allowed".to_owned()),
            Access::Denied => Tone::Bad("denied".to_owned()),
            Access::Unknown => Tone::Care("unknown".to_owned()),
        };
        let operations = Tone::Dim(wording::some(&permission.operations));
        vec![Tone::Plain(permission.title), access, Tone::Plain(permission.grant.unwrap_or_default()), operations]
    });
    terminal.line("")?;
    Ok(terminal.table(&["permission", "access", "grant", "needed by"], rows.collect())?)
}

/// Whose account it is.
pub fn account(report: &ConnectionReport) -> String {
    let text = match (&report.account_name, &report.account_id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "not readable with this key".to_owned(),
    };
    one_line(&text)
}
