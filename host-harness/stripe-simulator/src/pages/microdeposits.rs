//! The page where a customer says which small deposits arrived on a bank account.

use hyper::Method;
use serde_json::{Value, json};

use super::html::{document, escape};
use super::{field, page};
use crate::protocol::{Branch, Reply};
use crate::resources::{Read, verify_deposits};
use crate::world::{Cause, Object, World, lock};

const KIND: &str = "setup_intent";

pub(super) fn answer(world: &World, method: &Method, id: &str, form: &Branch, request_id: &str) -> Option<Reply> {
    let account = world.account_with(KIND, id)?;
    let mut account = lock(&account);
    if *method != Method::POST {
        let open = account.get(KIND, id)?.text("status") == Some("requires_action");
        return Some(page(200, ask(open.then_some(""))));
    }
    let mut sent = Object::new();
    sent.insert("descriptor_code".into(), json!(field(form, "descriptor_code").trim()));
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let verified = verify_deposits(&mut account, id, &sent);
    account.commit();
    Some(match verified {
        Ok(_) => page(200, ask(None)),
        Err(error) => {
            let body = error.body(None);
            let message = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
            page(402, ask(Some(message)))
        }
    })
}

/// The form with what was wrong before, or with nothing to fill in any more.
fn ask(problem: Option<&str>) -> String {
    let body = match problem {
        None => "<h1>Bank account</h1><p>There is nothing to verify any more.</p>".to_owned(),
        Some(problem) => format!(
            "<h1>Bank account</h1><p class=\"problem\" role=\"alert\">{}</p><form method=\"post\"><label>Code of the \
             deposit <input name=\"descriptor_code\" placeholder=\"SM11AA\"></label><button>Verify</button></form>",
            escape(problem)
        ),
    };
    document("Bank account", &body)
}
