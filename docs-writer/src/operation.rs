//! The section of an action or query.

use std::fmt::Write;

use serde_json::Value;
use stripe_connector::catalogue::{self, Alias, Entry, Operation, Safety, Shape};
use stripe_connector::describe::{Description, Wanted, describe};
use stripe_connector::permission;
use stripe_connector::schema::Degree;

use crate::markdown::{block, code, codes, text};
use crate::place::Page;
use crate::problem::Problem;
use crate::{field, kind};

/// How many of the fields that are not shown are named.
const MOST_FURTHER: usize = 12;

/// What is told of an operation of a resource.
pub fn section(operation: Operation) -> Result<String, Problem> {
    let page = Page::OfResource;
    let id = operation.id();
    let described = describe(Wanted { kind: Some(operation.kind()), ..wanted(id) })?;
    let schema = json(id, &described.input_schema)?;
    let mut out = format!(
        "### {}\n\n{} · {} · {}\n\n{}\n\n",
        text(&operation.title()),
        code(id),
        operation.kind().name(),
        safety(operation.safety()),
        text(&operation.description()),
    );
    if !operation.inverse().is_empty() {
        let inverse = catalogue::entry(operation.inverse(), None)?;
        let _ = writeln!(out, "- Taken back by [{}]({})", code(&inverse.id()), page.to_entry(inverse));
    }
    let (with_own_fields, aliases): (Vec<_>, Vec<_>) =
        described.aliases.iter().map(String::as_str).partition(|name| renamed(operation, name).is_some());
    if !aliases.is_empty() {
        let _ = writeln!(out, "- Also found as {}", codes(aliases, usize::MAX));
    }
    let _ = writeln!(out, "- Sends {}", code(&request(operation)));
    out.push_str(&answer(operation, page));
    for need in permission::least(&[id.to_owned()])? {
        if let Some(grant) = need.grant() {
            let _ = writeln!(out, "- A restricted key needs {} ({})", text(&need.title()), code(&grant));
        }
    }
    out.push('\n');
    out.push_str(&input(id, &described, &schema, page)?);
    for alias in with_own_fields.into_iter().filter_map(|name| renamed(operation, name)) {
        out.push_str(&own_fields(alias)?);
    }
    Ok(out)
}

/// What an operation takes, with the sample.
pub fn input(id: &str, described: &Description, schema: &Value, page: Page) -> Result<String, Problem> {
    let fields = field::table(schema, page);
    let mut out = if fields.is_empty() { "It takes nothing.\n".to_owned() } else { fields };
    out.push('\n');
    out.push_str(&field::groups(schema));
    let further = further(described.entry, schema);
    if !further.is_empty() {
        let _ = write!(out, "Further fields: {}", codes(further.iter().copied(), MOST_FURTHER));
        let _ = write!(out, " ({}).\n\n", code(&format!("harness describe {id} --full")));
    }
    out.push_str("A sample input:\n\n");
    out.push_str(&sample(id, &described.sample_input)?);
    out.push('\n');
    Ok(out)
}

/// What to describe: the fields that a form shows first.
pub fn wanted(id: &str) -> Wanted<'_> {
    Wanted { id, kind: None, degree: Degree::Shown, input: None }
}

/// JSON that the connector wrote.
pub fn json(id: &str, written: &str) -> Result<Value, Problem> {
    serde_json::from_str(written).map_err(|source| Problem::NotJson { id: id.to_owned(), source })
}

/// How careful one has to be with an operation.
pub fn safety(safety: Safety) -> &'static str {
    match safety {
        Safety::Read => "only reads",
        Safety::Create => "creates",
        Safety::Change => "changes",
        Safety::MoveMoney => "**may move money**",
        Safety::Destroy => "**ends or removes for good**",
    }
}

fn sample(id: &str, written: &str) -> Result<String, Problem> {
    let pretty = serde_json::to_string_pretty(&json(id, written)?);
    Ok(block("json", &pretty.map_err(|source| Problem::NotJson { id: id.to_owned(), source })?))
}

/// The input fields that the schema does not tell, but for the one that nearly all operations have.
fn further(entry: Entry, schema: &Value) -> Vec<&'static str> {
    let Entry::Operation(operation) = entry else { return Vec::new() };
    let is_told = |name: &str| {
        schema.get("properties").is_some_and(|properties| properties.get(name).is_some())
            || kind::list(schema, "x-files").any(|file| kind::text(file, "field") == Some(name))
    };
    let mut names = operation.input_names();
    names.retain(|name| *name != "expand" && !is_told(name));
    names
}

/// The request that it sends, its placeholders called as the input fields that fill them.
fn request(operation: Operation) -> String {
    let request = operation.request();
    let mut fields = operation.path_fields().into_iter();
    let segments = request.path().split('/').map(|segment| match segment.starts_with('{') {
        true => fields.next().map_or_else(|| segment.to_owned(), |field| format!("{{{field}}}")),
        false => segment.to_owned(),
    });
    format!("{} {}", request.method().name(), segments.collect::<Vec<_>>().join("/"))
}

fn answer(operation: Operation, page: Page) -> String {
    let Some(object) = operation.answers_with() else {
        let binary = operation.request().binary();
        return if binary { "- Answers with a file\n".to_owned() } else { String::new() };
    };
    let resource = catalogue::table().ok().and_then(|table| table.resource_of_object(object));
    let what = resource.map_or_else(|| code(object), |resource| page.link(resource));
    let many = matches!(operation.request().response(), Shape::List(_) | Shape::Search(_) | Shape::Pages(_));
    format!("- Answers with {}{what}\n", if many { "a page of: " } else { "" })
}

fn renamed(operation: Operation, name: &str) -> Option<Alias<'static>> {
    let alias = catalogue::table().ok()?.alias(name)?;
    (alias.operation() == operation.id() && alias.kind() == operation.kind()).then_some(alias)
}

/// A name under which the operation's fields have other names.
fn own_fields(alias: Alias<'_>) -> Result<String, Problem> {
    let arrows = |pairs: Vec<(&str, &str)>| {
        let arrow = |(own, place): &(&str, &str)| match own == place {
            true => code(own),
            false => format!("{} (for {})", code(own), code(place)),
        };
        pairs.iter().map(arrow).collect::<Vec<_>>().join(", ")
    };
    let mut does = Vec::new();
    if !alias.inputs().is_empty() {
        does.push(format!("it takes {}", arrows(alias.inputs().iter().collect())));
    }
    if !alias.filters().is_empty() {
        does.push(format!("it chooses by {}", arrows(alias.filters().iter().collect())));
    }
    if !alias.key().is_empty() {
        does.push(format!("it takes an idempotency key as {}", code(alias.key())));
    }
    if !alias.outputs().is_empty() {
        does.push(format!("it answers {}", arrows(alias.outputs().iter().collect())));
    }
    Ok(format!(
        "{} is another name of it with fields of its own: {}. The other fields are as above. A sample input:\n\n{}\n",
        code(alias.name()),
        does.join("; "),
        sample(alias.name(), &alias.sample())?,
    ))
}
