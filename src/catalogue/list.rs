//! Pages of entries, all of them or those that have certain words.

use stripe_table::OperationKind;

use super::embedded::table;
use super::find::{Entry, of_event};
use super::operation::Operation;
use super::own::OWN;
use super::trigger::Trigger;
use crate::error::{Error, Result};

/// Which entries to list. Every part that is given must hold.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// Only of this kind.
    pub kind: Option<OperationKind>,
    /// Only about this resource.
    pub resource: Option<&'a str>,
    /// Only those whose id, alias, title or description has every word of this; best match first.
    pub search: Option<&'a str>,
    /// Requests and event types of the API without an entry of their own as well.
    pub all: bool,
    /// Where the page begins.
    pub cursor: Option<&'a str>,
    /// How many, 1 to 1000.
    pub limit: Option<u32>,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// Triggers, actions, queries, plain requests, each as the table lists them; or by relevance.
    pub entries: Vec<Entry>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// How many entries a page has unless the filter says.
const PAGE: u32 = 200;
/// How many it has at most.
const LARGEST_PAGE: u32 = 1000;

/// A page of the entries that pass the filter.
///
/// # Errors
/// A page size out of bounds, or a cursor that did not come from a page before.
pub fn list(filter: &Filter<'_>) -> Result<Page> {
    let limit = filter.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Error::input("limit", "a page has 1 to 1000 entries"));
    }
    let from = match filter.cursor {
        None => 0,
        Some(cursor) => cursor.parse::<usize>().map_err(|_| {
            Error::input("cursor", "this cursor did not come from a page before").hint("Leave it out to begin anew.")
        })?,
    };
    let words: Vec<String> =
        filter.search.unwrap_or_default().split_whitespace().map(str::to_ascii_lowercase).collect();
    let size = limit as usize;
    let fits =
        |e: &Entry| filter.kind.is_none_or(|k| k == e.kind()) && filter.resource.is_none_or(|r| r == resource(*e));
    let mut fitting = entries(filter.all)?.filter(fits);
    // One more than the page tells whether there is another.
    let mut entries: Vec<Entry> = if words.is_empty() {
        fitting.by_ref().skip(from).take(size + 1).collect()
    } else {
        let mut found: Vec<((u32, u32), Entry)> = Vec::new();
        for entry in fitting {
            if let Some(score) = score(entry, &words) {
                // Among equals, what does something stands first, and what only listens last; then in the table's order.
                let score = match entry.kind() {
                    OperationKind::Action => (score, 2),
                    OperationKind::Query => (score, 1),
                    OperationKind::Trigger => (score, 0),
                };
                found.insert(found.partition_point(|(other, _)| *other >= score), (score, entry));
            }
        }
        found.into_iter().skip(from).take(size + 1).map(|(_, e)| e).collect()
    };
    let more = entries.len() > size;
    entries.truncate(size);
    Ok(Page { entries, next_cursor: more.then(|| (from + size).to_string()) })
}

fn entries(all: bool) -> Result<impl Iterator<Item = Entry>> {
    let table = table()?;
    let curated = move |kind| {
        table.operations().iter().filter(move |o| o.kind() == kind).filter_map(Operation::curated).map(Entry::Operation)
    };
    let own = |kind| OWN.iter().filter(move |own| own.kind == kind).map(Entry::Own);
    let plain = all.then(|| table.requests().iter().map(|r| Entry::Operation(Operation::plain(r))));
    let described = table.triggers().iter().map(Trigger::Curated).chain([Trigger::ANY]);
    let others = table.events().iter().filter_map(|event| of_event(event.name()));
    let others = all.then(|| others.filter(|trigger| matches!(trigger, Trigger::Plain(_))));
    Ok(described
        .chain(others.into_iter().flatten())
        .map(Entry::Trigger)
        .chain(curated(OperationKind::Action))
        .chain(own(OperationKind::Action))
        .chain(curated(OperationKind::Query))
        .chain(own(OperationKind::Query))
        .chain(plain.into_iter().flatten()))
}

fn resource(entry: Entry) -> &'static str {
    match entry {
        Entry::Trigger(t) => t.resource(),
        Entry::Operation(o) => o.resource(),
        Entry::Own(_) => "",
    }
}

