//! A hosted checkout page needs somewhere to send the customer afterwards. Embedded and custom ones do not.

use serde_json::Value;

use super::hook::{Hook, NOTHING};
use crate::error::Result;
use crate::input::Input;

/// Puts Stripe's own page in where the caller has none.
pub static HOOK: Hook = Hook { before: Some(before), ..NOTHING };

/// Where customers land when the caller has no page of their own: Stripe's own page with a thank-you.
const LANDING: &str = "https://stripe.com";

fn before(input: &mut Input) -> Result<()> {
    let parameters = &mut input.parameters;
    let hosted = matches!(parameters.get("ui_mode").and_then(Value::as_str), None | Some("hosted_page"));
    if hosted && !parameters.contains_key("success_url") && !parameters.contains_key("return_url") {
        parameters.insert("success_url".into(), Value::from(LANDING));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::input;

    fn success_url(text: &str) -> Option<String> {
        let operation = catalogue::operation("checkout_session.create", None).expect("there");
        let mut input = input::check(operation, text, Vec::new()).expect(text);
        before(&mut input).expect("fine");
        input.parameters.get("success_url").and_then(Value::as_str).map(str::to_owned)
    }

    #[test]
    fn a_hosted_page_without_an_address_gets_stripes_own() {
        assert_eq!(success_url(r#"{"line_items":[]}"#).as_deref(), Some(LANDING));
        assert_eq!(success_url(r#"{"success_url":"https://a.example"}"#).as_deref(), Some("https://a.example"));
        assert_eq!(success_url(r#"{"return_url":"https://a.example"}"#), None);
        assert_eq!(success_url(r#"{"ui_mode":"embedded_page","return_url":"https://a.example"}"#), None);
    }
}
