//! The network of one call: what every request goes through on its way to `egress`, which decides on it.
//!
//! Here a request is only marked and measured: whether it means to act although its method reads, the caller's trace, and
//! the computing that the host does for it, which counts as the guest's.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Request, Response};
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::meter::Meter;
use crate::egress::Hooks;

/// The headers that make some servers take a request as one of another method.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The query parameter that does.
const OVERRIDE_PARAMETER: &str = "_method=";

/// See the module.
pub(super) struct Network {
    hooks: Hooks,
    meter: Arc<Meter>,
    trace: Option<HeaderValue>,
    masked: Arc<AtomicBool>,
}

impl Network {
    /// `masked` becomes true with the first request that asks to be taken as one of another method.
    pub(super) fn new(hooks: Hooks, meter: Arc<Meter>, trace: Option<HeaderValue>, masked: Arc<AtomicBool>) -> Self {
        Self { hooks, meter, trace, masked }
    }
}

fn is_masked(request: &Request<WasiBody>) -> bool {
    let by_header = OVERRIDES.iter().any(|name| request.headers().contains_key(*name));
    by_header || request.uri().query().is_some_and(|query| query.contains(OVERRIDE_PARAMETER))
}

type Result<T, E = Error> = std::result::Result<T, E>;
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>)>;

impl WasiHttpHooks for Network {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        self.hooks.is_forbidden_header(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        self.hooks.forbidden_header_filter()
    }

    fn is_supported_scheme(&mut self, scheme: &Scheme) -> bool {
        self.hooks.is_supported_scheme(scheme)
    }

    fn set_host_header(&mut self) -> bool {
        self.hooks.set_host_header()
    }

    fn default_scheme(&mut self) -> Option<Scheme> {
        self.hooks.default_scheme()
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        self.hooks.p2_outgoing_body_chunk_size()
    }

    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        answer_error: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        if is_masked(&request) {
            self.masked.store(true, Ordering::Relaxed);
        }
        if let Some(trace) = &self.trace {
            request.headers_mut().insert(HeaderName::from_static("traceparent"), trace.clone());
        }
        let sending = Pin::from(self.hooks.send_request(request, options, answer_error));
        let sending = self.meter.count(sending);
        // A guest that computes for too long gets no answers any more.
        Box::new(async move { sending.await.unwrap_or(Err(Error::HttpRequestDenied)) })
    }
}
