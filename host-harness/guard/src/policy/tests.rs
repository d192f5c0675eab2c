use crate::catalogue::tests::template;
use crate::catalogue::{Catalogue, Entry, Safety};

use super::Policy;

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (id, resource, safety) in [
        ("customer.create", "customer", Safety::Change),
        ("customer.delete", "customer", Safety::Destroy),
        ("payment_intent.create", "payment_intent", Safety::MoveMoney),
        ("v1.customers.create", "customer", Safety::Change),
    ] {
        let entry = Entry { resource: resource.to_owned(), safety: [safety].into() };
        catalogue.entries.insert(id.to_owned(), entry);
    }
    catalogue.templates.push(template("v1.customers.create", "POST", "/v1/customers", "customer.create"));
    catalogue.sends.insert("customer.create".to_owned(), "v1.customers.create".to_owned());
    catalogue.meant.insert("create_customer".to_owned(), Ok("customer.create".to_owned()));
    catalogue
}

fn wrong(text: &str) -> String {
    Policy::parse("guard.toml", text, &catalogue()).expect_err(text).to_string()
}

#[test]
fn the_example_says_what_every_key_means() {
    let keys = [
        "read_only",
        "live",
        "dry_run",
        "customer",
        "audit",
        "mask",
        "[operations]",
        "[resources]",
        "[safety]",
        "[ask]",
        "[[cap]]",
        "allow",
        "deny",
        "above",
    ];
    for key in keys {
        assert!(crate::EXAMPLE.contains(key), "{key}");
    }
}

#[test]
fn a_file_is_read_whole() {
    let text = r#"
read_only = false
live = true
customer = "cus_1"
audit = "log.jsonl"
mask = ["email", "billing_details.*"]
[operations]
allow = ["customer.*", "create_customer"]
deny = ["customer.delete"]
[resources]
deny = ["payment_intent"]
[safety]
allow = ["read", "change"]
[ask]
operations = ["create_customer"]
safety = ["destroy"]
above = [{ amount = "50", currency = "usd" }, { amount = "5000", currency = "jpy" }]
[[cap]]
on = "payments"
per = "call"
amount = "100.00"
currency = "usd"
"#;
    let policy = Policy::parse("guard.toml", text, &catalogue()).unwrap();
    assert!(policy.live && policy.read_only.is_none() && policy.needs_request());
    let (customer, rule) = policy.customer.unwrap();
    assert_eq!((customer.as_str(), rule.to_string().as_str()), ("cus_1", "customer (line 4)"));
    assert_eq!(policy.caps[0].amount.to_string(), "100.00 USD");
    assert_eq!(policy.operations.allow.unwrap().0.len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_fix() {
    let cap = |on: &str, per: &str, amount: &str, currency: &str| {
        format!("[[cap]]\non = \"{on}\"\nper = \"{per}\"\namount = \"{amount}\"\ncurrency = \"{currency}\"\n")
    };
    let twice = [cap("payments", "call", "1", "usd"), cap("payments", "call", "2", "usd")].concat();
    let idle = format!("read_only = true\n{}", cap("payments", "call", "1", "usd"));
    let cases: &[(&str, &[&str])] = &[
        ("readonly = true", &["guard.toml:1:1:", "unknown field", "harness guard example"]),
        ("read_only = \"yes\"", &["guard.toml:1:13:", "invalid type"]),
        (
            "\n[operations]\nallow = [\"custmer.create\"]",
            &["guard.toml:3:10:", "`custmer.create`", "harness operations"],
        ),
        ("[operations]\ndeny = [\"refnd.*\"]", &["guard.toml:2:9:", "`refnd.*`"]),
        ("[operations]\nallow = []", &["guard.toml:2:9:", "allows nothing"]),
        (
            "[operations]\nallow = [\"customer.create\"]\ndeny = [\"customer.*\"]",
            &["guard.toml:3:9:", "`customer.*` denies all that `customer.create` allows"],
        ),
        ("[resources]\ndeny = [\"custmer\"]", &["guard.toml:2:9:", "no resource `custmer`"]),
        ("[safety]\nallow = [\"writes\"]", &["guard.toml:2:10:", "read, change, move-money, destroy"]),
        (
            "read_only = true\n[safety]\nallow = [\"read\", \"change\"]",
            &["guard.toml:3:18:", "contradicts `read_only` in line 1"],
        ),
        (&idle, &["guard.toml:2:", "for nothing"]),
        (&cap("payments", "call", "1", "usx"), &["guard.toml:5:12:", "`usx` is no currency", "three letters"]),
        (&cap("payments", "call", "1.234", "usd"), &["guard.toml:4:10:", "`1.234` is no sum of usd"]),
        (&cap("payments", "call", "-1", "usd"), &["guard.toml:4:10:", "no sum"]),
        (&cap("payment", "call", "1", "usd"), &["guard.toml:2:6:", "payments, refunds, payouts, transfers"]),
        (&cap("payments", "week", "1", "usd"), &["guard.toml:3:7:", "call, run, day"]),
        (&cap("payments", "day", "1", "usd"), &["guard.toml:3:7:", "ledger"]),
        (
            &format!("ledger = \"l\"\n{}{}", cap("payments", "call", "5", "usd"), cap("payments", "day", "1", "usd")),
            &["guard.toml:10:10:", "contradicts", "line 2"],
        ),
        (&twice, &["guard.toml:6:1:", "in line 1 already"]),
        ("[[cap]]\non = \"payments\"", &["guard.toml:1:1:", "missing field"]),
        (
            "[ask]\nabove = [{ amount = \"1\", currency = \"usd\" }, { amount = \"2\", currency = \"USD\" }]",
            &["guard.toml:2:", "two sums"],
        ),
        ("customer = \"jenny\"", &["guard.toml:1:12:", "no customer's id"]),
        ("customer = \"cus_1/../x\"", &["guard.toml:1:12:", "no customer's id"]),
        ("mask = [\"a b\"]", &["guard.toml:1:9:", "no path of a field"]),
        ("mask = [\"*\"]", &["guard.toml:1:9:", "no path of a field"]),
        ("audit = \" \"", &["guard.toml:1:9:", "names no file"]),
        ("[", &["guard.toml:1:"]),
    ];
    for (text, says) in cases {
        let error = wrong(text);
        for part in *says {
            assert!(error.contains(part), "{part:?} is not in {error:?} of {text:?}");
        }
    }
}

#[test]
fn nobody_is_kept_to_one_customer_without_knowing_the_requests() {
    let known = Catalogue { templates: Vec::new(), ..catalogue() };
    let error = Policy::parse("guard.toml", "customer = \"cus_1\"", &known).unwrap_err();
    assert!(error.to_string().contains("does not tell its requests"), "{error}");
}
