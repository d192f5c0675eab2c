use crate::catalogue::Entry;
use crate::catalogue::tests::template;

use super::*;

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (id, resource, safety) in [
        ("customer.retrieve", "customer", Safety::Read),
        ("customer.create", "customer", Safety::Change),
        ("customer.delete", "customer", Safety::Destroy),
        ("subscription.update", "subscription", Safety::MoveMoney),
        ("subscription.pause", "subscription", Safety::Change),
        ("payment_intent.create", "payment_intent", Safety::MoveMoney),
        ("refund.create", "refund", Safety::MoveMoney),
        ("v1.payment_intents.create", "payment_intent", Safety::MoveMoney),
        ("v1.refunds.create", "refund", Safety::MoveMoney),
        ("v1.subscriptions.update", "subscription", Safety::MoveMoney),
        ("v1.payouts.create", "payout", Safety::MoveMoney),
    ] {
        let entry = Entry { resource: resource.to_owned(), safety: [safety].into() };
        catalogue.entries.insert(id.to_owned(), entry);
    }
    for (id, path, curated) in [
        ("v1.payment_intents.create", "/v1/payment_intents", "payment_intent.create"),
        ("v1.refunds.create", "/v1/refunds", "refund.create"),
        ("v1.payouts.create", "/v1/payouts", ""),
        ("v1.subscriptions.update", "/v1/subscriptions/{subscription}", "subscription.update"),
    ] {
        catalogue.templates.push(template(id, "POST", path, curated));
    }
    for (id, request) in [
        ("payment_intent.create", "v1.payment_intents.create"),
        ("refund.create", "v1.refunds.create"),
        ("subscription.update", "v1.subscriptions.update"),
        ("subscription.pause", "v1.subscriptions.update"),
    ] {
        catalogue.sends.insert(id.to_owned(), request.to_owned());
    }
    catalogue
}

fn policy(text: &str) -> Policy {
    Policy::parse("guard.toml", text, &catalogue()).unwrap_or_else(|error| panic!("{error}"))
}

fn subject(id: &str) -> Subject {
    let catalogue = catalogue();
    let entry = catalogue.entry(id).unwrap().clone();
    let request = catalogue.request_of(id).map(str::to_owned);
    let mut names: BTreeSet<String> = [id.to_owned()].into();
    names.extend(request.clone());
    if request.as_deref() == Some(id) {
        names.extend(catalogue.template(id).and_then(|template| template.curated.clone()));
    }
    Subject { called: id.to_owned(), id: id.to_owned(), names, request, resource: entry.resource, safety: entry.safety }
}

fn said(text: &str, id: &str) -> String {
    let ruling = by_name(&policy(text), &subject(id), Environment::Development);
    format!("{} by {}", ruling.verdict.name(), ruling.rule)
}

#[test]
fn the_first_rule_that_is_against_it_decides() {
    for (text, id, says) in [
        ("", "refund.create", "allow by no rule is against it"),
        ("read_only = true", "refund.create", "deny by read_only (line 1)"),
        ("read_only = true", "customer.retrieve", "allow by no rule is against it"),
        ("[operations]\ndeny = [\"refund.*\"]", "refund.create", "deny by operations.deny (line 2)"),
        ("[operations]\ndeny = [\"refund.create\"]", "v1.refunds.create", "deny by operations.deny (line 2)"),
        ("[operations]\ndeny = [\"v1.refunds.create\"]", "refund.create", "deny by operations.deny (line 2)"),
        ("[operations]\ndeny = [\"subscription.pause\"]", "subscription.update", "deny by operations.deny (line 2)"),
        (
            "[operations]\ndeny = [\"subscription.pause\"]",
            "v1.subscriptions.update",
            "deny by operations.deny (line 2)",
        ),
        ("[operations]\nallow = [\"customer.*\"]", "refund.create", "deny by operations.allow (line 2)"),
        ("[operations]\nallow = [\"refund.create\"]", "v1.refunds.create", "allow by no rule is against it"),
        ("[operations]\nallow = [\"subscription.pause\"]", "subscription.update", "deny by operations.allow (line 2)"),
        (
            "[operations]\nallow = [\"subscription.pause\"]",
            "v1.subscriptions.update",
            "deny by operations.allow (line 2)",
        ),
        ("[resources]\ndeny = [\"customer\"]", "customer.retrieve", "deny by resources.deny (line 2)"),
        ("[resources]\nallow = [\"customer\"]", "refund.create", "deny by resources.allow (line 2)"),
        ("[safety]\ndeny = [\"move-money\"]", "refund.create", "deny by safety.deny (line 2)"),
        ("[safety]\nallow = [\"read\", \"change\"]", "customer.delete", "deny by safety.allow (line 2)"),
        ("[safety]\nallow = [\"read\", \"change\"]", "customer.create", "allow by no rule is against it"),
        ("[ask]\noperations = [\"refund.create\"]", "v1.refunds.create", "ask by ask.operations (line 2)"),
        ("[ask]\nsafety = [\"destroy\"]", "customer.delete", "ask by ask.safety (line 2)"),
        (
            "[ask]\noperations = [\"refund.create\"]\n[resources]\ndeny = [\"refund\"]",
            "refund.create",
            "deny by resources.deny (line 4)",
        ),
    ] {
        assert_eq!(said(text, id), says, "{id} under {text}");
    }
}

