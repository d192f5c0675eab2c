//! What a request means and how it is answered: everything that is the same for every operation.
//!
//! The order is Stripe's: key, version, operation, parameters as text, idempotency key, parameters as the
//! facts want them, execution. The state machines of the objects are in `resources`; bytes on sockets are in
//! `server`.

mod auth;
mod error;
mod form;
mod idempotency;
mod multipart;
mod namespace;
mod permissions;
mod pretty;
mod rate;
mod routes;
mod validate;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, StatusCode};
use serde_json::Value;
use stripe_facts::{Encoding, Facts, Method, Shape};

pub(crate) use error::ApiError;
pub(crate) use form::{Branch, Tree, decode, encode, from_json, read};
pub(crate) use idempotency::KeptAnswer;
pub(crate) use multipart::Upload;
pub(crate) use namespace::Namespace;
pub(crate) use permissions::Permissions;
pub(crate) use pretty::pretty;
pub(crate) use validate::check_metadata_count;

use crate::faults::{Drawn, FaultKind, Faults};
use crate::journal::{Journal, RecordedRequest};
use crate::listen::{self, Listeners};
use crate::pages;
use crate::resources::{self, Call};
use crate::violations::{Answered, Violations};
use crate::webhooks::Log;
use crate::wire::Manner;
use crate::world::{Account, Cause, Object, Scope, World, lock, machine};
use idempotency::Keyed;
use routes::{Route, Routes};

/// Bytes that a body can have: far above any form of the API, small enough to hold thousands.
const LARGEST_BODY: usize = 4 << 20;
/// Bytes that an upload can have: most purposes allow files of 16 MB.
const LARGEST_UPLOAD: usize = 17 << 20;

/// A response as it leaves.
pub(crate) type Reply = Response<Full<Bytes>>;

/// Answers requests.
#[derive(Debug)]
pub(crate) struct Protocol {
    pub(crate) world: Arc<World>,
    routes: Routes,
    pub(crate) faults: Arc<Faults>,
    limiter: rate::Limiter,
    permissions: Permissions,
    habits: Habits,
    pub(crate) watch: Watch,
    listeners: Listeners,
}

/// What is remembered of the traffic, for people and tests to look at.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) journal: Arc<Journal>,
    pub(crate) log: Arc<Log>,
    pub(crate) violations: Arc<Violations>,
}

/// What is the same for every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// How long every operation takes.
    pub(crate) latency: Duration,
    /// Whether requests beyond the rates are refused.
    pub(crate) rate_limits: bool,
}

/// An executed, or refused, operation.
struct Outcome {
    status: u16,
    body: Bytes,
    /// Whether the operation was executed, now or when its key was new.
    executed: bool,
    /// The request whose answer is given again.
    replay_of: Option<Arc<str>>,
}

/// What is known of a request before it is executed.
struct Prepared<'r> {
    route: &'r Route,
    values: Vec<String>,
    /// The version that the request is read and answered in.
    version: String,
    /// Whether the answer is a 500 although the work is done.
    fails_after: bool,
    parameters: Result<Object, ApiError>,
    upload: Option<Upload>,
    keyed: Option<Keyed>,
}

impl Protocol {
    pub(crate) fn new(world: Arc<World>, faults: Arc<Faults>, habits: Habits, watch: Watch) -> Self {
        let routes = Routes::new(Facts::bundled());
        Self {
            world,
            routes,
            faults,
            limiter: rate::Limiter::default(),
            permissions: Permissions::default(),
            habits,
            watch,
            listeners: Listeners::default(),
        }
    }

    /// What restricted keys may do.
    pub(crate) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Carries out a request that comes from inside; its answer.
    pub(crate) async fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Value {
        let key = format!("Bearer {}", crate::TEST_SECRET_KEY);
        let request = Request::builder().method(method).uri(path).header("authorization", key);
        let Ok(request) = request.header("stripe-version", &Facts::bundled().api_version).body(()) else {
            return Value::Null;
        };
        let body: Vec<String> = form.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect();
        let (head, ()) = request.into_parts();
        let id = self.world.request_id();
        let reply = self.api(&head, body.join("&").as_bytes(), &id, false).await;
        let answer = reply.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        serde_json::from_slice(&answer).unwrap_or_default()
    }

