use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::{self, Operation};
use crate::error::{Error, ErrorKind};
use crate::json::Doc;

fn operation(name: &str) -> Operation {
    catalogue::operation(name, None).expect(name)
}

fn put(name: &str, input: &Value) -> crate::error::Result<Translated> {
    let operation = operation(name);
    translate(operation, operation.alias().expect("an alias"), &input.to_string())
}

fn input(name: &str, given: Value) -> Value {
    serde_json::from_str(&put(name, &given).expect(name).input).expect("JSON")
}

#[test]
fn inputs_go_where_the_operation_wants_them() {
    let input = |name, given| input(name, given);
    assert_eq!(
        input("stripe-create-subscription", json!({"customerId": "cus_1", "priceId": "price_1", "trialDays": 7})),
        json!({"customer": "cus_1", "items": [{"price": "price_1"}], "trial_period_days": 7})
    );
    assert_eq!(
        input("stripe-create-payment-intent", json!({"amount": 5, "metadata": {"a": "b"}})),
        json!({"amount": 5, "currency": "usd", "metadata": {"a": "b"}})
    );
    assert_eq!(
        input("checkout", json!({"price_id": "price_1", "mode": "payment", "quantity": 3})),
        json!({"line_items": [{"price": "price_1", "quantity": 3}], "mode": "payment"})
    );
}

#[test]
fn what_the_alias_has_no_name_for_goes_along_as_it_is() {
    assert_eq!(
        input("stripe-create-payment-intent", json!({"amount": 5, "description": "a \"b\"", "customer": "cus_1"})),
        json!({"amount": 5, "currency": "usd", "description": "a \"b\"", "customer": "cus_1"})
    );
    let own = json!({"line_items": [{"price": "price_1"}], "mode": "payment"});
    assert_eq!(input("checkout", own.clone()), own, "a default does not meddle with what is given");
}

