//! Everything about one entry of the catalogue: its schemas, its samples, its other names.

use crate::catalogue::{self, Entry, Operation, OperationKind};
use crate::error::Result;
use crate::operation::hooks;
use crate::schema::{self, Degree, Narrowing};
use crate::{input, sample, triggers};

/// What to describe, and how.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// An id or alias.
    pub id: &'a str,
    /// Where an action, a query and a trigger share an id.
    pub kind: Option<OperationKind>,
    /// How much the schemas say.
    pub degree: Degree,
    /// The input as far as it is filled in.
    pub input: Option<&'a str>,
}

/// What there is to say about an entry; the contract documents each part.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented in the contract, `wit/operations.wit`")]
pub struct Description {
    pub entry: Entry,
    pub aliases: Vec<String>,
    pub input_schema: String,
    pub output_schema: String,
    pub sample_input: String,
    pub sample_output: String,
}

/// Describes an entry.
///
/// # Errors
/// That there is none, with the nearest names; an input that is no JSON object.
pub fn describe(wanted: Wanted<'_>) -> Result<Description> {
    let entry = catalogue::entry(wanted.id, wanted.kind)?;
    match entry {
        Entry::Operation(operation) => Ok(Description {
            entry,
            aliases: owned(operation.aliases()),
            input_schema: match operation.alias() {
                Some(alias) => schema::renamed_input(operation, alias, wanted.degree),
                None => schema::input(operation, wanted.degree, &narrowing(operation, wanted.input)?),
            },
            output_schema: match operation.alias().filter(|alias| !alias.outputs().is_empty()) {
                Some(alias) => schema::renamed_output(operation, alias, wanted.degree),
                None => schema::output(operation, wanted.degree),
            },
            sample_input: sample::input(operation),
            sample_output: sample::output(operation),
        }),
        Entry::Own(own) => Ok(Description {
            entry,
            aliases: Vec::new(),
            input_schema: own.input_schema(),
            output_schema: own.output_schema(),
            sample_input: own.sample_input.to_owned(),
            sample_output: own.sample_output.to_owned(),
        }),
        Entry::Trigger(trigger) => Ok(Description {
            entry,
            aliases: trigger.aliases(),
            input_schema: triggers::input_schema(trigger),
            output_schema: schema::event(trigger, wanted.degree),
            sample_input: "{}".to_owned(),
            sample_output: sample::event(trigger),
        }),
    }
}

fn owned(names: Vec<&str>) -> Vec<String> {
    let mut owned = Vec::new();
    for name in names {
        owned.push(name.to_owned());
    }
    owned
}

/// What the input so far leaves open; of an empty one, what its hook leaves.
fn narrowing(operation: Operation, input: Option<&str>) -> Result<Narrowing> {
    let doc = input::scan(input.unwrap_or_default())?;
    let root = doc.root();
    let mut given = Vec::new();
    for (name, _) in root.members() {
        given.push(name.into_owned());
    }
    Ok(Narrowing {
        given,
        meaningless: hooks::of(operation)?.and_then(|h| h.meaningless).map_or_else(Vec::new, |m| m(operation, root)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::error::ErrorKind;

    const CANCEL: Wanted<'_> = Wanted { id: "subscription.cancel", kind: None, degree: Degree::Shown, input: None };

    fn properties(wanted: Wanted<'_>) -> Vec<String> {
        let described = describe(wanted).expect("described");
        let schema: Value = serde_json::from_str(&described.input_schema).expect("JSON");
        schema["properties"].as_object().expect("properties").keys().cloned().collect()
    }

    #[test]
    fn every_entry_is_described_in_both_degrees() {
        let table = catalogue::table().expect("opens");
        let operations = table.operations().iter().map(|o| o.id()).chain(table.requests().iter().map(|r| r.id()));
        for id in operations.chain(table.events().iter().map(|e| e.name())).chain(["*", "invoice.*"]) {
            for degree in [Degree::Shown, Degree::Full] {
                let described = describe(Wanted { id, degree, ..CANCEL }).expect(id);
                assert_eq!(described.entry.id(), id);
                assert!(!described.sample_input.is_empty() && !described.sample_output.is_empty(), "{id}");
            }
        }
    }

    #[test]
    fn an_alias_describes_what_it_means() {
        let described = describe(Wanted { id: "cancel_subscription", ..CANCEL }).expect("described");
        assert_eq!(described.entry.id(), "subscription.cancel");
        assert!(described.aliases.contains(&"cancel_subscription".to_owned()), "{:?}", described.aliases);
    }

    #[test]
    fn the_input_so_far_leaves_out_what_means_nothing_beside_it() {
        assert!(properties(CANCEL).contains(&"invoice_now".to_owned()));
        let waits = properties(Wanted { input: Some(r#"{"at_period_end":true}"#), ..CANCEL });
        assert!(!waits.contains(&"invoice_now".to_owned()) && waits.contains(&"at_period_end".to_owned()));
        let pay = Wanted { id: "payment_intent.create", input: Some(r#"{"amount":5}"#), ..CANCEL };
        assert!(!properties(pay).contains(&"amount_major".to_owned()));
    }

    #[test]
    fn an_input_that_is_none_is_refused() {
        for input in ["{", "[]", r#"{"a":1,"a":2}"#] {
            let error = describe(Wanted { input: Some(input), ..CANCEL }).expect_err(input);
            assert_eq!(error.kind, ErrorKind::InvalidInput, "{input}");
        }
        assert_eq!(describe(Wanted { id: "zebra", ..CANCEL }).expect_err("none").kind, ErrorKind::UnknownOperation);
    }
}
