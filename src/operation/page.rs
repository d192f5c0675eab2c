//! How the lists of the API go on: by the id of the last object, by a search's page, by v2's page.

use serde_json::{Map, Value};

use crate::catalogue::{Request, Shape};
use crate::error::{Error, ErrorKind, Outcome, Result};
use crate::json::Node;
use crate::stripe::form;

/// How a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// v1: behind, or before, the object of an id.
    ById,
    /// A search of v1: by a token, `next_page`.
    ByToken,
    /// v2: by the token within `next_page_url`.
    ByUrl,
}

/// How long a cursor may be: tokens are opaque, and travel in the address.
const LONGEST: usize = 4096;

/// Whether the input asks for what lies before an object.
pub fn goes_backwards(parameters: &Map<String, Value>) -> bool {
    parameters.contains_key("ending_before")
}

/// That a cursor is none of this list.
pub fn foreign_cursor() -> Box<Error> {
    Error::input("cursor", "this cursor did not come from a page before")
        .hint("Leave it out to begin with the first page.")
}

/// Whether a page has nothing on it.
pub fn is_empty(page: Node<'_, '_>) -> bool {
    page.get("data").is_some_and(|data| data.is_array() && data.items().next().is_none())
}

impl Paging {
    /// How the list that a request answers goes on; none where it answers no list.
    pub fn of(request: Request<'_>) -> Option<Self> {
        match request.response() {
            Shape::List(_) => Some(Self::ById),
            Shape::Search(_) => Some(Self::ByToken),
            Shape::Pages(_) => Some(Self::ByUrl),
            _ => None,
        }
    }

    /// Makes the parameters ask for the page that begins at a cursor, in the direction that they go already.
    ///
    /// # Errors
    /// A cursor that did not come from a page before.
    pub fn go_on(self, parameters: &mut Map<String, Value>, cursor: &str) -> Result<()> {
        if cursor.is_empty() || cursor.len() > LONGEST || !cursor.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(foreign_cursor());
        }
        let name = match self {
            Self::ByToken | Self::ByUrl => "page",
            Self::ById if goes_backwards(parameters) => "ending_before",
            Self::ById => "starting_after",
        };
        parameters.insert(name.to_owned(), Value::from(cursor));
        Ok(())
    }

    /// The cursor of the page behind this one; none behind the last. `path` is the template of the list's own path.
    ///
    /// # Errors
    /// A next page that is somewhere else.
    pub fn next(self, page: Node<'_, '_>, path: &str, backwards: bool) -> Result<Option<String>> {
        let text = |name| page.get(name).and_then(Node::as_str);
        let has_more = page.get("has_more").and_then(Node::as_bool) == Some(true);
        match self {
            Self::ByUrl => text("next_page_url").map(|url| token(&url, path)).transpose(),
            Self::ByToken => Ok(text("next_page").filter(|_| has_more).map(Into::into)),
            Self::ById if has_more => {
                let mut data = page.get("data").map(Node::items).into_iter().flatten();
                let edge = if backwards { data.next() } else { data.last() };
                Ok(edge.and_then(|e| e.get("id")).and_then(Node::as_str).map(Into::into))
            }
            Self::ById => Ok(None),
        }
    }
}

/// The `page` of a `next_page_url`, which has to lead to the same list.
fn token(url: &str, path: &str) -> Result<String> {
    let elsewhere = || {
        let mut error = Error::new(ErrorKind::Service, "the answer names a next page that is not of this list");
        error.outcome = Outcome::Rejected;
        error.hint("Nothing was changed: this was a read. Check that the API address is Stripe's.")
    };
    let local = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let local = local.map_or(url, |rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    let (its_path, query) = local.split_once('?').unwrap_or((local, ""));
    let same = its_path.split('/').count() == path.split('/').count()
        && its_path.split('/').zip(path.split('/')).all(|(its, own)| own.starts_with('{') || its == own);
    let value = query.split('&').find_map(|pair| pair.strip_prefix("page="));
    value.filter(|_| same).and_then(form::unescape).filter(|v| !v.is_empty()).ok_or_else(elsewhere)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Doc;

    fn next(paging: Paging, page: &str, backwards: bool) -> Result<Option<String>> {
        paging.next(Doc::scan_str(page).expect("JSON").root(), "/v2/core/events", backwards)
    }

    #[test]
    fn each_kind_of_list_goes_on_in_its_own_way() {
        let list = r#"{"object":"list","data":[{"id":"a"},{"id":"b"}],"has_more":true,"url":"/"}"#;
        assert_eq!(next(Paging::ById, list, false).expect("fine").as_deref(), Some("b"));
        assert_eq!(next(Paging::ById, list, true).expect("fine").as_deref(), Some("a"));
        let search = r#"{"data":[],"has_more":true,"next_page":"token=="}"#;
        assert_eq!(next(Paging::ByToken, search, false).expect("fine").as_deref(), Some("token=="));
        for last in
            [r#"{"data":[{"id":"a"}],"has_more":false,"next_page":"x"}"#, r#"{"data":[],"has_more":true}"#, "{}"]
        {
            assert_eq!(next(Paging::ById, last, false).expect("fine"), None, "{last}");
        }
        assert_eq!(next(Paging::ByToken, r#"{"has_more":false,"next_page":null}"#, false).expect("fine"), None);
    }

    #[test]
    fn an_empty_page_of_v2_may_have_another_behind_it() {
        for url in [
            "/v2/core/events?limit=2&page=page_1%3D%3D",
            "https://api.stripe.com/v2/core/events?page=page_1%3D%3D",
            "http://127.0.0.1:9/v2/core/events?page=page_1==",
        ] {
            let page = format!(r#"{{"data":[],"next_page_url":"{url}","previous_page_url":null}}"#);
            assert_eq!(next(Paging::ByUrl, &page, false).expect("fine").as_deref(), Some("page_1=="), "{url}");
        }
        assert_eq!(next(Paging::ByUrl, r#"{"data":[{}],"next_page_url":null}"#, false).expect("fine"), None);
    }

    #[test]
    fn a_next_page_elsewhere_is_not_followed_and_not_hidden() {
        for url in [
            "/v2/core/accounts?page=x",
            "https://evil.example",
            "/v2/core/events",
            "/v2/core/events?page=",
            "//x/?page=1",
        ] {
            let page = format!(r#"{{"data":[],"next_page_url":"{url}"}}"#);
            let error = next(Paging::ByUrl, &page, false).expect_err(url);
            assert_eq!((error.kind, error.outcome), (ErrorKind::Service, Outcome::Rejected));
        }
        assert_eq!(token("/v2/a/acct_1/b?page=x", "/v2/a/{id}/b").expect("the same list"), "x");
    }

    #[test]
    fn cursors_go_where_the_list_wants_them() {
        for (paging, before, name) in [
            (Paging::ById, None, "starting_after"),
            (Paging::ById, Some("ending_before"), "ending_before"),
            (Paging::ByToken, None, "page"),
            (Paging::ByUrl, None, "page"),
        ] {
            let mut parameters = Map::new();
            parameters.extend(before.map(|b| (b.to_owned(), Value::from("old"))));
            paging.go_on(&mut parameters, "new").expect("fine");
            assert_eq!((parameters.len(), parameters[name].as_str()), (1, Some("new")));
        }
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(5000)] {
            assert!(Paging::ById.go_on(&mut Map::new(), bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_url_panics(url in ".{0,60}", path in "(/[a-z{}]{0,5}){0,4}") {
            let _ = token(&url, &path);
        }
    }
}
