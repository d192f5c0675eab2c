//! What a host must know of a connector before it runs anything, read from `manifest.toml`: who it is, what it may
//! import and reach, its limits and the fields of its connection.
//!
//! What lives here: those sections as checked types. What does not: operations, resources and triggers (the connector's
//! own build reads them, and a platform asks the component), and any decision (`egress::policy`, `component`).

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::egress::{Methods, Origin, OriginError};

/// What a host reads of a manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The connector's id: `stripe`.
    pub id: String,
    /// Its title: `Stripe`.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Its version.
    pub version: String,
    /// The version of the external service's API that it speaks.
    pub api_version: String,
    /// The world that the component implements.
    pub world: World,
    /// The interfaces that the component may import, without versions: `wasi:http/types`.
    pub imports: Vec<String>,
    /// Where its requests may go.
    pub egress: Vec<EgressDeclaration>,
    /// What a call may use.
    pub limits: Limits,
    /// The fields of a connection, in order.
    pub fields: Vec<ConnectionFieldDeclaration>,
}

/// A world's name, taken apart: `automation:connector/connector@0.1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// `automation:connector`
    pub package: String,
    /// `connector`
    pub name: String,
    /// `0.1.0`
    pub version: semver::Version,
}

impl std::fmt::Display for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}@{}", self.package, self.name, self.version)
    }
}

/// One destination that a connector declares.
#[derive(Clone, Debug)]
pub struct EgressDeclaration {
    /// Scheme, host and port.
    pub origin: Origin,
    /// The methods; at least one.
    pub methods: Methods,
    /// Whose credential its requests may carry.
    pub bearer: Bearer,
}

/// Whose credential the requests to a destination may carry, as `Authorization: Bearer …`. No other `Authorization`
/// leaves for anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bearer {
    /// The connection's: its fields that are put in at egress.
    #[default]
    Connection,
    /// A session's own, which the service gave in an answer within the same call, and none of the connection's.
    Session(SessionToken),
}

/// Where a session's credential comes from: the answer of a request to this path that carried the connection's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionToken {
    /// The path of the request, without a query.
    pub path: String,
    /// The member of the answer, which is a JSON object.
    pub field: String,
}

/// What one call may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Guest computation. Waiting does not count.
    pub cpu: Duration,
    /// The whole call, waiting included.
    pub call_timeout: Duration,
    /// One request, from the connection until its answer begins.
    pub first_byte_timeout: Duration,
    /// A pause within an answer.
    pub between_bytes_timeout: Duration,
    /// The body of one answer, in bytes.
    pub response: u64,
    /// The input of an operation, in bytes. The connector refuses more by itself.
    pub input: usize,
    /// A file that goes along with an input, in bytes; none for a component that takes no files. As with the input, the
    /// connector refuses more by itself.
    pub file: Option<u64>,
}

/// One field of a connection.
#[derive(Clone, Debug, Deserialize)]
pub struct ConnectionFieldDeclaration {
    /// Its name.
    pub name: String,
    /// How it is kept and shown.
    pub kind: FieldKind,
    /// Its label.
    pub title: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// Whether the connection is of no use without it.
    #[serde(default)]
    pub required: bool,
    /// What a value looks like.
    pub placeholder: Option<String>,
    /// Where the user finds the value.
    pub link: Option<String>,
    /// The value when it is left empty.
    pub default: Option<String>,
    /// The environment variable that a command line reads it from.
    pub env: Option<String>,
    /// Whether the component gets a placeholder, and the real value is put in where a request leaves.
    #[serde(default)]
    pub inject_at_egress: bool,
    /// The destinations that it is put in at, all of them declared ones. Absent: every one that takes the connection's.
    #[serde(default, deserialize_with = "origins")]
    pub inject_only_at: Option<Vec<Origin>>,
    /// Of a secret that is not put in at egress: the functions whose calls get its real value (`triggers.receive`). All
    /// others get a placeholder.
    #[serde(default)]
    pub reveal_to: Vec<String>,
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Origin>>, D::Error> {
    let urls = Vec::<String>::deserialize(deserializer)?;
    urls.iter().map(|url| url.parse().map_err(D::Error::custom)).collect::<Result<_, _>>().map(Some)
}

/// How a field is kept and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// Never shown, wiped from memory after use.
    Secret,
    /// Plain text.
    Text,
    /// An absolute URL.
    Url,
}

