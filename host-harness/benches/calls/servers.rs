//! Servers on this machine, each on a thread of its own: that answer, at once or later, with one customer or a list of them,
//! and one that never does.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use host::Connector;
use host::contract::DescribeRequest;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::platform::{CALLER, HOST, load, runtime};

/// Answers every request with a customer, over connections that stay open.
pub static ANSWERING: LazyLock<String> = LazyLock::new(|| {
    let customer = customer();
    answering(move |_| (Duration::ZERO, customer.clone()))
});

/// Answers every request with this, so much later.
pub fn slow(delay: Duration, customer: Bytes) -> String {
    answering(move |_| (delay, customer.clone()))
}

/// Lists so many customers, 100 on a page.
pub fn listing(customers: usize) -> String {
    let customer = String::from_utf8(customer().to_vec()).unwrap();
    let id = serde_json::from_str::<serde_json::Value>(&customer).unwrap()["id"].as_str().unwrap().to_owned();
    answering(move |uri| {
        let after = uri.query().and_then(|query| query.split("starting_after=cus_").nth(1));
        let first = after.map_or(0, |last| last.split('&').next().unwrap().parse::<usize>().unwrap() + 1);
        let end = (first + 100).min(customers);
        let page: Vec<String> =
            (first..end).map(|number| customer.replace(&id, &format!("cus_{number:014}"))).collect();
        let (page, more) = (page.join(","), end < customers);
        let list = format!(r#"{{"object":"list","url":"/v1/customers","has_more":{more},"data":[{page}]}}"#);
        (Duration::ZERO, Bytes::from(list))
    })
}

fn customer() -> Bytes {
    a_customer(&load(&HOST, &host::Grants::nothing()))
}

/// A customer as Stripe answers with it.
pub fn a_customer(connector: &Connector) -> Bytes {
    let described = CALLER.block_on(connector.describe_operation(DescribeRequest::shown("customer.create"))).unwrap();
    Bytes::from(described.value.sample_output)
}

/// Answers every request with what this makes of its address, so much later.
fn answering(answer: impl Fn(&Uri) -> (Duration, Bytes) + Clone + Send + 'static) -> String {
    serve(move |stream| {
        stream.set_nodelay(true).unwrap();
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (delay, body) = answer(request.uri());
            async move {
                request.into_body().collect().await?;
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                let answer = Response::builder()
                    .header("content-type", "application/json")
                    .header("request-id", "req_benchmark")
                    .header("stripe-version", "2025-01-01")
                    .body(Full::new(body));
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(answer?)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    })
}

/// Reads and says nothing. The receiver hears of every connection on which something has come.
pub fn silent() -> (String, Receiver<()>) {
    let (arrived, arrivals) = channel();
    let base = serve(move |mut stream: TcpStream| {
        let arrived = arrived.clone();
        tokio::spawn(async move {
            stream.read_u8().await.unwrap();
            let _ = arrived.send(());
            std::future::pending::<()>().await;
        });
    });
    (base, arrivals)
}

fn serve(accept: impl Fn(TcpStream) + Send + 'static) -> String {
    let (started, address) = channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            started.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                accept(stream);
            }
        });
    });
    format!("http://{}", address.recv().unwrap())
}
