//! Whether a text is Stripe's own: its object, or its error.
//!
//! What is not known is passed over: a member of a type that is not expected is as good as absent and takes nothing
//! else with it.

use crate::json::{Doc, Node};

/// Whether it is one of Stripe's objects: a list is one too, and so is what remains of a deleted one.
pub fn is_object(root: Node<'_, '_>) -> bool {
    let deleted = root.get("deleted").and_then(Node::as_bool) == Some(true);
    has_text(root, "object") || (deleted && has_text(root, "id"))
}

/// Whether it is a page of a v2 list: its data, and where the next page is.
pub fn is_page(root: Node<'_, '_>) -> bool {
    root.get("data").is_some_and(Node::is_array) && !has_error(root)
}

/// Whether it is what v2 answers to a DELETE: an id, mostly with the type beside it.
pub fn is_id(root: Node<'_, '_>) -> bool {
    has_text(root, "id") && !has_error(root)
}

/// Whether it is an object that says nothing of an error.
pub fn is_empty(root: Node<'_, '_>) -> bool {
    root.is_object() && !has_error(root)
}

fn has_text(root: Node<'_, '_>, name: &str) -> bool {
    root.get(name).and_then(Node::as_str).is_some_and(|t| !t.is_empty())
}

fn has_error(root: Node<'_, '_>) -> bool {
    root.get("error").is_some_and(|e| !e.is_null())
}

