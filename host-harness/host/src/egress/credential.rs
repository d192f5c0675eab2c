//! Which `Authorization` a request may carry, and the secret's place in it.
//!
//! There is one form, `Bearer` and a value, and two values that pass: the placeholder of a secret of the connection's,
//! whose real value is put in here and nowhere else; and the credential of a session that the service opened within the
//! same call, for a destination that the manifest says takes one. Whatever else a component makes up (somebody else's key,
//! Basic, a second header, the placeholder with something around it) does not leave.

use std::sync::{Arc, Mutex, PoisonError};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use super::denial::DenialReason;
use super::origin::Origin;
use super::policy::Allowed;
use crate::secret::Secret;

/// A placeholder, and the secret that takes its place where a request leaves.
pub(crate) struct Injection {
    /// What the component got.
    pub(crate) placeholder: String,
    /// The real value.
    pub(crate) secret: Secret,
    /// Of what the manifest declares, only these destinations.
    pub(crate) only_at: Option<Vec<Origin>>,
}

/// A credential of a session is no shorter; a shorter one might be any word of an answer.
const SHORTEST_TOKEN: usize = 16;
/// No header is longer.
const LONGEST_TOKEN: usize = 4096;
/// A call opens one session, and another one when that has expired.
const MOST_TOKENS: usize = 8;

/// The credentials of sessions that the service opened within a call.
#[derive(Clone, Default)]
pub(super) struct Sessions {
    tokens: Arc<Mutex<Vec<Zeroizing<String>>>>,
}

impl Sessions {
    /// Keeps the credential that an answer has in this member.
    pub(super) fn learn(&self, answer: &[u8], field: &str) {
        let Ok(serde_json::Value::Object(mut members)) = serde_json::from_slice(answer) else { return };
        let Some(serde_json::Value::String(token)) = members.remove(field) else { return };
        let token = Zeroizing::new(token);
        if (SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            if tokens.len() < MOST_TOKENS {
                tokens.push(token);
            }
        }
    }

    fn know(&self, token: &str) -> bool {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|known| known.as_str() == token)
    }
}

/// Whose credential a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carries {
    Nothing,
    TheConnections,
    ASessions,
}

