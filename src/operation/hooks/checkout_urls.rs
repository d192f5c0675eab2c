//! A hosted checkout page needs somewhere to send the customer afterwards. Embedded and custom ones do not.
//!
//! The request's own page goes before the connection's, and that before Stripe's.

use serde_json::{Map, Value};

use super::hook::{Hook, NOTHING};
use crate::catalogue::Operation;
use crate::connection::Connection;
use crate::error::Result;
use crate::input::Input;
use crate::operation::request;
use crate::operation::session::Session;
use crate::stripe::client::Answer;

/// Puts the connection's pages in, or Stripe's own, where the caller has none.
pub static HOOK: Hook = Hook { send: Some(send), ..NOTHING };

/// Where customers land when nobody has a page of their own: Stripe's own page with a thank-you.
const LANDING: &str = "https://stripe.com";

fn send(session: &Session<'_>, operation: Operation, input: &Input) -> Result<Answer> {
    let mut parameters = input.parameters.clone();
    complete(&mut parameters, &session.connection);
    // A session takes no file.
    let input = Input { path: input.path.clone(), parameters, extra: Map::new(), file: None };
    request::send(session, operation, &input)
}

fn complete(parameters: &mut Map<String, Value>, connection: &Connection) {
    let hosted = matches!(parameters.get("ui_mode").and_then(Value::as_str), None | Some("hosted_page"));
    if !hosted || parameters.contains_key("return_url") {
        return;
    }
    let success = connection.success_url.as_deref().unwrap_or(LANDING);
    for (name, page) in [("success_url", Some(success)), ("cancel_url", connection.cancel_url.as_deref())] {
        if let Some(page) = page.filter(|_| !parameters.contains_key(name)) {
            parameters.insert(name.to_owned(), Value::from(page));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::connection::Fields;
    use crate::input;

    const OWN: [(&str, &str); 2] =
        [("checkout_success_url", "https://shop.example/done"), ("checkout_cancel_url", "https://shop.example/cart")];

    /// The pages of an input, with a connection of these fields.
    fn pages(text: &str, settings: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let operation = catalogue::operation("checkout_session.create", None).expect("there");
        let mut parameters = input::check(operation, text, Vec::new()).expect(text).parameters;
        let values = settings.iter().chain(&[("api_key", "sk_test_a")]).map(|(n, v)| ((*n).into(), (*v).into()));
        let connection = Fields { values: values.collect(), development: true }.connection().expect("fine");
        complete(&mut parameters, &connection);
        let page = |name: &str| parameters.get(name).and_then(Value::as_str).map(str::to_owned);
        (page("success_url"), page("cancel_url"))
    }

    #[test]
    fn a_hosted_page_without_an_address_gets_stripes_own() {
        let success = |text: &str| pages(text, &[]).0;
        assert_eq!(pages(r#"{"line_items":[]}"#, &[]), (Some(LANDING.to_owned()), None));
        assert_eq!(success(r#"{"success_url":"https://a.example"}"#).as_deref(), Some("https://a.example"));
        assert_eq!(success(r#"{"return_url":"https://a.example"}"#), None);
        assert_eq!(success(r#"{"ui_mode":"embedded_page","return_url":"https://a.example"}"#), None);
    }

    #[test]
    fn the_requests_page_goes_before_the_connections() {
        let both = pages(r#"{"line_items":[]}"#, &OWN);
        assert_eq!(both, (Some(OWN[0].1.to_owned()), Some(OWN[1].1.to_owned())));
        let own = pages(r#"{"success_url":"https://a.example","cancel_url":"https://b.example"}"#, &OWN);
        assert_eq!(own, (Some("https://a.example".to_owned()), Some("https://b.example".to_owned())));
        assert_eq!(pages(r#"{"ui_mode":"embedded_page"}"#, &OWN), (None, None));
    }
}
