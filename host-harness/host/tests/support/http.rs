//! Components that make requests of whatever form, and servers that answer them.

#![allow(dead_code, reason = "each test file uses a part")]

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::Guest;

/// The parts of WASI that requests need.
const WASI: &str = "
package test:root;
package wasi:io@0.2.0 {
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
        resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
    }
}
package wasi:cli@0.2.0 {
    interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }
}
package wasi:http@0.2.0 {
    interface types {
        use wasi:io/streams@0.2.0.{input-stream, output-stream};
        use wasi:io/poll@0.2.0.{pollable};
        variant method { get, head, post, put, delete, connect, options, trace, patch, other(string) }
        variant scheme { HTTP, HTTPS, other(string) }
        record DNS-error-payload { rcode: option<string>, info-code: option<u16> }
        record TLS-alert-received-payload { alert-id: option<u8>, alert-message: option<string> }
        record field-size-payload { field-name: option<string>, field-size: option<u32> }
        variant error-code {
            DNS-timeout, DNS-error(DNS-error-payload), destination-not-found, destination-unavailable,
            destination-IP-prohibited, destination-IP-unroutable, connection-refused, connection-terminated,
            connection-timeout, connection-read-timeout, connection-write-timeout, connection-limit-reached,
            TLS-protocol-error, TLS-certificate-error, TLS-alert-received(TLS-alert-received-payload),
            HTTP-request-denied, HTTP-request-length-required, HTTP-request-body-size(option<u64>),
            HTTP-request-method-invalid, HTTP-request-URI-invalid, HTTP-request-URI-too-long,
            HTTP-request-header-section-size(option<u32>), HTTP-request-header-size(option<field-size-payload>),
            HTTP-request-trailer-section-size(option<u32>), HTTP-request-trailer-size(field-size-payload),
            HTTP-response-incomplete, HTTP-response-header-section-size(option<u32>),
            HTTP-response-header-size(field-size-payload), HTTP-response-body-size(option<u64>),
            HTTP-response-trailer-section-size(option<u32>), HTTP-response-trailer-size(field-size-payload),
            HTTP-response-transfer-coding(option<string>), HTTP-response-content-coding(option<string>),
            HTTP-response-timeout, HTTP-upgrade-failed, HTTP-protocol-error, loop-detected, configuration-error,
            internal-error(option<string>),
        }
        variant header-error { invalid-syntax, forbidden, immutable }
        resource fields {
            constructor();
            get: func(name: string) -> list<list<u8>>;
            append: func(name: string, value: list<u8>) -> result<_, header-error>;
        }
        resource outgoing-request {
            constructor(headers: fields);
            set-method: func(method: method) -> result;
            set-scheme: func(scheme: option<scheme>) -> result;
            set-authority: func(authority: option<string>) -> result;
            set-path-with-query: func(path: option<string>) -> result;
            body: func() -> result<outgoing-body>;
        }
        resource request-options;
        resource incoming-response { headers: func() -> fields; consume: func() -> result<incoming-body>; }
        resource incoming-body { %stream: func() -> result<input-stream>; }
        resource future-incoming-response {
            subscribe: func() -> pollable;
            get: func() -> option<result<result<incoming-response, error-code>>>;
        }
        resource outgoing-body {
            write: func() -> result<output-stream>;
            finish: static func(this: outgoing-body, trailers: option<fields>) -> result<_, error-code>;
        }
    }
    interface outgoing-handler {
        use types.{outgoing-request, request-options, future-incoming-response, error-code};
        handle: func(request: outgoing-request, options: option<request-options>)
            -> result<future-incoming-response, error-code>;
    }
}
";

