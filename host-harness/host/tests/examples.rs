//! The examples do what they say, with small components in place of real ones.

#[path = "../examples/in_a_service.rs"]
mod in_a_service;
#[path = "../examples/test_bench.rs"]
mod test_bench;

use crate::http::{Ask, Server, answer, asking};
use crate::support::{Guest, NONE, host, manifest};
use host::contract::Environment;
use host::{Connection, Grants, Host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn request(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_service_runs_actions_and_takes_deliveries() {
    let server = Server::start(|_| vec![answer(200, "", "{\"id\":\"cus_1\"}")]).await;
    let asks = [Ask::new("POST", format!("{}/v1/customers", server.base)).body(1)];
    let guest = asking(&asks).function("triggers", "receive", NONE);
    let grants = Grants::default().allow(&server.base).unwrap();
    let connector = host().load(&guest.build(), &manifest(), &grants).unwrap();
    let connection = Connection::new(&manifest(), Environment::Development, [("api_key", "sk_test_abc")]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = in_a_service::service((connector, connection));
    tokio::spawn(async move { axum::serve(listener, service).await });

    let head = |path: &str, more: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{more}content-length: 2\r\n\r\n{{}}")
    };
    let made = request(address, &head("/customers", "idempotency-key: run_1\r\n")).await;
    assert!(made.starts_with("HTTP/1.1 200") && made.ends_with("{\"id\":\"cus_1\"}"), "{made}");
    assert_eq!(server.seen().len(), 1);
    let nameless = request(address, &head("/customers", "")).await;
    assert!(nameless.starts_with("HTTP/1.1 400"), "{nameless}");
    let delivered = request(address, &head("/webhooks", "")).await;
    assert!(delivered.starts_with("HTTP/1.1 200"), "{delivered}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_test_bench_finds_what_is_wrong() {
    // One action whose id is one letter, and whose schemas and samples are empty texts.
    let one = "(i32.store8 (i32.const 2080) (i32.const 97)) (i32.store (i32.const 2048) (i32.const 2080))
        (i32.store (i32.const 2052) (i32.const 1)) (i32.store8 (i32.const 2064) (i32.const 1))
        (i32.store (i32.const 1032) (i32.const 2048)) (i32.store (i32.const 1036) (i32.const 1)) (i32.const 1024)";
    let guest = [("connection", "describe"), ("operations", "describe"), ("resources", "list"), ("actions", "run")]
        .into_iter()
        .fold(Guest::new().function("operations", "list", one), |guest, (interface, name)| {
            guest.function(interface, name, NONE)
        });
    let connector = Host::load(&host(), &guest.build(), &manifest(), &Grants::nothing()).unwrap();
    let findings = test_bench::findings(&connector).await.unwrap();
    assert_eq!(findings, ["a: a schema or a sample is no JSON", "a: it takes what is no JSON"]);
}

#[test]
fn an_example_is_short() {
    for text in [include_str!("../examples/in_a_service.rs"), include_str!("../examples/test_bench.rs")] {
        assert!(text.lines().count() <= 60, "{}", text.lines().count());
    }
}
