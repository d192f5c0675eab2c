//! `manifest.toml` as types: every value that can be wrong keeps its place in the file.

use serde::Deserialize;
use stripe_table::FieldKind;
use toml::Spanned;

use crate::named::Named;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub connector: Connector,
    pub permissions: Permissions,
    pub limits: Limits,
    pub connection: Connection,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    #[expect(dead_code, reason = "enforced by hosts")]
    imports: Vec<String>,
    pub egress: Vec<Egress>,
}

/// A destination of requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    pub url: Spanned<String>,
    pub methods: Spanned<Vec<String>>,
    #[expect(dead_code, reason = "enforced by hosts")]
    bearer: Option<toml::Table>,
}

/// The limits that the connector itself keeps; the host enforces all of them from outside.
#[derive(Debug, Deserialize)]
pub struct Limits {
    pub call_timeout_ms: u64,
    pub first_byte_timeout_ms: u64,
    pub between_bytes_timeout_ms: u64,
    pub response_mib: u64,
    pub input_kib: u64,
    pub file_mib: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    pub methods: Vec<AuthMethod>,
    pub fields: Vec<ConnectionField>,
}

/// A way to authenticate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthMethod {
    pub name: Spanned<String>,
    pub title: String,
    pub kind: Spanned<String>,
    pub fields: Vec<Spanned<String>>,
    pub authorize_url: Option<Spanned<String>>,
    pub token_url: Option<Spanned<String>>,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(default)]
    pub pkce: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionField {
    pub name: String,
    pub kind: Named<FieldKind>,
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
    #[expect(dead_code, reason = "the host's business")]
    inject_only_at: Option<Vec<String>>,
    #[serde(default)]
    #[expect(dead_code, reason = "the host's business")]
    reveal_to: Vec<String>,
}
