//! Tax ids: of customers and of the account itself. Their form is checked at once; whether a register knows them is
//! found out later, and here only for the values that Stripe documents for tests. No register is asked about others:
//! they stay pending.

use serde_json::{Value, json};

use super::fields::{deleted, whole};
use super::{Call, Operations, Read, Reply, customer, listing};
use crate::protocol::ApiError;
use crate::world::{Account, Object, moment, now, written};

pub(super) const OPERATIONS: Operations = &[
    ("GET", "/v1/customers/{customer}/tax_ids", list_of_customer),
    ("POST", "/v1/customers/{customer}/tax_ids", create_for_customer),
    ("DELETE", "/v1/customers/{customer}/tax_ids/{id}", delete_of_customer),
    ("GET", "/v1/customers/{customer}/tax_ids/{id}", retrieve_of_customer),
    ("GET", "/v1/tax_ids", list),
    ("POST", "/v1/tax_ids", create),
    ("DELETE", "/v1/tax_ids/{id}", delete),
    ("GET", "/v1/tax_ids/{id}", retrieve),
];

const KIND: &str = "tax_id";
/// How long a register thinks, in milliseconds; a shorter banking day shortens it.
const DELIBERATION: i64 = 4_000;
/// Types whose registers are asked.
const VERIFIED: &[&str] = &["au_abn", "eu_vat", "gb_vat"];
/// Values of tests, and what becomes of them.
const TEST_VALUES: &[(&str, &str)] =
    &[("000000000", "verified"), ("111111111", "unverified"), ("222222222", "pending")];

/// Forms of tax ids without their punctuation: `9` is a digit, `@` a letter, `*` either, anything else itself. Types
/// that are not here are taken as they come.
const FORMS: &[(&str, &[&str])] = &[
    ("ae_trn", &["999999999999999"]),
    ("au_abn", &["99999999999"]),
    ("au_arn", &["999999999999"]),
    ("br_cnpj", &["99999999999999"]),
    ("br_cpf", &["99999999999"]),
    ("ca_bn", &["999999999"]),
    ("ca_gst_hst", &["999999999RT9999"]),
    ("ca_qst", &["9999999999TQ9999"]),
    ("ch_uid", &["CHE999999999"]),
    ("ch_vat", &["CHE999999999MWST", "CHE999999999TVA", "CHE999999999IVA"]),
    ("cl_tin", &["99999999*", "9999999*"]),
    ("de_stn", &["9999999999", "99999999999"]),
    ("es_cif", &["@9999999*"]),
    (
        "eu_vat",
        &[
            "ATU99999999",
            "BE9999999999",
            "BG999999999",
            "BG9999999999",
            "CY99999999@",
            "CZ99999999",
            "CZ999999999",
            "CZ9999999999",
            "DE999999999",
            "DK99999999",
            "EE999999999",
            "EL999999999",
            "ES*9999999*",
            "FI99999999",
            "FR**999999999",
            "HR99999999999",
            "HU99999999",
            "IE9*99999@",
            "IE9*99999@@",
            "IT99999999999",
            "LT999999999",
            "LT999999999999",
            "LU99999999",
            "LV99999999999",
            "MT99999999",
            "NL*********B99",
            "PL9999999999",
            "PT999999999",
            "RO99",
            "RO999",
            "RO9999",
            "RO99999",
            "RO999999",
            "RO9999999",
            "RO99999999",
            "RO999999999",
            "RO9999999999",
            "SE999999999999",
            "SI99999999",
            "SK9999999999",
            "XI999999999",
            "XI999999999999",
        ],
    ),
    ("gb_vat", &["GB999999999", "GB999999999999", "GBGD999", "GBHA999"]),
    ("hr_oib", &["99999999999"]),
    ("id_npwp", &["999999999999999", "9999999999999999"]),
    ("il_vat", &["999999999"]),
    ("in_gst", &["99@@@@@9999@*@*"]),
    ("jp_cn", &["9999999999999"]),
    ("jp_rn", &["99999"]),
    ("jp_trn", &["T9999999999999"]),
    ("kr_brn", &["9999999999"]),
    ("mx_rfc", &["@@@999999***", "@@@@999999***"]),
    ("no_vat", &["999999999MVA"]),
    ("nz_gst", &["99999999", "999999999"]),
    ("sa_vat", &["999999999999999"]),
    ("sg_gst", &["*99999999*"]),
    ("sg_uen", &["99999999@", "999999999@", "@99@@9999@"]),
    ("th_vat", &["9999999999999"]),
    ("tw_vat", &["99999999"]),
    ("us_ein", &["999999999"]),
    ("za_vat", &["4999999999"]),
];

