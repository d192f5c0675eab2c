//! Where in an input a value stands: `items[0].price` for people, `items.price` for what the catalogue says of it.

/// The place of the value that is being checked.
#[derive(Debug, Default)]
pub struct Path {
    /// With the indices of lists.
    shown: String,
    /// Without them.
    plain: String,
}

/// A place to go back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    shown: usize,
    plain: usize,
}

impl Path {
    /// The path as an error names it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The path as the catalogue knows it.
    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// Where it stands.
    pub fn mark(&self) -> Mark {
        Mark { shown: self.shown.len(), plain: self.plain.len() }
    }

    /// Goes to a member.
    pub fn enter(&mut self, name: &str) {
        for text in [&mut self.shown, &mut self.plain] {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
    }

    /// Goes to an entry of a list.
    pub fn enter_item(&mut self, index: usize) {
        self.shown.push('[');
        self.shown.push_str(&index.to_string());
        self.shown.push(']');
    }

    /// Goes back.
    pub fn leave(&mut self, mark: Mark) {
        self.shown.truncate(mark.shown);
        self.plain.truncate(mark.plain);
    }
}

/// The place of a byte in a text that is JSON up to there.
pub fn of_byte(text: &str, at: usize) -> String {
    /// What the value belongs to: a member's name as it is written, or an index.
    enum Step<'a> {
        Member(&'a str),
        Item(usize),
    }
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut last = "";
    let mut rest = text.get(..at).unwrap_or_default();
    while let Some(byte) = rest.bytes().next() {
        let mut length = 1;
        match byte {
            b'"' => {
                let inside = rest.get(1..).unwrap_or_default();
                let mut escaped = false;
                let end = inside.bytes().position(|b| {
                    let ends = b == b'"' && !escaped;
                    escaped = b == b'\\' && !escaped;
                    ends
                });
                // The fault is within this text.
                let Some(end) = end else { break };
                last = inside.get(..end).unwrap_or_default();
                length = end + 2;
            }
            b'{' => steps.push(Step::Member("")),
            b'[' => steps.push(Step::Item(0)),
            b'}' | b']' => {
                steps.pop();
            }
            b':' => {
                if let Some(Step::Member(name)) = steps.last_mut() {
                    *name = last;
                }
            }
            b',' => match steps.last_mut() {
                Some(Step::Item(index)) => *index += 1,
                Some(Step::Member(name)) => *name = "",
                None => {}
            },
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut path = Path::default();
    for step in steps {
        match step {
            Step::Member("") => {}
            Step::Member(name) => path.enter(name),
            Step::Item(index) => path.enter_item(index),
        }
    }
    path.shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_place_of_a_byte() {
        for (text, path) in [
            (r#"{"amount": !"#, "amount"),
            (r#"{"a":1,"items":[{"x":"}]\","},{"price":!"#, "items[1].price"),
            (r#"{"a":{"b":[[1,!"#, "a.b[0][1]"),
            (r#"{"a":{"b":1},!"#, ""),
            (r#"{"a":{"b":1},"c":"te!"#, "c"),
            ("!", ""),
            ("[1,!", "[1]"),
        ] {
            assert_eq!(of_byte(text, text.len() - 1), path, "{text}");
        }
    }

    #[test]
    fn goes_in_and_comes_back() {
        let mut path = Path::default();
        path.enter("items");
        let mark = path.mark();
        path.enter_item(2);
        path.enter("price");
        assert_eq!((path.shown(), path.plain()), ("items[2].price", "items.price"));
        path.leave(mark);
        assert_eq!((path.shown(), path.plain()), ("items", "items"));
    }
}
