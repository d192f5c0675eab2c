//! The files of `catalogue/` as types, and all sources together: every value that can be wrong keeps its place.
//!
//! A file is a resource, except for the few whose names are below; the file's name is the resource's.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use stripe_table::model::Shape;
use stripe_table::{Rule, Safety};
use toml::Spanned;

use crate::manifest::Manifest;
use crate::named::Named;
use crate::problem::{Problem, Report};
use crate::sources::{FOLDER, MANIFEST, Sources};

/// Names of other tools for operations.
pub const ALIASES: &str = "catalogue/aliases.toml";
/// Meanings that resources inherit.
pub const COMMON: &str = "catalogue/common.toml";
/// What events are about.
pub const EVENTS: &str = "catalogue/events.toml";
/// The hooks that the engine has.
pub const HOOKS: &str = "catalogue/hooks.toml";
/// What numbers are.
pub const KINDS: &str = "catalogue/kinds.toml";
/// What to do about errors.
pub const ERRORS: &str = "catalogue/errors.toml";
/// What restricted keys may be allowed.
pub const PERMISSIONS: &str = "catalogue/permissions.toml";
/// What the facts do not say of requests.
pub const REQUESTS: &str = "catalogue/requests.toml";

const NO_RESOURCES: [&str; 8] = [ALIASES, COMMON, ERRORS, EVENTS, HOOKS, KINDS, PERMISSIONS, REQUESTS];

/// Named entries; [`in_order`] gives them in the order of the file.
pub type Table<T> = BTreeMap<Spanned<String>, T>;

/// Everything that people wrote.
#[derive(Debug)]
pub struct Catalogue {
    pub manifest: Manifest,
    pub aliases: Table<Alias>,
    pub common: Common,
    pub events: Events,
    pub hooks: Table<Hook>,
    pub kinds: Kinds,
    pub errors: Errors,
    pub permissions: Permissions,
    pub requests: Requests,
    /// In the order in which they are listed: by their `order`, and those of one order by name.
    pub resources: Vec<Resource>,
}

/// `aliases.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Aliases {
    aliases: Table<Alias>,
}

/// `common.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    pub fields: Table<FieldText>,
}

/// `events.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    #[serde(default)]
    pub thin: Vec<Spanned<String>>,
    pub objects: Table<Spanned<String>>,
    pub unknown: Table<String>,
}

/// An entry of `hooks.toml`: the requests that a hook knows, and the inputs that it adds, by type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    pub requests: Vec<Spanned<String>>,
    #[serde(default)]
    pub inputs: BTreeMap<String, InputType>,
}

/// `kinds.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kinds {
    pub timestamp: Vec<Spanned<String>>,
    pub amount: Vec<Spanned<String>>,
    pub plain: Spanned<Vec<Spanned<String>>>,
}

/// `errors.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    pub errors: Spanned<Vec<Hint>>,
    pub declines: Vec<Hint>,
    pub messages: Vec<Message>,
    pub exclusives: Vec<Exclusive>,
}

/// A hint for errors of these codes, or for declines for these reasons.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    pub codes: Vec<Spanned<String>>,
    pub hint: Spanned<String>,
}

/// A hint for errors whose message has this in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub has: Spanned<String>,
    pub hint: Spanned<String>,
}

/// Fields of which only one may be given, wherever they stand beside each other, and what decides between them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusive {
    pub fields: Spanned<Vec<String>>,
    pub hint: Spanned<String>,
}

/// `permissions.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    pub unknown: Vec<Spanned<String>>,
    pub permissions: Vec<Permission>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    pub name: Spanned<String>,
    pub title: String,
    pub paths: Vec<Spanned<String>>,
    pub probe: Option<Spanned<String>>,
    pub triggers: Option<Level>,
}

/// How much of a permission is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Read,
    Write,
}

