//! Sets of event types, and how they are written into an endpoint's metadata.

/// Event types, each once, in alphabetical order. `*` means every type.
///
/// A list: there are a few hundred types, and the code of a tree would be a large part of the component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventTypes(Vec<String>);

/// How long a metadata value may be.
const LONGEST_VALUE: usize = 500;

impl EventTypes {
    /// Every type.
    pub fn all() -> Self {
        Self(vec!["*".to_owned()])
    }

    /// From a text with spaces between.
    pub fn read(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }

    /// As a text with spaces between.
    pub fn written(&self) -> String {
        self.0.join(" ")
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// As the contract has them.
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is every type.
    pub fn is_all(&self) -> bool {
        self.has("*")
    }

    fn has(&self, one: &str) -> bool {
        self.0.binary_search_by(|t| t.as_str().cmp(one)).is_ok()
    }

    fn insert(&mut self, one: &str) {
        if let Err(place) = self.0.binary_search_by(|t| t.as_str().cmp(one)) {
            self.0.insert(place, one.to_owned());
        }
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        other.iter().for_each(|t| self.insert(t));
    }

    /// Takes those of another away.
    pub fn remove(&mut self, other: &Self) {
        self.0.retain(|t| !other.has(t));
    }

    /// Those that another has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        left.remove(other);
        left
    }

    /// The same in parts that are each short enough for a metadata value.
    pub fn parts(&self) -> Vec<Self> {
        let mut parts: Vec<Self> = Vec::new();
        let mut length = 0;
        for one in &self.0 {
            length += one.len() + 1;
            match parts.last_mut().filter(|_| length <= LONGEST_VALUE) {
                Some(part) => part.0.push(one.clone()),
                None => {
                    length = one.len();
                    parts.push(Self(vec![one.clone()]));
                }
            }
        }
        parts
    }
}

impl<T: AsRef<str>> FromIterator<T> for EventTypes {
    fn from_iter<I: IntoIterator<Item = T>>(types: I) -> Self {
        let mut all = Self::default();
        types.into_iter().for_each(|t| all.insert(t.as_ref()));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_are_short_enough_and_together_the_whole(types in proptest::collection::btree_set("[a-z._]{1,60}", 0..300)) {
            let whole: EventTypes = types.into_iter().collect();
            let mut together = EventTypes::default();
            for part in whole.parts() {
                prop_assert!(!part.is_empty() && part.written().len() <= LONGEST_VALUE);
                prop_assert_eq!(&EventTypes::read(&part.written()), &part);
                together.add(&part);
            }
            prop_assert_eq!(together, whole);
        }
    }
}
