//! A secret is where it must be and nowhere else: not in a component, not in what a component returns.

use crate::http::{Ask, Server, answer, asking, header, telling};
use crate::support::{Guest, host, manifest};
use host::contract::{Environment, WebhookRequest};
use host::{Call, CallReport, Connection, Connector, DenialReason, Grants, Invocation};

const KEY: &str = "sk_test_51HostHarness";
const WEBHOOKS: &str = "whsec_51HostHarness";

fn connection(fields: &[(&str, &str)]) -> Call {
    let connection = Connection::new(&manifest(), Environment::Development, fields.iter().copied()).unwrap();
    Call::new(connection, Invocation::new("run_1"))
}

fn load(guest: &Guest, servers: &[&Server]) -> Connector {
    let grant = |grants: Grants, server: &&Server| grants.allow(&server.base).unwrap();
    host().load(&guest.build(), &manifest(), &servers.iter().fold(Grants::default(), grant)).unwrap()
}

async fn run(guest: &Guest, servers: &[&Server]) -> (String, CallReport) {
    let reply = load(guest, servers).run_action(&connection(&[("api_key", KEY)]), "a", "{}").await.unwrap();
    (reply.value.output, reply.report)
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = text.as_bytes().chunks(3).flat_map(|three| {
        let bits = three.iter().chain(&[0, 0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        (0..=three.len()).map(move |index| ALPHABET[bits >> (18 - 6 * index) & 63])
    });
    String::from_utf8(letters.collect()).unwrap()
}

/// The key in every form that a server may say it in.
fn forms(key: &str) -> Vec<String> {
    vec![
        key.to_owned(),
        format!("Invalid key: {key}."),
        key.replace('_', "%5F"),
        key.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        key.bytes().map(|byte| format!("\\u00{byte:02x}")).collect(),
        key.bytes().map(|byte| format!("{byte:02x}")).collect(),
        base64(key),
        base64(&format!("{key}:")),
        base64(&format!("a:{key}")),
        base64(&format!("ab:{key}")),
    ]
}

#[tokio::test]
async fn the_key_leaves_in_its_header_and_never_comes_back_in_a_body() {
    for index in 0..forms(KEY).len() {
        let server = Server::start(move |head| {
            let key = header(head, "authorization").unwrap().strip_prefix("Bearer ").unwrap();
            assert_eq!(key, KEY);
            vec![answer(401, "", &forms(key)[index])]
        })
        .await;
        let (said, _) = run(&asking(&[Ask::get(format!("{}/v1", server.base)).with_key()]), &[&server]).await;
        let form = &forms(KEY)[index];
        assert_eq!(said.len(), form.len(), "{said}");
        assert!(!said.contains("51Host") && said != *form, "{form}: {said}");
        // All but what is before the secret in base64, and the letters that it shares with that.
        assert!(!forms(KEY).iter().any(|form| said.contains(&form[3..form.len() - 2])), "{form}: {said}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_key_that_comes_back_in_pieces_is_taken_out() {
    let server = Server::start(|_| {
        let body = format!("a {KEY} b {KEY} sk_test_51Host");
        let mut pieces = vec![b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec()];
        pieces.extend(body.bytes().map(|byte| format!("1\r\n{}\r\n", char::from(byte)).into_bytes()));
        pieces.push(b"0\r\n\r\n".to_vec());
        pieces
    })
    .await;
    let (said, _) = run(&asking(&[Ask::get(&server.base).with_key()]), &[&server]).await;
    assert!(
        !said.contains("51HostHarness") && said.starts_with("a sk_test_") && said.ends_with("sk_test_51Host"),
        "{said}"
    );
}

#[tokio::test]
async fn the_key_never_comes_back_in_a_header() {
    let server = Server::start(|head| {
        let value = header(head, "authorization").unwrap();
        vec![answer(200, &format!("x-echo: {value}\r\n"), "")]
    })
    .await;
    let (said, _) = run(&asking(&[Ask::get(&server.base).with_key().wanting("x-echo")]), &[&server]).await;
    assert!(said.starts_with("Bearer sk_test_") && !said.contains("51HostHarness"), "{said}");
}

#[tokio::test]
async fn a_packed_answer_in_which_nobody_could_see_the_key_is_refused() {
    let server = Server::start(|head| {
        assert_eq!(header(head, "accept-encoding"), Some("identity"));
        vec![answer(200, "content-encoding: gzip\r\n", "packed")]
    })
    .await;
    let ask = Ask::get(&server.base).with_key().header("accept-encoding", "gzip");
    let (said, report) = run(&asking(&[ask]), &[&server]).await;
    assert_eq!((said.as_str(), report.requests[0].status), ("", Some(200)));
}

#[tokio::test]
async fn no_other_authorization_leaves() {
    let server = Server::start(|_| vec![answer(200, "", "ok")]).await;
    let ask = || Ask::get(&server.base);
    for ask in [
        ask().header("authorization", "Bearer sk_attacker"),
        ask().header("authorization", "Basic {key}"),
        ask().header("authorization", "Bearer {key}{key}"),
        ask().header("authorization", "{key}"),
        ask().with_key().header("authorization", "Bearer sk_attacker"),
        ask().with_key().with_key(),
    ] {
        let (said, report) = run(&asking(&[ask]), &[&server]).await;
        assert_eq!((said.as_str(), &report.denials[0].reason), ("", &DenialReason::Authorization));
        assert!(report.requests.is_empty());
    }
    assert!(server.seen().is_empty());
    let (said, _) = run(&asking(&[ask()]), &[&server]).await;
    assert_eq!(said, "ok", "without one, it leaves");
}

#[tokio::test]
async fn no_key_leaves_in_the_clear() {
    let guest = asking(&[Ask::get("http://192.0.2.1:1/").with_key()]);
    let grants = Grants::default().allow("http://192.0.2.1:1").unwrap();
    let connector = host().load(&guest.build(), &manifest(), &grants).unwrap();
    let reply = connector.run_action(&connection(&[("api_key", KEY)]), "a", "{}").await.unwrap();
    assert_eq!(reply.report.denials[0].reason, DenialReason::InTheClear);
}

#[tokio::test]
async fn a_session_carries_its_own_credential_where_the_service_gave_it() {
    const TOKEN: &str = "meter_session_0123456789abcdef";
    let server = Server::start(|_| {
        let body = format!(r#"{{"object":"v2.billing.meter_event_session","authentication_token":"{TOKEN}"}}"#);
        vec![answer(200, &format!("x-token: {TOKEN}\r\n"), &body)]
    })
    .await;
    let open = |path: &str| Ask::new("POST", format!("{}{path}", server.base)).with_key().wanting("x-token");
    let send = || {
        let ask = Ask::new("POST", format!("{}/v2/billing/meter_event_stream", server.base));
        ask.header("authorization", "Bearer {answer}")
    };
    let (said, report) = run(&asking(&[open("/v2/billing/meter_event_session"), send()]), &[&server]).await;
    assert!(said.contains(TOKEN), "{said} {report:?}");
    assert_eq!(header(&server.seen()[1], "authorization"), Some(format!("Bearer {TOKEN}").as_str()));

    // Of another request's answer it is no credential, nor is it in a call that did not open the session.
    for asks in [vec![open("/v1/customers"), send()], vec![send().header("x-made-up", "1")]] {
        let (said, report) = run(&asking(&asks), &[&server]).await;
        assert_eq!((said.as_str(), &report.denials[0].reason), ("", &DenialReason::Authorization));
    }
}

#[tokio::test]
async fn the_sessions_destination_gets_no_key() {
    let guest = asking(&[Ask::new("POST", "https://meter-events.stripe.com/v2/billing/meter_event_stream").with_key()]);
    let (_, report) = run(&guest, &[]).await;
    assert_eq!(report.denials[0].reason, DenialReason::NotItsOrigin);
    assert!(report.requests.is_empty());
}

#[tokio::test]
async fn a_secret_that_a_component_needs_is_in_no_other_call_and_in_no_result() {
    let call = connection(&[("api_key", KEY), ("webhook_secret", WEBHOOKS)]);
    let secret = 1;
    // Its own length, after all that is kept but four bytes: the cut goes through it.
    for after in [0, (16 << 10) - 12] {
        let connector = telling("actions", "run", secret, after).load();
        let error = connector.run_action(&call, "a", "{}").await.unwrap_err();
        let said = &error.connector().unwrap().message;
        assert!(
            said.starts_with("whsec_") && said != WEBHOOKS && !error.report().stderr.contains("whsec_51"),
            "{said}"
        );

        let connector = telling("triggers", "receive", secret, after).load();
        let request = WebhookRequest::post("/", Vec::new(), Vec::new());
        let error = connector.receive(&call, None, Vec::new(), request).await.unwrap_err();
        assert_eq!(error.connector().unwrap().message, "(secret)", "it was given the secret");
        let stderr = &error.report().stderr;
        assert!(!stderr.contains("whsec_") && stderr.len() <= 16 << 10, "{}", &stderr[stderr.len() - 40..]);
    }
}

#[tokio::test]
async fn a_key_of_whatever_shape_is_never_in_a_component() {
    for key in ["sk_test_a_b_c", "sk_test_mostlyallofit_x", "sk-test-dash", "\"quoted\"", "noprefix", "sk_test_a\r\n"] {
        let connector = telling("actions", "run", 0, 0).load();
        let error = connector.run_action(&connection(&[("api_key", key)]), "a", "{}").await.unwrap_err();
        let said = &error.connector().unwrap().message;
        assert!(said.len() == key.trim().len() && said != key.trim() && !said.contains("mostly"), "{key:?}: {said:?}");
    }
}
