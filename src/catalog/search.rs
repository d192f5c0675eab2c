//! Finding operations by words, and the names that a misspelt one may have meant.

use super::{OPERATIONS, Operation, OperationKind, TRIGGERS, Trigger};

/// An entry of the catalogue.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// A trigger.
    Trigger(&'static Trigger),
    /// An action or query.
    Operation(&'static Operation),
}

impl Entry {
    /// The entry's id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trigger(t) => t.id,
            Self::Operation(o) => o.id,
        }
    }

    fn kind(self) -> OperationKind {
        match self {
            Self::Trigger(_) => OperationKind::Trigger,
            Self::Operation(o) => o.kind,
        }
    }

    fn resource(self) -> &'static str {
        match self {
            Self::Trigger(t) => t.resource,
            Self::Operation(o) => o.resource,
        }
    }

    /// How well the words fit, where every one of them occurs: ids weigh most, descriptions least.
    fn score(self, words: &[String]) -> Option<u32> {
        let (aliases, title, description) = match self {
            Self::Trigger(t) => (t.aliases, t.title, t.description),
            Self::Operation(o) => (o.aliases, o.title, o.description),
        };
        let (id, title, description) =
            (self.id().to_ascii_lowercase(), title.to_ascii_lowercase(), description.to_ascii_lowercase());
        let mut score = 0;
        for word in words {
            let exact = id.split(['.', '_']).any(|part| part == word);
            score += match word {
                w if id == *w => 20,
                _ if exact => 10,
                w if id.contains(w.as_str()) || aliases.iter().any(|a| a.contains(w.as_str())) => 6,
                w if title.contains(w.as_str()) => 4,
                w if description.contains(w.as_str()) => 1,
                _ => return None,
            };
        }
        Some(score)
    }
}

fn entries() -> impl Iterator<Item = Entry> {
    let operations = |kind| OPERATIONS.iter().filter(move |o| o.kind == kind).map(Entry::Operation);
    TRIGGERS.iter().map(Entry::Trigger).chain(operations(OperationKind::Action)).chain(operations(OperationKind::Query))
}

/// The entries that pass the filter: in the manifest's order, or best match first where words are given.
pub fn search(kind: Option<OperationKind>, resource: Option<&str>, words: Option<&str>) -> Vec<Entry> {
    let words: Vec<String> = words.unwrap_or_default().split_whitespace().map(str::to_ascii_lowercase).collect();
    let mut found: Vec<(u32, Entry)> = entries()
        .filter(|e| kind.is_none_or(|k| k == e.kind()) && resource.is_none_or(|r| r == e.resource()))
        .filter_map(|e| Some((e.score(&words)?, e)))
        .collect();
    // A stable sort keeps the manifest's order among equals.
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, e)| e).collect()
}

/// Up to three names that a misspelt one may have meant, nearest first.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let wanted = wanted.to_ascii_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    let mut best = Vec::new();
    while let Some(at) = (0..scored.len()).max_by(|a, b| score_at(&scored, *a).total_cmp(&score_at(&scored, *b))) {
        if best.len() == 3 {
            break;
        }
        best.push(scored.swap_remove(at).1);
    }
    best
}

fn score_at(scored: &[(f64, &str)], at: usize) -> f64 {
    scored.get(at).map_or(0.0, |(score, _)| *score)
}
