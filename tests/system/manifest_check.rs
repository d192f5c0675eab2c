//! The build refuses a manifest that disagrees with the facts, and names the line to mend.

use stripe_facts::Facts;

#[path = "../../build/check.rs"]
mod check;
#[path = "../../build/manifest.rs"]
#[expect(dead_code, reason = "the build uses the rest")]
mod manifest;

use self::manifest as manifest_text;

const MANIFEST: &str = include_str!("../../manifest.toml");

/// The problems of the manifest with a change, as `line: what`.
fn problems(from: &str, to: &str, facts: &Facts) -> Vec<String> {
    assert_eq!(MANIFEST.matches(from).count(), 1, "`{from}` is there once");
    let changed = MANIFEST.replace(from, to);
    let manifest = manifest_text::parse(&changed).expect("of its form");
    check::check(&manifest, facts)
        .into_iter()
        .map(|p| format!("{}: {}", manifest_text::line(&changed, p.at), p.what))
        .collect()
}

/// The line of a text in the manifest.
fn line_of(text: &str) -> usize {
    MANIFEST.lines().position(|l| l.contains(text)).expect("a line") + 1
}

fn one(from: &str, to: &str, line: usize, says: &[&str]) {
    let found = problems(from, to, Facts::bundled());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{line}: ")), "line {line}: {}", found[0]);
    for part in says {
        assert!(found[0].contains(part), "`{part}` in {}", found[0]);
    }
}

#[test]
fn the_manifest_as_it_is_has_no_problem() {
    let manifest = manifest_text::parse(MANIFEST).expect("of its form");
    assert_eq!(check::check(&manifest, Facts::bundled()), []);
}

#[test]
fn a_wrong_parameter_name_fails_with_its_line_and_the_right_name() {
    let from = r#"show = ["email", "name", "phone", "description", "payment_method", "metadata"]"#;
    one(
        from,
        &from.replace("email", "emial"),
        line_of(from),
        &[
            "action `customer.create` shows parameter `emial`, which `POST /v1/customers` does not have",
            "did you mean `email`",
        ],
    );
}

#[test]
fn a_wrong_type_fails_with_its_line() {
    let from = "sample = { amount = 1099,";
    one(from, "sample = { amount = \"1099\",", line_of(from), &["`sample.amount` is `\"1099\"`", "an integer"]);
    let from = "amount_received = \"money amount_received\"";
    one(from, "amount_received = \"money status\"", line_of(from), &["maps `status` as money", "one of"]);
    let from = "defaults = { mode = \"payment\" }";
    one(from, "defaults = { mode = \"pay\" }", line_of(from), &["`defaults.mode`", "payment"]);
}

#[test]
fn a_removed_operation_fails_with_the_line_of_its_entry() {
    let mut facts = Facts::bundled().clone();
    facts.operations.retain(|o| o.name != "RefundService.create");
    let found = problems("title = \"Refund a payment\"", "title = \"Refund\"", &facts);
    let line = line_of("request = \"POST /v1/refunds\"");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with(&format!("{line}: action `refund.create` sends `POST /v1/refunds`, which the API")),
        "{found:?}"
    );
}

#[test]
fn an_unknown_event_type_fails_with_its_line_and_the_right_one() {
    let from = "event = \"invoice.paid\"";
    one(
        from,
        "event = \"invoice.payed\"",
        line_of(from),
        &["trigger `invoice.paid` listens to event `invoice.payed`", "did you mean `invoice.paid`"],
    );
}

#[test]
fn other_disagreements_fail_too() {
    let from = "api_version = \"2026-10-28.endive\"";
    one(from, "api_version = \"2020-08-27\"", line_of(from), &["the facts are of `2026-10-28.endive`"]);
    let from = "object = \"checkout.session\"";
    one(from, "object = \"checkout.sesion\"", line_of(from), &["did you mean `checkout.session`"]);
    let from = "paid = \"boolean paid\"";
    one(from, "paid = \"boolean payed\"", line_of(from), &["object `charge` has no `payed`", "did you mean `paid`"]);
    let from = "aliases = [\"create_refund\"]";
    one(from, "aliases = [\"create_price\"]", line_of(from), &["`create_price`, which another operation has"]);
}
