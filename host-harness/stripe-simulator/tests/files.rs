//! Files are uploaded, kept, had back with a key, and shown to others by links that expire.

use crate::stripe::{Answer, PINNED, Stripe, check};
use stripe_simulator::TEST_SECRET_KEY;

const KIND: &str = "multipart/form-data; boundary=boundary";
const PDF: &str = "%PDF-1.4 the receipt";

fn body(fields: &[(&str, &str)], file: Option<(&str, &str)>) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--boundary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    if let Some((name, bytes)) = file {
        body += &format!(
            "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: \
             application/octet-stream\r\n\r\n{bytes}\r\n"
        );
    }
    body + "--boundary--\r\n"
}

async fn upload_with(stripe: &Stripe, headers: &[(&str, &str)], body: String) -> Answer {
    let key = format!("Bearer {TEST_SECRET_KEY}");
    let mut all = vec![("authorization", key.as_str()), ("stripe-version", PINNED), ("content-type", KIND)];
    all.extend_from_slice(headers);
    let answer = stripe.send("POST", "/v1/files", &all, body).await;
    check("POST", "/v1/files", &answer);
    answer
}

async fn upload(stripe: &Stripe, fields: &[(&str, &str)], file: (&str, &str)) -> Answer {
    upload_with(stripe, &[], body(fields, Some(file))).await
}

async fn evidence(stripe: &Stripe) -> String {
    upload(stripe, &[("purpose", "dispute_evidence")], ("receipt.pdf", PDF)).await.id()
}

#[tokio::test]
async fn a_file_is_kept_and_had_back_with_a_key() {
    let stripe = Stripe::start().await;
    let file = upload(&stripe, &[("purpose", "dispute_evidence")], ("receipt.pdf", PDF)).await;
    assert_eq!(file.status, 200, "{}", file.text);
    let known = &file.body;
    assert_eq!((&known["purpose"], &known["filename"]), (&"dispute_evidence".into(), &"receipt.pdf".into()));
    assert_eq!((&known["size"], &known["type"]), (&PDF.len().into(), &"pdf".into()));
    assert_eq!(known["expires_at"].as_i64().unwrap() - known["created"].as_i64().unwrap(), 270 * 86_400);
    assert!(known["title"].is_null());
    let url = known["url"].as_str().unwrap();
    assert_eq!(stripe.send("GET", url, &[], "").await.status, 401);
    let key = format!("Bearer {TEST_SECRET_KEY}");
    let contents = stripe.send("GET", url, &[("authorization", &key)], "").await;
    assert_eq!((contents.status, contents.text.as_str()), (200, PDF));
    assert_eq!(contents.header("content-type"), "application/pdf");
    let missing = stripe.send("GET", "/v1/files/file_none/contents", &[("authorization", &key)], "").await;
    assert_eq!((missing.status, missing.error()["code"].as_str()), (404, Some("resource_missing")));
    assert_eq!(stripe.get(&format!("/v1/files/{}", file.id()), &[]).await.body, file.body);
    upload(&stripe, &[("purpose", "business_logo")], ("logo.gif", "GIF89a")).await;
    let listed = stripe.get("/v1/files", &[("purpose", "dispute_evidence")]).await;
    assert_eq!(listed.ids(), [file.id()]);
    assert_eq!(stripe.events().await, ["file.created", "file.created"]);
}

#[tokio::test]
async fn what_an_upload_carries_is_checked() {
    let stripe = Stripe::start().await;
    let of = async |fields: &[(&str, &str)], file: Option<(&str, &str)>| {
        let answer = upload_with(&stripe, &[], body(fields, file)).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        (answer.error()["param"].as_str().unwrap_or_default().to_owned(), answer.error()["message"].to_string())
    };
    let pdf = Some(("a.pdf", PDF));
    assert_eq!(of(&[], pdf).await.0, "purpose");
    assert_eq!(of(&[("purpose", "fun")], pdf).await.0, "purpose");
    assert_eq!(of(&[("purpose", "pci_document")], None).await.0, "file");
    assert_eq!(of(&[("purpose", "pci_document"), ("file", "text")], None).await.0, "file");
    assert_eq!(of(&[("purpose", "pci_document"), ("colour", "red")], pdf).await.0, "colour");
    assert_eq!(of(&[("purpose", "pci_document")], Some(("a.pdf", ""))).await.0, "file");
    let (param, message) = of(&[("purpose", "dispute_evidence")], Some(("a.pdf", "only text"))).await;
    assert_eq!(param, "file");
    assert!(message.contains("application/pdf, image/jpeg, image/png"), "{message}");
    let large = format!("GIF8{}", "x".repeat(512 << 10));
    assert!(of(&[("purpose", "business_icon")], Some(("a.gif", &large))).await.1.contains("512 KB"));
    let unlinked = [("purpose", "identity_document"), ("file_link_data[create]", "true")];
    assert_eq!(of(&unlinked, pdf).await.0, "file");
    let plain = stripe.post("/v1/files", &[("purpose", "pci_document"), ("file", "x")]).await;
    assert!(plain.error()["message"].as_str().unwrap().contains("multipart/form-data"), "{}", plain.text);
    assert!(stripe.get("/v1/files", &[]).await.ids().is_empty());
}

