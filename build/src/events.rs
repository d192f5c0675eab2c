//! The object schema that each event type is about: by its name, and by `events.toml` where the name does not say it.

use std::collections::BTreeSet;

use stripe_facts::Facts;
use stripe_table::model::EventType;
use toml::Spanned;

use crate::catalogue::{EVENTS, Events, Table};
use crate::nearest::nearest;
use crate::problem::Report;

/// Every event type of the facts, then those that come as thin events only. What is about nothing and is not listed so is reported.
pub fn events(facts: &Facts, listed: &Events, report: &mut Report<'_>) -> Vec<EventType> {
    let mut used: BTreeSet<usize> = BTreeSet::new();
    for object in listed.objects.values() {
        if facts.object(object.get_ref()).is_none() {
            let hint = nearest(object.get_ref(), facts.objects.keys().map(String::as_str));
            let what = format!("`{}` is no object of the facts{hint}", object.get_ref());
            report.wrong(EVENTS, object, what);
        }
    }
    for beginning in listed.unknown.keys().filter(|k| listed.objects.contains_key(k.get_ref().as_str())) {
        report.wrong(EVENTS, beginning, format!("`{}` stands in [objects] too", beginning.get_ref()));
    }
    let about = |event: &String| {
        let object = longest(&listed.objects, event);
        let unknown = longest(&listed.unknown, event);
        let length = |found: Option<&Spanned<String>>| found.map_or(0, |k| k.get_ref().len());
        let (object_key, unknown_key) = (object.map(|(k, _)| k), unknown.map(|(k, _)| k));
        used.extend(object_key.iter().chain(&unknown_key).map(|k| k.span().start));
        let object = match object {
            Some((key, object)) if key.get_ref().len() > length(unknown_key) => Some(object.get_ref().clone()),
            _ if unknown.is_some() => None,
            _ => {
                let name = event.rsplit_once('.').map(|(name, _)| name).filter(|n| facts.object(n).is_some());
                if name.is_none() {
                    let what = format!(
                        "event type `{event}` is about no object that the facts have: list what it begins with under [objects] or [unknown]"
                    );
                    report.wrong_at(EVENTS, 0, what);
                }
                name.map(str::to_owned)
            }
        };
        EventType { name: event.clone(), object }
    };
    let mut events: Vec<EventType> = facts.event_types.iter().map(about).collect();
    for thin in &listed.thin {
        let name = thin.get_ref();
        let known = |name: &str| events.iter().any(|event| event.name == name);
        if !name.starts_with("v1.") && !name.starts_with("v2.") {
            report.wrong(EVENTS, thin, format!("`{name}` is no thin event: those begin with v1. or v2."));
        } else if known(name) || name.strip_prefix("v1.").is_some_and(known) {
            report.wrong(EVENTS, thin, format!("`{name}` is known already: leave it out"));
        }
        events.push(EventType { name: name.clone(), object: None });
    }
    for key in listed.objects.keys().chain(listed.unknown.keys()).filter(|k| !used.contains(&k.span().start)) {
        let hint = nearest(key.get_ref(), facts.event_types.iter().map(String::as_str));
        report.wrong(EVENTS, key, format!("no event type begins with `{}`{hint}", key.get_ref()));
    }
    events
}

/// The longest of the entries that the event type begins with.
fn longest<'t, T>(table: &'t Table<T>, event: &str) -> Option<(&'t Spanned<String>, &'t T)> {
    let begins = |key: &&Spanned<String>| {
        event.strip_prefix(key.get_ref().as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    table.iter().filter(|(k, _)| begins(k)).max_by_key(|(k, _)| k.get_ref().len())
}