const IMPORTS: &str = r#"
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop-pollable (param i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop-output (param i32)))
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.0" "[method]fields.get" (func $get-field (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-method" (func $method (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme" (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query" (func $path (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.body" (func $body (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func $body-write (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func $finish (param i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[resource-drop]future-incoming-response" (func $drop-future (param i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-response.headers" (func $headers (param i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-response.consume" (func $consume (param i32 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func $stream (param i32 i32)))
    (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
"#;

/// A request that a component makes, written as HTTP is: `POST http://127.0.0.1:1/v1/x`, then its headers. In a header's
/// value, `{key}` is the first field of the connection, as the component got it, and `{answer}` is what the component read
/// last.
#[derive(Clone)]
pub struct Ask {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: usize,
    text: Option<String>,
    finished: bool,
    awaited: bool,
    wanted: Option<String>,
}

impl Ask {
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        let (method, url) = (method.to_owned(), url.into());
        Self { method, url, headers: Vec::new(), body: 0, text: None, finished: true, awaited: true, wanted: None }
    }

    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// With the key, as it should be.
    pub fn with_key(self) -> Self {
        self.header("authorization", "Bearer {key}")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body of so many times 4096 bytes.
    pub fn body(mut self, pieces: usize) -> Self {
        self.body = pieces;
        self
    }

    /// With this body.
    pub fn saying(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// Whose body has no end.
    pub fn unfinished(mut self) -> Self {
        self.finished = false;
        self
    }

    /// Whose answer nobody waits for.
    pub fn abandoned(mut self) -> Self {
        self.awaited = false;
        self
    }

    /// Of whose answer this header counts, and not the body.
    pub fn wanting(mut self, header: &str) -> Self {
        self.wanted = Some(header.to_owned());
        self
    }
}

/// Where a value is put together, and where answers are.
const VALUE: usize = 12 << 10;
const OUT: usize = 8 << 20;

/// A component under construction that makes requests.
pub struct Requests {
    text: String,
    data: String,
    next: usize,
    /// Where answers are.
    out: usize,
}

impl Requests {
    fn new() -> Self {
        Self { text: String::new(), data: String::new(), next: 20 << 10, out: OUT }
    }

    /// A text in memory: its address and length as instructions.
    fn text(&mut self, text: &str) -> String {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        write!(self.data, "(data (i32.const {}) \"{escaped}\")", self.next).unwrap();
        let place = format!("(i32.const {}) (i32.const {})", self.next, text.len());
        self.next += text.len() + 1;
        assert!(self.next < 60 << 10);
        place
    }

    /// Puts a header's value together.
    fn value(&mut self, value: &str) {
        self.text.push_str("(local.set $n (i32.const 0))");
        let mut rest = value;
        while !rest.is_empty() {
            let (from, length) = if let Some(after) = rest.strip_prefix("{key}") {
                rest = after;
                // The first field's value in the arguments.
                let fields = "(i32.load offset=12 (local.get 0))";
                (format!("(i32.load offset=8 {fields})"), format!("(i32.load offset=12 {fields})"))
            } else if let Some(after) = rest.strip_prefix("{answer}") {
                rest = after;
                (format!("(i32.const {})", self.out), "(local.get $read)".to_owned())
            } else {
                let end =
                    rest.char_indices().skip(1).find(|(_, letter)| *letter == '{').map_or(rest.len(), |(at, _)| at);
                let place = self.text(&rest[..end]);
                rest = &rest[end..];
                let (from, length) = place.split_once(") (").unwrap();
                (format!("{from})"), format!("({length}"))
            };
            write!(
                self.text,
                "(memory.copy (i32.add (i32.const {VALUE}) (local.get $n)) {from} {length})
                 (local.set $n (i32.add (local.get $n) {length}))"
            )
            .unwrap();
        }
    }

    fn ask(&mut self, ask: &Ask) {
        let out = self.out;
        let (scheme, rest) = ask.url.split_once("://").unwrap();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = (self.text(&rest[..at]), self.text(&rest[at..]));
        self.text.push_str("(local.set $h (call $fields))");
        for (name, value) in &ask.headers {
            self.value(value);
            let name = self.text(name);
            write!(
                self.text,
                "(call $append (local.get $h) {name} (i32.const {VALUE}) (local.get $n) (i32.const 4096))
                 (if (i32.load8_u (i32.const 4096)) (then unreachable))"
            )
            .unwrap();
        }
        let method = self.text(&ask.method);
        let scheme = if scheme == "https" { 1 } else { 0 };
        write!(
            self.text,
            "(local.set $r (call $request (local.get $h)))
             (if (call $method (local.get $r) (i32.const 9) {method}) (then unreachable))
             (if (call $scheme (local.get $r) (i32.const 1) (i32.const {scheme}) (i32.const 0) (i32.const 0)) (then unreachable))
             (if (call $authority (local.get $r) (i32.const 1) {authority}) (then unreachable))
             (if (call $path (local.get $r) (i32.const 1) {path}) (then unreachable))
             (call $body (local.get $r) (i32.const 4096))
             (local.set $b (i32.load (i32.const 4100)))
             (call $handle (local.get $r) (i32.const 0) (i32.const 0) (i32.const 4096))
             (if (i32.load8_u (i32.const 4096)) (then unreachable))
             (local.set $f (i32.load (i32.const 4104)))"
        )
        .unwrap();
        if ask.body > 0 {
            write!(
                self.text,
                "(call $body-write (local.get $b) (i32.const 4096))
                 (local.set $s (i32.load (i32.const 4100)))
                 (local.set $n (i32.const {}))
                 (block $written (loop $writing
                    (br_if $written (i32.eqz (local.get $n)))
                    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
                    (call $write (local.get $s) (i32.const 0) (i32.const 4096) (i32.const 4096))
                    (br_if $writing (i32.eqz (i32.load8_u (i32.const 4096))))))
                 (call $drop-output (local.get $s))",
                ask.body
            )
            .unwrap();
        }
        if let Some(text) = &ask.text {
            let text = self.text(text);
            write!(
                self.text,
                "(call $body-write (local.get $b) (i32.const 4096))
                 (local.set $s (i32.load (i32.const 4100)))
                 (call $write (local.get $s) {text} (i32.const 4096))
                 (call $drop-output (local.get $s))"
            )
            .unwrap();
        }
        if ask.finished {
            self.text.push_str("(call $finish (local.get $b) (i32.const 0) (i32.const 0) (i32.const 4096))");
        }
        if !ask.awaited {
            return;
        }
        // The answer: some, ok, ok, its handle.
        self.text.push_str(
            "(local.set $s (call $subscribe (local.get $f))) (call $block (local.get $s)) (call $drop-pollable (local.get $s))
             (call $get (local.get $f) (i32.const 4096)) (call $drop-future (local.get $f))
             (local.set $read (i32.const 0))
             (if (i32.eqz (i32.or (i32.load8_u (i32.const 4104)) (i32.load8_u (i32.const 4112)))) (then
                (local.set $r (i32.load (i32.const 4120)))",
        );
        match &ask.wanted {
            Some(header) => {
                let header = self.text(header);
                write!(
                    self.text,
                    "(call $get-field (call $headers (local.get $r)) {header} (i32.const 4096))
                     (if (i32.load (i32.const 4100)) (then
                        (local.set $read (i32.load offset=4 (i32.load (i32.const 4096))))
                        (memory.copy (i32.const {out}) (i32.load (i32.load (i32.const 4096))) (local.get $read))))"
                )
                .unwrap();
            }
            None => write!(
                self.text,
                "(call $consume (local.get $r) (i32.const 4096))
                 (call $stream (i32.load (i32.const 4100)) (i32.const 4096))
                 (local.set $s (i32.load (i32.const 4100)))
                 (block $end (loop $reading
                    (call $read (local.get $s) (i64.const 4096) (i32.const 4096))
                    (br_if $end (i32.load8_u (i32.const 4096)))
                    (memory.copy (i32.add (i32.const {out}) (local.get $read)) (i32.load (i32.const 4100)) (i32.load (i32.const 4104)))
                    (local.set $read (i32.add (local.get $read) (i32.load (i32.const 4104))))
                    (br $reading)))"
            )
            .unwrap(),
        }
        self.text.push_str("))");
    }

    fn asking(mut self, asks: &[Ask]) -> Guest {
        asks.iter().for_each(|ask| self.ask(ask));
        let end = format!(
            "(i32.store (i32.const 1032) (i32.const {})) (i32.store (i32.const 1036) (local.get $read)) (i32.const 1024)",
            self.out
        );
        self.finish(("actions", "run"), &end)
    }

    fn finish(self, function: (&str, &str), end: &str) -> Guest {
        let body = format!(
            "(local $h i32) (local $r i32) (local $b i32) (local $s i32) (local $f i32) (local $n i32) (local $read i32) {} {end}",
            self.text
        );
        let core = format!("{IMPORTS} {}", self.data);
        let mut guest = Guest::new().wasi(WASI).memory(1024);
        for interface in
            ["wasi:io/poll", "wasi:io/streams", "wasi:cli/stderr", "wasi:http/types", "wasi:http/outgoing-handler"]
        {
            guest = guest.import(&format!("{interface}@0.2.0"), "");
        }
        guest.import("wasi:io/poll@0.2.0", &core).function(function.0, function.1, &body)
    }
}

/// A component whose every action makes these requests, one after the other, and whose output is what the last one was
/// answered with: nothing if it was not.
pub fn asking(asks: &[Ask]) -> Guest {
    Requests::new().asking(asks)
}

/// The same for one request with a short answer, in little memory.
pub fn asking_briefly(ask: Ask) -> Guest {
    let requests = Requests { out: 512 << 10, ..Requests::new() };
    requests.asking(&[ask]).memory(16)
}

/// A component that makes a request over and over, so many times.
pub fn asking_again(ask: &Ask, times: usize) -> Guest {
    let mut requests = Requests::new();
    write!(requests.text, "(local.set $times (i32.const {times})) (loop $again").unwrap();
    requests.ask(ask);
    requests
        .text
        .push_str("(local.set $times (i32.sub (local.get $times) (i32.const 1))) (br_if $again (local.get $times)))");
    requests.text.insert_str(0, "(local $times i32)");
    requests.finish(("actions", "run"), "(i32.const 1024)")
}

/// A component that makes a request in a function that needs none, and answers with nothing.
pub fn asking_in(interface: &str, name: &str, ask: &Ask) -> Guest {
    let mut requests = Requests::new();
    requests.ask(ask);
    requests.finish((interface, name), "(i32.const 1024)")
}

/// A component that gives away a field of its connection: on its standard error, after so many other bytes, and as the
/// message of an error that a function returns.
pub fn telling(interface: &str, name: &str, field: usize, after: usize) -> Guest {
    let mut requests = Requests::new();
    let fields = "(i32.load offset=12 (local.get 0))";
    let address = format!("(i32.load offset={} {fields})", field * 16 + 8);
    let length = format!("(i32.load offset={} {fields})", field * 16 + 12);
    requests.text.push_str("(local.set $s (call $stderr))");
    for piece in std::iter::repeat_n(4096, after / 4096).chain([after % 4096]) {
        write!(requests.text, "(call $write (local.get $s) (i32.const 8192) (i32.const {piece}) (i32.const 4096))")
            .unwrap();
    }
    write!(
        requests.text,
        "(call $write (local.get $s) {address} {length} (i32.const 4096))
         (i32.store8 (i32.const 1024) (i32.const 1))
         (i32.store (i32.const 1044) {address}) (i32.store (i32.const 1048) {length})"
    )
    .unwrap();
    requests.finish((interface, name), "(i32.const 1024)")
}

/// A server, and what it was sent.
pub struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// One that answers every request with what this makes of its head.
    pub async fn start(answer: impl Fn(&str) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                tokio::spawn(async move {
                    while let Some(head) = head(&mut stream).await {
                        kept.lock().unwrap().push(head.clone());
                        for piece in answer(&head) {
                            if stream.write_all(&piece).await.is_err() {
                                return;
                            }
                            let _ = stream.flush().await;
                            tokio::task::yield_now().await;
                        }
                    }
                });
            }
        });
        Self { base, seen }
    }

    /// One that reads nothing and says nothing.
    pub async fn deaf() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.push(stream);
            }
        });
        Self { base, seen: Arc::default() }
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap()));
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}

/// What a request's head has in a header.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// An answer with these headers and this body.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}
