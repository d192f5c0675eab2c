//! A connector in a web service: `POST /customers` makes a customer, `POST /webhooks` takes the service's deliveries.
//! `cargo run --example in_a_service -- connector.wasm manifest.toml`, with the key in `STRIPE_SECRET_KEY`.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use host::contract::{Environment, Outcome, WebhookRequest};
use host::{Call, Connection, Connector, Grants, Host, Invocation, Package};

/// The connector, and whom it acts for.
pub type Shared = (Connector, Connection);

/// The service.
pub fn service(shared: Shared) -> Router {
    Router::new().route("/customers", post(customers)).route("/webhooks", post(webhooks)).with_state(shared)
}

/// The caller names the run, so that the same request sent again makes no second customer.
async fn customers(
    State((connector, connection)): State<Shared>,
    headers: HeaderMap,
    input: String,
) -> (StatusCode, String) {
    let run = headers.get("idempotency-key").and_then(|run| run.to_str().ok());
    let Some(run) = run else { return (StatusCode::BAD_REQUEST, "idempotency-key is missing".to_owned()) };
    let call = Call::new(connection, Invocation::new(run).with_timeout(Duration::from_secs(30)));
    match connector.run_action(&call, "customer.create", &input).await {
        Ok(reply) => (StatusCode::OK, reply.value.output),
        Err(failure) if failure.outcome() == Outcome::Unknown => (StatusCode::GATEWAY_TIMEOUT, failure.to_string()),
        Err(failure) => (StatusCode::BAD_GATEWAY, failure.to_string()),
    }
}

async fn webhooks(State((connector, connection)): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let Ok(invocation) = Invocation::fresh() else { return StatusCode::SERVICE_UNAVAILABLE };
    let request = WebhookRequest::post("/webhooks", headers, body.to_vec());
    match connector.receive(&Call::new(connection, invocation), None, Vec::new(), request).await {
        Ok(_reply) => StatusCode::OK, // once the reply's events are stored
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

#[tokio::main]
#[allow(dead_code, reason = "tests use the service alone")]
async fn main() -> Result<(), Box<dyn Error>> {
    let [component, manifest] = [1, 2].map(|index| std::env::args().nth(index).unwrap_or_default());
    let package = Package::new(&std::fs::read_to_string(manifest)?, std::fs::read(component)?)?;
    let connector = Host::new()?.load_package(&package, &Grants::default())?;
    let key = [("api_key", std::env::var("STRIPE_SECRET_KEY")?)];
    let connection = Connection::new(package.manifest(), Environment::Development, key)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    Ok(axum::serve(listener, service((connector, connection))).await?)
}
