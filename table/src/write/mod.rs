//! Writing: from a [`Model`] to the bytes of a table.
//!
//! The model is taken apart into a [`graph`] in which every text, shape, list and record is there once
//! (`records` says what goes into which column); [`bytes`] gives each its place, those that are used most the smallest
//! references. Here is what the sections hold and how they are sorted.

mod bytes;
mod graph;
mod packing;
mod records;
mod sharing;

use self::graph::{NodeId, Word};
use self::packing::Packed;
use self::records::Records;
use crate::failure::TooLarge;
use crate::layout::Section;
use crate::model::{Model, Request};

/// Writes a table. Constants, requests, objects, events and aliases are sorted, as are the meanings of an operation;
/// operations, triggers and resources keep their order. Where a request is named that the model has not, none is.
///
/// # Errors
/// What the model has too much of.
pub fn write(model: &Model) -> Result<Vec<u8>, TooLarge> {
    let mut requests: Vec<&Request> = model.requests.iter().collect();
    requests.sort_by(|a, b| a.id.cmp(&b.id));
    let mut events: Vec<_> = model.events.iter().collect();
    events.sort_by(|a, b| a.name.cmp(&b.name));
    let mut aliases: Vec<_> = model.aliases.iter().collect();
    aliases.sort_by(|a, b| a.name.cmp(&b.name));

    let mut records = Records::of_requests(&requests);
    for key in keys(model) {
        records.graph.text(key)?;
    }
    let operations = all(&model.operations, |o| records.operation(o))?;
    let triggers = all(&model.triggers, |t| records.trigger(t))?;
    let resources = all(&model.resources, |r| records.resource(r))?;
    let operation_names = sorted(&operations, model.operations.iter().map(|o| names(&o.id, &o.aliases)));
    let trigger_names = sorted(&triggers, model.triggers.iter().map(|t| names(&t.id, &t.aliases)));
    let id_prefixes = sorted(&resources, model.resources.iter().map(|r| prefixes(&r.id_prefixes)));

    let mut packed = Packed::default();
    let mut sections = Vec::new();
    for section in Section::ALL {
        sections.push(match section {
            Section::Constants => all(&model.constants, |(name, value)| records.constant(name, value))?,
            Section::AuthMethods => all(&model.auth_methods, |a| records.auth_method(a))?,
            Section::ConnectionFields => all(&model.connection_fields, |f| records.connection_field(f))?,
            Section::Permissions => all(&model.permissions, |p| records.permission(p))?,
            Section::Advice => all(&model.advice, |a| records.advice(a))?,
            Section::Requests => all(&requests, |r| records.request(r))?,
            Section::Objects => all(&model.objects, |(name, fields)| records.object(name, fields))?,
            Section::Events => all(&events, |e| records.event(e))?,
            Section::Operations => operations.clone(),
            Section::Aliases => all(&aliases, |a| records.alias(a))?,
            Section::Triggers => triggers.clone(),
            Section::Resources => resources.clone(),
            Section::OperationNames => texts(&mut records, &operation_names)?,
            Section::NamedOperations => targets(&operation_names),
            Section::TriggerNames => texts(&mut records, &trigger_names)?,
            Section::NamedTriggers => targets(&trigger_names),
            Section::TriggersByEvent => {
                targets(&sorted(&triggers, model.triggers.iter().map(|t| vec![t.event.as_str()])))
            }
            Section::ResourcesByName => {
                targets(&sorted(&resources, model.resources.iter().map(|r| vec![r.name.as_str()])))
            }
            Section::ResourcesByObject => {
                targets(&sorted(&resources, model.resources.iter().map(|r| vec![r.object.as_str()])))
            }
            Section::IdPrefixes => texts(&mut records, &id_prefixes)?,
            Section::PrefixedResources => targets(&id_prefixes),
            // All that there is to pack has come by then: it is the last section.
            Section::Pieces => {
                packed = packing::pack(records.graph.prose());
                packed
                    .pieces
                    .iter()
                    .map(|[first, second]| Word::Number(u32::from_le_bytes([*first, *second, 0, 0])))
                    .collect()
            }
        });
    }
    bytes::bytes(&records.graph, &packed.texts, &sections)
}

/// What is searched, group by group and sorted: it shall lie side by side, so that a search touches few pages.
fn keys(model: &Model) -> Vec<&str> {
    let mut groups: [Vec<&str>; 6] = [
        model.operations.iter().flat_map(|o| names(&o.id, &o.aliases)).collect(),
        model.requests.iter().map(|r| r.id.as_str()).collect(),
        model.objects.keys().map(String::as_str).collect(),
        model.events.iter().map(|e| e.name.as_str()).collect(),
        model.triggers.iter().flat_map(|t| names(&t.id, &t.aliases)).collect(),
        model.resources.iter().map(|r| r.name.as_str()).collect(),
    ];
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.concat()
}

/// The record of each.
fn all<T>(
    things: impl IntoIterator<Item = T>,
    mut record: impl FnMut(T) -> Result<NodeId, TooLarge>,
) -> Result<Vec<Word>, TooLarge> {
    things.into_iter().map(|thing| record(thing).map(Word::Node)).collect()
}

/// An empty prefix would say that anything is an id of the resource.
fn prefixes(of: &[String]) -> Vec<&str> {
    of.iter().map(String::as_str).filter(|p| !p.is_empty()).collect()
}

fn names<'m>(id: &'m str, aliases: &'m [String]) -> Vec<&'m str> {
    std::iter::once(id).chain(aliases.iter().map(String::as_str)).collect()
}

/// What is found by which key: sorted by key, and under one key in the order in which things are listed.
fn sorted<'m>(things: &[Word], keys: impl Iterator<Item = Vec<&'m str>>) -> Vec<(&'m str, Word)> {
    let mut found: Vec<(&str, Word)> = Vec::new();
    for (thing, mut keys) in things.iter().zip(keys) {
        keys.sort_unstable();
        keys.dedup();
        found.extend(keys.into_iter().map(|key| (key, *thing)));
    }
    found.sort_by_key(|(key, _)| *key);
    found
}

fn texts<'m>(records: &mut Records<'m>, found: &[(&'m str, Word)]) -> Result<Vec<Word>, TooLarge> {
    found.iter().map(|(key, _)| records.graph.text(key).map(Word::Text)).collect()
}

fn targets(found: &[(&str, Word)]) -> Vec<Word> {
    found.iter().map(|(_, thing)| *thing).collect()
}
