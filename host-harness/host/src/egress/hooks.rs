//! Enforcement: every request of a guest comes through here.
//!
//! The whole body is collected before anything is decided or sent. So the guest never sees a write error in place of a
//! denial or of an early answer, a guest that traps in the middle of its body sends nothing, and the length is known.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::client::{Client, Timeouts, may_have_left};
use super::origin::Origin;
use super::policy::{Denial, DenialReason, Policy};
use crate::report::EgressRecord;
use crate::secret::Injection;

/// One call may make so many requests. The longest legitimate call pages and retries; hundreds of requests are a loop.
const MOST_REQUESTS: usize = 500;

/// A request body of more bytes is refused: an API's files are at most 16 MB, and it is held in memory.
const MOST_BODY: usize = 20 << 20;

/// What a call did over the network, shared by the call and its requests.
#[derive(Clone, Default)]
pub(crate) struct EgressLog {
    entries: Arc<Mutex<Entries>>,
}

#[derive(Default)]
struct Entries {
    requests: Vec<(Instant, EgressRecord)>,
    denials: Vec<Denial>,
    /// The call is over: its report is written, and nothing may leave any more.
    closed: bool,
}

/// Why a request is not let out although the policy allows it.
enum NotBegun {
    TooMany,
    Closed,
}

impl EgressLog {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what was recorded. No request of the call leaves from now on.
    pub(crate) fn close(&self) -> (Vec<EgressRecord>, Vec<Denial>) {
        let mut entries = self.lock();
        entries.closed = true;
        let requests = std::mem::take(&mut entries.requests).into_iter().map(|(began, mut record)| {
            if record.status.is_none() && record.error.is_none() {
                record.error = Some("given up before an answer came".to_owned());
                record.duration = began.elapsed();
            }
            record
        });
        (requests.collect(), std::mem::take(&mut entries.denials))
    }

    fn deny(&self, denial: Denial) {
        self.lock().denials.push(denial);
    }

    /// Writes a request down before it leaves.
    fn begin(&self, record: EgressRecord) -> Result<usize, NotBegun> {
        let mut entries = self.lock();
        if entries.closed {
            return Err(NotBegun::Closed);
        }
        if entries.requests.len() >= MOST_REQUESTS {
            return Err(NotBegun::TooMany);
        }
        entries.requests.push((Instant::now(), record));
        Ok(entries.requests.len() - 1)
    }

    /// Completes a request's record. It may be gone: a request can outlive its call for a moment.
    fn complete(&self, index: usize, change: impl FnOnce(&mut EgressRecord)) {
        if let Some((began, record)) = self.lock().requests.get_mut(index) {
            record.duration = began.elapsed();
            change(record);
        }
    }
}

/// See the module. One for each call.
pub(crate) struct Hooks {
    client: Client,
    policy: Arc<Policy>,
    log: EgressLog,
    injections: Arc<[Injection]>,
}

impl Hooks {
    pub(crate) fn new(client: Client, policy: Arc<Policy>, log: EgressLog, injections: Arc<[Injection]>) -> Self {
        Self { client, policy, log, injections }
    }
}

type Result<T, E = Error> = std::result::Result<T, E>;
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>)>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _answer_error: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (client, policy) = (self.client.clone(), Arc::clone(&self.policy));
        let (log, injections) = (self.log.clone(), Arc::clone(&self.injections));
        Box::new(async move {
            let timeouts = client.timeouts().clamped(options);
            let answer = send(&client, &policy, &log, &injections, request, timeouts).await?;
            Ok((answer, Box::new(std::future::ready(Ok(()))) as Box<dyn Future<Output = Result<()>> + Send>))
        })
    }
}

async fn send(
    client: &Client,
    policy: &Policy,
    log: &EgressLog,
    injections: &[Injection],
    request: Request<WasiBody>,
    timeouts: Timeouts,
) -> Result<Response<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    let body = timeout(timeouts.first_byte(), collect(body)).await.map_err(|_| Error::ConnectionWriteTimeout)??;
    let origin = match policy.decide(&parts.method, &parts.uri) {
        Ok(origin) => origin,
        Err(denial) => {
            log.deny(*denial);
            return Err(Error::HttpRequestDenied);
        }
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let denial = |reason: DenialReason, allow_with: Option<String>| Denial {
        method: method.clone(),
        destination: origin.to_string(),
        path: path.clone(),
        reason,
        allow_with,
    };
    parts.uri = in_one_spelling(&parts.uri, &origin)?;
    let authority = HeaderValue::try_from(origin.authority()).map_err(|_| Error::HttpRequestUriInvalid)?;
    parts.headers.insert(HOST, authority);
    if !body.is_empty() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    for (_, value) in parts.headers.iter_mut().filter(|(name, _)| **name == AUTHORIZATION) {
        injections.iter().for_each(|injection| injection.apply(value));
    }

    let index = match log.begin(EgressRecord::new(&method, &origin.to_string(), &path)) {
        Ok(index) => index,
        Err(NotBegun::TooMany) => {
            log.deny(denial(DenialReason::TooMany(MOST_REQUESTS), None));
            return Err(Error::HttpRequestDenied);
        }
        Err(NotBegun::Closed) => return Err(Error::HttpRequestDenied),
    };
    match client.send(Request::from_parts(parts, Full::new(body)), timeouts).await {
        Ok(answer) => {
            log.complete(index, |record| record.status = Some(answer.status().as_u16()));
            Ok(answer.map(BodyExt::boxed_unsync))
        }
        Err(error) => {
            if matches!(error, Error::DestinationIpProhibited) {
                log.deny(denial(DenialReason::PrivateAddress, Some(origin.to_string())));
            }
            log.complete(index, |record| {
                record.error = Some(error.to_string());
                record.may_have_left = may_have_left(&error);
            });
            Err(error)
        }
    }
}

async fn collect(mut body: WasiBody) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    let mut too_long = false;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        // The rest of a body that is too long is still taken, so that the guest gets the reason and no write error.
        too_long = too_long || whole.len() + data.len() > MOST_BODY;
        if !too_long {
            whole.extend_from_slice(&data);
        }
    }
    if too_long { Err(Error::HttpRequestBodySize(None)) } else { Ok(whole.freeze()) }
}

fn in_one_spelling(uri: &Uri, origin: &Origin) -> Result<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let whole = if path.starts_with('/') { format!("{origin}{path}") } else { format!("{origin}/{path}") };
    whole.parse().map_err(|_| Error::HttpRequestUriInvalid)
}
