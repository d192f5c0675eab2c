//! Pausing is an update of one member, `pause_collection`. An update could change and charge everything else as well, so
//! nothing else goes along: whoever may pause may not do more.

use serde_json::Value;

use super::hook::{Hook, NOTHING};
use crate::catalogue::Operation;
use crate::error::{Error, Result};
use crate::input::Input;
use crate::json::Node;

/// Refuses what is not part of pausing.
pub static HOOK: Hook = Hook { before: Some(before), meaningless: Some(meaningless), ..NOTHING };

const PAUSE: &str = "pause_collection";

fn is_part(name: &str) -> bool {
    matches!(name, PAUSE | "expand")
}

fn meaningless(operation: Operation, _: Node<'_, '_>) -> Vec<&'static str> {
    operation.parameters().iter().map(|f| f.name()).filter(|name| !is_part(name)).collect()
}

fn before(input: &mut Input) -> Result<()> {
    if let Some(name) = input.parameters.keys().find(|name| !is_part(name)) {
        let message = ["`", name, "` is no part of pausing a subscription"].concat();
        return Err(Error::input(name.as_str(), message).hint("Change it with `subscription.update`."));
    }
    match input.parameters.get(PAUSE) {
        Some(Value::Object(_)) => Ok(()),
        _ => Err(Error::input(PAUSE, ["`", PAUSE, "` must say how to pause"].concat())
            .hint("Leave it out to void the invoices meanwhile. `subscription.resume` ends the pause.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::input;

    fn paused(text: &str) -> Result<Value> {
        let operation = catalogue::operation("subscription.pause", None).expect("there");
        let mut input = input::check(operation, text, Vec::new())?;
        before(&mut input)?;
        Ok(Value::Object(input.parameters))
    }

    #[test]
    fn invoices_are_void_unless_something_else_is_said() {
        let void = serde_json::json!({"pause_collection": {"behavior": "void"}});
        assert_eq!(paused(r#"{"subscription":"sub_1"}"#).expect("fine"), void);
        let draft =
            paused(r#"{"subscription":"sub_1","pause_collection":{"behavior":"keep_as_draft","resumes_at":1}}"#);
        assert_eq!(draft.expect("fine")["pause_collection"]["behavior"], "keep_as_draft");
    }

    #[test]
    fn who_may_pause_may_not_charge() {
        for field in [r#""items":[{"price":"price_1"}]"#, r#""add_invoice_items":[]"#, r#""trial_end":"now""#] {
            let error = paused(&["{\"subscription\":\"sub_1\",", field, "}"].concat()).expect_err(field);
            assert!(field.contains(error.field.as_deref().expect("a field")), "{error:?}");
        }
        let error = paused(r#"{"subscription":"sub_1","pause_collection":""}"#).expect_err("resumes");
        assert_eq!(error.field.as_deref(), Some("pause_collection"));
    }
}
