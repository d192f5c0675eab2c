//! Enforcement: every request of a guest comes through here.
//!
//! Whether a request may leave is decided by its head, before anything of its body is kept. A body that is not wanted is
//! still taken to its end, and dropped, so that the guest never sees a write error in place of the reason. A body that is
//! wanted is collected before anything is sent: a guest that traps in the middle of it sends nothing, and its length is
//! known.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::client::{Answer, Client, may_have_left};
use super::credential::{Carries, Injection, Sessions, authorize};
use super::denial::{Denial, DenialReason, clipped};
use super::flight::{CallFlight, Load, MOST_BODY};
use super::gate::{Departure, Gate};
use super::log::{EgressLog, MOST_REQUESTS, NotBegun};
use super::origin::Origin;
use super::policy::{Allowed, Policy};
use super::scrubbed::{Scrubbed, scrub_headers};
use crate::report::EgressRecord;
use crate::secret::Scrubber;

/// So many requests of a call are on their way at once, from the decision until their answer is read or dropped. The
/// others wait, and hold no more than a piece of their body.
const MOST_AT_ONCE: usize = 16;

/// The longest head: method, URL and headers. Servers refuse longer ones.
const MOST_HEAD: usize = 32 << 10;

/// The largest answer that opens a session: a credential and some words about it.
const MOST_SESSION: usize = 64 << 10;

/// What a guest hands over at once, of a request body that nobody has asked for yet.
const BODY_PIECE: usize = 16 << 10;

/// See the module. One for each call.
pub(crate) struct Hooks {
    /// None in a call that needs no network.
    way_out: Option<Arc<WayOut>>,
    log: EgressLog,
}

/// What a call has for its requests.
struct WayOut {
    client: Client,
    policy: Arc<Policy>,
    injections: Arc<[Injection]>,
    scrubber: Scrubber,
    sessions: Sessions,
    flight: CallFlight,
    turns: Arc<Semaphore>,
    gate: Option<Arc<dyn Gate>>,
}

impl Hooks {
    /// For a call that may make requests.
    pub(crate) fn new(
        client: Client,
        policy: Arc<Policy>,
        log: EgressLog,
        injections: Arc<[Injection]>,
        scrubber: Scrubber,
        gate: Option<Arc<dyn Gate>>,
    ) -> Self {
        let (flight, turns) = (client.flight(), Arc::new(Semaphore::new(MOST_AT_ONCE)));
        let sessions = Sessions::default();
        let way_out = WayOut { client, policy, injections, scrubber, sessions, flight, turns, gate };
        Self { way_out: Some(Arc::new(way_out)), log }
    }

    /// For a call that needs no network: there is nothing that a request could leave by.
    pub(crate) fn offline(log: EgressLog) -> Self {
        Self { way_out: None, log }
    }
}

type Result<T, E = Error> = std::result::Result<T, E>;
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<()>> + Send>)>;

impl WasiHttpHooks for Hooks {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        BODY_PIECE
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _answer_error: Box<dyn Future<Output = Result<()>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (way_out, log) = (self.way_out.clone(), self.log.clone());
        Box::new(async move {
            let (parts, body) = request.into_parts();
            let answer = match way_out {
                Some(way_out) => way_out.send(&log, parts, body, options).await?,
                None => {
                    drain(body).await;
                    return Err(refuse(&log, &parts, None, DenialReason::NoNetwork));
                }
            };
            Ok((answer, Box::new(std::future::ready(Ok(()))) as Box<dyn Future<Output = Result<()>> + Send>))
        })
    }
}

/// Writes down that a request does not leave.
fn refuse(log: &EgressLog, parts: &Parts, origin: Option<&Origin>, reason: DenialReason) -> Error {
    let destination = match origin {
        Some(origin) => origin.to_string(),
        None => format!("{}://{}", parts.uri.scheme_str().unwrap_or("?"), parts.uri.host().unwrap_or("?")),
    };
    let error = match reason {
        DenialReason::Body(_) => Error::HttpRequestBodySize(None),
        DenialReason::Head(_) => Error::HttpRequestHeaderSectionSize(None),
        _ => Error::HttpRequestDenied,
    };
    log.deny(Denial::new(parts.method.as_str(), &destination, parts.uri.path(), reason, None));
    error
}