#[test]
fn a_value_under_both_names_is_refused_and_so_is_none() {
    let refused = |name, given: Value| put(name, &given).expect_err(name);
    let both =
        refused("stripe-create-payment-intent", json!({"amount": 5, "customerId": "cus_1", "customer": "cus_1"}));
    assert_eq!(both.field.as_deref(), Some("customerId"));
    assert!(both.message.contains("not both"), "{}", both.message);
    let none = refused("stripe-create-subscription", json!({"customerId": "cus_1"}));
    assert_eq!((none.kind, none.field.as_deref()), (ErrorKind::InvalidInput, Some("priceId")));
    let so_far = operation("stripe-create-subscription");
    let so_far = translate_so_far(so_far, so_far.alias().expect("an alias"), r#"{"customerId":"cus_1"}"#);
    assert_eq!(so_far.expect("fine"), r#"{"customer":"cus_1"}"#);
}

#[test]
fn a_key_of_the_callers_own_is_taken_out() {
    let taken = put("stripe.customer.create", &json!({"email": "a@b.example", "idempotencyKey": "k1"})).expect("fine");
    assert_eq!((taken.input.as_str(), taken.key.as_deref()), (r#"{"email":"a@b.example"}"#, Some("k1")));
    for key in [json!(""), json!(5), json!(null)] {
        let error = put("stripe.customer.create", &json!({"idempotencyKey": key})).expect_err("no key");
        assert_eq!(error.field.as_deref(), Some("idempotencyKey"));
    }
}

#[test]
fn errors_name_what_the_caller_wrote() {
    let taken = put("stripe-create-subscription", &json!({"customerId": "cus_1", "priceId": 5})).expect("fine");
    let told =
        taken.tell(Error::input("items[0].price", "`items[0].price` must be text").hint("See `items[0].price`."));
    assert_eq!(told.field.as_deref(), Some("priceId"));
    assert_eq!((told.message.as_str(), told.hint.as_deref()), ("`priceId` must be text", Some("See `priceId`.")));
    let told = taken.tell(Error::input("trial_period_days", ""));
    assert_eq!(told.field.as_deref(), Some("trialDays"));
    let told = taken.tell(Error::input("items_of_another", "`metadata` …"));
    assert_eq!(told.field.as_deref(), Some("items_of_another"));

    let plain = json!({"customer": "cus_1", "priceId": "price_1"});
    let told = put("stripe-create-subscription", &plain).expect("fine").tell(Error::input("customer", ""));
    assert_eq!(told.field.as_deref(), Some("customer"), "it was given by the operation's own name");
}

#[test]
fn outputs_are_the_members_that_are_named_and_null_where_there_is_none() {
    let alias = |name: &str| operation(name).alias().expect("an alias");
    let answer = r#"{"id":"sub_1","status":"active","items":{"data":[{"current_period_end": 1767225600}]}}"#;
    let doc = Doc::scan_str(answer).expect("JSON");
    let named = |name| named(alias(name), doc.root());
    assert_eq!(
        named("stripe-create-subscription"),
        r#"{"subscriptionId":"sub_1","status":"active","currentPeriodEnd":1767225600}"#
    );
    assert_eq!(named("stripe-create-customer"), r#"{"customerId":"sub_1","email":null}"#);
}

#[test]
fn a_page_keeps_those_that_pass() {
    let page = r#"{"object":"list","data":[{"id":"a","metadata":{"plan":"pro","x":"y"}},{"id":"b","metadata":{}},{"id":"c"}],"has_more":true}"#;
    let doc = Doc::scan_str(page).expect("JSON");
    let taken =
        put("stripe.customer.list", &json!({"email": "a@b.example", "metadata": {"plan": "pro"}})).expect("fine");
    assert_eq!(taken.input, r#"{"email":"a@b.example"}"#);
    assert_eq!(
        chosen(&taken.filters, doc.root()),
        r#"{"object":"list","data":[{"id":"a","metadata":{"plan":"pro","x":"y"}}],"has_more":true}"#
    );
    for metadata in [json!("pro"), json!({"plan": 5}), json!(null)] {
        let error = put("stripe.customer.list", &json!({"metadata": metadata})).expect_err("refused");
        assert_eq!(error.field.as_deref(), Some("metadata"));
    }
}

#[test]
fn every_alias_takes_its_sample_and_has_schemas_of_its_own() {
    use crate::describe::{Wanted, describe};
    use crate::schema::Degree;
    for alias in catalogue::table().expect("opens").aliases() {
        let name = alias.name();
        let operation = operation(name);
        assert_eq!((operation.id(), operation.alias()), (name, Some(alias)));
        let taken = translate(operation, alias, &alias.sample()).expect(name);
        crate::input::check(operation, &taken.input, Vec::new()).expect(name);
        for degree in [Degree::Shown, Degree::Full] {
            let described = describe(Wanted { id: name, kind: None, degree, input: None }).expect(name);
            assert_eq!(described.aliases.first().map(String::as_str), Some(alias.operation()));
            assert_eq!(described.sample_input, alias.sample());
            let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
            let (schema, sample) = (read(&described.input_schema), read(&alias.sample()));
            assert!(jsonschema::meta::is_valid(&schema), "{name}: {schema}");
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            assert!(validator.is_valid(&sample), "{name}: {sample} by {schema}");
            for combinator in ["oneOf", "anyOf", "allOf", "not"] {
                assert!(schema.get(combinator).is_none(), "{name}");
            }
            for (own, target) in alias.inputs() {
                assert!(schema["properties"].get(own).is_some(), "{name}: {own}");
                assert!(own == target || schema["properties"].get(head(target)).is_none(), "{name}: {target}");
            }
            let (schema, sample) = (read(&described.output_schema), read(&described.sample_output));
            let validator = jsonschema::draft202012::new(&schema).expect("a schema");
            assert!(validator.is_valid(&sample), "{name}: {sample} by {schema}");
        }
    }
}

#[test]
fn the_schema_of_an_alias_says_what_each_field_is() {
    use crate::schema::{Degree, renamed_input};
    let operation = operation("stripe-create-subscription");
    let schema = renamed_input(operation, operation.alias().expect("an alias"), Degree::Shown);
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let names: Vec<&String> = schema["properties"].as_object().expect("properties").keys().collect();
    assert_eq!(names, ["customerId", "priceId", "trialDays"]);
    assert_eq!(schema["required"], json!(["customerId", "priceId"]));
    assert_eq!(schema["properties"]["customerId"]["x-choices"], "customer");
    assert_eq!(schema["properties"]["trialDays"]["type"], "integer");
}

proptest! {
    #[test]
    fn any_field_that_is_none_of_its_own_goes_along_unchanged(
        fields in proptest::collection::btree_map("[a-z_]{1,6}x", proptest::option::of(".{0,12}"), 0..5),
    ) {
        let given = json!(fields);
        let mut expected = given.clone();
        expected["currency"] = json!("usd");
        expected["amount"] = json!(5);
        let mut with_amount = given;
        with_amount["amount"] = json!(5);
        prop_assert_eq!(input("stripe-create-payment-intent", with_amount), expected);
    }

    #[test]
    fn no_input_panics(text in "[\\[{\"a-z:,0-9\\]}]{0,30}") {
        let operation = operation("checkout");
        let _ = translate(operation, operation.alias().expect("an alias"), &text);
    }
}