    /// Answers any request whatever.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Reply {
        if request.uri().path() == listen::PATH {
            let id = self.world.request_id();
            return self.listeners.accept(&self.world, request, &self.faults, &self.watch.log, &id);
        }
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        let owned = pages::owns(&head);
        let drawn = if owned { Drawn::default() } else { self.faults.draw(head.method.as_str(), path) };
        if drawn.fault == Some(FaultKind::EarlyAnswer) {
            let request_id = self.world.request_id();
            let number = self.watch.journal.arrived(recorded(&head, None, &request_id));
            self.watch.journal.answered(number, 500);
            let mut reply = refusal(&ApiError::failure(), &request_id, false);
            reply.headers_mut().insert("connection", HeaderValue::from_static("close"));
            return reply;
        }
        let largest = if path == resources::UPLOADS { LARGEST_UPLOAD } else { LARGEST_BODY };
        let body = Limited::new(body, largest).collect().await.map(|b| b.to_bytes());
        let request_id = self.world.request_id();
        // Looking at what was asked is nothing to look at.
        let number = (!pages::only_looks(path))
            .then(|| self.watch.journal.arrived(recorded(&head, body.as_ref().ok(), &request_id)));
        if !drawn.latency.is_zero() {
            tokio::time::sleep(drawn.latency).await;
        }
        let query = head.uri.query().unwrap_or_default();
        let fails_after = drawn.fault == Some(FaultKind::ErrorAfter);
        let mut reply = match (body, drawn.fault) {
            (_, Some(FaultKind::ErrorBefore | FaultKind::ResetBefore)) => {
                refusal(&ApiError::failure(), &request_id, false)
            }
            (_, Some(FaultKind::RateLimit)) => limited(&rate::exceeded(), "global-rate", &request_id, false),
            (Ok(body), _) if owned => {
                let request = pages::Request { method: &head.method, path, query, body: &body, id: &request_id };
                let reply = pages::answer(self, &request);
                self.world.run_errands();
                reply
            }
            (Ok(body), _) if self.habits.latency.is_zero() => self.api(&head, &body, &request_id, fails_after).await,
            (Ok(body), _) => {
                // Like Stripe, the operation goes on when the caller hangs up.
                let (this, parts, id) = (Arc::clone(self), head.clone(), request_id.clone());
                let task = tokio::spawn(async move { this.api(&parts, &body, &id, fails_after).await });
                task.await.unwrap_or_else(|_| refusal(&ApiError::invalid("Interrupted."), &request_id, false))
            }
            (Err(_), _) => {
                let error = ApiError::invalid("The request body is too large or was cut off.");
                refusal(&error, &request_id, false)
            }
        };
        let manner = match drawn.fault {
            Some(FaultKind::ResetBefore | FaultKind::ResetAfter) => Some(Manner::Reset),
            Some(FaultKind::TruncatedBody) => Some(Manner::Cut),
            _ => drawn.drip.map(Manner::Drip),
        };
        if let Some(manner) = manner {
            reply.extensions_mut().insert(manner);
        }
        if self.watch.violations.looking() && !owned {
            let fault = drawn.fault.is_some() || reply.headers().contains_key("idempotent-replayed");
            self.look(&head, &reply, fault).await;
        }
        if let (Some(number), false) = (number, matches!(manner, Some(Manner::Reset))) {
            self.watch.journal.answered(number, reply.status().as_u16());
        }
        reply
    }

    /// Holds an answer against what its operation returns.
    async fn look(&self, head: &Parts, reply: &Reply, fault: bool) {
        let (method, path) = (head.method.as_str(), head.uri.path());
        let found = Method::parse(method).and_then(|m| self.routes.find(m, path));
        let contents = resources::download_of(path).map(|_| &Shape::Any);
        let version = reply.headers().get("stripe-version").and_then(|v| v.to_str().ok());
        let Ok(body) = reply.body().clone().collect().await;
        self.watch.violations.answer(&Answered {
            method,
            path,
            shape: found.map(|(route, _)| &route.operation.response).or(contents),
            version: version.unwrap_or(&self.world.settings().account_version),
            status: reply.status().as_u16(),
            fault,
            body: &body.to_bytes(),
        });
    }

    async fn api(&self, head: &Parts, body: &[u8], request_id: &str, fails_after: bool) -> Reply {
        let (method, path, headers) = (head.method.as_str(), head.uri.path(), &head.headers);
        let scope = match path {
            resources::STREAM => self.session(headers),
            _ => auth::scope(headers),
        };
        let scope = match scope {
            Ok(scope) => scope,
            Err(error) => return refusal(&error, request_id, false),
        };
        let account = scope.account.as_deref().unwrap_or(crate::world::OWN_ACCOUNT);
        if let Err(error) = self.permissions.check(headers, method, path, account) {
            return refusal(&error, request_id, scope.live);
        }
        if self.habits.rate_limits
            && let Err((error, reason)) = self.limiter.admit(&scope, path)
        {
            return limited(&error, reason, request_id, scope.live);
        }
        if let (Some(download), "GET") = (resources::download_of(path), method) {
            // One that is an operation of the API has parameters, which are checked as everywhere.
            let checked = match self.routes.find(Method::Get, path) {
                Some(_) => self.prepare(head, body, None).and_then(|prepared| prepared.parameters.map(drop)),
                None => Ok(()),
            };
            let found = checked.and_then(|()| download.contents(&mut lock(&self.world.account(&scope))));
            return match found {
                Ok(contents) => file(contents, request_id),
                Err(error) => refusal(&error, request_id, scope.live),
            };
        }
        let namespace = Namespace::of(path);
        let key = headers.get("idempotency-key").filter(|_| namespace.takes_keys(method));
        let key = key.map(|k| String::from_utf8_lossy(k.as_bytes()).into_owned()).filter(|k| !k.is_empty());
        let outcome = match self.prepare(head, body, key.as_deref()) {
            Ok(prepared) => self.execute(Prepared { fails_after, ..prepared }, &scope, request_id).await,
            Err(error) => Outcome::refused(error.told_in(namespace), request_id, scope.live),
        };
        self.world.run_errands();
        let mut reply = reply(outcome.status, outcome.body, Some(request_id));
        let headers_out = reply.headers_mut();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers_out.insert(HeaderName::from_static(name), value);
            }
        };
        let version = headers.get("stripe-version").and_then(|v| v.to_str().ok());
        set("stripe-version", version.unwrap_or(&self.world.settings().account_version));
        if let Some(key) = &key {
            set("idempotency-key", key);
            if outcome.executed {
                set("original-request", outcome.replay_of.as_deref().unwrap_or(request_id));
            }
        }
        if outcome.replay_of.is_some() {
            set("idempotent-replayed", "true");
        }
        // What failed in v2 is worth another attempt, under the same key too.
        let final_answer = namespace.repeats_errors() || outcome.status < 500;
        if outcome.executed && method != "GET" && final_answer {
            set("stripe-should-retry", "false");
        }
        if let Some(account) = &scope.account {
            set("stripe-account", account);
        }
        reply
    }

    /// Whose meter events a session's token stands for.
    fn session(&self, headers: &HeaderMap) -> Result<Scope, ApiError> {
        let token = auth::key(headers).unwrap_or_default();
        match self.world.account_with(resources::SESSION, &token) {
            Some(account) => resources::session_of(&lock(&account), &token),
            // Keys are refused as what they are; what is well made is still no session.
            None => Err(auth::scope(headers).err().unwrap_or_else(|| {
                ApiError::unauthorized("Meter event streams take the authentication token of a meter event session.")
            })),
        }
    }

    fn prepare(&self, head: &Parts, body: &[u8], key: Option<&str>) -> Result<Prepared<'_>, ApiError> {
        let (method, path, headers) = (head.method.as_str(), head.uri.path(), &head.headers);
        check_version(headers, path)?;
        let named = headers.get("stripe-version").and_then(|v| v.to_str().ok());
        let version = named.unwrap_or(&self.world.settings().account_version).to_owned();
        let unknown = || unrecognized(method, path);
        let found = Method::parse(method).and_then(|m| self.routes.find(m, path));
        let (route, values) = found.ok_or_else(unknown)?;
        let values = values.into_iter().map(|v| decode(v.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let encoding = route.operation.encoding;
        let mut sent = Branch::new();
        read(head.uri.query().unwrap_or_default().as_bytes(), &mut sent)?;
        // The URLs of v2's pages carry what no description has.
        let page = match (&route.operation.response, Namespace::of(path)) {
            (Shape::List(_), Namespace::V2) => sent.shift_remove("page"),
            _ => None,
        };
        let upload = match (method, encoding) {
            ("GET", _) => None,
            (_, Encoding::Multipart) => {
                let kind = headers.get("content-type").and_then(|t| t.to_str().ok()).unwrap_or_default();
                multipart::read(body, kind, &mut sent)?
            }
            _ => {
                read_body(body, headers, encoding, &mut sent)?;
                None
            }
        };
        let keyed = key.map(|k| Keyed::new(k, method, path, &sent)).transpose()?;
        let parameters = validate::parameters(route.parameters(&version), &sent)
            .and_then(|p| resources::check_expand(&p, &route.operation.response, &version).map(|()| p));
        let parameters = parameters.and_then(|mut p| {
            match page {
                Some(Tree::Text(page)) => p.insert("page".to_owned(), page.into()),
                Some(_) => return Err(ApiError::invalid("Invalid page token.").param("page")),
                None => None,
            };
            Ok(p)
        });
        Ok(Prepared { route, values, version, fails_after: false, parameters, upload, keyed })
    }

    async fn execute(&self, prepared: Prepared<'_>, scope: &Scope, request_id: &str) -> Outcome {
        let account = self.world.account(scope);
        if self.habits.latency.is_zero() {
            let held = lock(&account);
            return match look_up(&held, &prepared, scope, request_id) {
                Some(outcome) => outcome,
                None => self.run(&account, held, prepared, scope, request_id),
            };
        }
        if let Some(outcome) = begin(&mut lock(&account), &prepared, scope, request_id) {
            return outcome;
        }
        tokio::time::sleep(self.habits.latency).await;
        self.run(&account, lock(&account), prepared, scope, request_id)
    }

    /// Executes an operation and keeps its answer for its key, in one hold of the account.
    fn run<'a>(
        &self,
        account: &'a Mutex<Account>,
        mut held: MutexGuard<'a, Account>,
        prepared: Prepared<'_>,
        scope: &Scope,
        request_id: &str,
    ) -> Outcome {
        let Prepared { route, values, version, fails_after, parameters, upload, keyed } = prepared;
        let namespace = Namespace::of(&route.operation.path);
        let parameters = match parameters {
            Ok(parameters) => parameters,
            Err(error) => return Outcome::refused(error.told_in(namespace), request_id, scope.live),
        };
        // One text for everything that remembers the request.
        let this: Arc<str> = request_id.into();
        held.begin(Cause {
            request_id: Some(Arc::clone(&this)),
            idempotency_key: keyed.as_ref().map(|k| Arc::clone(&k.key)),
        });
        let operation = route.operation;
        let mut call = Call { account: &mut held, operation, parameters, values, upload, expand: Vec::new() };
        let result = resources::execute(&mut call, route.handler);
        let expand = std::mem::take(&mut call.expand);
        held.commit();
        let outcome = match result {
            Ok(body) if fails_after => {
                if let (Some(keyed), false) = (&keyed, namespace.repeats_errors()) {
                    // The next attempt under this key finds the work done.
                    keyed.keep(&mut held, 200, body, this);
                    return Outcome::refused(ApiError::failure(), request_id, scope.live);
                }
                Outcome { executed: true, ..Outcome::refused(ApiError::failure(), request_id, scope.live) }
            }
            Ok(body) => {
                let body = resources::in_version(&held, body, &version, &expand, &route.operation.response);
                Outcome { status: 200, body, executed: true, replay_of: None }
            }
            Err(error) => {
                let error = match error.missing() {
                    Some((kind, id)) => {
                        // The other mode has a lock of its own, and two are never held at once.
                        if let Some(keyed) = &keyed {
                            keyed.begin(&mut held);
                        }
                        drop(held);
                        let elsewhere = self.world.in_other_mode(scope, kind, id);
                        held = lock(account);
                        if elsewhere { in_other_mode(error, scope.live) } else { error }
                    }
                    None => error,
                };
                Outcome { executed: true, ..Outcome::refused(error.told_in(namespace), request_id, scope.live) }
            }
        };
        if let Some(keyed) = &keyed {
            keyed.keep(&mut held, outcome.status, outcome.body.clone(), this);
        }
        outcome
    }
}