/// How well the words, which are in lower case, fit where every one of them occurs: ids weigh most, descriptions least.
fn score(entry: Entry, words: &[String]) -> Option<u32> {
    let id = &*entry.id();
    let (aliases, title, description) = match entry {
        Entry::Trigger(Trigger::Curated(t)) => (Some(t.aliases()), t.title(), t.description()),
        Entry::Trigger(t) => (None, t.title(), t.description()),
        Entry::Operation(o) => match o.entry() {
            Some(e) => (Some(e.aliases()), e.title(), e.description()),
            // Its title is made of its id.
            None => (None, String::new(), o.request().path().to_owned()),
        },
        Entry::Own(o) => (None, o.title.to_owned(), o.description.to_owned()),
    };
    let mut score = 0;
    for word in words {
        let word = word.as_str();
        score += if id.eq_ignore_ascii_case(word) {
            20
        } else if id.split(['.', '_']).any(|part| part.eq_ignore_ascii_case(word)) {
            10
        } else if within(id, word) || aliases.into_iter().flatten().any(|a| within(a, word)) {
            6
        } else if within(&title, word) {
            4
        } else if within(&description, word) {
            1
        } else {
            return None;
        };
    }
    Some(score)
}

/// Whether a text has a part, which is in lower case, in any case.
fn within(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(filter: &Filter<'_>) -> Vec<String> {
        list(filter).expect("a page").entries.into_iter().map(|e| e.id().into_owned()).collect()
    }

    #[test]
    fn words_find_the_best_match_first_in_any_case() {
        let search = |words| ids(&Filter { search: Some(words), ..Filter::default() });
        assert_eq!(search("refund payment").first().map(String::as_str), Some("refund.create"));
        assert_eq!(search("CREATE customer").first().map(String::as_str), Some("customer.create"));
        let refunds = search("refund");
        let at = |id| refunds.iter().position(|found| *found == id).expect(id);
        assert!(at("refund.create") == 0 && at("refund.list") < at("refund.created"), "{refunds:?}");
        assert!(search("zebra").is_empty());
        assert_eq!(search("stripe-create-customer"), ["customer.create"]);
        let all = ids(&Filter { search: Some("customers create"), all: true, ..Filter::default() });
        assert!(all.iter().any(|id| id == "v1.customers.create"), "{all:?}");
    }

    #[test]
    fn pages_lie_behind_one_another_and_hold_everything_once() {
        for search in [None, Some("c")] {
            let of_1000 = |cursor| ids(&Filter { all: true, search, limit: Some(1000), cursor, ..Filter::default() });
            let whole = [of_1000(None), of_1000(Some("1000"))].concat();
            assert!(whole.len() > 300, "{}", whole.len());
            let (mut paged, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let page = list(&Filter { all: true, search, cursor: cursor.as_deref(), ..Filter::default() })
                    .expect("a page");
                assert!(page.entries.len() <= 200);
                paged.extend(page.entries.into_iter().map(|e| e.id().into_owned()));
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(paged, whole);
        }
    }

    #[test]
    fn kinds_and_resources_narrow_it() {
        let about = list(&Filter { resource: Some("subscription"), all: true, ..Filter::default() }).expect("a page");
        assert!(!about.entries.is_empty() && about.entries.iter().all(|e| resource(*e) == "subscription"));
        let queries =
            list(&Filter { kind: Some(OperationKind::Query), all: true, limit: Some(1000), ..Filter::default() });
        let queries = queries.expect("a page").entries;
        assert!(queries.len() > 200 && queries.iter().all(|e| e.kind() == OperationKind::Query));
    }

    #[test]
    fn foreign_cursors_and_sizes_are_refused() {
        for (cursor, limit) in [(Some("x"), None), (Some("-1"), None), (None, Some(0)), (None, Some(1001))] {
            assert!(list(&Filter { cursor, limit, ..Filter::default() }).is_err(), "{cursor:?} {limit:?}");
        }
        assert!(ids(&Filter { cursor: Some("99999999"), ..Filter::default() }).is_empty());
    }
}
