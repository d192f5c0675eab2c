//! What came of one request, and what that says of the work.

use super::call::{Call, Expected};
use super::file::File;
use super::namespace::Namespace;
use super::proof::{self, StripeError};
use super::standing::Verdict;
use super::transport::{Failure, HttpResponse};
use crate::catalogue::Method;
use crate::json::{ScanErrorKind, Scanned, Writer};

/// What came of one request.
#[derive(Debug)]
pub enum Exchange {
    /// What the call asked for, in the form that it demands.
    Success(Success),
    /// Anything else.
    Failed(Failed),
}

/// An answer in the form that the call demands.
#[derive(Debug)]
pub struct Success {
    /// The answer without its body.
    pub head: HttpResponse,
    /// The body.
    pub body: Scanned,
    /// The file that was asked for; the body then tells of it.
    pub file: Option<File>,
}

/// A request without success.
#[derive(Debug)]
pub enum Failed {
    /// Stripe's error.
    Refused(HttpResponse, Box<StripeError>),
    /// An answer that is not in Stripe's form, with what it says of an error all the same.
    Foreign(HttpResponse, Option<Box<StripeError>>),
    /// A success by all that shows of it, and why its body cannot be used.
    Unusable(HttpResponse, &'static str),
    /// No answer.
    Nothing(Failure),
}

/// The code of a request whose key is under way: ours, cut off before, or another run of the same step.
pub const KEY_IN_USE: &str = "idempotency_key_in_use";
/// The type of the error that a key was used before for something else.
pub const IDEMPOTENCY: &str = "idempotency_error";
/// The code of an object that another request holds.
pub const LOCK_TIMEOUT: &str = "lock_timeout";

/// Types and codes of a 400 that may be given before the key is looked at, or that the work itself may have brought about:
/// limits, locks, sessions, what the account may do, and v2's word for what is cancelled already.
const SETTLES_NOTHING: [&str; 9] = [
    "already_canceled",
    "blocked_by_stripe",
    "capability_not_enabled",
    "feature_not_enabled",
    LOCK_TIMEOUT,
    "quota_exceeded",
    "rate_limit",
    "rate_limit_error",
    "temporary_session_expired",
];

impl Exchange {
    /// Looks at what came back for a call.
    pub fn of(call: &Call, result: Result<HttpResponse, Failure>) -> Self {
        let response = match result {
            Ok(response) => response,
            Err(Failure::TooLarge(head)) => return Self::Failed(unusable(*head, "it is larger than what is read")),
            Err(failure) => return Self::Failed(Failed::Nothing(failure)),
        };
        match response.status {
            200..300 => success(call, response),
            _ => Self::Failed(refusal(call, response)),
        }
    }
}

/// An answer whose body cannot be used: Stripe's success where that shows without it.
fn unusable(head: HttpResponse, why: &'static str) -> Failed {
    let json = head.header("content-type").is_some_and(|t| t.starts_with("application/json"));
    match (200..300).contains(&head.status) && has_request_id(&head) && json {
        true => Failed::Unusable(head, why),
        false => Failed::Foreign(head, None),
    }
}

fn has_request_id(head: &HttpResponse) -> bool {
    head.header("request-id").is_some_and(|id| id.starts_with("req_"))
}

fn success(call: &Call, mut response: HttpResponse) -> Exchange {
    let bytes = std::mem::take(&mut response.body);
    if call.expected == Expected::File {
        let file = File::answered(response.header("content-type"), response.header("content-disposition"), bytes);
        let mut told = Writer::new();
        told.begin_object().key("name").string(&file.name).key("content_type").string(&file.content_type);
        told.key("size").integer(file.content.len() as i64).end_object();
        return match Scanned::new(told.finish().into_bytes()) {
            Ok(body) => Exchange::Success(Success { head: response, body, file: Some(file) }),
            Err(_) => Exchange::Failed(Failed::Foreign(response, None)),
        };
    }
    let nothing = call.expected == Expected::Nothing && bytes.iter().all(u8::is_ascii_whitespace);
    let body = match Scanned::new(if nothing { b"{}".to_vec() } else { bytes }) {
        Ok(body) => body,
        Err(unread) => {
            let begins = unread.bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
            return Exchange::Failed(match unread.error.kind {
                ScanErrorKind::TooDeep | ScanErrorKind::TooLarge if begins => unusable(response, unread.error.what),
                _ => Failed::Foreign(response, None),
            });
        }
    };
    let root = body.root();
    let removal = call.method == Method::Delete && call.namespace() == Namespace::V2;
    let fits = match call.expected {
        Expected::Nothing => proof::is_empty(root),
        Expected::Page => proof::is_page(root),
        _ => proof::is_object(root) || (removal && proof::is_id(root)),
    };
    if !fits {
        let said = StripeError::of(root).map(Box::new);
        return Exchange::Failed(Failed::Foreign(response, said));
    }
    Exchange::Success(Success { head: response, body, file: None })
}

fn refusal(call: &Call, mut response: HttpResponse) -> Failed {
    let body = std::mem::take(&mut response.body);
    let Some(error) = StripeError::read(&body).map(Box::new) else {
        return Failed::Foreign(response, None);
    };
    let v2 = call.namespace() == Namespace::V2;
    match error.is_stripes(v2, has_request_id(&response)) && response.status >= 400 {
        true => Failed::Refused(response, error),
        false => Failed::Foreign(response, Some(error)),
    }
}

impl Failed {
    /// The answer, where there is one.
    pub fn response(&self) -> Option<&HttpResponse> {
        match self {
            Self::Refused(response, _) | Self::Foreign(response, _) | Self::Unusable(response, _) => Some(response),
            Self::Nothing(_) => None,
        }
    }

