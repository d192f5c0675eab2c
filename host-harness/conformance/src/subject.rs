//! The component that is examined: loaded, with a connection whose secrets are planted, and an ear for what it says.

use std::sync::{Mutex, PoisonError};

use host::contract::{Environment, Error, Outcome};
use host::manifest::{ConnectionFieldDeclaration, FieldKind};
use host::{Call, CallError, CallReport, Connection, Connector, Grants, Host, Invocation, LoadError, Manifest, Reply};
use serde::Serialize;

use crate::report::{Check, Findings};

/// How the planted secrets end. A component gets a placeholder of the same shape, in which letters and digits are others.
const PLANTED: &str = "Planted_Secret_7391_Zq";
/// What the host puts where a secret was in a result.
const TAKEN_OUT: &str = "(secret)";

/// See the module.
pub(crate) struct Subject {
    pub(crate) connector: Connector,
    pub(crate) manifest: Manifest,
    secrets: Mutex<Findings>,
}

impl Subject {
    /// With nothing that it may reach.
    pub(crate) fn load(host: &Host, component: &[u8], manifest: &Manifest) -> Result<Self, LoadError> {
        let connector = host.load(component, manifest, &Grants::nothing())?;
        Ok(Self { connector, manifest: manifest.clone(), secrets: Mutex::default() })
    }

    /// A call of a connection that looks right: every field has a value of its kind, every secret a planted one.
    pub(crate) fn call(&self, address: Option<&str>) -> Result<Call, String> {
        let fields = self.manifest.fields.iter().filter_map(|field| {
            let value = match field.kind {
                FieldKind::Secret => {
                    format!("{}{PLANTED}", beginning(field))
                }
                FieldKind::Url => address?.to_owned(),
                FieldKind::Text => return None,
            };
            Some((field.name.clone(), value))
        });
        let connection =
            Connection::new(&self.manifest, Environment::Development, fields).map_err(|e| e.to_string())?;
        Ok(Call::new(connection, Invocation::fresh().map_err(|e| e.to_string())?))
    }

    /// How the planted secrets begin.
    fn begins(&self) -> impl Iterator<Item = &str> {
        self.manifest.fields.iter().filter(|field| field.kind == FieldKind::Secret).map(beginning)
    }

    /// Listens to a result on its way: no secret is in it. An error is one that the contract allows, or the reason why not.
    pub(crate) fn heard<T: Serialize>(
        &self,
        what: &str,
        result: Result<Reply<T>, CallError>,
    ) -> Result<(T, CallReport), Refused> {
        match result {
            Ok(Reply { value, report, .. }) => {
                self.listen(what, &value);
                Ok((value, report))
            }
            Err(CallError::Connector(failure)) => {
                self.listen(what, &failure.error);
                Err(Refused::Error(Box::new(failure.error), Box::new(failure.report)))
            }
            Err(CallError::Platform(failure)) => {
                self.listen(what, &failure.report);
                Err(Refused::Platform(format!("{what}: {}", failure.error)))
            }
            // The host may have further endings than this knows.
            #[allow(unreachable_patterns, reason = "the host's errors may grow")]
            Err(other) => Err(Refused::Platform(format!("{what}: {other}"))),
        }
    }

    fn listen(&self, what: &str, said: &impl Serialize) {
        let said = serde_json::to_string(said).unwrap_or_default();
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let tells = said.contains(TAKEN_OUT) || self.begins().any(|begins| has_planted(&said, begins));
        secrets.that(!tells, || format!("{what}: a secret of the connection is in what it returned"));
    }

    /// Whether a secret was in anything that was heard.
    pub(crate) fn secrets(&self) -> Check {
        let heard = std::mem::take(&mut *self.secrets.lock().unwrap_or_else(PoisonError::into_inner));
        heard.named("secrets", "no secret of the connection is in a result or an error")
    }
}

/// Why a call gave no value.
pub(crate) enum Refused {
    /// The connector's own error, and what the call did.
    Error(Box<Error>, Box<CallReport>),
    /// A trap or a limit, which a component never has for an answer.
    Platform(String),
}

impl Refused {
    /// In words.
    pub(crate) fn said(&self, what: &str) -> String {
        match self {
            Self::Error(error, _) => format!("{what}: {}: {}", error.kind.name(), error.message),
            Self::Platform(reason) => reason.clone(),
        }
    }
}

/// What an error of a call that sent nothing lacks, if anything.
pub(crate) fn incomplete(error: &Error, report: &CallReport) -> Option<String> {
    let acted = !report.requests.is_empty() || !report.denials.is_empty();
    match error {
        Error { message, .. } if message.trim().is_empty() => Some("the error has no message".to_owned()),
        Error { message, .. } if message.len() > 4096 => {
            Some(format!("the error's message has {} bytes, and is for a person", message.len()))
        }
        Error { hint: Some(hint), .. } if hint.trim().is_empty() => Some("the error's hint is empty".to_owned()),
        _ if acted => Some("a request was made for what is wrong before anything is sent".to_owned()),
        Error { outcome, .. } if *outcome != Outcome::NotSent => {
            Some(format!("the outcome is {}, and no request left", outcome.name()))
        }
        Error { attempts, .. } if *attempts > 0 => Some(format!("{attempts} attempts are told, and no request left")),
        Error { http_status: Some(status), .. } => Some(format!("a status {status} is told, and no request left")),
        _ => None,
    }
}

/// How a field's values begin: its `sk_test_…` says so.
fn beginning(field: &ConnectionFieldDeclaration) -> &str {
    field.placeholder.as_deref().unwrap_or_default().trim_end_matches('…')
}

/// Whether a text has a planted secret, or the placeholder of one.
fn has_planted(text: &str, begins: &str) -> bool {
    let shaped = |tail: &str| {
        tail.len() == PLANTED.len()
            && tail.bytes().zip(PLANTED.bytes()).all(|(found, planted)| match planted {
                b'_' => found == b'_',
                _ => found.is_ascii_alphanumeric(),
            })
            // Names of fields have such a shape as well, and no capitals or digits.
            && tail.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let places = (0..text.len()).filter(|place| text.is_char_boundary(*place));
    places
        .filter_map(|place| text.get(place..)?.strip_prefix(begins))
        .any(|rest| rest.get(..PLANTED.len()).is_some_and(shaped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_told_by_its_shape() {
        for (text, begins, found) in [
            ("it says note_Planted_Secret_7391_Zq!", "note_", true),
            ("it says note_aX3kd9Q_0oPl2z_k4Jd_8s!", "note_", true),
            ("{\"k\":\"aX3kd9Q_0oPl2z_k4Jd_8s\"}", "", true),
            ("note_payment_intent_data_id", "note_", false),
            ("payment_intent_data_id", "", false),
            ("note_short", "note_", false),
        ] {
            assert_eq!(has_planted(text, begins), found, "{text}");
        }
    }
}