/// Looks at a request's `Authorization`, and puts the real value in where the placeholder is.
pub(super) fn authorize(
    headers: &mut HeaderMap,
    allowed: &Allowed,
    injections: &[Injection],
    sessions: &Sessions,
) -> Result<Carries, DenialReason> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(Carries::Nothing) };
    if values.next().is_some() {
        return Err(DenialReason::Authorization);
    }
    let given = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or(DenialReason::Authorization)?;
    let mut value = match injections.iter().find(|injection| injection.placeholder == given) {
        Some(injection) => {
            let bound = injection.only_at.as_ref().is_some_and(|only| !only.contains(&allowed.origin));
            if !allowed.connection || bound && !allowed.added {
                return Err(DenialReason::NotItsOrigin);
            }
            let real = Zeroizing::new(format!("Bearer {}", injection.secret.expose()));
            (HeaderValue::from_str(&real).map_err(|_| DenialReason::Authorization)?, Carries::TheConnections)
        }
        None if allowed.session && sessions.know(given) => (value.clone(), Carries::ASessions),
        None => return Err(DenialReason::Authorization),
    };
    if !allowed.origin.is_confidential() {
        return Err(DenialReason::InTheClear);
    }
    value.0.set_sensitive(true);
    headers.insert(AUTHORIZATION, value.0);
    Ok(value.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACEHOLDER: &str = "sk_test_xxxxxxxx";
    const TOKEN: &str = "session_token_12345678";

    fn allowed(url: &str) -> Allowed {
        let origin = url.parse().unwrap();
        Allowed { origin, private: false, added: false, connection: true, session: false, opens: None }
    }

    fn injection() -> Injection {
        let secret = Secret::new("sk_test_realreal".to_owned());
        Injection { placeholder: PLACEHOLDER.to_owned(), secret, only_at: None }
    }

    fn decide(values: &[&str], allowed: &Allowed, injection: Injection) -> Result<(Carries, String), DenialReason> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let sessions = Sessions::default();
        sessions.learn(format!(r#"{{"id":"x","authentication_token":"{TOKEN}"}}"#).as_bytes(), "authentication_token");
        let carries = authorize(&mut headers, allowed, &[injection], &sessions)?;
        let sent = headers.get(AUTHORIZATION);
        assert!(sent.is_none_or(HeaderValue::is_sensitive));
        Ok((carries, sent.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()))
    }

    #[test]
    fn the_secret_takes_the_place_of_its_placeholder_and_of_nothing_else() {
        let stripe = allowed("https://api.stripe.com");
        let sent = decide(&["Bearer sk_test_xxxxxxxx"], &stripe, injection());
        assert_eq!(sent, Ok((Carries::TheConnections, "Bearer sk_test_realreal".to_owned())));
        assert_eq!(decide(&[], &stripe, injection()), Ok((Carries::Nothing, String::new())));
        for values in [
            &["Bearer sk_attacker"][..],
            &["Basic c2tfdGVzdF94eHh4eHh4eDo="],
            &["Basic sk_test_xxxxxxxx"],
            &["bearer sk_test_xxxxxxxx"],
            &["Bearer  sk_test_xxxxxxxx"],
            &["Bearer sk_test_xxxxxxxx "],
            &["Bearer sk_test_xxxxxxxx, Bearer sk_attacker"],
            &["Bearer sk_test_xxxxxxxxsk_test_xxxxxxxx"],
            &["sk_test_xxxxxxxx"],
            &["Bearer "],
            &[""],
            &["Bearer sk_test_xxxxxxxx", "Bearer sk_attacker"],
            &["Bearer sk_attacker", "Bearer sk_test_xxxxxxxx"],
            &["Bearer sk_test_xxxxxxxx", "Bearer sk_test_xxxxxxxx"],
            &["Bearer session_token_12345678"],
        ] {
            assert_eq!(decide(values, &stripe, injection()), Err(DenialReason::Authorization), "{values:?}");
        }
    }

    #[test]
    fn the_secret_goes_to_its_own_destinations_only() {
        let bound = || Injection { only_at: Some(vec!["https://api.stripe.com".parse().unwrap()]), ..injection() };
        let value = &["Bearer sk_test_xxxxxxxx"][..];
        assert!(decide(value, &allowed("https://api.stripe.com"), bound()).is_ok());
        assert_eq!(decide(value, &allowed("https://files.stripe.com"), bound()), Err(DenialReason::NotItsOrigin));
        let added = Allowed { added: true, ..allowed("http://127.0.0.1:8080") };
        assert!(decide(value, &added, bound()).is_ok(), "what the operator added stands in for it");
        let for_sessions = Allowed { connection: false, session: true, ..allowed("https://meter-events.stripe.com") };
        assert_eq!(decide(value, &for_sessions, injection()), Err(DenialReason::NotItsOrigin));
    }

    #[test]
    fn no_secret_leaves_in_the_clear() {
        for url in ["http://api.stripe.com", "http://10.0.0.1:8080", "http://simulator:12111"] {
            let allowed = Allowed { session: true, ..allowed(url) };
            for value in ["Bearer sk_test_xxxxxxxx", "Bearer session_token_12345678"] {
                assert_eq!(decide(&[value], &allowed, injection()), Err(DenialReason::InTheClear), "{url}");
            }
        }
    }

    #[test]
    fn a_session_is_one_that_the_service_opened_in_this_call() {
        let allowed = Allowed { connection: false, session: true, ..allowed("https://meter-events.stripe.com") };
        let sent = decide(&["Bearer session_token_12345678"], &allowed, injection());
        assert_eq!(sent, Ok((Carries::ASessions, format!("Bearer {TOKEN}"))));
        let other = decide(&["Bearer session_token_87654321"], &allowed, injection());
        assert_eq!(other, Err(DenialReason::Authorization));
    }

    #[test]
    fn only_the_named_member_of_an_answer_is_a_sessions_credential() {
        for answer in [
            r#"{"id":"session_token_12345678"}"#,
            r#"{"metadata":{"authentication_token":"session_token_12345678"}}"#,
            r#"{"authentication_token":["session_token_12345678"]}"#,
            r#"[{"authentication_token":"session_token_12345678"}]"#,
            r#"{"authentication_token":"short"}"#,
            r#"{"authentication_token":"session token 12345678"}"#,
            r#"{"authentication_token":"session_token_12345678""#,
            "",
        ] {
            let sessions = Sessions::default();
            sessions.learn(answer.as_bytes(), "authentication_token");
            assert!(sessions.tokens.lock().unwrap().is_empty(), "{answer}");
        }
        let sessions = Sessions::default();
        for index in 0..100 {
            let answer = format!(r#"{{"t":"session_token_{index:08}"}}"#);
            sessions.learn(answer.as_bytes(), "t");
        }
        assert_eq!(sessions.tokens.lock().unwrap().len(), MOST_TOKENS);
    }
}