#[test]
fn live_mode_needs_the_switch() {
    let live = |text: &str| by_name(&policy(text), &subject("customer.retrieve"), Environment::Production).verdict;
    assert!(matches!(live(""), Verdict::Deny { .. }));
    assert_eq!(live("live = true"), Verdict::Allow);
}

const CAPS: &str = r#"
[[cap]]
on = "payments"
per = "call"
amount = "100"
currency = "usd"
[[cap]]
on = "refunds"
per = "call"
amount = "20"
currency = "usd"
"#;

fn of_request(text: &str, id: &str, target: &str, body: &str) -> String {
    let request = Outgoing::made("POST", target, body);
    match by_request(&policy(text), &catalogue(), &subject(id), &request, &Known::default()) {
        Judged::Needs(path) => format!("needs {path}"),
        Judged::Ruling(ruling) => match ruling.verdict {
            Verdict::Deny { reason, .. } | Verdict::Ask { reason } => reason,
            other => other.name().to_owned(),
        },
    }
}

#[test]
fn money_moves_only_under_a_cap_of_its_own() {
    for (id, target, body, says) in [
        ("payment_intent.create", "/v1/payment_intents", "amount=10000&currency=usd", "allow"),
        (
            "payment_intent.create",
            "/v1/payment_intents",
            "amount=10001&currency=usd",
            "100.01 USD is over the cap of 100.00 USD per call",
        ),
        ("payment_intent.create", "/v1/payment_intents", "amount=1&currency=eur", "no cap is on payments in eur"),
        ("v1.payouts.create", "/v1/payouts", "amount=1&currency=usd", "no cap is on payouts in usd"),
        ("refund.create", "/v1/refunds", "charge=ch_1", "needs /v1/charges/ch_1"),
        ("customer.create", "/v1/customers", "email=a@b.c", "allow"),
    ] {
        assert_eq!(of_request(CAPS, id, target, body), says, "{target} {body}");
    }
    let unknown = of_request(CAPS, "subscription.update", "/v1/subscriptions/sub_1", "items[0][price]=price_1");
    assert!(unknown.contains("cannot be known") && unknown.contains("over any cap"), "{unknown}");
}

#[test]
fn somebody_is_asked_above_a_sum_and_where_it_cannot_be_known() {
    let ask = "[ask]\nabove = [{ amount = \"50\", currency = \"usd\" }]";
    for (id, target, body, says) in [
        ("payment_intent.create", "/v1/payment_intents", "amount=5000&currency=usd", "allow"),
        (
            "payment_intent.create",
            "/v1/payment_intents",
            "amount=5001&currency=usd",
            "it moves 50.01 USD, which is above 50.00 USD",
        ),
        (
            "payment_intent.create",
            "/v1/payment_intents",
            "amount=1&currency=eur",
            "it moves 0.01 EUR, and no sum is named for that currency",
        ),
    ] {
        assert_eq!(of_request(ask, id, target, body), says, "{target} {body}");
    }
    assert!(of_request(ask, "subscription.update", "/v1/subscriptions/sub_1", "").contains("cannot be known"));
}

#[test]
fn a_request_that_does_not_only_read_is_denied_whatever_it_is_called() {
    assert!(
        of_request("read_only = true", "customer.retrieve", "/v1/refunds", "charge=ch_1")
            .contains("does not only read")
    );
}
