//! Servers on this machine, on a thread of their own: one that answers and one that never does.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use bytes::Bytes;
use host::contract::DescribeRequest;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use crate::platform::{CALLER, HOST, load, runtime};

/// Answers every request with a customer, over connections that stay open.
pub static ANSWERING: LazyLock<String> = LazyLock::new(|| {
    let connector = load(&HOST, &host::Grants::nothing());
    let described = CALLER.block_on(connector.describe_operation(DescribeRequest::shown("customer.create"))).unwrap();
    let customer = Bytes::from(described.value.sample_output);
    serve(move |stream| {
        stream.set_nodelay(true).unwrap();
        let customer = customer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let customer = customer.clone();
            async move {
                request.into_body().collect().await?;
                let answer = Response::builder()
                    .header("content-type", "application/json")
                    .header("request-id", "req_benchmark")
                    .header("stripe-version", "2025-01-01")
                    .body(Full::new(customer));
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(answer?)
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    })
});

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