#[tokio::test]
async fn an_upload_is_repeated_with_its_key_and_only_that_upload() {
    let stripe = Stripe::start().await;
    let fields = [("purpose", "dispute_evidence")];
    let key = [("idempotency-key", "one")];
    let first = upload_with(&stripe, &key, body(&fields, Some(("a.pdf", PDF)))).await;
    let again = upload_with(&stripe, &key, body(&fields, Some(("a.pdf", PDF)))).await;
    assert_eq!((again.id(), again.header("idempotent-replayed")), (first.id(), "true"));
    let other = upload_with(&stripe, &key, body(&fields, Some(("a.pdf", "%PDF-1.4 another")))).await;
    assert_eq!(other.error()["type"], "idempotency_error");
}

#[tokio::test]
async fn a_link_shows_a_file_until_it_expires() {
    let stripe = Stripe::start().await;
    let file = evidence(&stripe).await;
    let link = stripe.make("/v1/file_links", &[("file", &file), ("metadata[for]", "bank")]).await;
    let url = link.body["url"].as_str().unwrap();
    assert_eq!(stripe.send("GET", url, &[], "").await.text, PDF);
    let shown = stripe.get(&format!("/v1/files/{file}"), &[]).await;
    assert_eq!(shown.body["links"]["data"][0]["id"], link.id());
    let path = format!("/v1/file_links/{}", link.id());
    let past = stripe.post(&path, &[("expires_at", "1000")]).await;
    assert_eq!(past.error()["param"], "expires_at");
    let expired = stripe.make(&path, &[("expires_at", "now")]).await;
    assert_eq!(expired.body["expired"], true);
    assert_eq!(stripe.send("GET", url, &[], "").await.status, 404);
    assert_eq!(stripe.get("/v1/file_links", &[("expired", "true")]).await.ids(), [link.id()]);
    assert!(stripe.get("/v1/file_links", &[("expired", "false")]).await.ids().is_empty());
    assert_eq!(stripe.post("/v1/file_links", &[("file", "file_none")]).await.error()["param"], "file");
}

#[tokio::test]
async fn a_link_that_comes_with_a_file_expires_by_itself() {
    let stripe = Stripe::start().await;
    let end = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() + 60;
    let end = end.to_string();
    let fields = [
        ("purpose", "dispute_evidence"),
        ("file_link_data[create]", "true"),
        ("file_link_data[expires_at]", end.as_str()),
    ];
    let file = upload(&stripe, &fields, ("receipt.pdf", PDF)).await;
    let link = &file.body["links"]["data"][0];
    let url = link["url"].as_str().unwrap();
    assert_eq!(stripe.send("GET", url, &[], "").await.status, 200);
    let moved = stripe.submit("/_simulator/faults", &[("kind", "clock_skew"), ("seconds", "120")]).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(stripe.send("GET", url, &[], "").await.status, 404);
    let path = format!("/v1/file_links/{}", link["id"].as_str().unwrap());
    assert_eq!(stripe.get(&path, &[]).await.body["expired"], true);
}

#[tokio::test]
async fn a_quote_can_be_read_on_paper() {
    let stripe = Stripe::start().await;
    let customer = stripe.make("/v1/customers", &[]).await.id();
    let price = stripe
        .make("/v1/prices", &[("currency", "usd"), ("unit_amount", "500"), ("product_data[name]", "Tea")])
        .await
        .id();
    let quote = stripe.make("/v1/quotes", &[("customer", &customer), ("line_items[0][price]", &price)]).await.id();
    let key = format!("Bearer {TEST_SECRET_KEY}");
    let paper = stripe.send("GET", &format!("/v1/quotes/{quote}/pdf"), &[("authorization", &key)], "").await;
    assert_eq!((paper.status, paper.header("content-type")), (200, "application/pdf"));
    assert!(paper.text.starts_with("%PDF-") && paper.text.contains("5.00"), "{}", paper.text);
    let missing = stripe.send("GET", "/v1/quotes/qt_none/pdf", &[("authorization", &key)], "").await;
    assert_eq!((missing.status, missing.error()["code"].as_str()), (404, Some("resource_missing")));
}
