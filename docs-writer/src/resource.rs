//! The page of a resource.

use std::fmt::Write;

use stripe_connector::catalogue::{self, Mapping, Operation, Resource, Trigger};

use crate::markdown::{code, codes, slug, table, text};
use crate::place::TRIGGERS;
use crate::problem::Problem;
use crate::{operation, place};

/// How many event types without a trigger are named.
const MOST_EVENTS: usize = 20;

/// What there is to know about a resource.
pub fn page(resource: Resource<'static>) -> Result<String, Problem> {
    let all = catalogue::table()?;
    let operations: Vec<Operation> = all
        .operations()
        .iter()
        .filter(|entry| entry.resource() == resource.name())
        .filter_map(Operation::curated)
        .collect();
    let mut out = head(resource);
    if !operations.is_empty() {
        out.push_str("\n## Operations\n\n");
        out.push_str(&contents(&operations));
        out.push('\n');
        for operation in operations {
            out.push_str(&operation::section(operation)?);
        }
    } else {
        out.push('\n');
    }
    out.push_str(&triggers(resource)?);
    let mapping = table(
        ["the platform's field", "kind", "Stripe's field", "in older versions"],
        resource.mapping().iter().map(mapped),
    );
    if !mapping.is_empty() {
        let _ = write!(
            out,
            "## Mapping\n\nWhat of Stripe's object the platform reads, and under which names.\n\n{mapping}"
        );
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    Ok(out)
}

/// What is written by a machine says so, and from what.
pub fn notice(from: &str) -> String {
    format!("<!-- Written by `cargo xtask docs` from {from}: change that, not this. -->\n\n")
}

fn head(resource: Resource<'_>) -> String {
    let source = format!("catalogue/{}.toml", resource.name());
    let mut out = notice(&source);
    let _ = write!(out, "# {}\n\n", text(resource.title()));
    let _ = writeln!(out, "- To the platform: {}", code(resource.internal()));
    let prefixes = codes(resource.id_prefixes().iter().filter(|prefix| !prefix.is_empty()), usize::MAX);
    if !prefixes.is_empty() {
        let _ = writeln!(out, "- Ids begin with {prefixes}");
    }
    let _ = writeln!(out, "- Stripe's object: {}", code(resource.object()));
    if let Some(request) = resource.choices() {
        let _ =
            write!(out, "- Drop-downs list it by {}", code(&format!("{} {}", request.method().name(), request.path())));
        let need = codes(resource.choices_need(), usize::MAX);
        out.push_str(&if need.is_empty() { "\n".to_owned() } else { format!(", once {need} is known\n") });
        let _ = writeln!(out, "- Shown there as the first of {} with a value", codes(resource.label(), usize::MAX));
    }
    if resource.search().is_some() {
        let _ = writeln!(out, "- Searched by {}", codes(resource.search_fields(), usize::MAX));
    }
    let _ = writeln!(out, "- Said in [{}](../../{source})", code(&source));
    out
}

fn contents(operations: &[Operation]) -> String {
    let rows = operations.iter().map(|operation| {
        let title = operation.title();
        let link = format!("[{}](#{})", text(&title), slug(&title));
        [
            link,
            code(operation.id()),
            operation.kind().name().to_owned(),
            operation::safety(operation.safety()).to_owned(),
        ]
    });
    table(["operation", "id", "kind", "how careful"], rows)
}

fn triggers(resource: Resource<'static>) -> Result<String, Problem> {
    let all = catalogue::table()?;
    let rows: Vec<_> = all.triggers().iter().filter(|trigger| trigger.resource() == resource.name()).collect();
    let has_trigger = |event: &str| !all.triggers_of_event(event).is_empty();
    let others: Vec<&str> = all
        .events()
        .iter()
        .filter(|event| event.object() == Some(resource.object()) && !has_trigger(event.name()))
        .map(|event| event.name())
        .collect();
    let mut out = String::new();
    if !rows.is_empty() {
        let _ = write!(out, "## {TRIGGERS}\n\n");
        out.push_str(&table(
            ["trigger", "id", "when", "event", "also found as"],
            rows.into_iter().map(Trigger::Curated).map(trigger),
        ));
        out.push('\n');
    }
    if !others.is_empty() {
        let _ = write!(
            out,
            "Event types about it that are triggers by their names alone: {}.\n\n",
            codes(others, MOST_EVENTS)
        );
    }
    Ok(out)
}

fn trigger(trigger: Trigger) -> [String; 5] {
    [
        text(&trigger.title()),
        code(&trigger.id()),
        text(&trigger.description()),
        codes(trigger.events().into_iter().map(|event| event.name()), usize::MAX),
        codes(trigger.aliases().iter().map(String::as_str), usize::MAX),
    ]
}

fn mapped(mapping: Mapping<'_>) -> [String; 4] {
    let mut paths = mapping.paths().iter();
    let now = paths.next().map(code).unwrap_or_default();
    [code(mapping.internal()), mapping.kind().name().to_owned(), now, codes(paths, usize::MAX)]
}

/// One line of the list of all resources.
pub fn line(resource: Resource<'static>) -> Result<[String; 5], Problem> {
    let all = catalogue::table()?;
    let operations = all.operations().iter().filter(|entry| entry.resource() == resource.name()).count();
    let triggers = all.triggers().iter().filter(|trigger| trigger.resource() == resource.name()).count();
    let count = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    Ok([
        place::Page::Top.link(resource),
        code(resource.internal()),
        codes(resource.id_prefixes().iter().filter(|prefix| !prefix.is_empty()), usize::MAX),
        count(operations),
        count(triggers),
    ])
}
