//! What to do about Stripe's refusals: the catalogue's hint, or where it has none one of the refusal's kind.
//!
//! What the message says goes first, then the reason of a decline, then the code. Codes are open-ended: a refusal with one
//! that is not known has a hint all the same.

use super::proof::StripeError;
use crate::catalogue::{self, About};
use crate::error::ErrorKind;
use crate::permission;

/// The hint of a refusal; none where nothing is known of it. `reads`: whether it was a request that changes nothing.
pub fn of(kind: ErrorKind, said: &StripeError, reads: bool) -> Option<String> {
    let message = said.message.as_deref().unwrap_or_default();
    let reason = said.decline_code.as_deref().unwrap_or_default();
    by_name(About::Message, |part| message.contains(part))
        .or_else(|| by_name(About::Decline, |known| known == reason))
        .or_else(|| by_name(About::Error, |known| known == said.code()))
        .or_else(|| (kind == ErrorKind::Permission).then(|| grant(message)))
        .or_else(|| of_kind(kind, reads))
}

fn by_name(about: About, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let advice = catalogue::table().ok()?.advice();
    advice.iter().filter(|a| a.about() == about).find(|a| a.of().iter().any(&is_it)).map(|a| a.hint())
}

fn of_kind(kind: ErrorKind, reads: bool) -> Option<String> {
    let hint = match kind {
        ErrorKind::Authentication => {
            "Copy the key again from https://dashboard.stripe.com/apikeys; it may have been rolled or deleted."
        }
        ErrorKind::RateLimited => return of_code("rate_limit"),
        ErrorKind::Declined => return of_code("card_declined"),
        ErrorKind::Idempotency => {
            "This step's key was used before with other input, and that use may have done its work: look for it at Stripe, whose request log shows the key. Within one run the input must stay the same; a new run of the workflow has a new key."
        }
        ErrorKind::NotFound => return of_code("resource_missing"),
        ErrorKind::Service if reads => "Stripe failed: try again in a moment.",
        ErrorKind::Service => "Stripe failed on its side.",
        ErrorKind::Conflict => "Another request holds the object, or its status does not allow this: look at it first.",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What to tick for a restricted key.
fn grant(message: &str) -> String {
    let named = permission::named_in(message, None);
    let what = named.unwrap_or("the permission that the message names");
    let title = named.and_then(permission::title_of).map(|title| [" (", &title, ")"].concat());
    let title = title.as_deref().unwrap_or_default();
    ["Grant ", what, title, " to this restricted key at https://dashboard.stripe.com/apikeys."].concat()
}

fn of_code(code: &str) -> Option<String> {
    by_name(About::Error, |known| known == code)
}
