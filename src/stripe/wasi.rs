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
};
use waki::bindings::wasi::io::poll;
use waki::bindings::wasi::io::streams::{OutputStream, StreamError};

use super::transport::{Clock, Failure, HttpRequest, HttpResponse, Transport};
use crate::catalog::{self, Method};

/// The component's own way out.
pub struct Wasi;

type Http = waki::bindings::wasi::http::types::Method;

impl Transport for Wasi {
    fn send(&self, request: &HttpRequest<'_>) -> Result<HttpResponse, Failure> {
        let (outgoing, options) =
            prepare(request).map_err(|what| Failure::Unreachable(format!("the request has no valid {what}")))?;
        // Kept until the answer is read: dropping it unfinished would abort the exchange.
        let body = outgoing.body().map_err(|()| Failure::Unreachable("the request has no body to write".into()))?;
        let future = handle(outgoing, Some(options)).map_err(|code| failure(&code))?;
        let body = write(body, request.body.unwrap_or_default(), &future);
        let response = wait(&future)?;
        let result = read(response);
        drop(body);
        result
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
fn write(body: OutgoingBody, bytes: &[u8], future: &FutureIncomingResponse) -> Option<OutgoingBody> {
    let Ok(stream) = body.write() else { return Some(body) };
    let complete = write_all(&stream, bytes, future);
    drop(stream);
    if !complete {
        return Some(body);
    }
    // An error here is one of writing: the response says what became of the request.
    let _ = OutgoingBody::finish(body, None);
    None
}

fn write_all(stream: &OutputStream, bytes: &[u8], future: &FutureIncomingResponse) -> bool {
    let (writable, answered) = (stream.subscribe(), future.subscribe());
    let mut rest = bytes;
    while !rest.is_empty() {
        match stream.check_write() {
            Ok(0) => {
                poll::poll(&[&writable, &answered]);
                if answered.ready() && !writable.ready() {
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

fn wait(future: &FutureIncomingResponse) -> Result<IncomingResponse, Failure> {
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(failure(&code)),
        Some(Err(())) | None => Err(Failure::Broken("the host lost the answer".into())),
    }
}

fn read(response: IncomingResponse) -> Result<HttpResponse, Failure> {
    let status = response.status();
    let headers: Vec<(String, String)> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let expected = headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse::<usize>().ok());
    let cut = |why: String| Failure::Broken(format!("the answer (status {status}) was cut off: {why}"));
    let incoming = response.consume().map_err(|()| cut("it has no body".into()))?;
    let stream = incoming.stream().map_err(|()| cut("its body cannot be read".into()))?;
    let mut body = Vec::with_capacity(expected.unwrap_or(0).min(catalog::RESPONSE_BYTES));
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) if body.len() + chunk.len() > catalog::RESPONSE_BYTES => return Err(Failure::TooLarge(status)),
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => return Err(cut(error.to_debug_string())),
        }
    }
    if expected.is_some_and(|e| e > body.len()) {
        return Err(cut("it is shorter than announced".into()));
    }
    Ok(HttpResponse { status, headers, body })
}

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
        ErrorCode::HttpRequestMethodInvalid | ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestUriTooLong => {
            Failure::Unreachable("the request is not valid".into())
        }
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::ConnectionWriteTimeout => {
            Failure::TimedOut("no answer".into())
        }
        ErrorCode::HttpResponseBodySize(_) => Failure::TooLarge(0),
        // Whatever else it is, the request may have left.
        other => Failure::Broken(format!("{other:?}")),
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
        monotonic_clock::subscribe_duration(duration.saturating_mul(1_000_000)).block();
    }

    fn chance(&self) -> f64 {
        // The 53 bits that a float holds exactly.
        (waki::bindings::wasi::random::random::get_random_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}
