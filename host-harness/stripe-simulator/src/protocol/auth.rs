//! Who asks: keys, modes and connected accounts.

use hyper::HeaderMap;

use super::ApiError;
use crate::world::{OWN_ACCOUNT, Scope};

const NO_KEY: &str = "You did not provide an API key. You need to provide your API key in the Authorization header, \
    using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
    https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.";

const PUBLISHABLE: &str = "This API call cannot be made with a publishable API key. Please use a secret API key. You \
    can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.";

/// Whose data the request is about, from its key and its account headers.
pub(crate) fn scope(headers: &HeaderMap) -> Result<Scope, ApiError> {
    let Some(key) = key(headers) else { return Err(ApiError::unauthorized(NO_KEY)) };
    let invalid = || ApiError::unauthorized(format!("Invalid API Key provided: {}", redact(&key)));
    let (kind, rest) = key.split_once('_').ok_or_else(invalid)?;
    let (mode, secret) = rest.split_once('_').ok_or_else(invalid)?;
    let live = match mode {
        "live" => true,
        "test" => false,
        _ => return Err(invalid()),
    };
    if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(invalid());
    }
    match kind {
        "sk" | "rk" if secret.starts_with("expired") => {
            let message = format!("Expired API Key provided: {}", redact(&key));
            return Err(ApiError::unauthorized(message).code("api_key_expired"));
        }
        "sk" | "rk" if secret.starts_with("invalid") => return Err(invalid()),
        "sk" | "rk" => {}
        "pk" => return Err(ApiError::unauthorized(PUBLISHABLE).code("secret_key_required")),
        _ => return Err(invalid()),
    }
    Ok(Scope { live, account: account(headers, &key)? })
}

/// The key of `Bearer KEY` or of `Basic base64(KEY:)`.
pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?.trim();
    let (scheme, rest) = value.split_once(' ')?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        rest.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(base64(rest.trim())?).ok()?;
        decoded.split(':').next().unwrap_or_default().to_owned()
    } else {
        return None;
    };
    (!key.is_empty()).then_some(key)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes().filter(|b| *b != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held & 0xff) as u8);
        }
    }
    Some(out)
}

/// The key as messages show it: what it is, and its last four characters.
pub(super) fn redact(key: &str) -> String {
    let secret_at = match key.match_indices('_').nth(1) {
        Some((at, _)) if key.len() > 3 => at + 1,
        _ => 0,
    };
    let (head, secret) = key.split_at(secret_at);
    let length = secret.chars().count();
    let shown = if length > 8 { 4 } else { 0 };
    let tail: String = secret.chars().skip(length - shown).collect();
    format!("{head}{}{tail}", "*".repeat(length - shown))
}

fn account(headers: &HeaderMap, key: &str) -> Result<Option<Box<str>>, ApiError> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or_default());
    // A context is a path: an organisation's ends with the account that is meant.
    let last = |path: &'static str| text(path).and_then(|p| p.rsplit('/').next());
    let Some(id) = text("stripe-account").or_else(|| last("stripe-context")) else { return Ok(None) };
    let plausible =
        id.strip_prefix("acct_").is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric()));
    // Who acts for the key's own account acts for no other.
    if id == OWN_ACCOUNT {
        return Ok(None);
    }
    if plausible {
        return Ok(Some(id.into()));
    }
    Err(ApiError::invalid(format!(
        "The provided key '{}' does not have access to account '{id}' (or that account does not exist). Application \
         access may have been revoked.",
        redact(key)
    ))
    .status_is(403)
    .code("account_invalid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(hyper::header::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn bearer_and_basic_carry_the_same_key() {
        assert!(!scope(&headers("authorization", "Bearer sk_test_abc")).unwrap().live);
        // c2tfdGVzdF9hYmM6 is `sk_test_abc:`.
        assert!(!scope(&headers("authorization", "Basic c2tfdGVzdF9hYmM6")).unwrap().live);
        assert!(scope(&headers("authorization", "Bearer rk_live_abc")).unwrap().live);
    }

    #[test]
    fn a_refused_key_is_not_repeated() {
        let error = scope(&headers("authorization", "Bearer sk_test_invalid_secretpart")).unwrap_err();
        let body = error.body(None).to_string();
        assert!(body.contains("Invalid API Key provided: sk_test_*") && body.contains("part\""), "{body}");
        assert!(!body.contains("invalid_secret"));
    }

    #[test]
    fn anything_else_is_no_key() {
        for value in
            ["Bearer nonsense", "Bearer sk_test_", "Bearer sk_prod_abc", "Bearer pk_test_abc", "Token x", "Basic !"]
        {
            assert_eq!(scope(&headers("authorization", value)).unwrap_err().status(), 401, "{value}");
        }
    }
}
