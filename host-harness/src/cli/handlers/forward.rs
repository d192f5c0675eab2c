//! Posts each event to a URL.
//!
//! The body is the event as `harness sample` prints one. Headers say which run it is: `Idempotency-Key`, the same for every
//! try, by which the receiver knows it again; and `Event-Id`, `Event-Type`, `Event-Trigger`, `Event-Source` and
//! `Event-Attempt`. A 2xx takes it. 400, 410, 413, 415 and 422 say that this event will never be taken, so the run is a dead
//! letter at once. Everything else, 401, 403 and 404 included, says something of the receiver as it is now (a deployment, a
//! key that is being changed), and is tried again, after the `Retry-After` where there is one. A redirect is not followed:
//! an event goes where the user said.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use host::NetworkConfig;
use host::contract::Event;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use inbox::{Handler, Handling, Run, Verdict};

use crate::cli::failure::Failure;
use crate::cli::handlers::target::Target;

/// So long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Of an answer's body so much is read, so that its connection can be used again.
const MOST_ANSWER: usize = 64 << 10;

/// A receiver of events at a URL.
pub struct Forward {
    target: Target,
    authorization: Option<HeaderValue>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Forward {
    /// `authorization` is the value of the header of that name.
    pub fn new(target: Target, authorization: Option<&str>) -> Result<Self, Failure> {
        let authorization = authorization.map(|value| {
            let mut value = HeaderValue::from_str(value.trim())
                .map_err(|_| Failure::usage("the authorization to forward with cannot be a header's value"))?;
            value.set_sensitive(true);
            Ok::<_, Failure>(value)
        });
        let tls = NetworkConfig::from_environment().and_then(|network| network.tls());
        let tls = tls.map_err(|error| Failure::usage(error.to_string()))?;
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Ok(Self { target, authorization: authorization.transpose()?, client })
    }

    async fn post(&self, run: &Run) -> Verdict {
        let Some(request) = self.request(run) else {
            return Verdict::dead("the event cannot be written as a request");
        };
        let answer = match tokio::time::timeout(PATIENCE, self.client.request(request)).await {
            Err(_) => return Verdict::again(format!("{} gave no answer in {} s", self.target, PATIENCE.as_secs())),
            Ok(Err(error)) => return Verdict::again(format!("{} cannot be reached: {}", self.target, reason(&error))),
            Ok(Ok(answer)) => answer,
        };
        let (head, body) = answer.into_parts();
        // Whatever it says is not looked at, and a body without an end costs no more than its connection.
        let _ = tokio::time::timeout(Duration::from_secs(2), Limited::new(body, MOST_ANSWER).collect()).await;
        self.verdict(head.status, &head.headers)
    }

    fn verdict(&self, status: StatusCode, headers: &HeaderMap) -> Verdict {
        let said = format!("{} answered {}", self.target, status.as_u16());
        match status.as_u16() {
            200..300 => Verdict::Done,
            300..400 => Verdict::again(format!("{said}, and redirects are not followed")),
            400 | 410 | 413 | 415 | 422 => Verdict::dead(said),
            _ => Verdict::Again { reason: said, after: retry_after(headers, SystemTime::now()) },
        }
    }

    fn request(&self, run: &Run) -> Option<Request<Full<Bytes>>> {
        let Run { key, source, trigger, attempt, event, .. } = run;
        let Event { id, event_type, .. } = event;
        let body = serde_json::to_vec(event).ok()?;
        let mut request = Request::post(self.target.uri()).body(Full::new(Bytes::from(body))).ok()?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("harness/", env!("CARGO_PKG_VERSION"))));
        headers.insert(HeaderName::from_static("idempotency-key"), header(key));
        headers.insert(HeaderName::from_static("event-id"), header(id));
        headers.insert(HeaderName::from_static("event-type"), header(event_type));
        headers.insert(HeaderName::from_static("event-trigger"), header(trigger));
        headers.insert(HeaderName::from_static("event-source"), header(source));
        headers.insert(HeaderName::from_static("event-attempt"), HeaderValue::from(*attempt));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Some(request)
    }
}

impl Handler for Forward {
    fn handle<'a>(&'a self, run: &'a Run) -> Handling<'a> {
        Box::pin(self.post(run))
    }
}

/// A text of somebody else's as a header's value: what no header can hold is a question mark.
fn header(text: &str) -> HeaderValue {
    let plain: String = text.chars().map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' }).collect();
    HeaderValue::from_str(&plain).unwrap_or(HeaderValue::from_static("?"))
}

/// How long the receiver asked to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    httpdate(text)?.duration_since(now).ok()
}

/// A date as HTTP writes it: `Sat, 21 Nov 2026 15:42:03 GMT`.
fn httpdate(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

/// The innermost cause, which is the one that says something: `Connection refused`.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn forward() -> Forward {
        let target = Target::new("http://127.0.0.1:1/hook?token=secret", false).unwrap_or_else(|e| panic!("{e}"));
        Forward::new(target, Some("Bearer secret")).unwrap_or_else(|e| panic!("{e}"))
    }

    fn of(status: u16, headers: &HeaderMap) -> Verdict {
        forward().verdict(StatusCode::from_u16(status).unwrap(), headers)
    }

    #[tokio::test]
    async fn an_answer_says_whether_the_run_is_done_waits_or_is_dead() {
        let none = HeaderMap::new();
        for status in [200, 202, 204, 299] {
            assert_eq!(of(status, &none), Verdict::Done, "{status}");
        }
        for status in [400, 410, 413, 415, 422] {
            assert!(matches!(of(status, &none), Verdict::Dead { .. }), "{status}");
        }
        for status in [301, 308, 401, 403, 404, 408, 409, 425, 429, 500, 502, 503, 599] {
            assert!(matches!(of(status, &none), Verdict::Again { .. }), "{status}");
        }
    }

    #[tokio::test]
    async fn who_asks_to_be_left_alone_is() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("17"));
        assert!(matches!(of(503, &headers), Verdict::Again { after: Some(after), .. } if after.as_secs() == 17));
        let date = httpdate("Sat, 21 Nov 2026 15:42:03 GMT").unwrap();
        assert_eq!(date, UNIX_EPOCH + Duration::from_secs(1_795_275_723));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Sat, 21 Nov 2026 15:42:03 GMT"));
        let wait = retry_after(&headers, date - Duration::from_secs(60));
        assert_eq!(wait, Some(Duration::from_secs(60)));
        assert_eq!(retry_after(&headers, date + Duration::from_secs(60)), None, "it is over");
        headers.insert(RETRY_AFTER, HeaderValue::from_static("soon"));
        assert_eq!(retry_after(&headers, date), None);
    }

    #[tokio::test]
    async fn no_reason_tells_what_may_be_secret() {
        for verdict in [of(500, &HeaderMap::new()), of(400, &HeaderMap::new()), of(302, &HeaderMap::new())] {
            assert!(!format!("{verdict:?}").contains("secret"), "{verdict:?}");
        }
    }

    #[test]
    fn a_text_that_no_header_can_hold_is_no_header_of_its_own() {
        assert_eq!(header("evt_1\r\nAuthorization: mine"), "evt_1??Authorization: mine");
        assert_eq!(header("zwölf"), "zw?lf");
    }
}