/// What the request is answered with instead of being executed: what is kept for its key, or what is wrong
/// with its parameters.
fn look_up(account: &Account, prepared: &Prepared<'_>, scope: &Scope, request_id: &str) -> Option<Outcome> {
    let namespace = Namespace::of(&prepared.route.operation.path);
    let refused = |error: ApiError| Some(Outcome::refused(error.told_in(namespace), request_id, scope.live));
    if let Some(keyed) = &prepared.keyed {
        match keyed.look_up(account) {
            Err(error) => return refused(error),
            Ok(Some(kept)) => return Some(Outcome::replayed(kept)),
            Ok(None) => {}
        }
    }
    prepared.parameters.as_ref().err().cloned().and_then(refused)
}

/// Like [`look_up`]; with nothing to answer, the key is in use from now on.
fn begin(account: &mut Account, prepared: &Prepared<'_>, scope: &Scope, request_id: &str) -> Option<Outcome> {
    let outcome = look_up(account, prepared, scope, request_id);
    if let (None, Some(keyed)) = (&outcome, &prepared.keyed) {
        keyed.begin(account);
    }
    outcome
}

impl Outcome {
    fn refused(error: ApiError, request_id: &str, live: bool) -> Self {
        let body = error.body(Some((request_id, live)));
        Self { status: error.status(), body: body.to_string().into(), executed: false, replay_of: None }
    }

