//! What is written is read again.

use proptest::prelude::*;
use stripe_table::model::{Field, Model, Shape};
use stripe_table::{Table, write};

use crate::{any, back, sample, walk};

#[test]
fn everything_that_a_model_can_say_is_read_back() {
    let model = sample::model();
    let bytes = write(&model).unwrap();
    let table = Table::open(&bytes).unwrap();
    assert_eq!(table.verify(), Ok(()));
    assert_eq!(back::model(table), model);
}

#[test]
fn an_empty_model_is_a_table_too() {
    let bytes = write(&Model::default()).unwrap();
    let table = Table::open(&bytes).unwrap();
    assert_eq!(table.verify(), Ok(()));
    assert_eq!(back::model(table), Model::default());
}

#[test]
fn what_is_searched_is_sorted_whatever_its_order_was() {
    let mut model = sample::model();
    let bytes = write(&model).unwrap();
    model.requests.reverse();
    model.events.reverse();
    model.operations[0].meanings.reverse();
    let reversed = write(&model).unwrap();
    assert_eq!(back::model(Table::open(&reversed).unwrap()), back::model(Table::open(&bytes).unwrap()));
}

#[test]
fn a_request_that_is_not_there_is_none() {
    let mut model = sample::model();
    model.operations[0].request = "v1.nothing".into();
    model.permissions[0].probe = "v1.nothing".into();
    let bytes = write(&model).unwrap();
    let table = Table::open(&bytes).unwrap();
    assert_eq!(table.verify(), Ok(()));
    assert_eq!(table.operations().first().unwrap().request(), None);
    assert_eq!(table.permissions().first().unwrap().probe(), None);
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    assert_eq!(write(&sample::model()), write(&sample::model()));
}

#[test]
fn what_is_said_twice_is_kept_once() {
    let long = "a text that takes its room wherever it stands, and it stands in many places".repeat(10);
    let object = || Shape::Object(vec![sample::field(&long, Shape::Enum(vec![long.clone()]))]);
    let size = |count: usize| {
        let mut model = Model::default();
        for name in 0..count {
            model.objects.insert(format!("{name:04}"), vec![sample::field("inner", object())]);
        }
        write(&model).unwrap().len()
    };
    assert!(size(101) - size(1) < 100 * 24, "{} for 100 objects more", size(101) - size(1));
}

#[test]
fn a_model_whose_shapes_lie_too_deep_is_refused() {
    let nested = |depth: usize| {
        let shape = (0..depth).fold(Shape::String, |inner, _| Shape::Array(Box::new(inner)));
        let mut request = sample::request("deep");
        request.response = shape.clone();
        request.parameters = vec![Field { name: "deep".into(), required: false, nullable: false, shape }];
        write(&Model { requests: vec![request], ..Model::default() })
    };
    let bytes = nested(62).unwrap();
    assert_eq!(Table::open(&bytes).unwrap().verify(), Ok(()), "what is written can be verified");
    let refused = nested(64).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the model has too many shapes inside each other for a table, which takes 64; leave some out"
    );
}

#[test]
fn a_model_that_spells_out_too_much_is_refused() {
    let field = sample::field("f", Shape::String);
    let of = |fields: usize| {
        let mut request = sample::request("wide");
        request.parameters = vec![field.clone(); fields];
        write(&Model { requests: vec![request], ..Model::default() })
    };
    let bytes = of(500_000).unwrap();
    assert_eq!(Table::open(&bytes).unwrap().verify(), Ok(()), "what is written can be verified");
    assert_eq!(of(600_000).unwrap_err().what, "texts, fields and records");
}

#[test]
fn a_model_with_more_text_than_a_reference_can_reach_is_refused() {
    let of = |length: usize| {
        let constants = [("long".to_owned(), "x".repeat(length))].into();
        write(&Model { constants, ..Model::default() })
    };
    let bytes = of((1 << 24) - 20).unwrap();
    assert_eq!(Table::open(&bytes).unwrap().constant("long").unwrap().len(), (1 << 24) - 20);
    assert_eq!(of(1 << 24).unwrap_err().what, "bytes of text");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_model_is_read_back_as_it_was_written(model in any::model()) {
        let bytes = write(&model).unwrap();
        let table = Table::open(&bytes).unwrap();
        prop_assert_eq!(table.verify(), Ok(()));
        prop_assert!(back::model(table) == model);
        prop_assert!(walk::Walk::of(table, usize::MAX).whole);
    }
}