impl WayOut {
    async fn send(
        &self,
        log: &EgressLog,
        mut parts: Parts,
        body: WasiBody,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>> {
        let timeouts = self.client.timeouts().clamped(options);
        let (allowed, carries) = match self.decide(&mut parts) {
            Ok(decided) => decided,
            Err(denial) => {
                let _ = timeout(timeouts.first_byte(), drain(body)).await;
                let too_long = matches!(denial.reason, DenialReason::Body(_));
                log.deny(*denial);
                return Err(if too_long { Error::HttpRequestBodySize(None) } else { Error::HttpRequestDenied });
            }
        };
        let ready = async {
            let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::HttpRequestDenied)?;
            let mut load = self.flight.load();
            let body = collect(body, &mut load).await?;
            Ok::<_, Error>((turn, load, body))
        };
        let (turn, load, body) =
            timeout(timeouts.first_byte(), ready).await.map_err(|_| Error::ConnectionWriteTimeout)??;
        let body = match body {
            Ok(body) => body,
            Err(reason) => return Err(refuse(log, &parts, Some(&allowed.origin), reason)),
        };
        let (method, path) = (clipped(parts.method.as_str()), clipped(parts.uri.path()));
        let origin = allowed.origin.to_string();
        if !body.is_empty() {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }

        if let Some(gate) = &self.gate
            && let Err(reason) = gate.admit(&Departure::new(&parts, &origin, &body))
        {
            return Err(refuse(log, &parts, Some(&allowed.origin), DenialReason::HeldBack(clipped(&reason))));
        }
        let index = match log.begin(EgressRecord::new(&method, &origin, &path)) {
            Ok(index) => index,
            Err(NotBegun::TooMany) => {
                return Err(refuse(log, &parts, Some(&allowed.origin), DenialReason::TooMany(MOST_REQUESTS)));
            }
            Err(NotBegun::Closed) => return Err(Error::HttpRequestDenied),
        };
        let request = Request::from_parts(parts, Full::new(body));
        match self.client.send(request, allowed.private, timeouts).await {
            Ok(answer) => {
                log.complete(index, |record| record.status = Some(answer.status().as_u16()));
                self.answer(answer, &allowed, carries, (turn, load)).await
            }
            Err(error) => {
                if matches!(error, Error::DestinationIpProhibited) {
                    let allow_with = Some(origin.clone());
                    log.deny(Denial::new(&method, &origin, &path, DenialReason::PrivateAddress, allow_with));
                }
                log.complete(index, |record| {
                    record.error = Some(error.to_string());
                    record.may_have_left = may_have_left(&error);
                });
                Err(error)
            }
        }
    }

    /// Decides by the head, and makes it the one that leaves.
    fn decide(&self, parts: &mut Parts) -> Result<(Allowed, Carries), Box<Denial>> {
        let allowed = self.policy.decide(&parts.method, &parts.uri)?;
        let shown = allowed.origin.to_string();
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let denied = |reason: DenialReason| Box::new(Denial::new(method.as_str(), &shown, &path, reason, None));
        if size(parts) > MOST_HEAD {
            return Err(denied(DenialReason::Head(MOST_HEAD)));
        }
        if announced(&parts.headers).is_some_and(|length| length > MOST_BODY as u64) {
            return Err(denied(DenialReason::Body(MOST_BODY)));
        }
        let not_a_url = || denied(DenialReason::Url("it cannot be written as a URL".to_owned()));
        parts.uri = in_one_spelling(&parts.uri, &shown).ok_or_else(not_a_url)?;
        let authority = HeaderValue::try_from(allowed.origin.authority()).map_err(|_| not_a_url())?;
        parts.headers.insert(HOST, authority);
        if !self.scrubber.is_empty() {
            // In a packed answer nobody would see a secret that has to be taken out of it.
            parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let carries = authorize(&mut parts.headers, &allowed, &self.injections, &self.sessions).map_err(denied)?;
        Ok((allowed, carries))
    }

    /// The answer as the guest gets it: without secrets. `taken` is given back when it is read or dropped.
    async fn answer<T: Send + Unpin + 'static>(
        &self,
        answer: Response<Answer>,
        allowed: &Allowed,
        carries: Carries,
        taken: T,
    ) -> Result<Response<WasiBody>> {
        let (mut parts, body) = answer.into_parts();
        if self.scrubber.is_empty() {
            return Ok(Response::from_parts(parts, Scrubbed::new(body, self.scrubber.clone(), taken).boxed_unsync()));
        }
        if let Some(packed) = parts.headers.get_all(CONTENT_ENCODING).iter().find(|coding| *coding != "identity") {
            return Err(Error::HttpResponseContentCoding(packed.to_str().ok().map(clipped)));
        }
        scrub_headers(&self.scrubber, &mut parts.headers);
        let opens = allowed.opens.as_ref().filter(|_| carries == Carries::TheConnections && parts.status.is_success());
        let mut body = Scrubbed::new(body, self.scrubber.clone(), taken);
        let Some(token) = opens else {
            return Ok(Response::from_parts(parts, body.boxed_unsync()));
        };
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if whole.len() + data.len() > MOST_SESSION {
                return Err(Error::HttpResponseBodySize(None));
            }
            whole.extend_from_slice(&data);
        }
        self.sessions.learn(&whole, &token.field);
        let whole = Full::new(whole.freeze()).map_err(|never| match never {});
        Ok(Response::from_parts(parts, whole.boxed_unsync()))
    }
}

fn size(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    parts.headers.iter().fold(line, |size, (name, value)| size + name.as_str().len() + value.len())
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Takes a body and keeps nothing of it.
async fn drain(mut body: WasiBody) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Takes a body whole, or says why it is too much; then its rest is taken all the same.
async fn collect(mut body: WasiBody, load: &mut Load) -> Result<Result<Bytes, DenialReason>> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let fits = if whole.len() + data.len() > MOST_BODY {
            Err(DenialReason::Body(MOST_BODY))
        } else {
            load.add(data.len()).map_err(DenialReason::InFlight)
        };
        if let Err(reason) = fits {
            drop(whole);
            load.empty();
            drain(body).await;
            return Ok(Err(reason));
        }
        whole.extend_from_slice(&data);
    }
    Ok(Ok(whole.freeze()))
}

fn in_one_spelling(uri: &Uri, origin: &str) -> Option<Uri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let whole = if path.starts_with('/') { format!("{origin}{path}") } else { format!("{origin}/{path}") };
    whole.parse().ok()
}
