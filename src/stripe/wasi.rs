//! Requests over `wasi:http`, in which **the response decides**.
//!
//! The request is started, its body written and finished, and then the answer is waited for, whatever became of
//! the writing: a server may answer, and may have done the work, without reading the body to its end. A write
//! error says nothing and never hides an answer. This drives the bindings of `waki` rather than its client, whose
//! `send` returns on a write error before it looks at the response, and which sets no first-byte and no
//! between-bytes timeout.

use waki::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
    http_error_code,
};
use waki::bindings::wasi::io::poll;
use waki::bindings::wasi::io::streams::{OutputStream, Pollable, StreamError};

use super::received::Received;
use super::transport::{Clock, Failure, HttpRequest, HttpResponse, Transport};
use crate::catalogue::{self, Method};

/// The component's own way out.
pub struct Wasi;

type Http = waki::bindings::wasi::http::types::Method;

impl Transport for Wasi {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure> {
        let (outgoing, options) =
            prepare(request).map_err(|what| Failure::Unsendable(format!("it has no valid {what}")))?;
        // Kept until the answer is read: dropping it unfinished would abort the exchange.
        let body = outgoing.body().map_err(|()| Failure::Unsendable("it has no body to write".into()))?;
        let deadline = Deadline::at_ms(request.deadline_ms);
        let future = handle(outgoing, Some(options)).map_err(|code| failure(&code))?;
        let body = write(body, request.body.unwrap_or_default(), &future, &deadline);
        let response = wait(&future, &deadline)?;
        let result = read(response, &deadline);
        drop(body);
        result
    }
}

/// When the exchange has to be over. The host's own timeouts bound its parts, not the whole: an answer that drips in
/// is never late for them.
struct Deadline {
    instant: u64,
    timer: Pollable,
}

impl Deadline {
    /// A little later than the request's own, in milliseconds: the timeouts that the host was given end then, and its
    /// word on whether anything left is better than ours.
    const GRACE_MS: u64 = 100;

    fn at_ms(deadline_ms: u64) -> Self {
        let instant = deadline_ms.saturating_add(Self::GRACE_MS).saturating_mul(1_000_000);
        Self { instant, timer: monotonic_clock::subscribe_instant(instant) }
    }

    fn has_passed(&self) -> bool {
        monotonic_clock::now() >= self.instant
    }

    /// Waits for something to be ready, or for the deadline. Says what is, each by its place.
    fn wait_for(&self, ready: &[&Pollable]) -> Vec<u32> {
        let mut all = Vec::with_capacity(ready.len() + 1);
        all.extend_from_slice(ready);
        all.push(&self.timer);
        poll::poll(&all)
    }
}

fn prepare(request: &HttpRequest<'_>) -> Result<(OutgoingRequest, RequestOptions), &'static str> {
    let headers: Vec<(String, Vec<u8>)> =
        request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())).collect();
    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).map_err(|_| "headers")?);
    let method = match request.method {
        Method::Get => Http::Get,
        Method::Post => Http::Post,
        Method::Delete => Http::Delete,
    };
    outgoing.set_method(&method).map_err(|()| "method")?;
    let scheme = if request.base.https { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
    outgoing.set_authority(Some(&request.base.authority)).map_err(|()| "host")?;
    outgoing.set_path_with_query(Some(request.path)).map_err(|()| "path")?;
    let options = RequestOptions::new();
    let nanoseconds = |ms: u64| Some(ms.saturating_mul(1_000_000));
    options.set_connect_timeout(nanoseconds(request.timeouts.connect)).map_err(|()| "timeout")?;
    options.set_first_byte_timeout(nanoseconds(request.timeouts.first_byte)).map_err(|()| "timeout")?;
    options.set_between_bytes_timeout(nanoseconds(request.timeouts.between_bytes)).map_err(|()| "timeout")?;
    Ok((outgoing, options))
}

/// Writes the body until it is finished, or until the answer is there or the stream is closed. Gives the body back
/// where it could not be finished.
fn write(
    body: OutgoingBody,
    bytes: &[u8],
    future: &FutureIncomingResponse,
    deadline: &Deadline,
) -> Option<OutgoingBody> {
    let Ok(stream) = body.write() else { return Some(body) };
    let complete = write_all(&stream, bytes, future, deadline);
    drop(stream);
    if !complete {
        return Some(body);
    }
    // An error here is one of writing: the response says what became of the request.
    let _ = OutgoingBody::finish(body, None);
    None
}

fn write_all(stream: &OutputStream, bytes: &[u8], future: &FutureIncomingResponse, deadline: &Deadline) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        match stream.check_write() {
            Ok(0) => {
                let (writable, answered) = (stream.subscribe(), future.subscribe());
                let ready = deadline.wait_for(&[&writable, &answered]);
                // The answer, or the deadline.
                if !ready.contains(&0) {
                    return false;
                }
            }
            Ok(room) => {
                let room = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
                let (now, later) = rest.split_at(room);
                if stream.write(now).is_err() {
                    return false;
                }
                rest = later;
            }
            Err(_) => return false,
        }
    }
    true
}

