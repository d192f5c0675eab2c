//! What senders are answered.

use bytes::Bytes;
use host::contract::WebhookResponse;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// The largest answer of a connector's that is passed on.
const MOST_BYTES: usize = 1 << 20;

/// An answer that is complete.
pub(crate) type Answer = Response<Full<Bytes>>;

/// An answer of this server's own.
pub(crate) fn said(status: StatusCode, text: impl Into<String>) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(text.into())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// It was not taken, through no fault of the sender's.
pub(crate) fn later() -> Answer {
    let mut response = said(StatusCode::SERVICE_UNAVAILABLE, "not taken, send it again\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// The last one of its connection: the rest of a body that was not read must not be taken for a request.
pub(crate) fn closing(mut response: Answer) -> Answer {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The connector's own answer. How it travels is this server's business, so headers about that are left out.
pub(crate) fn given(given: &WebhookResponse) -> Option<Answer> {
    const TRAVEL: [&str; 7] =
        ["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
    let status = StatusCode::from_u16(given.status).ok().filter(|status| !status.is_informational())?;
    if given.body.len() > MOST_BYTES {
        return None;
    }
    let mut response = said(status, "");
    *response.body_mut() = Full::new(Bytes::from(given.body.clone()));
    for (name, value) in &given.headers {
        let (name, value) = (HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        if name == CONTENT_TYPE {
            // In place of the one that a plain text gets.
            response.headers_mut().insert(name, value);
        } else if !TRAVEL.contains(&name.as_str()) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Option<Answer> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        given(&WebhookResponse { status, headers, body: b"challenge".to_vec() })
    }

    #[test]
    fn the_connectors_answer_is_given_as_it_is() {
        let response = answer(202, &[("Content-Type", "text/plain"), ("X-Hook-Secret", "abc")]).unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(response.headers()["x-hook-secret"], "abc");
    }

    #[test]
    fn how_an_answer_travels_is_not_the_connectors_to_say() {
        let response = answer(200, &[("Transfer-Encoding", "chunked"), ("Content-Length", "3")]).unwrap();
        assert!(!response.headers().contains_key("transfer-encoding"));
        assert!(!response.headers().contains_key("content-length"));
    }

    #[test]
    fn what_is_no_answer_is_not_given() {
        assert!(answer(42, &[]).is_none());
        assert!(answer(101, &[]).is_none());
        assert!(answer(200, &[("a b", "c")]).is_none());
        assert!(answer(200, &[("a", "b\r\nc: d")]).is_none());
    }
}
