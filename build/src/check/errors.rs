//! The hints of errors: one for every code that the facts know, and each code once; and the fields that exclude each other.

use std::collections::BTreeMap;

use stripe_table::model::{Field, Shape};
use toml::Spanned;

use crate::api::Api;
use crate::catalogue::{ERRORS, Errors, Hint};
use crate::nearest::nearest;
use crate::problem::Report;

/// Where the facts have every error code: the object, its member, and that one's.
const CODES: [&str; 3] = ["payment_intent", "last_payment_error", "code"];
/// How long a hint may be: it is read on a screen beside other things, and the component has to carry it.
const LONGEST: usize = 200;

/// Every code of the facts has its hint, a code has one, and a hint is a sentence.
pub fn check(errors: &Errors, api: &Api, report: &mut Report<'_>) {
    let known = codes(api);
    let given = once(errors.errors.get_ref(), report);
    for (code, place) in given.iter().filter(|(code, _)| !known.contains(code)) {
        let hint = nearest(code, known.iter().copied());
        report.wrong(ERRORS, place, format!("`{code}` is no error code of the facts{hint}"));
    }
    for code in known.iter().filter(|code| !given.contains_key(*code)) {
        report.wrong(ERRORS, &errors.errors, format!("error code `{code}` has no hint"));
    }
    once(&errors.declines, report);
    let hints = errors.errors.get_ref().iter().chain(&errors.declines).map(|h| &h.hint);
    let messages = errors.messages.iter().map(|m| &m.hint);
    for hint in hints.chain(messages).chain(errors.exclusives.iter().map(|e| &e.hint)) {
        let text = hint.get_ref();
        if text.chars().count() > LONGEST || !text.ends_with('.') {
            report.wrong(ERRORS, hint, format!("a hint is a sentence or two, of {LONGEST} characters at most"));
        }
    }
    for group in &errors.exclusives {
        let fields = group.fields.get_ref();
        if fields.len() < 2 || !api.requests.iter().any(|r| beside_each_other(fields, &r.parameters)) {
            let what = format!("no request takes `{}` beside each other", fields.join("`, `"));
            report.wrong(ERRORS, &group.fields, what);
        }
    }
    for message in errors.messages.iter().filter(|m| m.has.get_ref().len() < 8) {
        report.wrong(ERRORS, &message.has, "so short a part could stand in any message".to_owned());
    }
}

/// Whether an object among these fields, or one within, has all of them beside each other.
fn beside_each_other(names: &[String], fields: &[Field]) -> bool {
    names.iter().all(|name| fields.iter().any(|f| f.name == *name)) || fields.iter().any(|f| within(names, &f.shape))
}

fn within(names: &[String], shape: &Shape) -> bool {
    match shape {
        Shape::Object(fields) => beside_each_other(names, fields),
        Shape::Array(inner) | Shape::Map(inner) => within(names, inner),
        Shape::Union(parts) => parts.iter().any(|part| within(names, part)),
        _ => false,
    }
}

/// The codes, each with its place; one that stands twice is reported.
fn once<'c>(hints: &'c [Hint], report: &mut Report<'_>) -> BTreeMap<&'c str, &'c Spanned<String>> {
    let mut all = BTreeMap::new();
    for code in hints.iter().flat_map(|h| &h.codes) {
        if all.insert(code.get_ref().as_str(), code).is_some() {
            report.wrong(ERRORS, code, format!("`{}` has a hint already", code.get_ref()));
        }
    }
    all
}

fn codes(api: &Api) -> Vec<&str> {
    let [object, path @ ..] = CODES;
    let mut members = api.object(object).unwrap_or_default();
    let mut found = None;
    for name in path {
        found = members.iter().find(|f| f.name == name).map(|f| &f.shape);
        members = found.map(|shape| api.members(shape)).unwrap_or_default();
    }
    match found {
        Some(Shape::Enum(values)) => values.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}
