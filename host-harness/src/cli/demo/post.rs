//! The other side of the receiver: a delivery as the service would make it, and as a forger would.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use tokio::net::TcpStream;

/// The `Stripe-Signature` of a body sent at this time (Stripe's page "Verify webhook signatures manually").
pub fn signature(secret: &str, time: u64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{time}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

/// Posts a body, and returns the answer's status and text.
pub async fn post(address: SocketAddr, url: &str, signature: &str, body: &str) -> io::Result<(u16, String)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let request = Request::post(url)
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("stripe-signature", signature)
        .body(Full::new(Bytes::from(body.to_owned())))
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let answer = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    connection.abort();
    Ok((status, String::from_utf8_lossy(&answer).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_service_does() {
        // Made with Python: hmac.new(b"whsec_test", b'1.{"a":1}', sha256).
        let made = signature("whsec_test", 1, "{\"a\":1}");
        assert_eq!(made, "t=1,v1=9215ca250453177205c9e5d9f2ab0ca280e659841172b64e00fb52446f2345cd");
    }
}