/// The members of Stripe's error object that are used; all of them may be missing, and none is empty.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "named as in Stripe's documentation, `kind` for `type`")]
pub struct StripeError {
    pub kind: Option<String>,
    pub message: Option<String>,
    pub code: Option<String>,
    pub decline_code: Option<String>,
    pub param: Option<String>,
    pub doc_url: Option<String>,
    /// The objects that it is about: the connector's name of the resource, and the id.
    pub related: Vec<(&'static str, String)>,
    /// What else Stripe says that a person may want to know, by name.
    pub extras: Vec<(&'static str, String)>,
}

impl StripeError {
    /// Reads the error of an answer that is no success. `None`: it has none that can be read.
    pub fn read(body: &[u8]) -> Option<Self> {
        Self::of(Doc::scan(body).ok()?.root())
    }

    /// The error in an answer.
    pub fn of(root: Node<'_, '_>) -> Option<Self> {
        let error = root.get("error")?;
        // The OAuth endpoints write a code in the error's place.
        if let Some(code) = error.as_str() {
            return Some(Self {
                code: Some(code.into_owned()),
                message: text(root, "error_description"),
                ..Self::default()
            });
        }
        let named = |names: &[&'static str], read: fn(Node<'_, '_>, &str) -> Option<String>| {
            names.iter().filter_map(|name| Some((*name, read(error, name)?))).collect()
        };
        error.is_object().then(|| Self {
            kind: text(error, "type"),
            message: text(error, "message"),
            code: text(error, "code"),
            decline_code: text(error, "decline_code"),
            param: text(error, "param"),
            doc_url: text(error, "doc_url"),
            related: named(&["payment_intent", "charge", "setup_intent", "subscription"], id),
            extras: named(&["advice_code", "network_advice_code", "network_decline_code", "request_log_url"], text),
        })
    }

    /// Its code; empty for none.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Its type; empty for none.
    pub fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or_default()
    }

    /// Whether it is in Stripe's form. Every error of v1 has a type; some of v2 have a code in its place, which other
    /// services write too, so those need Stripe's id of the request beside them.
    pub fn is_stripes(&self, v2: bool, has_request_id: bool) -> bool {
        self.kind.is_some() || (v2 && has_request_id && self.code.is_some() && self.message.is_some())
    }
}

fn text(object: Node<'_, '_>, name: &str) -> Option<String> {
    object.get(name)?.as_str().filter(|t| !t.is_empty()).map(String::from)
}

/// An id, or that of the object that stands in its place.
fn id(object: Node<'_, '_>, name: &str) -> Option<String> {
    text(object, name).or_else(|| text(object.get(name)?, "id"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object(body: &str) -> bool {
        Doc::scan(body.as_bytes()).is_ok_and(|d| is_object(d.root()))
    }

    fn error(body: &str) -> StripeError {
        StripeError::read(body.as_bytes()).unwrap_or_else(|| panic!("no error in {body}"))
    }

    #[test]
    fn knows_stripes_objects() {
        for body in [
            r#"{"id":"cus_1","object":"customer"}"#,
            r#"{"object":"list","data":[],"has_more":false}"#,
            r#"{"id":"di_1","deleted":true}"#,
            r#"{"id":"frr_1","object":"reporting.report_run","error":"too long"}"#,
            r#"{"object":"customer","id":null}"#,
        ] {
            assert!(object(body), "{body}");
        }
    }

    #[test]
    fn knows_what_is_none_of_them() {
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "true",
            "\"customer\"",
            "<html>",
            "{",
            r#"{"object":1}"#,
            r#"{"object":""}"#,
            r#"{"object":null,"id":"cus_1"}"#,
            r#"{"id":"cus_1","deleted":false}"#,
            r#"{"ok":true}"#,
            r#"{"data":{"object":"customer"}}"#,
            r#"{"object":{"id":5}}"#,
            r#"[{"object":"customer"}]"#,
        ] {
            assert!(!object(body), "{body}");
        }
    }

    #[test]
    fn an_ill_typed_member_takes_nothing_else_with_it() {
        for member in ["400", "null", "true", "1.5", "[1,[2]]", r#"{"a":{"b":[]}}"#, "-1", "\"\""] {
            let body = format!(
                r#"{{"object":{member},"error":{{"type":"card_error","message":"No.","code":{member},"param":{member},"charge":{member}}}}}"#
            );
            let error = error(&body);
            assert_eq!(
                (error.kind(), error.message.as_deref(), error.code()),
                ("card_error", Some("No."), ""),
                "{body}"
            );
            assert_eq!((error.param, error.related.len()), (None, 0), "{body}");
        }
    }

    #[test]
    fn related_objects_are_ids_or_have_one() {
        let error =
            error(r#"{"error":{"charge":"ch_1","payment_intent":{"object":"payment_intent","id":"pi_1","x":[{}]}}}"#);
        assert_eq!(error.related, [("payment_intent", "pi_1".to_owned()), ("charge", "ch_1".to_owned())]);
    }

    #[test]
    fn only_an_error_with_a_type_is_stripes_and_in_v2_one_with_a_code() {
        for (body, v1, v2) in [
            (r#"{"error":{"type":"api_error"}}"#, true, true),
            (r#"{"error":{"code":"invalid_fields","message":"No."}}"#, false, true),
            (r#"{"error":{"code":404,"message":"No."}}"#, false, false),
            (r#"{"error":{"message":"No."}}"#, false, false),
            (r#"{"error":{}}"#, false, false),
            (r#"{"error":"invalid_grant"}"#, false, false),
        ] {
            let error = error(body);
            assert_eq!((error.is_stripes(false, true), error.is_stripes(true, true)), (v1, v2), "{body}");
            assert_eq!(error.is_stripes(true, false), v1, "{body}: without an id of the request");
        }
        for none in ["{}", "[]", "null", "<html>", r#"{"error":null}"#, r#"{"error":5}"#, r#"{"error":[]}"#] {
            assert!(StripeError::read(none.as_bytes()).is_none(), "{none}");
        }
        assert_eq!(
            error(r#"{"error":"invalid_grant","error_description":"Expired."}"#).message.as_deref(),
            Some("Expired.")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = StripeError::read(&body);
        }

        #[test]
        fn no_part_of_an_answer_panics(parts in proptest::collection::vec(
            prop_oneof![Just("{"), Just("}"), Just("\"error\""), Just("\"id\""), Just("\"object\""), Just(":"), Just(","), Just("["), Just("]"), Just("1"), Just("null")], 0..30,
        )) {
            let text = parts.concat();
            let _ = (object(&text), StripeError::read(text.as_bytes()));
        }
    }
}
