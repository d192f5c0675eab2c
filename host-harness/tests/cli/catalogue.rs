//! What the connector can do, without any connection.

use crate::support::{Harness, TestFile};

#[test]
fn operations_are_listed_and_searched() {
    let all = Harness::new(&["operations"]).run().succeeded();
    assert_eq!(all.stderr, "");
    for line in ["customer.create", "moves money", "cannot be undone", "only reads", "invoice.paid"] {
        assert!(all.stdout.contains(line), "{line}: {}", all.stdout);
    }
    let found = Harness::new(&["operations", "refund", "--json"]).run().succeeded().json();
    assert_eq!(found[0]["id"], "refund.create");
    assert_eq!(found[0]["hints"]["moves_money"], true);
    let queries = Harness::new(&["operations", "--kind", "query", "--json"]).run().succeeded().json();
    assert!(queries.as_array().unwrap().iter().all(|operation| operation["kind"] == "query"));
    let none = Harness::new(&["operations", "xyzzy"]).run().succeeded();
    assert_eq!(none.stdout, "");
}

#[test]
fn an_operation_is_described() {
    let shown = Harness::new(&["describe", "payment_intent.create"]).run().succeeded().stdout;
    for text in ["Create a payment", "moves money", "create_payment_intent", "currency", "required", "harness call"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let described = Harness::new(&["describe", "create_customer", "--json"]).run().succeeded().json();
    assert_eq!(described["summary"]["id"], "customer.create");
    assert_eq!(described["input_schema"]["type"], "object");
    assert_eq!(described["sample_output"]["object"], "customer");
    let undone = Harness::new(&["describe", "subscription.create"]).run().succeeded().stdout;
    assert!(undone.contains("subscription.cancel"), "{undone}");
    let trigger = Harness::new(&["describe", "customer.created"]).run().succeeded().stdout;
    assert!(!trigger.contains("harness call"), "{trigger}");
    Harness::new(&["describe", "customer.creat"]).run().failed(1, &["unknown-operation", "customer.create"]);
}

#[test]
fn operations_come_in_pages_when_asked() {
    let page = |flags: &[&str]| Harness::new(&[&["operations", "--limit", "2"], flags].concat()).run().succeeded();
    let first = page(&["--json"]).json();
    assert_eq!(first["operations"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&["--json", "--cursor", cursor]).json();
    assert_ne!(first["operations"], second["operations"]);
    assert!(page(&[]).stderr.contains(&format!("--cursor {cursor}")));
    Harness::new(&["operations", "--limit", "1001"]).run().failed(1, &["limit"]);
    Harness::new(&["operations", "--cursor", "nowhere"]).run().failed(1, &["cursor"]);
}

#[test]
fn the_whole_api_is_listed_when_asked() {
    let count = |flags: &[&str]| {
        let listed = Harness::new(&[&["operations", "--json"], flags].concat()).run().succeeded().json();
        listed.as_array().unwrap().len()
    };
    assert!(count(&["--all"]) > count(&[]));
    assert!(count(&["--all"]) > 600);
}

#[test]
fn a_schema_comes_by_degrees_and_its_objects_by_name() {
    let fields = |flags: &[&str]| {
        let arguments = [&["describe", "payment_intent.create", "--json"], flags].concat();
        let described = Harness::new(&arguments).run().succeeded().json();
        described["input_schema"]["properties"].as_object().unwrap().len()
    };
    assert!(fields(&[]) < fields(&["--full"]));
    assert_eq!(fields(&["--full"]), fields(&["--all"]), "two names of one flag");
    let customer = Harness::new(&["schema", "customer"]).run().succeeded().json();
    assert!(customer["properties"]["email"].is_object(), "{customer}");
    Harness::new(&["schema", "custmer"]).run().failed(1, &["customer"]);
}

#[test]
fn what_to_tick_for_a_key_is_shown_for_the_operations_that_are_chosen() {
    let shown = Harness::new(&["permissions", "customer.list", "customer.create", "refund.create"]).run().succeeded();
    for part in ["Customers: Write", "rak_customer_write", "rak_charge_write", "customer.list"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    assert!(!shown.stdout.contains("rak_customer_read"), "writing includes reading: {}", shown.stdout);
    let all = Harness::new(&["permissions", "--all", "--json"]).run().succeeded().json();
    assert!(all.as_array().unwrap().len() > 5, "{all}");
    Harness::new(&["permissions"]).run().failed(2, &["OPERATION"]);
    Harness::new(&["permissions", "refund.creat"]).run().failed(1, &["refund.create"]);
}

#[test]
fn what_describe_suggests_works() {
    let shown = Harness::new(&["describe", "customer.create"]).run().succeeded().stdout;
    let suggested = shown.lines().last().unwrap();
    let input = suggested.split('\'').nth(1).unwrap();
    let called = Harness::new(&["call", "customer.create", "--input", input]).run().succeeded();
    assert_eq!(called.json()["object"], "customer");
}

#[test]
fn resources_are_listed() {
    let shown = Harness::new(&["resources"]).run().succeeded().stdout;
    assert!(shown.contains("contact") && shown.contains("cus_") && shown.contains("city ← address.city"), "{shown}");
    let resources = Harness::new(&["resources", "--json"]).run().succeeded().json();
    assert!(resources.as_array().unwrap().iter().any(|resource| resource["internal"] == "contact"));
}

#[test]
fn a_sample_is_an_event() {
    let event = Harness::new(&["sample", "invoice.paid"]).run().succeeded().json();
    assert_eq!((event["object"].as_str(), event["type"].as_str()), (Some("event"), Some("invoice.paid")));
    let mapped = Harness::new(&["sample", "payment.succeeded", "--json"]).run().succeeded().json();
    assert_eq!((&mapped["event_type"], &mapped["complete"]), (&"payment_intent.succeeded".into(), &true.into()));
    assert!(mapped["triggers"].as_array().unwrap().contains(&"payment_intent.succeeded".into()), "{mapped}");
    assert_eq!(mapped["record"]["internal"], "payment");
    Harness::new(&["sample", "invoice.payed"]).run().failed(1, &["invoice.paid"]);
}

#[test]
fn inspect_shows_what_it_may_reach_and_runs_nothing() {
    let shown = Harness::new(&["inspect"]).run().succeeded();
    assert_eq!(shown.stderr, "", "no simulator is started");
    for text in
        ["Stripe 0.1.0", "wasi:http/outgoing-handler@", "https://api.stripe.com", "DELETE, GET, POST", "64.0 MiB"]
    {
        assert!(shown.stdout.contains(text), "{text}: {}", shown.stdout);
    }
    let document = Harness::new(&["inspect", "--json"]).run().succeeded().json();
    assert_eq!(document["egress"].as_array().unwrap().len(), 3);
    assert_eq!(document["component"]["size"], bundled_connector::COMPONENT.len());
    assert_eq!(document["connection"][0]["set"], false);
}

#[test]
fn help_and_version_are_results() {
    let help = Harness::new(&["--help"]).run().succeeded().stdout;
    assert!(help.contains("Exit status") && help.contains("test-connection"), "{help}");
    assert!(Harness::new(&["--version"]).run().succeeded().stdout.starts_with("harness 0.1.0"));
}

#[test]
fn the_connector_that_is_built_in_conforms() {
    let report = Harness::new(&["conformance", "--json"]).run().succeeded().json();
    let checks = report["checks"].as_array().unwrap();
    assert!(checks.len() > 10 && checks.iter().all(|check| check["verdict"] == "held"), "{report}");
    let manifest = bundled_connector::MANIFEST.replace("name = \"account\"", "name = \"acount\"");
    let file = TestFile::new("manifest.toml", manifest);
    let component = TestFile::new("connector.wasm", bundled_connector::COMPONENT);
    let ended = Harness::new(&["conformance", component.path(), "--manifest", file.path()]).run();
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.contains("BROKEN   connection") && ended.stdout.contains("acount"), "{}", ended.stdout);
    Harness::new(&["conformance", component.path()]).run().failed(2, &["--manifest FILE"]);
}