    fn replayed(kept: KeptAnswer) -> Self {
        Self { status: kept.status, body: kept.body, executed: true, replay_of: Some(kept.request_id) }
    }
}

fn in_other_mode(error: ApiError, live: bool) -> ApiError {
    let (there, here) = if live { ("test", "live") } else { ("live", "test") };
    error.add(&format!(
        "; a similar object exists in {there} mode, but a {here} mode key was used to make this request."
    ))
}

/// Versions are dates, named since 2024; v2 insists on one.
fn check_version(headers: &HeaderMap, path: &str) -> Result<(), ApiError> {
    let Some(version) = headers.get("stripe-version") else {
        if path.starts_with("/v2/") {
            return Err(ApiError::invalid("Stripe-Version header is required for v2 endpoints."));
        }
        return Ok(());
    };
    let version = version.to_str().unwrap_or_default();
    let (date, name) = version.split_once('.').unwrap_or((version, "release"));
    let mut parts = date.split('-').map(|p| p.bytes().all(|b| b.is_ascii_digit()).then_some(p.len()));
    let dated =
        [parts.next(), parts.next(), parts.next(), parts.next()] == [Some(Some(4)), Some(Some(2)), Some(Some(2)), None];
    let named = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-=;".contains(&b));
    if dated && named {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Invalid Stripe API version: {version}. You should use a version of the form 'YYYY-MM-DD.name'."
    )))
}