/// A value without spaces and punctuation.
fn plain(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn has_form(plain: &str, form: &str) -> bool {
    let fits = |(value, form): (char, char)| match form {
        '9' => value.is_ascii_digit(),
        '@' => value.is_ascii_alphabetic(),
        '*' => value.is_ascii_alphanumeric(),
        exact => value == exact,
    };
    plain.chars().count() == form.chars().count() && plain.chars().zip(form.chars()).all(fits)
}

/// What becomes of a value of tests.
fn test_value(kind: &str, plain: &str) -> Option<&'static str> {
    let number = if kind == "eu_vat" { plain.trim_start_matches(char::is_alphabetic) } else { plain };
    let found = TEST_VALUES.iter().find(|(value, _)| matches!(kind, "eu_vat" | "au_abn") && *value == number);
    found.map(|(_, status)| *status)
}

/// Whether a value can be of a type.
fn check(sent: &Object, param: &str) -> Result<(), ApiError> {
    let (kind, value) = (sent.text("type").unwrap_or_default(), sent.text("value").unwrap_or_default());
    let plain = plain(value);
    let forms = FORMS.iter().find(|(k, _)| *k == kind).map(|(_, forms)| *forms);
    let sound = !plain.is_empty()
        && (test_value(kind, &plain).is_some() || forms.is_none_or(|f| f.iter().any(|form| has_form(&plain, form))));
    if sound {
        return Ok(());
    }
    Err(ApiError::invalid(format!("Invalid value for {kind}.")).code("tax_id_invalid").param(param))
}

/// Checks `tax_id_data`.
pub(super) fn check_all(sent: &Object) -> Result<(), ApiError> {
    let each = |(index, data): (usize, &Object)| check(data, &format!("tax_id_data[{index}][value]"));
    sent.objects("tax_id_data").enumerate().try_for_each(each)
}

/// Adds the checked `tax_id_data` to a customer.
pub(super) fn add_all(account: &mut Account, sent: &Object, customer: &str) {
    for data in sent.objects("tax_id_data") {
        make(account, data, &json!({"type": "customer", "customer": customer}));
    }
}

/// The country of a tax id, as far as it tells.
fn country(kind: &str, plain: &str) -> Option<String> {
    match kind.split_once('_') {
        Some(("eu", "vat")) => {
            let code = plain.get(..2).filter(|c| c.bytes().all(|b| b.is_ascii_alphabetic()))?;
            Some(if code == "EL" { "GR" } else { code }.to_owned())
        }
        Some(("eu", _)) | None => None,
        Some((code, _)) => Some(code.to_ascii_uppercase()),
    }
}

fn make(account: &mut Account, sent: &Object, owner: &Value) -> Object {
    let (kind, value) = (sent.text("type").unwrap_or_default(), sent.text("value").unwrap_or_default());
    let plain = plain(value);
    let status = if VERIFIED.contains(&kind) { "pending" } else { "unavailable" };
    let customer = owner.get("customer").and_then(Value::as_str);
    let made = whole(
        KIND,
        json!({
            "id": account.new_id("txi"), "object": KIND, "country": country(kind, &plain), "created": now(),
            "customer": customer, "livemode": account.live(), "owner": owner, "type": kind, "value": value,
            "verification": {"status": status, "verified_address": null, "verified_name": null},
        }),
    );
    account.put(KIND, &made);
    tell(account, "customer.tax_id.created", &made);
    if matches!(test_value(kind, &plain), Some("verified" | "unverified")) {
        let (_, day) = account.in_banking_days(1);
        account.later(day.min(moment().saturating_add(DELIBERATION)), verify, made.id());
    }
    made
}

/// Only tax ids of customers are told about.
fn tell(account: &mut Account, event: &'static str, tax_id: &Object) {
    if tax_id.text("customer").is_some() {
        account.emit(event, written(tax_id));
    }
}

/// The register has answered.
fn verify(account: &mut Account, id: &str) {
    let Some(old) = account.get(KIND, id) else { return };
    let status = test_value(old.text("type").unwrap_or_default(), &plain(old.text("value").unwrap_or_default()));
    let known = status == Some("verified");
    let mut new = old.clone();
    let verification = json!({
        "status": status, "verified_address": known.then_some("123 TEST STREET"),
        "verified_name": known.then_some("TEST NAME"),
    });
    new.insert("verification".into(), verification);
    if new.text("customer").is_some() {
        account.update(KIND, "customer.tax_id.updated", &old, &new);
    } else {
        account.put(KIND, &new);
    }
}

fn create_for_customer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    check(&call.parameters, "value")?;
    let sent = std::mem::take(&mut call.parameters);
    Ok(make(call.account, &sent, &json!({"type": "customer", "customer": customer})).into())
}

