//! Texts that are part of longer ones: their bytes need be there once.

/// A text within another: which, and from which of its bytes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub whole: usize,
    pub from: usize,
}

/// Shorter texts are not worth saying where they are.
const SHORTEST: usize = 5;

/// For each text the one that it is a part of, where there is one; that one is a part of none.
pub fn parts(texts: &[&str]) -> Vec<Option<Part>> {
    let mut order: Vec<(usize, &str)> = texts.iter().copied().enumerate().collect();
    order.sort_by_key(|(id, text)| (std::cmp::Reverse(text.len()), *id));
    let mut parts = vec![None; texts.len()];
    // All that are a part of none, each behind a byte that no text has.
    let mut wholes: Vec<u8> = Vec::new();
    let mut starts: Vec<(usize, usize)> = Vec::new();
    let mut index = Index::default();
    for (id, text) in order {
        if text.len() < SHORTEST {
            break;
        }
        let found = index.find(&wholes, text.as_bytes()).and_then(|at| {
            let (start, whole) = *starts.get(starts.partition_point(|(start, _)| *start <= at).checked_sub(1)?)?;
            Some(Part { whole, from: at - start })
        });
        if found.is_none() {
            wholes.push(0xff);
            starts.push((wholes.len(), id));
            let from = wholes.len();
            wholes.extend(text.as_bytes());
            index.add(&wholes, from);
        }
        if let Some(part) = parts.get_mut(id) {
            *part = found;
        }
    }
    parts
}

/// Where each run of so many bytes occurs.
#[derive(Default)]
struct Index(std::collections::HashMap<[u8; SHORTEST], Vec<usize>>);

impl Index {
    fn add(&mut self, bytes: &[u8], from: usize) {
        let runs = bytes.get(from..).unwrap_or_default().windows(SHORTEST);
        for (at, run) in
            runs.enumerate().filter_map(|(at, run)| Some((from + at, <[u8; SHORTEST]>::try_from(run).ok()?)))
        {
            self.0.entry(run).or_default().push(at);
        }
    }

    fn find(&self, bytes: &[u8], text: &[u8]) -> Option<usize> {
        let places = self.0.get(text.first_chunk::<SHORTEST>()?)?;
        places.iter().copied().find(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_within_a_longer_one_is_found_there() {
        let texts = ["", "customer", "customer_tax", "a_customer_tax_id", "tax", "customer_"];
        let within = |from| Some(Part { whole: 3, from });
        assert_eq!(parts(&texts), [None, within(2), within(2), None, None, within(2)]);
    }

    #[test]
    fn two_texts_side_by_side_do_not_make_a_third() {
        assert_eq!(parts(&["abcdef", "ghijkl", "defghi"]), [None, None, None]);
    }
}