fn unrecognized(method: &str, path: &str) -> ApiError {
    let hint = if path.len() > 1 && path.ends_with('/') {
        " If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make \
         sure you passed a valid (non-empty) identifier in your code."
    } else {
        ""
    };
    ApiError::invalid(format!(
        "Unrecognized request URL ({method}: {path}).{hint} Please see https://stripe.com/docs or we can help at \
         https://support.stripe.com/."
    ))
    .status_is(404)
}

fn read_body(body: &[u8], headers: &HeaderMap, encoding: Encoding, sent: &mut Branch) -> Result<(), ApiError> {
    let kind = headers.get("content-type").and_then(|t| t.to_str().ok()).unwrap_or_default();
    let json = kind.starts_with("application/json");
    if body.is_empty() {
        return Ok(());
    }
    if encoding == Encoding::Form {
        if json || kind.starts_with("multipart/") {
            return Err(ApiError::invalid(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you \
                 have any questions, we can help at https://support.stripe.com/.",
            ));
        }
        return read(body, sent);
    }
    let malformed = || ApiError::invalid("The request body is not a JSON object.");
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => {
            sent.extend(members.into_iter().map(|(name, value)| (name, from_json(value))));
            Ok(())
        }
        _ => Err(malformed()),
    }
}

/// The bytes of a file.
pub(crate) fn file(contents: resources::Contents, request_id: &str) -> Reply {
    let mut reply = Response::new(Full::new(contents.bytes));
    let headers = reply.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(contents.media_type));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("request-id", id);
    }
    reply
}

/// The response to a request that never became an operation.
pub(crate) fn refusal(error: &ApiError, request_id: &str, live: bool) -> Reply {
    if error.status() == 401 {
        let mut reply = reply(401, error.body(None).to_string().into(), None);
        reply.headers_mut().insert("www-authenticate", HeaderValue::from_static("Basic realm=\"Stripe\""));
        return reply;
    }
    reply(error.status(), error.body(Some((request_id, live))).to_string().into(), Some(request_id))
}

/// The answer after which a connection speaks something else.
pub(crate) fn switching() -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply
}

/// 429, with the limit that was met.
fn limited(error: &ApiError, reason: &'static str, request_id: &str, live: bool) -> Reply {
    let mut reply = refusal(error, request_id, live);
    reply.headers_mut().insert("stripe-rate-limited-reason", HeaderValue::from_static(reason));
    reply
}

fn reply(status: u16, body: Bytes, request_id: Option<&str>) -> Reply {
    let mut reply = Response::new(Full::new(pretty(&body)));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = reply.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("cache-control", HeaderValue::from_static("no-cache, no-store"));
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert("request-id", id);
    }
    reply
}

fn recorded(head: &Parts, body: Option<&Bytes>, request_id: &str) -> RecordedRequest {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = head.headers.iter().filter(|(name, _)| *name != "authorization");
    RecordedRequest {
        time: machine(),
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body: body.map(|b| text(b)).unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect(),
        status: 0,
        request_id: request_id.to_owned(),
    }
}
