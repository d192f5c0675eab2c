//! `inspect`: what a component is, what it asks for and what it gets, before anything of it runs.

use host::egress::Rule;
use host::manifest::FieldKind;
use host::{CompiledFrom, ComponentFacts, Connector};
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::loading;
use crate::cli::terminal::{STRONG, Terminal, Tone, one_line, paint};
use crate::cli::wording;

pub fn run(options: &Options, terminal: &mut Terminal) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::given(options, terminal, &manifest)?;
    let connector = loading::load(options, &manifest, &link.grants)?;
    if terminal.json {
        return Ok(terminal.document(&document(&connector, &link))?);
    }
    let facts = connector.facts();
    terminal.line(format_args!("{} {}", paint(STRONG, &manifest.title), one_line(&manifest.version)))?;
    if !manifest.description.is_empty() {
        terminal.line(one_line(&manifest.description))?;
    }
    terminal.line("")?;
    let mut row = |name: &str, text: &str| terminal.row(9, name, text);
    row("world", &manifest.world.to_string())?;
    row("API", &manifest.api_version)?;
    row("size", &wording::bytes(facts.size))?;
    row("SHA-256", &facts.sha256)?;
    row("code", &compiled(connector.facts()))?;
    for (index, export) in facts.exports.iter().enumerate() {
        row(if index == 0 { "exports" } else { "" }, export)?;
    }

    terminal.line(format_args!("\n{}", paint(STRONG, "Imports: all granted, and nothing else is")))?;
    let mut imports = facts.imports.clone();
    imports.sort();
    for import in imports {
        terminal.line(format_args!("  {}", one_line(&import)))?;
    }

    terminal.line(format_args!("\n{}", paint(STRONG, "May reach")))?;
    if connector.policy().rules().is_empty() {
        terminal.line("  nothing")?;
    } else {
        let rows = connector.policy().rules().iter().map(|rule| {
            let by = Tone::Dim(granted_by(rule).to_owned());
            vec![Tone::Strong(rule.origin.to_string()), Tone::Plain(rule.methods.to_string()), by]
        });
        terminal.table(&["origin", "methods", "granted by"], rows.collect())?;
    }

    terminal.line(format_args!("\n{}", paint(STRONG, "May use, each call")))?;
    let limits = &manifest.limits;
    let rows = [
        ("memory", wording::bytes(limits.memory)),
        ("computation", wording::duration(limits.cpu)),
        ("time in all", wording::duration(limits.call_timeout)),
        ("until an answer begins", wording::duration(limits.first_byte_timeout)),
        ("pause within an answer", wording::duration(limits.between_bytes_timeout)),
        ("size of an answer", wording::bytes(usize::try_from(limits.response).unwrap_or(usize::MAX))),
        ("size of an input", wording::bytes(limits.input)),
        (
            "size of a file",
            limits.file.map_or_else(
                || "takes none".to_owned(),
                |most| wording::bytes(usize::try_from(most).unwrap_or(usize::MAX)),
            ),
        ),
    ];
    terminal.table(
        &[],
        rows.into_iter().map(|(name, most)| vec![Tone::Dim(name.to_owned()), Tone::Figure(most)]).collect(),
    )?;

    terminal.line(format_args!("\n{}", paint(STRONG, "Connection")))?;
    let fields = manifest.fields.iter().map(|field| {
        let state = match (link.connection.text(&field.name), link.connection.has(&field.name)) {
            (Some(value), _) => Tone::Plain(value.to_owned()),
            (None, true) if field.inject_at_egress => Tone::Good("set; the component sees a placeholder".to_owned()),
            (None, true) => Tone::Good("set".to_owned()),
            (None, false) if field.required => Tone::Care("not set, required".to_owned()),
            (None, false) => Tone::Dim("not set".to_owned()),
        };
        let variable = field.env.clone().unwrap_or_default();
        vec![Tone::Strong(field.name.clone()), Tone::Plain(field.title.clone()), Tone::Dim(variable), state]
    });
    Ok(terminal.table(&["field", "title", "variable", "value"], fields.collect())?)
}

/// Whose decision it is that a request may go there.
fn granted_by(rule: &Rule) -> &'static str {
    if rule.additional { "you, for this run" } else { "its manifest" }
}

/// Where the code came from, and how long that took.
pub fn compiled(facts: &ComponentFacts) -> String {
    let time = wording::duration(facts.compile_time);
    match facts.compiled {
        CompiledFrom::Cache => format!("code from the cache in {time}"),
        CompiledFrom::Fresh => format!("compiled in {time}"),
    }
}

/// The JSON form. Of a secret it says whether it is set.
fn document(connector: &Connector, link: &Link) -> Value {
    let (manifest, facts) = (connector.manifest(), connector.facts());
    let limits = &manifest.limits;
    let milliseconds = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let rules = connector.policy().rules().iter().map(|rule| {
        json!({
            "origin": rule.origin.to_string(),
            "methods": rule.methods.to_string(),
            "private_addresses": rule.private,
            "granted_by": if rule.additional { "operator" } else { "manifest" },
        })
    });
    let fields = manifest.fields.iter().map(|field| {
        let kind = match field.kind {
            FieldKind::Secret => "secret",
            FieldKind::Text => "text",
            FieldKind::Url => "url",
        };
        json!({
            "name": field.name,
            "kind": kind,
            "title": field.title,
            "variable": field.env,
            "required": field.required,
            "set": link.connection.has(&field.name),
            "value": link.connection.text(&field.name),
            "placeholder_in_component": field.inject_at_egress,
        })
    });
    json!({
        "id": manifest.id,
        "title": manifest.title,
        "description": manifest.description,
        "version": manifest.version,
        "world": manifest.world.to_string(),
        "api_version": manifest.api_version,
        "component": {
            "size": facts.size,
            "sha256": facts.sha256,
            "imports": facts.imports,
            "exports": facts.exports,
            "compiled_from": match facts.compiled { CompiledFrom::Cache => "cache", CompiledFrom::Fresh => "fresh" },
            "compile_ms": facts.compile_time.as_secs_f64() * 1e3,
        },
        "egress": rules.collect::<Value>(),
        "limits": {
            "memory_bytes": limits.memory,
            "cpu_ms": milliseconds(limits.cpu),
            "call_timeout_ms": milliseconds(limits.call_timeout),
            "first_byte_timeout_ms": milliseconds(limits.first_byte_timeout),
            "between_bytes_timeout_ms": milliseconds(limits.between_bytes_timeout),
            "response_bytes": limits.response,
            "input_bytes": limits.input,
            "file_bytes": limits.file,
        },
        "environment": link.connection.environment().name(),
        "connection": fields.collect::<Value>(),
    })
}
