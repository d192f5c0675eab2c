//! The search endpoints and their query language.
//!
//! What Stripe finds a minute later is found at once here: an index that lags would only make tests slow.

use serde_json::{Value, json};

use super::{Call, Read, Reply, listing};
use crate::protocol::ApiError;
use crate::world::Object;

/// Clauses that one query can have.
const MOST_CLAUSES: usize = 10;
/// Characters that a substring must have.
const SHORTEST: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Is,
    Contains,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, PartialEq)]
struct Clause {
    negated: bool,
    field: String,
    /// The key, when the field is `metadata`.
    key: Option<String>,
    relation: Relation,
    /// `None` is `null`: the field is absent.
    value: Option<String>,
}

#[derive(Debug, PartialEq)]
struct Query {
    clauses: Vec<Clause>,
    any: bool,
}

fn unparsable() -> ApiError {
    ApiError::invalid(
        "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query for \
         metadata or key:\"value\" to query for other fields.",
    )
    .param("query")
}

struct Reader<'q> {
    rest: &'q str,
}

impl<'q> Reader<'q> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A connective, in any case, with something after it.
    fn take_word(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn word(&mut self) -> &'q str {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// Text in double or single quotes; a backslash takes the next character as it is.
    fn quoted(&mut self) -> Option<String> {
        let mut characters = self.rest.chars();
        let quote = characters.next().filter(|c| matches!(c, '"' | '\''))?;
        let mut text = String::new();
        while let Some(character) = characters.next() {
            match character {
                '\\' => text.push(characters.next()?),
                c if c == quote => {
                    self.rest = characters.as_str();
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }

    fn clause(&mut self) -> Option<Clause> {
        let negated = self.take("-");
        let field = self.word().to_owned();
        if field.is_empty() {
            return None;
        }
        let key = if self.take("[") {
            let key = self.quoted()?;
            if !self.take("]") {
                return None;
            }
            Some(key)
        } else {
            None
        };
        self.space();
        let relations = [
            (">=", Relation::AtLeast),
            ("<=", Relation::AtMost),
            (">", Relation::Greater),
            ("<", Relation::Less),
            (":", Relation::Is),
            ("~", Relation::Contains),
        ];
        let relation = relations.iter().find(|(sign, _)| self.take(sign)).map(|(_, r)| *r)?;
        self.space();
        let value = match self.quoted() {
            Some(text) => Some(text),
            None => match self.word() {
                "" => return None,
                "null" | "NULL" => None,
                word => Some(word.to_owned()),
            },
        };
        Some(Clause { negated, field, key, relation, value })
    }
}

fn parse(text: &str) -> Result<Query, ApiError> {
    let mut reader = Reader { rest: text };
    let mut clauses = Vec::new();
    let (mut all, mut any) = (false, false);
    reader.space();
    while !reader.rest.is_empty() {
        clauses.push(reader.clause().ok_or_else(unparsable)?);
        let spaced = reader.rest.starts_with(char::is_whitespace);
        reader.space();
        if reader.rest.is_empty() {
            break;
        }
        if !spaced {
            return Err(unparsable());
        }
        if reader.take_word("or") {
            any = true;
        } else {
            // Clauses side by side mean the same as with AND between them.
            reader.take_word("and");
            all = true;
        }
        reader.space();
        if reader.rest.is_empty() {
            return Err(unparsable());
        }
    }
    if clauses.is_empty() {
        return Err(unparsable());
    }
    if all && any {
        let message = "Search queries cannot combine AND and OR. Use one of them for all clauses.";
        return Err(ApiError::invalid(message).param("query"));
    }
    if clauses.len() > MOST_CLAUSES {
        let message = format!("Search queries can have at most {MOST_CLAUSES} clauses.");
        return Err(ApiError::invalid(message).param("query"));
    }
    Ok(Query { clauses, any })
}

/// Whether every clause is about something that the resource can be searched by.
fn check(query: &Query, resource: &str, fields: &[&str]) -> Result<(), ApiError> {
    for clause in &query.clauses {
        let metadata = clause.field == "metadata";
        if !fields.contains(&clause.field.as_str()) || metadata != clause.key.is_some() {
            let message = format!("Field `{}` is an unsupported search field for resource `{resource}`.", clause.field);
            return Err(ApiError::invalid(message).param("query"));
        }
        let value = clause.value.as_deref();
        let numeric = value.is_some_and(|v| v.parse::<f64>().is_ok());
        let ordered = !matches!(clause.relation, Relation::Is | Relation::Contains);
        if ordered && !numeric {
            let message = format!("The value of `{}` must be a number to be compared with.", clause.field);
            return Err(ApiError::invalid(message).param("query"));
        }
        if clause.relation == Relation::Contains && value.is_none_or(|v| v.chars().count() < SHORTEST) {
            let message = format!("Substring searches must have at least {SHORTEST} characters.");
            return Err(ApiError::invalid(message).param("query"));
        }
    }
    Ok(())
}

fn member<'o>(object: &'o Object, path: &str) -> Option<&'o Value> {
    match path.split_once('.') {
        Some((first, rest)) => member(object.object(first)?, rest),
        None => object.get(path),
    }
}

fn holds(clause: &Clause, object: &Object) -> bool {
    let found = match (&clause.key, clause.field.as_str()) {
        (Some(key), _) => object.object("metadata").and_then(|m| m.get(key)),
        // Where the field went when it left the top level of invoices.
        (None, "subscription") => member(object, "parent.subscription_details.subscription"),
        (None, field) => member(object, field),
    };
    let found = found.filter(|v| !v.is_null() && **v != "");
    let matches = match (found, &clause.value) {
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
        (Some(found), Some(value)) => compare(found, clause.relation, value),
    };
    matches != clause.negated
}

fn compare(found: &Value, relation: Relation, value: &str) -> bool {
    let text = match found {
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    };
    let wanted = value.to_lowercase();
    let numbers = (found.as_f64(), value.parse::<f64>().ok());
    let ordered = |test: fn(f64, f64) -> bool| matches!(numbers, (Some(a), Some(b)) if test(a, b));
    match relation {
        Relation::Is => text == wanted || ordered(|a, b| a == b),
        Relation::Contains => text.contains(&wanted),
        Relation::Less => ordered(|a, b| a < b),
        Relation::AtMost => ordered(|a, b| a <= b),
        Relation::Greater => ordered(|a, b| a > b),
        Relation::AtLeast => ordered(|a, b| a >= b),
    }
}

/// Answers a search of one kind of object by the fields that it can be searched by.
pub(super) fn answer(call: &Call<'_>, kind: &'static str, fields: &[&str]) -> Result<Reply, ApiError> {
    let url = call.path();
    let resource = url.split('/').nth(2).unwrap_or(kind).to_owned();
    let query = parse(call.parameters.text("query").ok_or_else(|| ApiError::empty_param("query"))?)?;
    check(&query, &resource, fields)?;
    let limit = listing::limit(&call.parameters)?;
    // A page is named by the position in the order of creation that it ends at.
    let start = match call.parameters.text("page") {
        Some(page) => {
            u32::from_str_radix(page, 16).map_err(|_| ApiError::invalid("Invalid search page.").param("page"))? as usize
        }
        None => usize::MAX,
    };
    let mut data = Vec::new();
    let (mut last, mut more, mut total) = (0, false, 0);
    let count = call.expand.iter().any(|path| path == "total_count");
    for kept in call.account.shelf(kind).into_iter().flat_map(|s| s.before(start)) {
        let Ok(object) = serde_json::from_slice::<Object>(kept.text) else { continue };
        let mut clauses = query.clauses.iter();
        let found = if query.any { clauses.any(|c| holds(c, &object)) } else { clauses.all(|c| holds(c, &object)) };
        if !found {
            continue;
        }
        total += 1;
        if data.len() == limit {
            more = true;
            if count {
                continue;
            }
            break;
        }
        last = kept.position;
        data.push(Value::Object(object));
    }
    let next = more.then(|| format!("{last:08x}"));
    let mut result = json!({
        "object": "search_result", "data": data, "has_more": more, "next_page": next, "url": url,
    });
    if let Some(members) = result.as_object_mut().filter(|_| count) {
        members.insert("total_count".into(), total.into());
    }
    Ok(Reply::Made(result))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, object: Value) -> bool {
        let query = parse(query).unwrap();
        let object = object.as_object().unwrap();
        let mut clauses = query.clauses.iter();
        if query.any { clauses.any(|c| holds(c, object)) } else { clauses.all(|c| holds(c, object)) }
    }

    #[test]
    fn clauses_compare_text_numbers_and_metadata() {
        let object = || json!({"email": "Ana@example.com", "amount": 1000, "active": true, "metadata": {"k": "v"}});
        assert!(found("email:\"ana@example.com\"", object()));
        assert!(found("email~'EXAMPLE'", object()));
        assert!(found("amount>999 AND amount<=1000 active:'true'", object()));
        assert!(found("metadata['k']:'v'", object()));
        assert!(found("metadata['other']:null", object()));
        assert!(found("-email:'x' OR amount:5", object()));
        assert!(!found("-metadata[\"k\"]:\"v\"", object()));
    }

    #[test]
    fn nonsense_is_refused() {
        for query in [
            "",
            "x",
            "a:",
            "a:\"b",
            "a:'1' AND",
            "a:'1'b:'2'",
            "a:'1' AND b:'2' OR c:'3'",
            "[\"a\"]:1",
            "é:1",
            "a:'1' é",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
    }
}
