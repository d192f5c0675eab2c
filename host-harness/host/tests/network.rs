//! How a host reaches TLS destinations: whom it trusts, through which proxy, with which protocol.

use std::convert::Infallible;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use crate::http::{Ask, asking};
use crate::support::manifest;
use host::contract::Environment;
use host::{CacheFolder, Call, CallReport, Connection, Grants, Host, HostConfig, Invocation, NetworkConfig, Proxy};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A root for these tests, and a certificate of it for `localhost` and `service.example`. They are nowhere else.
const ROOT: &str = "-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUMjVbOb7n8CrGZye83r9K08lOyt0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJVGVzdCByb290MCAXDTI2MTEyMTE5MzMxMloYDzIxMjYxMDI4
MTkzMzEyWjAUMRIwEAYDVQQDDAlUZXN0IHJvb3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ3syo3HxTAEp2+BXQHyE1G6eH0U+IgifmGln2QHziAsTpC05CmUnX0
5DXDHSzkGOliePe2p4ynKbDS6mDOJuOYo1MwUTAdBgNVHQ4EFgQUzTL8qLkfA0hH
cSNY+n8f9eVUyO8wHwYDVR0jBBgwFoAUzTL8qLkfA0hHcSNY+n8f9eVUyO8wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA395m22sp7Y/bhqUjvSQB5
rOU7tr/XKWHX8WMwXElwbQIhALgwRNWw1HbxAEglIiVLCPqfOW9SCm4BCFFp/h9H
qkeD
-----END CERTIFICATE-----
";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBpzCCAUygAwIBAgIUUgF2GVwUR6v/eXYAnRE4sJQtb/QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJVGVzdCByb290MCAXDTI2MTEyMTE5MzMxMloYDzIxMjYxMDI4
MTkzMzEyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS0caNYK9YcXnKYMbJPZ2HajCUNes2CQhL8thSPf/CuSMITK8oDv21Z
5I7v37GNFxAtPj2jMg6bnheqkajm6sXYo3oweDArBgNVHREEJDAigglsb2NhbGhv
c3SCD3NlcnZpY2UuZXhhbXBsZYcEfwAAATAJBgNVHRMEAjAAMB0GA1UdDgQWBBRC
wUPw3o8VIIm5bJtOEEXJFQ8g3TAfBgNVHSMEGDAWgBTNMvyouR8DSEdxI1j6fx/1
5VTI7zAKBggqhkjOPQQDAgNJADBGAiEAzxdKdNv8izbwW4pMUOipSJrTBXP5mJia
jj38p5gpFuQCIQDB+H6ep3u4D2ic9BbuEs7ud+eUdHOZo/u3dEMS/PIQEA==
-----END CERTIFICATE-----
";
const KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/F0UHti3eLMxP75n
suFJvU+YHt2WnmXMnSMa7VIGX7ChRANCAAS0caNYK9YcXnKYMbJPZ2HajCUNes2C
QhL8thSPf/CuSMITK8oDv21Z5I7v37GNFxAtPj2jMg6bnheqkajm6sXY
-----END PRIVATE KEY-----
";

/// A server that answers with the version of HTTP that it was asked in.
async fn server() -> u16 {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let answer = service_fn(|request: Request<hyper::body::Incoming>| async move {
                    let authorization =
                        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
                    let said = format!("{:?} {authorization:?}", request.version());
                    Ok::<_, Infallible>(Response::new(said))
                });
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    port
}

fn trusting() -> (tempfile::NamedTempFile, NetworkConfig) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ROOT.as_bytes()).unwrap();
    let network = NetworkConfig { roots: Some(file.path().to_owned()), ..NetworkConfig::default() };
    (file, network)
}

async fn ask(url: &str, network: NetworkConfig) -> (String, CallReport) {
    let host = Host::with(HostConfig { cache: CacheFolder::Off, calls: 4, network, ..HostConfig::default() }).unwrap();
    let grants = Grants::default().allow(url).unwrap();
    let connector = host.load(&asking(&[Ask::get(url).with_key()]).build(), &manifest(), &grants).unwrap();
    let fields = [("api_key", "sk_test_51HostHarness")];
    let connection = Connection::new(&manifest(), Environment::Development, fields).unwrap();
    let reply = connector.run_action(&Call::new(connection, Invocation::new("run_1")), "a", "{}").await.unwrap();
    (reply.value.output, reply.report)
}

#[tokio::test]
async fn a_root_of_the_operators_own_is_trusted_where_it_is_named() {
    let url = format!("https://localhost:{}", server().await);
    let (_file, network) = trusting();
    let (said, _) = ask(&url, network).await;
    assert!(said.starts_with("HTTP/1.1 ") && !said.contains("51HostHarness"), "{said}");

    let (said, report) = ask(&url, NetworkConfig::default()).await;
    assert_eq!((said.as_str(), report.requests[0].may_have_left), ("", false), "{report:?}");
}

#[tokio::test]
async fn http_2_is_spoken_where_the_operator_wants_it() {
    let url = format!("https://localhost:{}", server().await);
    let (_file, network) = trusting();
    let (said, _) = ask(&url, NetworkConfig { http2: true, ..network }).await;
    assert!(said.starts_with("HTTP/2.0 Some(\"Bearer sk_test_") && !said.contains("51HostHarness"), "{said}");
}

/// A proxy that leads everywhere to this port, and what it was asked.
async fn proxy(port: u16, says: &'static str) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            *kept.lock().unwrap() = String::from_utf8(head).unwrap();
            stream.write_all(says.as_bytes()).await.unwrap();
            let mut onward = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut stream, &mut onward).await.map(drop) });
        }
    });
    (address, asked)
}

#[tokio::test]
async fn a_proxy_leads_to_tls_destinations_and_sees_no_secret() {
    let port = server().await;
    let url = format!("https://service.example:{port}");
    let (address, asked) = proxy(port, "HTTP/1.1 200 Connection established\r\n\r\n").await;
    let (_file, network) = trusting();
    let through = Proxy::new(&format!("http://user:pass@{address}"), "").unwrap();
    let (said, _) = ask(&url, NetworkConfig { proxy: Some(through), ..network }).await;
    assert!(said.starts_with("HTTP/1.1 Some"), "{said}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        format!(
            "CONNECT service.example:{port} HTTP/1.1\r\nhost: service.example:{port}\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"
        )
    );
}

#[tokio::test]
async fn what_a_proxy_does_not_let_through_has_not_left() {
    let port = server().await;
    let (address, _) = proxy(port, "HTTP/1.1 403 Forbidden\r\n\r\n").await;
    let (_file, network) = trusting();
    let through = Proxy::new(&format!("http://{address}"), "").unwrap();
    let (said, report) =
        ask(&format!("https://service.example:{port}"), NetworkConfig { proxy: Some(through), ..network }).await;
    assert_eq!((said.as_str(), report.requests[0].may_have_left), ("", false), "{report:?}");
}