/// The owner that parameters name: the account itself when they name none.
fn owner(call: &Call<'_>) -> Result<Value, ApiError> {
    let Some(owner) = call.parameters.object("owner") else { return Ok(json!({"type": "self"})) };
    let kind = owner.text("type").unwrap_or("self");
    match (kind, owner.text("customer"), owner.text("account")) {
        ("customer", Some(id), _) => customer::named(call.account, id, "owner[customer]").map(|_| ())?,
        ("customer", None, _) if owner.text("customer_account").is_none() => {
            return Err(ApiError::missing_param("owner[customer]"));
        }
        ("account", _, None) => return Err(ApiError::missing_param("owner[account]")),
        ("account", _, Some(id)) if id != call.account.id() => {
            call.account.find("account", id, "owner[account]")?;
        }
        _ => {}
    }
    Ok(Value::Object(owner.clone()))
}

fn create(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let owner = owner(call)?;
    check(&call.parameters, "value")?;
    let sent = std::mem::take(&mut call.parameters);
    Ok(make(call.account, &sent, &owner).into())
}

fn of_customer(call: &Call<'_>) -> Result<Object, ApiError> {
    let customer = call.named("customer")?;
    let id = call.values.get(1).map_or("", String::as_str);
    let found = call.account.find(KIND, id, "id")?;
    if found.text("customer") == Some(customer.id()) {
        Ok(found)
    } else {
        Err(ApiError::missing_object(KIND, id, "id"))
    }
}

fn retrieve_of_customer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    of_customer(call).map(Reply::from)
}

fn retrieve(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    call.named(KIND).map(Reply::from)
}

fn remove(account: &mut Account, tax_id: &Object) -> Reply {
    account.remove(KIND, tax_id.id(), None);
    tell(account, "customer.tax_id.deleted", tax_id);
    deleted(KIND, tax_id.id()).into()
}

fn delete_of_customer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let tax_id = of_customer(call)?;
    Ok(remove(call.account, &tax_id))
}

fn delete(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let tax_id = call.named(KIND)?;
    Ok(remove(call.account, &tax_id))
}

fn list_of_customer(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let customer = call.named("customer")?.id().to_owned();
    listing::shelf_where(call, KIND, &[], |t| t.text("customer") == Some(&customer))
}

fn list(call: &mut Call<'_>) -> Result<Reply, ApiError> {
    let wanted = owner(call)?;
    let same = |t: &Object| {
        let owner = t.get("owner").cloned().unwrap_or_default();
        ["type", "customer", "account"].iter().all(|name| {
            let of = |value: &Value| value.get(*name).cloned().unwrap_or_default();
            of(&wanted) == of(&owner)
        })
    };
    listing::shelf_where(call, KIND, &[], same)
}

/// The tax ids of a customer as a list inside it.
pub(super) fn in_customer(account: &Account, customer: &str) -> Value {
    let url = format!("/v1/customers/{customer}/tax_ids");
    listing::newest(account, KIND, customer, url, |t| t.text("customer") == Some(customer))
}

/// The tax ids of a customer as its invoices show them, oldest first.
pub(super) fn on_invoices(account: &Account, customer: &str) -> Value {
    let mut all = account.select(KIND, customer, |t| t.text("customer") == Some(customer));
    all.reverse();
    all.iter().map(|t| json!({"type": t.get("type"), "value": t.get("value")})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_form_of_their_type() {
        let fits = |kind: &str, value: &str| {
            let sent = json!({"type": kind, "value": value});
            check(sent.as_object().unwrap(), "value").is_ok()
        };
        for (kind, value) in [
            ("eu_vat", "DE123456789"),
            ("eu_vat", "ATU12345678"),
            ("eu_vat", "FR AB 123456789"),
            ("eu_vat", "IE1234567AB"),
            ("eu_vat", "000000000"),
            ("ch_vat", "CHE-123.456.789 MWST"),
            ("us_ein", "12-3456789"),
            ("au_abn", "111111111"),
            ("in_gst", "12ABCDE3456FGZH"),
            ("bo_tin", "anything"),
        ] {
            assert!(fits(kind, value), "{kind} {value}");
        }
        for (kind, value) in [
            ("eu_vat", "DE12345678"),
            ("eu_vat", "123"),
            ("us_ein", "12-345678"),
            ("gb_vat", "000000000"),
            ("bo_tin", " "),
        ] {
            assert!(!fits(kind, value), "{kind} {value}");
        }
    }

    #[test]
    fn a_tax_id_tells_its_country() {
        assert_eq!(country("eu_vat", "EL123456789").as_deref(), Some("GR"));
        assert_eq!(country("eu_vat", "000000000"), None);
        assert_eq!(country("us_ein", "123456789").as_deref(), Some("US"));
        assert_eq!(country("eu_oss_vat", "EU123456789"), None);
    }
}
