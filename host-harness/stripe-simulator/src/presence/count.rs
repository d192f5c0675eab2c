//! Lists within objects that say how many there are, as recordings of the service show; others do not.

use serde_json::Value;

use crate::world::Object;

/// The kinds of object, and the member that is such a list.
const COUNTED: [(&str, &str); 7] = [
    ("account", "external_accounts"),
    ("application_fee", "refunds"),
    ("charge", "refunds"),
    ("customer", "sources"),
    ("invoice", "lines"),
    ("subscription", "items"),
    ("transfer", "reversals"),
];

/// The list of an object that does not say how many there are, and how many there are.
pub(super) fn uncounted(object: &Object) -> Option<(&'static str, usize)> {
    let kind = object.get("object")?.as_str()?;
    let (_, name) = COUNTED.iter().find(|(of, _)| *of == kind)?;
    let list = object.get(*name)?.as_object()?;
    let count = list.get("data")?.as_array()?.len();
    let is_whole = list.get("has_more") == Some(&Value::Bool(false));
    (is_whole && list.get("total_count") != Some(&count.into())).then_some((name, count))
}

/// Lets it say so.
pub(super) fn count(object: &mut Object) {
    if let Some((name, count)) = uncounted(object)
        && let Some(Value::Object(list)) = object.get_mut(name)
    {
        list.insert("total_count".into(), count.into());
    }
}