fn wait(future: &FutureIncomingResponse, deadline: &Deadline) -> Result<IncomingResponse, Failure> {
    deadline.wait_for(&[&future.subscribe()]);
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(failure(&code)),
        Some(Err(())) => Err(Failure::Broken("the host lost the answer".into())),
        None => Err(Failure::TimedOut("no answer".into())),
    }
}

fn read(response: IncomingResponse, deadline: &Deadline) -> Result<HttpResponse, Failure> {
    let status = response.status();
    let headers: Vec<(String, String)> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(mut name, value)| {
            name.make_ascii_lowercase();
            (name, String::from_utf8(value).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
        })
        .collect();
    let head = HttpResponse { status, headers, body: Vec::new() };
    let announced = head.header("content-length").and_then(|v| v.parse::<usize>().ok());
    let cut = |why: String| Failure::Broken(format!("the answer (status {status}) was cut off: {why}"));
    let late = || Failure::TimedOut(format!("the answer (status {status}) did not end"));
    let Ok(mut received) = Received::new(announced, catalogue::RESPONSE_BYTES as usize) else {
        return Err(Failure::TooLarge(Box::new(head)));
    };
    let incoming = response.consume().map_err(|()| cut("it has no body".into()))?;
    let stream = incoming.stream().map_err(|()| cut("its body cannot be read".into()))?;
    while !received.is_whole() {
        match stream.read(CHUNK) {
            Ok(chunk) if chunk.is_empty() && deadline.has_passed() => return Err(late()),
            Ok(chunk) if chunk.is_empty() => {
                deadline.wait_for(&[&stream.subscribe()]);
            }
            Ok(chunk) => {
                if received.add(&chunk).is_err() {
                    return Err(Failure::TooLarge(Box::new(head)));
                }
                // Each drop may come in time, and the whole not.
                if !received.is_whole() && deadline.has_passed() {
                    return Err(late());
                }
            }
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(ErrorCode::HttpResponseBodySize(_)) => Failure::TooLarge(Box::new(head)),
                    Some(ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout) => late(),
                    _ => cut(error.to_debug_string()),
                });
            }
        }
    }
    if received.is_short() {
        return Err(cut("it is shorter than announced".into()));
    }
    Ok(HttpResponse { body: received.into_bytes(), ..head })
}

/// How much is read at once.
const CHUNK: u64 = 64 * 1024;

/// What an error code says about whether the request can have left.
fn failure(code: &ErrorCode) -> Failure {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => {
            Failure::Denied("the address is not granted".into())
        }
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Failure::Unreachable("the host name cannot be resolved".into())
        }
        ErrorCode::ConnectionRefused => Failure::Unreachable("the connection was refused".into()),
        ErrorCode::ConnectionTimeout => Failure::Unreachable("no connection came about in time".into()),
        ErrorCode::DestinationUnavailable | ErrorCode::DestinationIpUnroutable => {
            Failure::Unreachable("there is no route to it".into())
        }
        ErrorCode::TlsCertificateError => Failure::Unreachable("its TLS certificate is not valid for it".into()),
        // Hosts say so while they connect: a plain-text answer to the handshake, an old protocol. An alert
        // (`tls-alert-received`) may come later, from a server that wants a certificate after the request has left.
        ErrorCode::TlsProtocolError => Failure::Unreachable("no TLS connection came about".into()),
        ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::HttpRequestUriTooLong
        | ErrorCode::HttpRequestHeaderSectionSize(_)
        | ErrorCode::HttpRequestHeaderSize(_) => Failure::Unsendable("the host takes no such request".into()),
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout => {
            Failure::TimedOut("no answer".into())
        }
        // Whatever else it is, the request may have left.
        ErrorCode::ConnectionTerminated => Failure::Broken("it was closed before the answer was there".into()),
        ErrorCode::TlsAlertReceived(_) => Failure::Broken("the other side ended the TLS connection".into()),
        ErrorCode::HttpProtocolError => Failure::Broken("what came is no HTTP".into()),
        ErrorCode::HttpResponseHeaderSectionSize(_) | ErrorCode::HttpResponseHeaderSize(_) => {
            Failure::Broken("the head of the answer is larger than what is read".into())
        }
        ErrorCode::InternalError(Some(why)) => Failure::Broken(why.clone()),
        _ => Failure::Broken("the exchange failed".into()),
    }
}

/// Time from the host.
pub struct WasiClock;

impl Clock for WasiClock {
    fn unix_seconds(&self) -> u64 {
        wall_clock::now().seconds
    }

    fn monotonic_ms(&self) -> u64 {
        monotonic_clock::now() / 1_000_000
    }

    fn sleep_ms(&self, duration: u64) {
        let end = monotonic_clock::now().saturating_add(duration.saturating_mul(1_000_000));
        poll::poll(&[&monotonic_clock::subscribe_instant(end)]);
    }

    fn chance(&self) -> f64 {
        // The 53 bits that a float holds exactly.
        (waki::bindings::wasi::random::random::get_random_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}
