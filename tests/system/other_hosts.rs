//! What goes to hosts of its own: files, and usage streams.

use host::contract::{ErrorKind, File, Outcome};
use serde_json::Value;

use crate::platform::{Shop, refused};

const INPUT: &str = r#"{"purpose":"identity_document"}"#;

/// A picture of so many bytes, as far as its first ones tell.
fn picture(bytes: usize) -> Vec<File> {
    let mut content = b"\x89PNG\r\n\x1a\n".to_vec();
    content.resize(bytes, 0x5a);
    vec![File { field: "file".into(), name: "passport.png".into(), content_type: "image/png".into(), content }]
}

#[tokio::test]
async fn the_largest_file_that_stripe_takes_is_sent_whole() {
    let shop = Shop::open().await;
    let platform = &shop.platform;
    let size = 16 * 1000 * 1000;
    let call = platform.fresh();
    let done = platform.connector.run_action_with_files(&call, "v1.files.create", INPUT, picture(size)).await;
    let done: Value = serde_json::from_str(&done.expect("uploaded").value.output).expect("JSON");
    assert_eq!(done["size"], size);
}

#[tokio::test]
async fn a_file_above_the_limit_is_refused_and_nothing_is_sent() {
    let shop = Shop::open().await;
    let platform = &shop.platform;
    let call = platform.fresh();
    let over = picture((16 << 20) + 1);
    let error = refused(platform.connector.run_action_with_files(&call, "v1.files.create", INPUT, over).await);
    assert_eq!((error.kind, error.outcome, error.attempts), (ErrorKind::InvalidInput, Outcome::NotSent, 0));
    assert!(error.message.contains("at most 16384 KiB"), "{}", error.message);
}

#[tokio::test]
async fn usage_is_streamed_over_a_session_that_the_call_opens() {
    let shop = Shop::open().await;
    let events = r#"{"events":[{"event_name":"calls","payload":{"stripe_customer_id":"cus_1","value":"3"}}]}"#;
    let call = shop.platform.fresh();
    let done = shop.platform.connector.run_action(&call, "v2.billing.meter_event_stream.create", events).await;
    assert_eq!(done.expect("taken").value.metadata.attempts, 2);
    let paths: Vec<String> = shop.simulator.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/v2/billing/meter_event_session", "/v2/billing/meter_event_stream"]);
}
