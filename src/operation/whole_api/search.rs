//! Finding operations of the API by what people call them.

use super::target::{method, words};
use super::told::Told;
use crate::catalogue::{self, Operation, OperationKind, Own, did_you_mean};
use crate::error::{Error, Result};
use crate::input;
use crate::json::{Node, Writer};

/// How many there are unless the input says.
const FEW: u64 = 20;
/// How many there are at most.
const MOST: u64 = 100;

/// Words that say nothing of an operation.
const EMPTY: [&str; 16] =
    ["a", "an", "the", "of", "to", "for", "in", "on", "by", "with", "and", "or", "from", "my", "all", "is"];

/// Words of people, and the API's own.
const SYNONYMS: [(&str, &str); 14] = [
    ("get", "retrieve"),
    ("read", "retrieve"),
    ("show", "retrieve"),
    ("find", "list"),
    ("add", "create"),
    ("make", "create"),
    ("new", "create"),
    ("change", "update"),
    ("edit", "update"),
    ("modify", "update"),
    ("remove", "delete"),
    ("stop", "cancel"),
    ("end", "cancel"),
    ("pay", "payment"),
];

/// A word of a search, in lower case and in the singular, and the API's own for it.
struct Word {
    said: String,
    meant: Option<&'static str>,
}

/// Finds what an input of `api.search` asks for, from the entry on that `cursor` names.
///
/// # Errors
/// A field that is not right, a foreign cursor.
pub fn search(own: &Own, text: &str, cursor: Option<&str>) -> Result<Told> {
    let doc = input::scan(text)?;
    let root = doc.root();
    if let Some((name, _)) = root.members().find(|(name, _)| !own.inputs.iter().any(|(known, ..)| known == name)) {
        let error = Error::input(name.as_ref(), ["`", own.id, "` has no field `", &name, "`"].concat());
        return Err(did_you_mean(error, &name, &mut own.inputs.iter().map(|(name, ..)| *name), ""));
    }
    let limit = match root.get("limit").map(Node::as_u64) {
        None => FEW,
        Some(Some(limit)) if (1..=MOST).contains(&limit) => limit,
        Some(_) => return Err(Error::input("limit", "`limit` is a whole number from 1 to 100")),
    } as usize;
    let from: usize = match cursor {
        None => 0,
        Some(cursor) => {
            cursor.parse().map_err(|_| Error::input("cursor", "this cursor did not come from a page before"))?
        }
    };
    let wanted = words(root, "method")?.map(|name| method("method", &name)).transpose()?;
    let resource = words(root, "resource")?.map(|name| name.trim().to_ascii_lowercase().replace(' ', "_"));
    let asked: Vec<Word> = words(root, "words")?.map(|text| taken_apart(&text)).unwrap_or_default();

    let table = catalogue::table()?;
    // What people have said of a request, by the request's id.
    let mut curated: Vec<(&str, Operation)> = Vec::with_capacity(table.operations().len());
    for operation in table.operations().iter().filter_map(Operation::curated) {
        let id = operation.request().id();
        curated.insert(curated.partition_point(|(other, _)| *other <= id), (id, operation));
    }
    let mut found: Vec<((usize, u32), Operation)> = Vec::new();
    for operation in table.requests().iter().map(Operation::plain) {
        let request = operation.request();
        let fits = wanted.is_none_or(|method| method == request.method())
            && resource.as_deref().is_none_or(|name| is_about(operation, name));
        if !fits {
            continue;
        }
        let score = score(operation, &mut said_of(&curated, request.id()), &asked);
        if score.0 > 0 || asked.is_empty() {
            // Among equals the order of the API stays.
            found.insert(found.partition_point(|(other, _)| *other >= score), (score, operation));
        }
    }
    // What lacks a word that another has is not what was meant.
    let most = found.first().map_or(0, |((matched, _), _)| *matched);
    found.retain(|((matched, _), _)| *matched == most);

    let mut json = Writer::with_capacity(4096);
    json.begin_object().key("operations").begin_array();
    for (_, operation) in found.iter().skip(from).take(limit) {
        let request = operation.request();
        json.begin_object().key("operation").string(request.id());
        json.key("method").string(request.method().name()).key("path").string(request.path());
        json.key("title").string(&operation.title());
        json.key("kind").string(if operation.kind() == OperationKind::Query { "query" } else { "action" });
        json.key("resource").string(operation.resource());
        if let Some(entry) = said_of(&curated, request.id()).next() {
            json.key("curated").string(entry.id());
        }
        json.end_object();
    }
    json.end_array().end_object();
    let more = found.len() > from.saturating_add(limit);
    Ok(Told { output: json.finish(), next_cursor: more.then(|| (from + limit).to_string()) })
}

