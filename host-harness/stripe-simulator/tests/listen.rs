//! What `stripe listen` hears.

use crate::stripe::Stripe;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

type Failure = tokio_tungstenite::tungstenite::Error;

/// A new session of a device.
async fn session(stripe: &Stripe, device: &str) -> Value {
    let form = [("device_name", device), ("websocket_features[]", "webhooks")];
    let answer = stripe.unversioned("POST", "/v1/stripecli/sessions", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

async fn connect(stripe: &Stripe, url: &str, id: &str) -> Result<WebSocketStream<TcpStream>, Failure> {
    let mut request = format!("{url}?websocket_feature=webhooks").into_client_request()?;
    request.headers_mut().insert("websocket-id", id.parse().unwrap());
    let stream = TcpStream::connect(stripe.simulator.address()).await?;
    Ok(client_async(request, stream).await?.0)
}

async fn heard(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn a_listener_hears_every_event_signed_in_every_form() {
    let stripe = Stripe::start().await;
    let session = session(&stripe, "laptop").await;
    let (url, id) = (session["websocket_url"].as_str().unwrap(), session["websocket_id"].as_str().unwrap());
    let mut socket = connect(&stripe, url, id).await.unwrap();
    let customer = stripe.make("/v1/customers", &[("name", "Listener")]).await.id();
    let (first, second) = (heard(&mut socket).await, heard(&mut socket).await);
    assert_eq!(first["endpoint"], json!({"api_version": null}));
    assert_eq!(second["endpoint"]["api_version"], session["latest_version"]);
    for (message, version) in [(&first, &session["default_version"]), (&second, &session["latest_version"])] {
        assert_eq!(message["type"], "webhook_event");
        let event: Value = serde_json::from_str(message["event_payload"].as_str().unwrap()).unwrap();
        assert_eq!((&event["type"], &event["api_version"]), (&json!("customer.created"), version));
        assert_eq!(event["data"]["object"]["id"], customer.as_str());
        let signature = message["http_headers"]["Stripe-Signature"].as_str().unwrap();
        assert!(signature.starts_with("t=") && signature.contains(",v1="), "{signature}");
    }
    let thin = heard(&mut socket).await;
    assert_eq!(thin["type"], "v2_event");
    let event: Value = serde_json::from_str(thin["payload"].as_str().unwrap()).unwrap();
    assert_eq!(event["type"], "v1.customer.created");
    assert_eq!(event["related_object"]["id"], customer.as_str());
    // What the client tells back is taken, and it hears no more once it is gone.
    socket.send(Message::text(json!({"type": "event_ack"}).to_string())).await.unwrap();
    let event = stripe.get("/v1/events", &[]).await.body["data"][0].clone();
    assert_eq!(event["pending_webhooks"], 0);
    let path = format!("/v1/events/{}/retry", event["id"].as_str().unwrap());
    let resent = stripe.unversioned("POST", &path, &[("for_stripecli", "true")]).await;
    assert_eq!(resent.body["id"], event["id"]);
    let again = heard(&mut socket).await;
    assert!(again["event_payload"].as_str().unwrap().contains(event["id"].as_str().unwrap()), "{again}");
}

#[tokio::test]
async fn a_device_keeps_its_secret() {
    let stripe = Stripe::start().await;
    let first = session(&stripe, "laptop").await;
    let again = session(&stripe, "laptop").await;
    assert_ne!(first["websocket_id"], again["websocket_id"]);
    assert_eq!(first["secret"], again["secret"]);
    assert_ne!(session(&stripe, "desk").await["secret"], first["secret"]);
}

#[tokio::test]
async fn an_unknown_session_is_told_so() {
    let stripe = Stripe::start().await;
    let url = format!("ws://{}/_simulator/listen", stripe.simulator.address());
    let Err(Failure::Http(refused)) = connect(&stripe, &url, "cliws_nobody").await else { panic!("it was let in") };
    let body: Value = serde_json::from_slice(refused.body().as_ref().unwrap()).unwrap();
    assert_eq!(body["error"]["message"], "Unknown WebSocket ID.");
}
