//! A request's body, read within bounds; or the answer to one that is over them.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::time::timeout;

use crate::answer::{Answer, closing, said};

/// Events are a few kilobytes; no service sends a megabyte.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// So long a body may take: services send theirs at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the whole body.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B) -> Result<Bytes, Box<Answer>>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Read before it is refused: who is still sending would not hear the answer.
    let body = match timeout(PATIENCE, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return refused(closing(said(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("at most {MOST_BYTES} bytes are read\n"),
            )));
        }
        Ok(Err(_)) => return refused(closing(said(StatusCode::BAD_REQUEST, "the body broke off\n"))),
        Err(_) => return refused(closing(said(StatusCode::REQUEST_TIMEOUT, "the body did not end\n"))),
    };
    if !body.is_empty() && !is_json(headers) {
        return refused(said(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be JSON\n"));
    }
    Ok(body)
}

fn refused(answer: Answer) -> Result<Bytes, Box<Answer>> {
    Err(Box::new(answer))
}

/// Whether a body claims to be JSON, or claims nothing. Stripe sends `application/json; charset=utf-8`.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind == "text/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn answered(kind: Option<&'static str>, length: usize) -> Result<usize, u16> {
        let mut headers = HeaderMap::new();
        headers.extend(kind.map(|kind| (CONTENT_TYPE, http::HeaderValue::from_static(kind))));
        let read = read(&headers, Full::new(Bytes::from(vec![b' '; length]))).await;
        read.map(|body| body.len()).map_err(|answer| answer.status().as_u16())
    }

    #[tokio::test]
    async fn json_is_read_and_so_is_what_claims_nothing() {
        for kind in [
            None,
            Some("application/json; charset=utf-8"),
            Some("Application/JSON"),
            Some("application/cloudevents+json"),
        ] {
            assert_eq!(answered(kind, 10).await, Ok(10), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn what_claims_to_be_something_else_is_refused() {
        for kind in ["text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "json", ""] {
            assert_eq!(answered(Some(kind), 10).await, Err(415), "{kind:?}");
            assert_eq!(answered(Some(kind), 0).await, Ok(0), "there is no body that would have to be JSON");
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused() {
        assert_eq!(answered(None, MOST_BYTES).await, Ok(MOST_BYTES));
        assert_eq!(answered(None, MOST_BYTES + 1).await, Err(413));
    }
}