/// The entries of a request, of all, which are sorted by their request's id.
fn said_of<'c>(curated: &'c [(&str, Operation)], id: &'c str) -> impl Iterator<Item = Operation> + 'c {
    let from = curated.partition_point(|(other, _)| *other < id);
    curated.iter().skip(from).take_while(move |(other, _)| *other == id).map(|(_, operation)| *operation)
}

fn taken_apart(text: &str) -> Vec<Word> {
    let parts = text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    let parts = parts.filter(|word| !word.is_empty() && !EMPTY.contains(&word.as_str()));
    parts
        .map(|mut said| {
            if said.len() > 3 && said.ends_with('s') && !said.ends_with("ss") {
                said.pop();
            }
            let meant = SYNONYMS.iter().find(|(word, _)| *word == said).map(|(_, own)| *own);
            Word { said, meant }
        })
        .collect()
}

/// Whether an operation is about a resource: one of the catalogue's, or a part of its own id, in singular or plural.
fn is_about(operation: Operation, name: &str) -> bool {
    let singular = name.strip_suffix('s').unwrap_or(name);
    let own = operation.resource();
    own == name || own == singular || operation.request().id().split('.').any(|part| is_word(part, singular))
}

/// How many of the words an operation has, and how well they fit.
fn score(operation: Operation, said: &mut dyn Iterator<Item = Operation>, asked: &[Word]) -> (usize, u32) {
    let said: Vec<Operation> = said.collect();
    let (mut matched, mut sum) = (0, 0);
    for word in asked {
        let by = |text: &str| weight(operation, &said, text);
        let best = by(&word.said).max(word.meant.map_or(0, by));
        matched += usize::from(best > 0);
        sum += best;
    }
    // Of two that fit alike, what people use every day.
    (matched, sum * 2 + u32::from(!said.is_empty()))
}

/// How well one word fits: what the operation is called weighs most, what it takes least.
fn weight(operation: Operation, said: &[Operation], word: &str) -> u32 {
    let request = operation.request();
    let id = request.id();
    if id.rsplit('.').take(2).any(|part| is_word(part, word)) {
        return 12;
    }
    if id.split('.').any(|part| is_word(part, word)) {
        return 10;
    }
    if id.split('.').flat_map(|part| part.split('_')).any(|part| is_word(part, word)) {
        return 8;
    }
    if said.iter().any(|o| within(o.id(), word) || within(&o.title(), word)) {
        return 6;
    }
    if within(id, word) || within(request.path(), word) {
        return 4;
    }
    if said.iter().any(|o| within(&o.description(), word)) {
        return 2;
    }
    u32::from(operation.parameters().iter().any(|field| within(field.name(), word)))
}

/// Whether a part of an id is a word, in singular or plural.
fn is_word(part: &str, word: &str) -> bool {
    part.strip_prefix(word).is_some_and(|rest| matches!(rest, "" | "s" | "es"))
}

/// Whether a text has a part, which is in lower case, in any case.
fn within(text: &str, part: &str) -> bool {
    let Some((first, others)) = part.as_bytes().split_first() else { return false };
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|letter| letter.to_ascii_lowercase() == *first) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.get(..others.len()).is_some_and(|letters| letters.eq_ignore_ascii_case(others)) {
            return true;
        }
    }
    false
}