/// Why a manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// Not TOML, a missing key, or a key of a wrong type. The message has the line.
    #[error("manifest cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// A key's value makes no sense.
    #[error("manifest key {key}: {reason}")]
    Value {
        /// The key, as a path: `limits.memory_mib`.
        key: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Manifest {
    /// Reads a manifest's text. Sections that a host does not need are not looked at.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let document: Document = toml::from_str(text)?;
        let world = World::parse(&document.connector.world).ok_or_else(|| {
            value(
                "connector.world",
                format!("{:?} is not of the form package:name/world@1.2.3", document.connector.world),
            )
        })?;
        if document.connector.id.is_empty() {
            return Err(value("connector.id", "must not be empty"));
        }
        for (index, import) in document.permissions.imports.iter().enumerate() {
            let key = || format!("permissions.imports[{index}]");
            if import.contains('@') {
                return Err(value(
                    key(),
                    format!("{import:?} has a version: leave it out, compatible versions are meant"),
                ));
            }
            if !import.contains(':') || !import.contains('/') {
                return Err(value(key(), format!("{import:?} is not of the form package:name/interface")));
            }
        }
        let egress: Vec<EgressDeclaration> = document
            .permissions
            .egress
            .iter()
            .enumerate()
            .map(|(index, entry)| entry.checked(index))
            .collect::<Result<_, _>>()?;
        let limits = document.limits.checked()?;
        let mut fields: Vec<ConnectionFieldDeclaration> = Vec::new();
        for (index, field) in document.connection.fields.into_iter().enumerate() {
            let key = |name: &str| format!("connection.fields[{index}].{name}");
            if field.name.is_empty() || fields.iter().any(|earlier| earlier.name == field.name) {
                return Err(value(key("name"), format!("{:?} is empty or there twice", field.name)));
            }
            if field.inject_at_egress && field.kind != FieldKind::Secret {
                return Err(value(key("inject_at_egress"), "only a field of kind \"secret\" can be put in at egress"));
            }
            let secret = field.kind == FieldKind::Secret;
            if secret && field.inject_at_egress != field.reveal_to.is_empty() {
                let reason = "a secret is either put in at egress (inject_at_egress = true) or given to the calls that \
                              need it (reveal_to = [\"triggers.receive\"]), not both";
                return Err(value(key("reveal_to"), reason));
            }
            if !secret && !field.reveal_to.is_empty() {
                return Err(value(key("reveal_to"), "only a field of kind \"secret\" is hidden from other calls"));
            }
            if let Some(name) = field.reveal_to.iter().find(|name| name.split('.').count() != 2) {
                return Err(value(key("reveal_to"), format!("{name:?} is not of the form interface.function")));
            }
            if let Some(only) = &field.inject_only_at {
                let takes = |origin: &&Origin| egress.iter().any(|e: &EgressDeclaration| e.origin == **origin);
                if !field.inject_at_egress || !only.iter().all(|origin| takes(&origin)) {
                    let reason = "names destinations of permissions.egress, for a field with inject_at_egress = true";
                    return Err(value(key("inject_only_at"), reason));
                }
            }
            fields.push(field);
        }
        let Connector { id, title, description, version, api_version, .. } = document.connector;
        let imports = document.permissions.imports;
        Ok(Self { id, title, description, version, api_version, world, imports, egress, limits, fields })
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&ConnectionFieldDeclaration> {
        self.fields.iter().find(|field| field.name == name)
    }
}

fn value(key: impl Into<String>, reason: impl Into<String>) -> ManifestError {
    ManifestError::Value { key: key.into(), reason: reason.into() }
}

impl World {
    fn parse(text: &str) -> Option<Self> {
        let (path, version) = text.split_once('@')?;
        let (package, name) = path.split_once('/')?;
        let version = semver::Version::parse(version).ok()?;
        let complete = package.contains(':') && !name.is_empty();
        complete.then(|| Self { package: package.to_owned(), name: name.to_owned(), version })
    }
}

#[derive(Deserialize)]
struct Document {
    connector: Connector,
    permissions: Permissions,
    limits: RawLimits,
    #[serde(default)]
    connection: Connection,
}

#[derive(Deserialize)]
struct Connector {
    id: String,
    title: String,
    #[serde(default)]
    description: String,
    version: String,
    world: String,
    api_version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    imports: Vec<String>,
    #[serde(default)]
    egress: Vec<RawEgress>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEgress {
    url: String,
    methods: Vec<String>,
    bearer: Option<SessionToken>,
}

impl RawEgress {
    fn checked(&self, index: usize) -> Result<EgressDeclaration, ManifestError> {
        let origin = self
            .url
            .parse()
            .map_err(|error: OriginError| value(format!("permissions.egress[{index}].url"), error.to_string()))?;
        let methods = Methods::only(&self.methods)
            .map_err(|reason| value(format!("permissions.egress[{index}].methods"), reason))?;
        if let Some(token) = &self.bearer
            && (!token.path.starts_with('/') || token.field.is_empty())
        {
            let reason = "must be the path of a request, and the member of its answer that the token is in";
            return Err(value(format!("permissions.egress[{index}].bearer"), reason));
        }
        let bearer = self.bearer.clone().map_or(Bearer::Connection, Bearer::Session);
        Ok(EgressDeclaration { origin, methods, bearer })
    }
}

#[derive(Default, Deserialize)]
struct Connection {
    #[serde(default)]
    fields: Vec<ConnectionFieldDeclaration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    memory_mib: u64,
    cpu_ms: u64,
    call_timeout_ms: u64,
    first_byte_timeout_ms: u64,
    between_bytes_timeout_ms: u64,
    response_mib: u64,
    input_kib: u64,
    file_mib: Option<u64>,
}

impl RawLimits {
    fn checked(&self) -> Result<Limits, ManifestError> {
        let amount = |name: &str, given: u64, most: u64| match given {
            0 => Err(value(format!("limits.{name}"), "must be at least 1")),
            given if given > most => Err(value(format!("limits.{name}"), format!("{given} is over {most}"))),
            given => Ok(given),
        };
        let milliseconds = |name: &str, given: u64| amount(name, given, 3_600_000).map(Duration::from_millis);
        // The most is what a 32-bit guest can address at all.
        let memory = amount("memory_mib", self.memory_mib, 4096)? << 20;
        let response = amount("response_mib", self.response_mib, 4096)? << 20;
        let input = amount("input_kib", self.input_kib, 4 << 20)? << 10;
        let file = self.file_mib.map(|given| amount("file_mib", given, 4096).map(|given| given << 20)).transpose()?;
        Ok(Limits {
            file,
            memory: usize::try_from(memory)
                .map_err(|_| value("limits.memory_mib", "is over what this machine can address"))?,
            cpu: milliseconds("cpu_ms", self.cpu_ms)?,
            call_timeout: milliseconds("call_timeout_ms", self.call_timeout_ms)?,
            first_byte_timeout: milliseconds("first_byte_timeout_ms", self.first_byte_timeout_ms)?,
            between_bytes_timeout: milliseconds("between_bytes_timeout_ms", self.between_bytes_timeout_ms)?,
            response,
            input: usize::try_from(input)
                .map_err(|_| value("limits.input_kib", "is over what this machine can address"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        [connector]
        id = "a"
        title = "A"
        version = "1.0.0"
        world = "automation:connector/connector@0.1.0"
        api_version = "1"
        [permissions]
        imports = ["wasi:io/streams"]
        [[permissions.egress]]
        url = "https://api.example.com"
        methods = ["GET"]
        [limits]
        memory_mib = 1
        cpu_ms = 2
        call_timeout_ms = 3
        first_byte_timeout_ms = 4
        between_bytes_timeout_ms = 5
        response_mib = 6
        input_kib = 7
        [[connection.fields]]
        name = "key"
        kind = "secret"
        title = "Key"
        inject_at_egress = true
    "#;

    #[test]
    fn reads_the_bundled_manifest() {
        let manifest = Manifest::parse(include_str!("../../../manifest.toml")).unwrap();
        assert_eq!(manifest.id, "stripe");
        assert_eq!(manifest.world.to_string(), "automation:connector/connector@0.1.0");
        assert!(manifest.field("api_key").unwrap().inject_at_egress);
    }

    #[test]
    fn a_wrong_value_is_named_by_its_key() {
        for (from, to, key) in [
            ("memory_mib = 1", "memory_mib = 0", "limits.memory_mib"),
            ("memory_mib = 1", "memory_mib = 5000", "limits.memory_mib"),
            ("cpu_ms = 2", "cpu_ms = 99999999", "limits.cpu_ms"),
            ("wasi:io/streams", "wasi:io/streams@0.2.0", "permissions.imports[0]"),
            ("wasi:io/streams", "streams", "permissions.imports[0]"),
            ("https://api.example.com", "https://*.example.com", "permissions.egress[0].url"),
            ("https://api.example.com", "ftp://api.example.com", "permissions.egress[0].url"),
            ("[\"GET\"]", "[]", "permissions.egress[0].methods"),
            ("[\"GET\"]", "[\"G T\"]", "permissions.egress[0].methods"),
            ("connector@0.1.0", "connector", "connector.world"),
            ("kind = \"secret\"", "kind = \"text\"", "connection.fields[0].inject_at_egress"),
            ("inject_at_egress = true", "", "connection.fields[0].reveal_to"),
            ("inject_at_egress = true", "reveal_to = [\"receive\"]", "connection.fields[0].reveal_to"),
            (
                "inject_at_egress = true",
                "inject_at_egress = true\nreveal_to = [\"a.b\"]",
                "connection.fields[0].reveal_to",
            ),
            (
                "inject_at_egress = true",
                "inject_at_egress = true\ninject_only_at = [\"https://b.example.com\"]",
                "connection.fields[0].inject_only_at",
            ),
            ("[\"GET\"]", "[\"TRACE\"]", "permissions.egress[0].methods"),
            ("[\"GET\"]", "[\"FOO\"]", "permissions.egress[0].methods"),
            ("[\"GET\"]", "[\"GET\"]\nbearer = { path = \"v1\", field = \"t\" }", "permissions.egress[0].bearer"),
        ] {
            assert!(SMALL.contains(from), "{from}");
            let error = Manifest::parse(&SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(key), "{to}: {error}");
        }
    }

    #[test]
    fn a_missing_or_unknown_key_is_named() {
        for (from, to, name) in [
            ("cpu_ms = 2", "", "cpu_ms"),
            ("cpu_ms = 2", "cpu_ms = 2\ncpu_seconds = 2", "cpu_seconds"),
            ("title = \"Key\"", "", "title"),
            ("kind = \"secret\"", "kind = \"password\"", "password"),
            ("cpu_ms = 2", "cpu_ms = \"2\"", "cpu_ms"),
        ] {
            let error = Manifest::parse(&SMALL.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(name), "{to}: {error}");
        }
    }
}
