//! Tries a connection without changing anything, and tells what a restricted key may do.

use crate::catalogue::{Permission, Request};
use crate::error::{ErrorKind, Result};
use crate::json::Scanned;
use crate::operation::session::Session;
use crate::permission::{self, Level, Need};
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
pub struct Finding {
    /// The permission, and the operations that need it.
    pub need: Need,
    /// Whether the key has it.
    pub access: Access,
    /// What to grant where the key may lack it, in Stripe's words.
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
    pub permissions: Vec<Finding>,
}

/// Where the account of the key is read.
const ACCOUNT: &str = "/v1/account";

/// Tries the connection: the account first, and where a restricted key may not read that, what it may.
///
/// # Errors
/// Why it does not work. That a restricted key may not do something is a part of the report, not an error.
pub fn run(session: &Session<'_>) -> Result<Report> {
    let restricted = session.connection.key.kind == KeyKind::Restricted;
    let account = match get(session, ACCOUNT, "") {
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
    let permissions = if restricted { findings(session)? } else { Vec::new() };
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

/// Whether the key has each permission that an operation needs. What it may not read it may not write either; what it may
/// read says nothing of writing.
fn findings(session: &Session<'_>) -> Result<Vec<Finding>> {
    // Reading and writing of one permission are neighbours, and are found out by one request.
    let mut known: Option<(Permission<'static>, Reading)> = None;
    let mut findings = Vec::new();
    for need in permission::curated()? {
        let grant = need.grant();
        let Some((permission, level)) = need.permission else {
            findings.push(Finding { need, access: Access::Unknown, grant });
            continue;
        };
        let reading = match known.take().filter(|(of, _)| *of == permission) {
            Some((_, reading)) => reading,
            None => reading(session, permission),
        };
        let (access, grant) = match (&reading, level) {
            (Reading::Allowed, Level::Read) => (Access::Allowed, None),
            (Reading::Denied(named), Level::Read) => (Access::Denied, Some(named.clone())),
            (Reading::Denied(_), Level::Write) => (Access::Denied, grant),
            (Reading::Allowed, Level::Write) | (Reading::Unknown, _) => (Access::Unknown, grant),
        };
        known = Some((permission, reading));
        findings.push(Finding { need, access, grant });
    }
    Ok(findings)
}

/// Whether something can be read, and the permission that the refusal named.
enum Reading {
    Allowed,
    Denied(String),
    Unknown,
}

fn reading(session: &Session<'_>, permission: Permission<'static>) -> Reading {
    let Some(probe) = permission.probe() else { return Reading::Unknown };
    match get(session, probe.path(), smallest(probe)) {
        Ok(_) => Reading::Allowed,
        Err(error) if error.kind == ErrorKind::Permission => {
            let expected = ["rak_", permission.name(), "_read"].concat();
            let named = permission::named_in(&error.message, Some(&expected)).map(str::to_owned);
            Reading::Denied(named.unwrap_or(error.message))
        }
        Err(_) => Reading::Unknown,
    }
}

/// The smallest answer tells as much as the largest.
fn smallest(probe: Request<'_>) -> &'static str {
    if probe.parameters().get("limit").is_some() { "limit=1" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Fields;
    use crate::operation::session::Invocation;
    use crate::stripe::tests::scripted::{World, answer};

    const LIST: &str = r#"{"object":"list","data":[],"has_more":false,"url":"/v1"}"#;
    const ACME: &str = r#"{"id":"acct_1","object":"account","email":"a@b.c"}"#;
    const REFUSAL: &str = r#"{"error":{"type":"invalid_request_error","message":"The provided key does not have the required permissions. Having the 'rak_balance_read' permission would allow this request to continue."}}"#;

    fn tried(key: &str, steps: Vec<crate::stripe::tests::scripted::Step>) -> (Result<Report>, usize) {
        let world = World::of(steps);
        let fields = Fields { values: vec![("api_key".into(), key.into())], development: true };
        let invocation = Invocation { id: "t".into(), idempotency_key: None, timeout: None, history: None };
        let session = Session::start(&world, &world, &fields, invocation).expect("a session");
        let report = run(&session);
        (report, world.sent().len())
    }

    #[test]
    fn a_secret_key_is_tried_with_its_account_alone() {
        let (report, sent) = tried("sk_test_abc", vec![answer(200, ACME)]);
        let report = report.expect("connected");
        assert_eq!((report.account_id.as_deref(), report.account_name.as_deref()), (Some("acct_1"), Some("a@b.c")));
        assert_eq!((report.restricted, report.permissions.len(), sent), (false, 0, 1));
    }

    #[test]
    fn a_restricted_key_is_told_of_every_operation_what_it_may() {
        // It may not read the account, nor the balance, and everything else.
        let (report, _) = tried("rk_test_abc", vec![answer(403, REFUSAL), answer(403, REFUSAL), answer(200, LIST)]);
        let report = report.expect("connected");
        assert!(report.restricted && report.account_id.is_none());
        let of = |operation: &str| {
            report.permissions.iter().find(|f| f.need.operations.iter().any(|own| own == operation)).expect(operation)
        };
        let balance = of("balance.retrieve");
        assert_eq!((balance.access, balance.grant.as_deref()), (Access::Denied, Some("rak_balance_read")));
        let list = of("customer.list");
        assert_eq!((list.access, list.grant.as_deref()), (Access::Allowed, None));
        let create = of("customer.create");
        assert_eq!((create.access, create.grant.as_deref()), (Access::Unknown, Some("rak_customer_write")));
        assert_eq!(create.need.title(), "Customers: Write");
    }

    #[test]
    fn what_may_not_be_read_may_not_be_written() {
        let (report, _) = tried("rk_test_abc", vec![answer(200, ACME), answer(403, REFUSAL)]);
        let report = report.expect("connected");
        let create = report
            .permissions
            .iter()
            .find(|f| f.need.operations.iter().any(|own| own == "customer.create"))
            .expect("there");
        assert_eq!((create.access, create.grant.as_deref()), (Access::Denied, Some("rak_customer_write")));
    }

    #[test]
    fn a_key_that_stripe_does_not_know_is_an_error() {
        let refusal = r#"{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: rk_test_***"}}"#;
        let (report, sent) = tried("rk_test_abc", vec![answer(401, refusal)]);
        assert_eq!((report.expect_err("refused").kind, sent), (ErrorKind::Authentication, 1));
    }
}
