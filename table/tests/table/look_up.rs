//! What is searched is found.

use proptest::prelude::*;
use stripe_table::model::Model;
use stripe_table::{
    Base, Encoding, Field, Method, Operation, OperationKind, Request, Rule, Shape, Table, Trigger, write,
};

use crate::any;
use crate::sample::{self, operation, resource, trigger};

/// Does something with the table of a model.
fn with<R>(model: &Model, ask: impl FnOnce(Table<'_>) -> R) -> R {
    let bytes = write(model).unwrap();
    ask(Table::open(&bytes).unwrap())
}

#[test]
fn a_reader_sees_an_operation_its_request_and_what_is_said_of_its_fields() {
    with(&sample::model(), |table| {
        let create = table.operation("customer.create").first().unwrap();
        assert_eq!((create.kind(), create.title().as_str()), (OperationKind::Action, "Create a customer"));
        let request = create.request().unwrap();
        assert_eq!((request.method(), request.path()), (Method::Post, "/v1/customers"));
        assert_eq!((request.encoding(), request.base(), request.binary()), (Encoding::Multipart, Base::Files, true));
        let amount = request.parameters().get("amount").unwrap();
        assert_eq!((amount.required(), amount.nullable(), amount.shape()), (true, false, Shape::Amount));
        assert!(request.parameters().get("amoun").is_none());
        assert_eq!(create.meaning("amount").and_then(|m| m.rule()), Some(Rule::PositiveAmount));
        assert_eq!(create.meaning("customer").map(|m| m.picks()), Some("customer"));
        assert!(create.meaning("address").is_none());
        assert!(create.one_of().contains("total") && !create.one_of().contains("fee"));
        assert_eq!(create.major_units().first(), Some(("total", "amount")));
    });
}

#[test]
fn the_placeholders_of_a_path_are_read_left_to_right() {
    with(&sample::model(), |table| {
        let request = table.request("v1.customers.sources.retrieve").unwrap();
        assert_eq!(request.path_names().collect::<Vec<_>>(), ["customer", "id"]);
    });
}

#[test]
fn the_empty_text_that_unsets_a_value_is_told_from_other_lists() {
    with(&sample::model(), |table| {
        let parameters = table.request("v1.customers.create").unwrap().parameters();
        let Some(Shape::Union(parts)) = parameters.get("address").map(Field::shape) else { panic!("no union") };
        assert_eq!(parts.iter().map(Shape::is_empty_string).collect::<Vec<_>>(), [false, true]);
        let status = table.object("customer").and_then(|c| c.get("status")).unwrap().shape();
        assert!(!status.is_empty_string() && !Shape::String.is_empty_string());
    });
}

#[test]
fn an_alias_that_an_action_and_a_query_share_finds_both_in_their_order() {
    with(&sample::model(), |table| {
        let ids = |name: &str| table.operation(name).iter().map(Operation::id).collect::<Vec<_>>();
        assert_eq!(ids("create_customer"), ["customer.create", "customer.list"]);
        assert_eq!(ids("customers"), ["customer.list"]);
        assert!(ids("customer").is_empty() && ids("").is_empty() && ids("zzz").is_empty());
    });
}

#[test]
fn an_operation_is_found_once_by_an_alias_that_it_has_twice() {
    let operations = vec![operation("b", &["b", "a", "a"]), operation("a", &[])];
    with(&Model { operations, ..Model::default() }, |table| {
        assert_eq!(table.verify(), Ok(()));
        assert_eq!(table.operation("a").iter().map(Operation::id).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(table.operation("b").len(), 1);
    });
}

#[test]
fn triggers_are_found_by_name_and_by_event() {
    let triggers = vec![trigger("z", "paid", &["old"]), trigger("m", "made", &[]), trigger("a", "paid", &[])];
    with(&Model { triggers, ..Model::default() }, |table| {
        assert_eq!(table.trigger("old").map(Trigger::id), Some("z"));
        assert_eq!(table.trigger("nothing"), None);
        assert_eq!(table.triggers_of_event("paid").iter().map(Trigger::id).collect::<Vec<_>>(), ["z", "a"]);
        assert!(table.triggers_of_event("lost").is_empty());
        assert_eq!(table.triggers().iter().map(Trigger::id).collect::<Vec<_>>(), ["z", "m", "a"]);
    });
}

#[test]
fn an_id_means_the_resource_with_the_longest_prefix_that_fits() {
    let resources = vec![
        resource("source", "source", &["src_", "s", ""]),
        resource("subscription", "subscription", &["sub_"]),
        resource("schedule", "subscription_schedule", &["sub_sched_"]),
        resource("again", "subscription", &["sub_"]),
    ];
    with(&Model { resources, ..Model::default() }, |table| {
        assert_eq!(table.verify(), Ok(()));
        let of = |id: &str| table.resource_of_id(id).map(|r| r.name());
        assert_eq!(of("sub_sched_1"), Some("schedule"));
        assert_eq!(of("sub_1"), Some("subscription"), "the one that is listed first");
        assert_eq!(of("sub_zz"), Some("subscription"));
        assert_eq!(of("sub_"), Some("subscription"));
        assert_eq!(of("sub"), Some("source"));
        assert_eq!(of("szz"), Some("source"));
        assert_eq!((of("cus_1"), of(""), of("zzz")), (None, None, None));
        assert_eq!(table.resource_of_object("subscription").map(|r| r.name()), Some("subscription"));
        assert_eq!(table.resource("again").map(|r| r.object()), Some("subscription"));
        assert!(table.resource("nothing").is_none() && table.resource_of_object("nothing").is_none());
    });
}

#[test]
fn a_resource_names_the_requests_that_list_search_and_read() {
    with(&sample::model(), |table| {
        let customer = table.resource_of_id("gcus_1").unwrap();
        assert_eq!(customer.choices().map(Request::id), Some("v1.customers.list"));
        assert_eq!(customer.retrieve().map(Request::id), Some("v1.customers.sources.retrieve"));
        assert_eq!(table.resource("account").unwrap().search(), None);
    });
}

#[test]
fn a_constant_that_there_is_none_of_is_empty() {
    with(&sample::model(), |table| {
        assert_eq!((table.constant("api_version"), table.constant("api")), (Some("2026-10-28"), None));
    });
}

#[test]
fn lists_know_their_length_and_any_entry() {
    with(&sample::model(), |table| {
        let requests = table.requests();
        assert_eq!((requests.len(), requests.iter().len(), requests.is_empty()), (3, 3, false));
        assert_eq!(requests.get(1).map(Request::id), Some("v1.customers.list"));
        assert_eq!(requests.get(3), None);
        assert_eq!(requests.iter().rev().nth(1), requests.get(1));
        assert_eq!(requests.iter().nth(usize::MAX), None);
        let shown = table.operation("customer.create").first().unwrap().shown();
        assert_eq!(
            (shown.len(), shown.first(), shown.get(1), shown.get(2)),
            (2, Some("amount"), Some("address"), None)
        );
    });
}

#[test]
fn cursors_are_the_same_when_they_are_in_the_same_place_and_say_little_of_themselves() {
    with(&sample::model(), |table| {
        let by_alias = table.operation("customers").first().unwrap();
        assert_eq!(table.operations().get(1), Some(by_alias));
        assert_ne!(table.operations().get(0), Some(by_alias));
        assert_eq!(format!("{by_alias:?}"), "Operation(customer.list)");
        assert_eq!(format!("{:?}", table.object("customer").unwrap()), "Fields(5)");
        let owner = table.object("customer").and_then(|c| c.get("owner")).unwrap();
        assert_eq!(format!("{owner:?} {:?}", owner.shape()), "Field(owner) Expandable(Texts(2))");
        assert!(format!("{table:?}").starts_with("Table("));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_listed_is_found_as_a_search_from_the_front_would(model in any::model()) {
        let bytes = write(&model).unwrap();
        let table = Table::open(&bytes).unwrap();
        let names = model.operations.iter().flat_map(|o| o.aliases.iter().chain([&o.id]));
        for name in names.chain(model.triggers.iter().flat_map(|t| t.aliases.iter().chain([&t.id, &t.event]))) {
            let operations = table.operations().iter().filter(|o| o.id() == name || o.aliases().contains(name));
            prop_assert!(table.operation(name).iter().eq(operations));
            let trigger = table.triggers().iter().find(|t| t.id() == name || t.aliases().contains(name));
            prop_assert_eq!(table.trigger(name), trigger);
            prop_assert!(table.triggers_of_event(name).iter().eq(table.triggers().iter().filter(|t| t.event() == name)));
        }
        for request in &model.requests {
            prop_assert_eq!(table.request(&request.id).map(Request::path), Some(request.path.as_str()));
        }
        for resource in table.resources() {
            prop_assert_eq!(table.resource(resource.name()), table.resources().iter().find(|r| r.name() == resource.name()));
            let of_object = table.resources().iter().find(|r| r.object() == resource.object());
            prop_assert_eq!(table.resource_of_object(resource.object()), of_object);
            for prefix in resource.id_prefixes() {
                for id in [prefix.to_owned(), format!("{prefix}1"), format!("{prefix}_"), format!("{prefix}\u{10ffff}")] {
                    let fits = |p: &str| !p.is_empty() && id.starts_with(p);
                    let longest = table.resources().iter().flat_map(|r| r.id_prefixes()).filter(|p| fits(p)).max_by_key(|p| p.len());
                    let expected = longest.and_then(|p| table.resources().iter().find(|r| r.id_prefixes().contains(p)));
                    prop_assert_eq!(table.resource_of_id(&id), expected);
                }
            }
        }
        for operation in table.operations() {
            for meaning in operation.meanings() {
                prop_assert_eq!(operation.meaning(meaning.path()), Some(meaning));
            }
        }
    }
}
