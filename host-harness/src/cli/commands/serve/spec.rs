//! What is served: one source by flags, or several by a file.
//!
//! ```toml
//! listen = "0.0.0.0:4242"
//! store = "sqlite:/var/lib/harness/events.db"
//!
//! [webhooks.acme]                      # POST /webhooks/acme
//! connection = "acme.toml"
//! triggers = ["invoice.paid", { trigger = "payment_intent.succeeded", input = { accounts = ["acct_1"] } }]
//! forward = "https://example.com/stripe"
//! ordered = true
//!
//! [webhooks.test]
//! connection = "test.toml"
//! catch_up = "off"
//! ```
//!
//! Files are looked for beside the file that names them. Unknown names are refused with their line, so that a mistyped
//! filter is not a filter less.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::contract::TriggerUse;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::cli::failure::Failure;
use crate::cli::listen::Skipped;
use crate::cli::options::values::{self, Every};

/// Between one look for missed events and the next.
const CATCH_UP: Duration = Duration::from_secs(300);

/// Whether `stripe listen` delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Where there is no secret that others sign with.
    WithoutSecret,
    /// Whatever secret there is.
    Only,
    Never(Skipped),
}

/// One source.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: String,
    /// The connection's file; without one, whatever the command was given.
    pub connection: Option<PathBuf>,
    pub production: bool,
    /// Whether the service is made to deliver here, and under which URL; without one, the address that is listened on.
    pub subscribe: bool,
    pub url: Option<String>,
    pub state_file: Option<PathBuf>,
    pub listen: Listen,
    pub triggers: Vec<TriggerUse>,
    pub forward: Option<ForwardSpec>,
    pub ordered: bool,
    pub catch_up: Option<Duration>,
}

/// Where events go in place of standard output.
#[derive(Clone, Debug)]
pub struct ForwardSpec {
    pub url: String,
    /// The variable that holds the value of the header `Authorization`.
    pub authorization: Option<String>,
    pub unencrypted: bool,
}

/// What a file says.
pub struct File {
    pub listen: Option<SocketAddr>,
    pub store: Option<String>,
    pub specs: Vec<Spec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    listen: Option<SocketAddr>,
    store: Option<String>,
    #[serde(default)]
    webhooks: IndexMap<String, Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    connection: Option<PathBuf>,
    #[serde(default)]
    production: bool,
    url: Option<String>,
    state_file: Option<PathBuf>,
    #[serde(default)]
    triggers: Vec<Use>,
    forward: Option<String>,
    forward_authorization: Option<String>,
    #[serde(default)]
    forward_unencrypted: bool,
    #[serde(default)]
    ordered: bool,
    catch_up: Option<String>,
}

/// A trigger by its name, or with its filters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Use {
    Every(String),
    Some(Filtered),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filtered {
    trigger: String,
    #[serde(default)]
    input: toml::Table,
}

impl Use {
    fn checked(self) -> Result<TriggerUse, String> {
        Ok(match self {
            Self::Every(trigger) => TriggerUse::every(trigger),
            Self::Some(Filtered { trigger, input }) => {
                let input = serde_json::to_string(&input).map_err(|error| error.to_string())?;
                TriggerUse::of(trigger, input)
            }
        })
    }
}

impl File {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(wrong)
    }

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        // The parser's message quotes the line: a store's address in it may have a password.
        let form: Form = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        })?;
        if form.webhooks.is_empty() {
            return Err("it has no table `[webhooks.NAME]`, so there is nothing to serve".to_owned());
        }
        let specs = form.webhooks.into_iter().map(|(name, table)| {
            let at = format!("[webhooks.{name}]");
            table.checked(name, folder).map_err(|reason| format!("{at} {reason}"))
        });
        Ok(Self { listen: form.listen, store: form.store, specs: specs.collect::<Result<_, _>>()? })
    }
}

