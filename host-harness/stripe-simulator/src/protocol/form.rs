//! Parameters as they travel: query strings and forms, and v2's JSON, as one tree.
//!
//! Keys are read as Rack reads them, which is what Stripe's servers do: the last of several equal keys wins,
//! `a[]` adds to a list, and a key cannot be a value and a container at once.

use indexmap::IndexMap;
use serde_json::Value;

use super::ApiError;

/// More levels than any parameter of the API has; deeper keys are an attack.
const DEEPEST: usize = 24;
/// More pairs than any honest request has.
const MOST_PAIRS: usize = 10_000;

/// A parameter as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    /// Text of a form.
    Text(String),
    /// A JSON scalar: it is of the type that it is.
    Exact(Value),
    /// Members of a hash, or elements of a list by their index.
    Branch(Branch),
}

/// Named parameters in the order that they were sent.
pub(crate) type Branch = IndexMap<String, Tree>;

/// Reads a form or a query into a tree.
pub(crate) fn read(text: &[u8], into: &mut Branch) -> Result<(), ApiError> {
    let pairs = text.split(|b| *b == b'&').filter(|p| !p.is_empty());
    for (count, pair) in pairs.enumerate() {
        if count == MOST_PAIRS {
            return Err(ApiError::invalid(format!("A request can have at most {MOST_PAIRS} parameters.")));
        }
        let mut parts = pair.splitn(2, |b| *b == b'=');
        let (key, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        put(into, &decode(key)?, decode(value)?)?;
    }
    Ok(())
}

/// Percent-decoding, `+` being a space.
pub(crate) fn decode(text: &[u8]) -> Result<String, ApiError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) * 16 + hex(*low));
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    String::from_utf8(out).map_err(|_| ApiError::invalid("Invalid UTF-8 in the request's parameters."))
}

/// Percent-encoding of everything that is not plain.
pub(crate) fn encode(text: &str) -> String {
    let each = |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(each).collect()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A') + 10,
    }
}

pub(super) fn put(root: &mut Branch, key: &str, value: String) -> Result<(), ApiError> {
    let (head, brackets) = match key.find('[') {
        Some(at) if at > 0 => key.split_at(at),
        _ => (key, ""),
    };
    let mut segments = Vec::new();
    let mut rest = brackets;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
        let Some((segment, after)) = inner else {
            return Err(ApiError::invalid(format!("Invalid parameter name: {key}")));
        };
        segments.push(segment);
        rest = after;
    }
    if segments.len() > DEEPEST {
        return Err(ApiError::invalid("Parameters are nested too deeply."));
    }
    let conflict = || ApiError::invalid(format!("Invalid request: '{head}' is both a value and a hash.")).param(head);
    let mut name = head.to_owned();
    let mut branch = root;
    for (depth, segment) in segments.iter().enumerate() {
        let next = branch.entry(name).or_insert_with(|| Tree::Branch(Branch::new()));
        let Tree::Branch(inner) = next else { return Err(conflict()) };
        name = if segment.is_empty() { open_element(inner, segments.get(depth + 1)) } else { (*segment).to_owned() };
        branch = inner;
    }
    if matches!(branch.get(&name), Some(Tree::Branch(_))) {
        return Err(conflict());
    }
    branch.insert(name, Tree::Text(value));
    Ok(())
}

/// The element that `a[]` means: the last one while it lacks the member that comes, else a new one.
fn open_element(list: &Branch, member: Option<&&str>) -> String {
    match (list.last(), member) {
        (Some((index, Tree::Branch(last))), Some(member)) if !member.is_empty() && !last.contains_key(*member) => {
            index.clone()
        }
        _ => list.len().to_string(),
    }
}

/// Reads v2's JSON into a tree.
pub(crate) fn from_json(value: Value) -> Tree {
    match value {
        Value::Array(items) => {
            Tree::Branch(items.into_iter().enumerate().map(|(i, v)| (i.to_string(), from_json(v))).collect())
        }
        Value::Object(members) => Tree::Branch(members.into_iter().map(|(k, v)| (k, from_json(v))).collect()),
        other => Tree::Exact(other),
    }
}

/// The tree as JSON, every form value being text. Also what two requests are compared by: members are sorted.
pub(crate) fn to_json(tree: &Tree) -> Value {
    match tree {
        Tree::Text(text) => text.as_str().into(),
        Tree::Exact(value) => value.clone(),
        Tree::Branch(members) => Value::Object(members.iter().map(|(k, v)| (k.clone(), to_json(v))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Result<Value, ApiError> {
        let mut branch = Branch::new();
        read(text.as_bytes(), &mut branch)?;
        Ok(to_json(&Tree::Branch(branch)))
    }

    #[test]
    fn brackets_nest_and_bytes_decode() {
        let read = parsed("a[b][c]=1&items[0][price]=p%20q&x=%C3%A9+y").unwrap();
        assert_eq!(read, json!({"a": {"b": {"c": "1"}}, "items": {"0": {"price": "p q"}}, "x": "é y"}));
    }

    #[test]
    fn empty_brackets_append() {
        assert_eq!(parsed("t[]=a&t[]=b").unwrap(), json!({"t": {"0": "a", "1": "b"}}));
        let items = parsed("i[][p]=a&i[][q]=1&i[][p]=b").unwrap();
        assert_eq!(items, json!({"i": {"0": {"p": "a", "q": "1"}, "1": {"p": "b"}}}));
    }

    #[test]
    fn a_key_is_not_a_value_and_a_hash() {
        assert!(parsed("a=1&a[b]=2").is_err());
        assert!(parsed("a[b]=2&a=1").is_err());
        assert!(parsed("a[b=2").is_err());
        assert!(parsed(&format!("a{}=1", "[b]".repeat(100))).is_err());
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(parsed("a=1&a=2").unwrap(), json!({"a": "2"}));
    }
}