/// `requests.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    pub bases: Table<Spanned<String>>,
    pub ids: Spanned<Table<Spanned<String>>>,
    pub read_only: Table<String>,
    pub answers: Spanned<Table<AnswerKind>>,
    pub uploads: Spanned<Table<Spanned<String>>>,
}

/// What an answer is that the facts say nothing of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    Binary,
    Json,
}

/// A resource and its file.
#[derive(Debug)]
pub struct Resource {
    pub file: String,
    pub name: String,
    pub entry: ResourceEntry,
}

/// `customer.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceEntry {
    pub title: String,
    pub internal: String,
    pub object: Spanned<String>,
    pub order: u32,
    #[serde(default)]
    pub inherits: Vec<Spanned<String>>,
    #[serde(default)]
    pub id_prefixes: Vec<Spanned<String>>,
    pub dashboard: Option<String>,
    pub label: Vec<Spanned<String>>,
    #[serde(default)]
    pub detail: Vec<Spanned<String>>,
    pub choices: Option<Spanned<String>>,
    #[serde(default)]
    pub choices_need: Vec<Spanned<String>>,
    pub search: Option<Spanned<String>>,
    #[serde(default)]
    pub search_fields: Vec<Spanned<String>>,
    pub retrieve: Option<Spanned<String>>,
    pub mapping: Table<Spanned<String>>,
    #[serde(default)]
    pub fields: Table<FieldText>,
    #[serde(default)]
    pub actions: Table<Operation>,
    #[serde(default)]
    pub queries: Table<Operation>,
    #[serde(default)]
    pub triggers: Table<Trigger>,
}

/// What is said of a field; [`crate::meanings`] says of which.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldText {
    pub title: Option<String>,
    pub help: Option<String>,
    pub rule: Option<Spanned<Named<Rule>>>,
    pub picks: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub title: String,
    pub description: String,
    pub request: Spanned<String>,
    pub safety: Spanned<Named<Safety>>,
    #[serde(default)]
    pub aliases: Vec<Spanned<String>>,
    pub show: Vec<Spanned<String>>,
    pub sample: Spanned<toml::Table>,
    pub defaults: Option<Spanned<toml::Table>>,
    pub fixed: Option<Spanned<toml::Table>>,
    pub hook: Option<Spanned<String>>,
    #[serde(default)]
    pub inputs: Table<HookInput>,
    #[serde(default)]
    pub major_units: Table<Spanned<String>>,
    #[serde(default)]
    pub one_of: Vec<Spanned<String>>,
    pub inverse: Option<Spanned<String>>,
    #[serde(default)]
    pub fields: Table<FieldText>,
}

/// An input that the operation's hook takes beside those of the request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookInput {
    #[serde(rename = "type")]
    pub kind: Spanned<InputType>,
    pub title: String,
    pub help: String,
}

/// What such an input may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputType {
    Boolean,
    Integer,
    Timestamp,
    Amount,
    Decimal,
    Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub title: String,
    pub description: String,
    pub event: Spanned<String>,
    #[serde(default)]
    pub aliases: Vec<Spanned<String>>,
}

/// A name of an operation under which input and output have names of their own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub operation: Spanned<String>,
    #[serde(default)]
    pub input: Table<Spanned<String>>,
    #[serde(default)]
    pub required: Vec<Spanned<String>>,
    pub defaults: Option<Spanned<toml::Table>>,
    #[serde(default)]
    pub filter: Table<Spanned<String>>,
    pub idempotency_key: Option<Spanned<String>>,
    #[serde(default)]
    pub output: Table<Spanned<String>>,
    pub sample: Spanned<toml::Table>,
}

impl InputType {
    /// What a value of it looks like.
    pub fn shape(self) -> Shape {
        match self {
            Self::Boolean => Shape::Boolean,
            Self::Integer => Shape::Integer,
            Self::Timestamp => Shape::Timestamp,
            Self::Amount => Shape::Amount,
            Self::Decimal => Shape::Decimal,
            Self::Text => Shape::String,
        }
    }

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Timestamp => "timestamp",
            Self::Amount => "amount",
            Self::Decimal => "decimal",
            Self::Text => "text",
        }
    }
}

