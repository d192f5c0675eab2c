//! Tries a connection without changing anything, and tells what a restricted key may do.

use crate::catalogue::{self, Probe, Texts};
use crate::error::{ErrorKind, Result};
use crate::json::Scanned;
use crate::operation::session::Session;
use crate::stripe::client::Call;
use crate::stripe::key::{KeyKind, Mode};

/// What is known about one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It works.
    Allowed,
    /// It was refused.
    Denied,
    /// It cannot be found out without changing something, or could not be now.
    Unknown,
}

/// One permission of the key.
#[derive(Debug)]
pub struct Permission {
    /// What it is about.
    pub title: &'static str,
    /// The operations that need it.
    pub operations: Texts<'static>,
    /// Whether the key has it.
    pub access: Access,
    /// What to grant, in Stripe's words.
    pub grant: Option<String>,
}

/// A connection that works.
#[derive(Debug)]
pub struct Report {
    /// Whether real money moves.
    pub mode: Mode,
    /// The account's id, where the key may read it.
    pub account_id: Option<String>,
    /// Its name.
    pub account_name: Option<String>,
    /// Whether the key is a restricted one.
    pub restricted: bool,
    /// What a restricted key may do.
    pub permissions: Vec<Permission>,
}

/// Tries the connection.
///
/// # Errors
/// Why it does not work. That a restricted key may not do something is a part of the report, not an error.
pub fn run(session: &Session<'_>) -> Result<Report> {
    let restricted = session.connection.key.kind == KeyKind::Restricted;
    let account = match get(session, "/v1/account", "") {
        Ok(body) => Some(body),
        // The key is good; it may only not see the account.
        Err(error) if restricted && error.kind == ErrorKind::Permission => None,
        Err(error) => return Err(error),
    };
    let text = |path: &str| {
        let text = account.as_ref()?.root().at(path)?.as_str()?;
        (!text.is_empty()).then(|| text.into_owned())
    };
    let name =
        text("business_profile.name").or_else(|| text("settings.dashboard.display_name")).or_else(|| text("email"));
    let probes = if restricted { Some(catalogue::table()?.probes()) } else { None };
    let permissions = probes.into_iter().flatten().map(|p| probe(session, p)).collect();
    Ok(Report {
        mode: session.connection.key.mode,
        account_id: text("id").or_else(|| session.connection.account.clone()),
        account_name: name,
        restricted,
        permissions,
    })
}

fn get(session: &Session<'_>, path: &str, query: &str) -> Result<Scanned> {
    session.client().send(&Call::read(path, query)).map(|answer| answer.body)
}

/// The smallest answer tells as much as the largest.
fn probe(session: &Session<'_>, probe: Probe<'static>) -> Permission {
    let request = probe.request();
    let pages = request.is_some_and(|r| r.parameters().get("limit").is_some());
    let query = if pages { "limit=1" } else { "" };
    let (access, grant) = match get(session, request.map_or("", |r| r.path()), query) {
        Ok(_) => (Access::Allowed, None),
        Err(error) if error.kind == ErrorKind::Permission => {
            (Access::Denied, Some(permission_named(&error.message).unwrap_or(error.message)))
        }
        Err(_) => (Access::Unknown, None),
    };
    Permission { title: probe.title(), operations: probe.operations(), access, grant }
}

/// The permission that Stripe's message names: `rak_customer_read`.
fn permission_named(message: &str) -> Option<String> {
    message
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .find(|word| word.starts_with("rak_"))
        .map(str::to_owned)
}
