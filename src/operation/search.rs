//! What a list of the API finds in the place of a search.
//!
//! Stripe's searches lag behind by up to a minute, its lists do not. So a search that finds nothing is asked as a list, where
//! the query says no more than a list can filter by: `email:"ada@example.com"`, `status:"active" AND created>1700000000`. The
//! answer keeps the form of a search's, and its cursors say that they are a list's.

use serde_json::{Map, Value};

use super::page::Paging;
use super::session::Session;
use crate::catalogue::{self, Method, Request, Shape};
use crate::error::Result;
use crate::json::{Node, Scanned, Writer};
use crate::stripe::client::{Answer, Call};
use crate::stripe::form;

/// How the cursor of a list begins that goes on in a search's place. No token of a search has a colon.
const CURSOR: &str = "list:";

/// A list that can be asked in a search's place.
pub struct List {
    request: Request<'static>,
    filters: Map<String, Value>,
}

impl List {
    /// The list that finds what these parameters of a search ask for; none where no list can.
    pub fn of(search: Request<'static>, given: &Map<String, Value>) -> Option<Self> {
        let path = search.path().strip_suffix("/search")?;
        let requests = catalogue::table().ok()?.requests();
        let request = requests.iter().find(|r| r.method() == Method::Get && r.path() == path)?;
        if !matches!(request.response(), Shape::List(_)) {
            return None;
        }
        let mut filters = filters(given.get("query")?.as_str()?, request)?;
        for name in ["limit", "expand"] {
            filters.extend(given.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        Some(Self { request, filters })
    }

    /// Asks the list for its first page, or for the one at a cursor, in the form of a search's answer.
    ///
    /// # Errors
    /// Stripe's refusal; no answer.
    pub fn ask(mut self, session: &Session<'_>, cursor: Option<&str>) -> Result<Answer> {
        if let Some(cursor) = cursor {
            Paging::ById.go_on(&mut self.filters, cursor)?;
        }
        let path = self.request.path();
        let mut answer = session.client().send(&Call::read(path, form::encode(&self.filters)))?;
        let page = answer.body.root();
        let next = Paging::ById.next(page, path, false)?;
        let shown = as_search(page, next.as_deref(), path);
        if let Ok(body) = Scanned::new(shown.into_bytes()) {
            answer.body = body;
        }
        Ok(answer)
    }
}

/// The cursor of a list within one that stands in a search's place.
pub fn cursor_of_list(cursor: &str) -> Option<&str> {
    cursor.strip_prefix(CURSOR)
}

fn as_search(page: Node<'_, '_>, next: Option<&str>, path: &str) -> String {
    let data = page.get("data").map_or("[]", Node::raw);
    let mut json = Writer::with_capacity(data.len() + 128);
    json.begin_object().key("object").string("search_result").key("url").string(&[path, "/search"].concat());
    json.key("has_more").boolean(next.is_some()).key("next_page");
    match next {
        Some(next) => json.string(&[CURSOR, next].concat()),
        None => json.null(),
    };
    json.key("data").raw(data).end_object();
    json.finish()
}

/// A query as filters of a list; none where it says more than these can.
fn filters(query: &str, list: Request<'static>) -> Option<Map<String, Value>> {
    let mut filters = Map::new();
    let mut rest = query.trim();
    loop {
        let (clause, behind) = clause(rest)?;
        let shape = list.parameters().get(clause.field)?.shape();
        match clause.relation {
            None => {
                let value = exact(clause.value, shape)?;
                if filters.insert(clause.field.to_owned(), value).is_some() {
                    return None;
                }
            }
            Some(bound) => {
                let range = filters.entry(clause.field).or_insert_with(|| Value::Object(Map::new()));
                let has_ranges = matches!(shape, Shape::Union(parts) if parts.iter().any(|p| matches!(p, Shape::Object(f) if f.get(bound).is_some())));
                let number: i64 = clause.value.parse().ok().filter(|_| has_ranges)?;
                if range.as_object_mut()?.insert(bound.to_owned(), Value::from(number)).is_some() {
                    return None;
                }
            }
        }
        let behind = behind.trim_start();
        if behind.is_empty() {
            return Some(filters);
        }
        rest = behind.strip_prefix("AND ").or_else(|| behind.strip_prefix("and "))?.trim_start();
    }
}

/// A value as the list takes it.
fn exact(value: &str, shape: Shape<'static>) -> Option<Value> {
    match shape {
        Shape::String => Some(Value::from(value)),
        Shape::Enum(values) => values.contains(value).then(|| Value::from(value)),
        Shape::Boolean => value.parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}

/// `status:"active"`, `created>=5`.
struct Clause<'q> {
    field: &'q str,
    /// The name of a range's bound; none for equality.
    relation: Option<&'static str>,
    value: &'q str,
}

/// The clause that a query begins with, and what stands behind it.
fn clause(query: &str) -> Option<(Clause<'_>, &str)> {
    let end = query.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).filter(|end| *end > 0)?;
    let (field, rest) = query.split_at_checked(end)?;
    const RELATIONS: [(&str, Option<&str>); 5] =
        [(":", None), (">=", Some("gte")), ("<=", Some("lte")), (">", Some("gt")), ("<", Some("lt"))];
    let (rest, relation) = RELATIONS.iter().find_map(|(sign, name)| Some((rest.strip_prefix(sign)?, *name)))?;
    let (value, rest) = match rest.strip_prefix(['"', '\'']) {
        // A quote within a value is escaped, and a list's filter is none of that.
        Some(inner) => inner.split_once(rest.chars().next()?).filter(|(value, _)| !value.contains('\\'))?,
        None => rest.split_at_checked(rest.find(char::is_whitespace).unwrap_or(rest.len()))?,
    };
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (ends && !value.is_empty() && value != "null").then_some((Clause { field, relation, value }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn list(id: &str, query: &str) -> Option<Value> {
        let search = catalogue::table().expect("a table").request(id).expect(id);
        let given = json!({"query": query, "limit": 2});
        List::of(search, given.as_object().expect("an object")).map(|list| Value::Object(list.filters))
    }

    #[test]
    fn what_a_list_can_filter_by_is_asked_of_it() {
        for (id, query, filters) in [
            ("v1.customers.search", r#"email:"ada@example.com""#, json!({"email": "ada@example.com", "limit": 2})),
            (
                "v1.customers.search",
                r#"email:'a b' AND created>5"#,
                json!({"email": "a b", "created": {"gt": 5}, "limit": 2}),
            ),
            (
                "v1.charges.search",
                r#"customer:"cus_1" and created>=5 AND created<9"#,
                json!({"customer": "cus_1", "created": {"gte": 5, "lt": 9}, "limit": 2}),
            ),
            ("v1.prices.search", r#"active:"true""#, json!({"active": true, "limit": 2})),
            ("v1.subscriptions.search", r#"status:"active""#, json!({"status": "active", "limit": 2})),
        ] {
            assert_eq!(list(id, query), Some(filters), "{query}");
        }
    }

    #[test]
    fn what_says_more_is_left_to_the_search() {
        for query in [
            "",
            r#"name:"Ada""#,
            r#"email~"ada""#,
            r#"-email:"ada""#,
            r#"email:"a" OR email:"b""#,
            r#"email:"a" AND email:"b""#,
            r#"metadata["a"]:"b""#,
            r#"email:null"#,
            r#"email:"a\"b""#,
            r#"email:"a"AND created>5"#,
            r#"email:"a" AND"#,
            r#"created>yesterday"#,
            r#"email>5"#,
            r#"created>5 AND created>6"#,
            r#"email:"a"#,
        ] {
            assert_eq!(list("v1.customers.search", query), None, "{query}");
        }
        assert_eq!(list("v1.subscriptions.search", r#"status:"zebra""#), None);
    }

    proptest! {
        #[test]
        fn no_query_panics(query in ".{0,40}", parts in proptest::collection::vec(
            prop_oneof![Just("email"), Just(":"), Just("\""), Just("'"), Just(" AND "), Just("created"), Just(">"), Just("="), Just("5"), Just("é")], 0..12,
        )) {
            let _ = (list("v1.customers.search", &query), list("v1.customers.search", &parts.concat()));
        }
    }
}
