//! The file's form: its tables and keys, each with its place in the text. Whether they make sense is checked elsewhere.

use serde::Deserialize;
use toml::Spanned;

use super::problem::{PolicyError, Source};

/// Everything that a file can say.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Document {
    pub(super) read_only: Option<Spanned<bool>>,
    pub(super) live: Option<Spanned<bool>>,
    pub(super) dry_run: Option<Spanned<bool>>,
    pub(super) customer: Option<Spanned<String>>,
    pub(super) operations: Lists,
    pub(super) resources: Lists,
    pub(super) safety: Lists,
    pub(super) ask: Ask,
    pub(super) cap: Vec<Spanned<Cap>>,
    pub(super) mask: Vec<Spanned<String>>,
    pub(super) audit: Option<Spanned<String>>,
    pub(super) ledger: Option<Spanned<String>>,
}

/// What may be done and what may not, by name.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Lists {
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) deny: Vec<Spanned<String>>,
}

/// What somebody is asked about.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Ask {
    pub(super) operations: Vec<Spanned<String>>,
    pub(super) safety: Vec<Spanned<String>>,
    pub(super) above: Vec<Spanned<Sum>>,
}

/// `{ amount = "50.00", currency = "usd" }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum {
    pub(super) amount: Spanned<String>,
    pub(super) currency: Spanned<String>,
}

/// `[[cap]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cap {
    pub(super) on: Spanned<String>,
    pub(super) per: Spanned<String>,
    pub(super) amount: Spanned<String>,
    pub(super) currency: Spanned<String>,
}

pub(super) fn read(source: &Source<'_>) -> Result<Document, PolicyError> {
    toml::from_str(source.text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        source.wrong(&at, message, "`harness guard example` prints a whole file")
    })
}