    /// What it says of the work; the table of `standing`.
    pub fn verdict(&self, reads: bool) -> Verdict {
        match self {
            Self::Nothing(_) if reads => Verdict::NothingLeft,
            _ if reads => Verdict::Refused,
            Self::Nothing(Failure::Denied(_) | Failure::Unsendable(_) | Failure::Unreachable(_)) => {
                Verdict::NothingLeft
            }
            Self::Nothing(Failure::Broken(_) | Failure::TimedOut(_) | Failure::TooLarge(_)) => Verdict::Doubt,
            Self::Foreign(..) => Verdict::Doubt,
            Self::Unusable(..) => Verdict::Done,
            Self::Refused(response, error) => refused(response, error),
        }
    }
}

fn refused(response: &HttpResponse, error: &StripeError) -> Verdict {
    let (kind, code) = (error.kind(), error.code());
    let of_a_key = kind == IDEMPOTENCY || code == IDEMPOTENCY || code == KEY_IN_USE;
    match response.status {
        408 | 500.. => Verdict::Doubt,
        _ if of_a_key => Verdict::Doubt,
        _ if response.is_replay() => Verdict::Settled,
        409 if code.is_empty() => Verdict::Doubt,
        400 | 402
            if response.should_retry() != Some(true)
                && !SETTLES_NOTHING.contains(&kind)
                && !SETTLES_NOTHING.contains(&code) =>
        {
            Verdict::Settled
        }
        _ => Verdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call { reads: false, method: Method::Post, ..Call::read("/v1/customers", "") }
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    fn verdict(call: &Call, result: Result<HttpResponse, Failure>) -> Verdict {
        match Exchange::of(call, result) {
            Exchange::Success(_) => Verdict::Done,
            Exchange::Failed(failed) => failed.verdict(call.reads),
        }
    }

    fn error(kind: &str, code: &str) -> String {
        format!(r#"{{"error":{{"type":"{kind}","code":"{code}","message":"x"}}}}"#)
    }

    #[test]
    fn every_row_of_the_table_is_as_documented() {
        use Verdict::{Done, Doubt, NothingLeft, Refused, Settled};
        let (replay, again) = ([("idempotent-replayed", "true")], [("stripe-should-retry", "true")]);
        let invalid = |code: &str| error("invalid_request_error", code);
        for (status, headers, body, expected) in [
            (200, &[][..], r#"{"object":"customer"}"#.to_owned(), Done),
            (200, &replay, r#"{"object":"customer"}"#.to_owned(), Done),
            (200, &[], "<html>".to_owned(), Doubt),
            (200, &[], "null".to_owned(), Doubt),
            (200, &[], "[]".to_owned(), Doubt),
            (200, &[], "{}".to_owned(), Doubt),
            (204, &[], String::new(), Doubt),
            (200, &[], invalid("x"), Doubt),
            (101, &[], String::new(), Doubt),
            (302, &[], String::new(), Doubt),
            (302, &[], invalid("x"), Doubt),
            (400, &[], "{}".to_owned(), Doubt),
            (400, &[], "{\"error\":null}".to_owned(), Doubt),
            (400, &[], "{\"error\":\"invalid_grant\"}".to_owned(), Doubt),
            (401, &[], "<html>".to_owned(), Doubt),
            (429, &[], "slow down".to_owned(), Doubt),
            (400, &[], invalid("parameter_missing"), Settled),
            (402, &[], error("card_error", "card_declined"), Settled),
            (400, &again, invalid("parameter_missing"), Refused),
            (400, &[], invalid("rate_limit"), Refused),
            (400, &[], invalid("lock_timeout"), Refused),
            (400, &[], error("temporary_session_expired", "x"), Refused),
            (400, &[], error("idempotency_error", ""), Doubt),
            (400, &[], error("x", "idempotency_error"), Doubt),
            (400, &replay, error("idempotency_error", ""), Doubt),
            (401, &[], invalid("api_key_expired"), Refused),
            (403, &[], invalid("x"), Refused),
            (404, &[], invalid("resource_missing"), Refused),
            (404, &replay, invalid("resource_missing"), Settled),
            (409, &[], invalid("lock_timeout"), Refused),
            (409, &replay, invalid("lock_timeout"), Settled),
            (409, &[], invalid("idempotency_key_in_use"), Doubt),
            (409, &[], invalid(""), Doubt),
            (429, &[], invalid("rate_limit"), Refused),
            (408, &[], error("api_error", ""), Doubt),
            (500, &[], error("api_error", ""), Doubt),
            (500, &replay, error("api_error", ""), Doubt),
        ] {
            let response = || Ok(answer(status, headers, &body));
            assert_eq!(verdict(&call(), response()), expected, "{status} {headers:?} {body}");
            // A read has nothing to doubt.
            let read = verdict(&Call { reads: true, ..call() }, response());
            assert_eq!(read, if expected == Done { Done } else { Refused }, "{status} {headers:?} {body}");
        }
        for (failure, expected) in [
            (Failure::Denied(String::new()), NothingLeft),
            (Failure::Unsendable(String::new()), NothingLeft),
            (Failure::Unreachable(String::new()), NothingLeft),
            (Failure::Broken(String::new()), Doubt),
            (Failure::TimedOut(String::new()), Doubt),
        ] {
            assert_eq!(verdict(&call(), Err(failure.clone())), expected, "{failure:?}");
            assert_eq!(verdict(&Call { reads: true, ..call() }, Err(failure)), NothingLeft);
        }
    }

    #[test]
    fn a_success_that_cannot_be_used_is_one_where_its_head_is_stripes() {
        let (id, json) = (("request-id", "req_1"), ("content-type", "application/json"));
        let (html, other) = (("content-type", "text/html"), ("request-id", "f00d"));
        for (status, headers, expected) in [
            (200, [id, json], Verdict::Done),
            (200, [id, html], Verdict::Doubt),
            (200, [other, json], Verdict::Doubt),
            (500, [id, json], Verdict::Doubt),
            (400, [id, json], Verdict::Doubt),
        ] {
            let failure = Failure::TooLarge(Box::new(answer(status, &headers, "")));
            assert_eq!(verdict(&call(), Err(failure)), expected, "{status} {headers:?}");
            let deep = format!(r#"{{"object":"customer","x":{}{}}}"#, "[".repeat(100), "]".repeat(100));
            if status == 200 {
                assert_eq!(verdict(&call(), Ok(answer(status, &headers, &deep))), expected, "{status} {headers:?}");
                assert_eq!(verdict(&call(), Ok(answer(status, &headers, &deep[1..]))), Verdict::Doubt);
            }
        }
    }

    #[test]
    fn what_a_success_must_be_depends_on_the_call() {
        let done = |call: &Call, body: &str| verdict(call, Ok(answer(200, &[], body))) == Verdict::Done;
        let v2 = Call { path: "/v2/core/event_destinations/ed_1".into(), method: Method::Delete, ..call() };
        assert!(done(&v2, r#"{"id":"ed_1"}"#) && !done(&call(), r#"{"id":"ed_1"}"#));
        let nothing = Call { expected: Expected::Nothing, ..call() };
        for body in ["{}", "", " "] {
            assert!(done(&nothing, body) && !done(&call(), body), "{body:?}");
        }
        assert!(!done(&nothing, r#"{"error":{"type":"x"}}"#) && !done(&nothing, "<html>"));
    }

    #[test]
    fn a_file_is_taken_as_it_comes_and_told_of_in_json() {
        let call = Call { expected: Expected::File, ..Call::read("/v1/quotes/qt_1/pdf", "") };
        let headers = [("content-type", "application/pdf"), ("content-disposition", "inline; filename=\"q.pdf\"")];
        let Exchange::Success(success) = Exchange::of(&call, Ok(answer(200, &headers, "%PDF-1.7"))) else { panic!() };
        let file = success.file.expect("a file");
        assert_eq!((file.name.as_str(), file.content.as_slice()), ("q.pdf", b"%PDF-1.7".as_slice()));
        assert_eq!(success.body.text(), r#"{"name":"q.pdf","content_type":"application/pdf","size":8}"#);
    }
}