impl FieldText {
    /// The rule, without its place.
    pub fn rule(&self) -> Option<Rule> {
        self.rule.as_ref().map(|r| r.get_ref().0)
    }
}

impl Catalogue {
    /// The resource of this name.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|r| r.name == name)
    }

    /// The action or query of this id, and whether it is a query. Of two with one id it is the action.
    pub fn operation(&self, id: &str) -> Option<(&Operation, bool)> {
        let actions = || self.resources.iter().find_map(|r| r.entry.actions.get(id)).map(|action| (action, false));
        actions().or_else(|| self.resources.iter().find_map(|r| r.entry.queries.get(id)).map(|query| (query, true)))
    }

    /// The names of the resources.
    pub fn resource_names(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(|r| r.name.as_str())
    }
}

impl Resource {
    /// The tables of what is said of its fields, the resource's own first, each with its file.
    pub fn fields<'c>(&'c self, catalogue: &'c Catalogue) -> Vec<(&'c str, &'c Table<FieldText>)> {
        let mut layers = vec![(self.file.as_str(), &self.entry.fields)];
        // An `inherits` that names something else is a problem that the checks report.
        if !self.entry.inherits.is_empty() {
            layers.push((COMMON, &catalogue.common.fields));
        }
        layers
    }
}

/// Reads all sources.
///
/// # Errors
/// Where a file is not of its form.
pub fn parse(sources: &Sources) -> Result<Catalogue, Vec<Problem>> {
    let mut report = Report::new(sources);
    let read = &mut report;
    let manifest = one(sources, MANIFEST, read);
    let aliases = one(sources, ALIASES, read).map(|read: Aliases| read.aliases);
    let common = one(sources, COMMON, read);
    let events = one(sources, EVENTS, read);
    let hooks = one(sources, HOOKS, read);
    let kinds = one(sources, KINDS, read);
    let errors = one(sources, ERRORS, read);
    let permissions = one(sources, PERMISSIONS, read);
    let requests = one(sources, REQUESTS, read);
    let mut resources = Vec::new();
    for file in sources.names().filter(|n| *n != MANIFEST && !NO_RESOURCES.contains(n)) {
        let name = file.trim_start_matches(FOLDER).trim_start_matches('/').trim_end_matches(".toml").to_owned();
        let known = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !known {
            let what = format!("`{name}` names no resource: write it in lower case letters, digits and _");
            read.wrong_at(file, 0, what);
        }
        if let Some(entry) = one(sources, file, read) {
            resources.push(Resource { file: file.to_owned(), name, entry });
        }
    }
    resources.sort_by(|a, b| (a.entry.order, &a.name).cmp(&(b.entry.order, &b.name)));
    let all = (manifest, aliases, common, errors, events, hooks, kinds, permissions, requests);
    match (all, report.problems()) {
        (
            (
                Some(manifest),
                Some(aliases),
                Some(common),
                Some(errors),
                Some(events),
                Some(hooks),
                Some(kinds),
                Some(permissions),
                Some(requests),
            ),
            problems,
        ) if problems.is_empty() => {
            Ok(Catalogue { manifest, aliases, common, errors, events, hooks, kinds, permissions, requests, resources })
        }
        (_, problems) => Err(problems),
    }
}

fn one<T: DeserializeOwned>(sources: &Sources, file: &str, report: &mut Report<'_>) -> Option<T> {
    match toml::from_str(sources.text(file)) {
        Ok(value) => Some(value),
        Err(error) => {
            let at = error.span().map_or(0, |s| s.start);
            report.wrong_at(file, at, error.message().to_owned());
            None
        }
    }
}

/// A table's entries in the order of the file.
pub fn in_order<T>(table: &Table<T>) -> Vec<(&Spanned<String>, &T)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}
