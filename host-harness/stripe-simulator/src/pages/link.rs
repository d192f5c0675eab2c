//! A payment link: whoever opens it gets a checkout session.

use super::html::{document, escape};
use super::{page, redirect};
use crate::protocol::Reply;
use crate::resources::{Read, visit};
use crate::world::{Cause, World, lock};

pub(super) fn answer(world: &World, id: &str, request_id: &str) -> Option<Reply> {
    let account = world.account_with("payment_link", id)?;
    let mut account = lock(&account);
    account.begin(Cause { request_id: Some(request_id.into()), idempotency_key: None });
    let opened = visit(&mut account, id);
    account.commit();
    Some(match opened {
        Ok(url) => redirect(&url),
        Err(error) => {
            let error = error.members();
            let message = error.text("message").unwrap_or_default();
            page(404, document("Payment link", &format!("<h1>{}</h1>", escape(message))))
        }
    })
}