impl Table {
    fn checked(self, name: String, folder: &Path) -> Result<Spec, String> {
        let beside = |path: PathBuf| folder.join(path);
        if self.url.is_some() && self.state_file.is_none() {
            return Err(
                "has a `url` to be delivered to and no `state_file` to keep that subscription's state in".to_owned()
            );
        }
        if self.forward.is_none() && (self.forward_authorization.is_some() || self.forward_unencrypted) {
            return Err("says how to forward and not where to: set `forward`".to_owned());
        }
        let catch_up = match self.catch_up.as_deref().map(values::every).transpose() {
            Ok(given) => given.map_or(Some(CATCH_UP), |Every(length)| length),
            Err(error) => return Err(format!("`catch_up`: {error}")),
        };
        Ok(Spec {
            name,
            connection: self.connection.map(beside),
            production: self.production,
            subscribe: self.url.is_some(),
            url: self.url,
            state_file: self.state_file.map(beside),
            listen: Listen::Never(Skipped::OfAFile),
            triggers: self.triggers.into_iter().map(Use::checked).collect::<Result<_, _>>()?,
            forward: self.forward.map(|url| ForwardSpec {
                url,
                authorization: self.forward_authorization,
                unencrypted: self.forward_unencrypted,
            }),
            ordered: self.ordered,
            catch_up,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> File {
        File::parse(text, Path::new("/etc/harness")).unwrap_or_else(|error| panic!("{error}"))
    }

    fn wrong(text: &str) -> String {
        File::parse(text, Path::new("")).err().unwrap_or_else(|| panic!("{text} was taken"))
    }

    #[test]
    fn every_table_is_a_source() {
        let file = read(
            r#"
            listen = "0.0.0.0:80"
            [webhooks.acme]
            connection = "acme.toml"
            triggers = ["invoice.paid", { trigger = "charge.refunded", input = { accounts = ["acct_1"] } }]
            forward = "https://example.com/hook"
            ordered = true
            catch_up = "90s"
            [webhooks.test]
            connection = "/srv/test.toml"
            catch_up = "off"
            "#,
        );
        assert_eq!(file.listen.unwrap().port(), 80);
        let [acme, test] = &file.specs[..] else { panic!("{:?}", file.specs) };
        assert_eq!(
            (acme.name.as_str(), acme.connection.as_deref()),
            ("acme", Some(Path::new("/etc/harness/acme.toml")))
        );
        let filtered = TriggerUse::of("charge.refunded", r#"{"accounts":["acct_1"]}"#);
        assert_eq!(acme.triggers, [TriggerUse::every("invoice.paid"), filtered]);
        assert_eq!(acme.forward.as_ref().unwrap().url, "https://example.com/hook");
        assert!(acme.ordered && acme.catch_up == Some(Duration::from_secs(90)));
        assert_eq!(test.connection.as_deref(), Some(Path::new("/srv/test.toml")));
        assert!(test.catch_up.is_none() && test.forward.is_none() && !test.ordered && !test.subscribe);
        assert_eq!(read("[webhooks.a]").specs[0].catch_up, Some(CATCH_UP));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        for (text, says) in [
            ("", "[webhooks.NAME]"),
            ("[webhooks.a]\nconection = \"a\"", "line 2"),
            ("[webhooks.a]\ncatch_up = \"often\"", "[webhooks.a] `catch_up`"),
            ("[webhooks.a]\nurl = \"https://a\"", "state_file"),
            ("[webhooks.a]\nforward_unencrypted = true", "set `forward`"),
            ("[webhooks.a]\ntriggers = [{ trigger = \"a\", inputs = {} }]", "line 2"),
            ("listen = \"everywhere\"", "line 1"),
        ] {
            let error = wrong(text);
            assert!(error.contains(says), "{text}: {error}");
        }
        assert!(!wrong("store = \"postgres://a:secret@b\"\nstore = \"c\"\n").contains("secret"));
    }
}
