//! `manifest.toml` as types: every value that can be wrong keeps its place in the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// Names in the order of the file.
pub type Table<T> = BTreeMap<Spanned<String>, T>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub connector: Connector,
    #[expect(dead_code, reason = "the host's business; listed so that an unknown section is an error")]
    permissions: toml::Value,
    pub limits: Limits,
    pub connection: Connection,
    pub resources: Table<Resource>,
    pub fields: Table<FieldText>,
    #[serde(default)]
    pub actions: Table<Operation>,
    #[serde(default)]
    pub queries: Table<Operation>,
    #[serde(default)]
    pub triggers: Table<Trigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    pub id: String,
    pub title: String,
    #[expect(dead_code, reason = "shown by hosts")]
    description: String,
    pub version: Spanned<String>,
    #[expect(dead_code, reason = "checked by hosts")]
    world: String,
    pub api_version: Spanned<String>,
    #[expect(dead_code, reason = "shown by hosts")]
    homepage: String,
}

/// The limits that the connector itself keeps; the host enforces all of them from outside.
#[derive(Debug, Deserialize)]
pub struct Limits {
    pub call_timeout_ms: u64,
    pub first_byte_timeout_ms: u64,
    pub between_bytes_timeout_ms: u64,
    pub response_mib: u64,
    pub input_kib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    pub fields: Vec<ConnectionField>,
    pub probes: Vec<Probe>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionField {
    pub name: String,
    pub kind: ConnectionFieldKind,
    pub title: String,
    pub help: String,
    #[serde(default)]
    pub required: bool,
    pub placeholder: Option<String>,
    pub link: Option<String>,
    pub default: Option<String>,
    #[expect(dead_code, reason = "where a command line finds the value: the host's business")]
    env: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "the host's business")]
    inject_at_egress: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionFieldKind {
    Secret,
    Text,
    Url,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub title: String,
    pub request: Spanned<String>,
    pub operations: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    pub title: String,
    pub internal: String,
    pub object: Spanned<String>,
    #[serde(default)]
    pub id_prefixes: Vec<String>,
    pub dashboard: Option<String>,
    pub label: Vec<Spanned<String>>,
    #[serde(default)]
    pub detail: Vec<Spanned<String>>,
    pub choices: Option<Spanned<String>>,
    pub search: Option<Spanned<String>>,
    #[serde(default)]
    pub search_fields: Vec<Spanned<String>>,
    pub mapping: Table<Spanned<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldText {
    pub title: Option<String>,
    pub help: Option<String>,
    pub rule: Option<Spanned<Rule>>,
    pub picks: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    Amount,
    PositiveAmount,
    Currency,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub title: String,
    pub description: String,
    pub resource: Spanned<String>,
    pub request: Spanned<String>,
    pub safety: Spanned<Safety>,
    #[serde(default)]
    pub aliases: Vec<Spanned<String>>,
    pub show: Vec<Spanned<String>>,
    pub sample: Spanned<toml::Table>,
    #[serde(default)]
    pub defaults: Option<Spanned<toml::Table>>,
    pub hook: Option<Hook>,
    #[serde(default)]
    pub major_units: Table<Spanned<String>>,
    #[serde(default)]
    pub one_of: Vec<Spanned<String>>,
    #[serde(default)]
    pub fields: Table<FieldText>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    Read,
    Create,
    Change,
    MoveMoney,
    Destroy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    CancelSubscription,
    CheckoutUrls,
}

impl Hook {
    /// Input fields that a hook adds to those of the request, each a boolean.
    pub fn extra_fields(self) -> &'static [&'static str] {
        match self {
            Self::CancelSubscription => &["at_period_end"],
            Self::CheckoutUrls => &[],
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub title: String,
    pub description: String,
    pub resource: Spanned<String>,
    pub event: Spanned<String>,
    #[serde(default)]
    pub aliases: Vec<Spanned<String>>,
}

/// Reads the manifest.
///
/// # Errors
/// What is wrong with its form, with the line.
pub fn parse(text: &str) -> Result<Manifest, toml::de::Error> {
    toml::from_str(text)
}

/// The line of a place in the file, counted from 1.
pub fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1
}

/// A table's entries in the order of the file.
pub fn in_order<T>(table: &Table<T>) -> Vec<(&Spanned<String>, &T)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}
