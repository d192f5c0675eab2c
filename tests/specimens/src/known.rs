//! The ids that there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Dice;

/// So many ids of one kind are kept; more would only make the choice wider.
const KEPT: usize = 12;

/// The ids that there are, by the kind of their objects.
#[derive(Debug, Clone, Default)]
pub struct Known(BTreeMap<String, BTreeSet<String>>);

impl Known {
    /// Takes up every id in an answer.
    pub fn learn(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                if let (Some(kind), Some(id)) = (members.get("object"), members.get("id"))
                    && let (Some(kind), Some(id)) = (kind.as_str(), id.as_str().filter(|id| !id.is_empty()))
                {
                    let known = self.0.entry(kind.to_owned()).or_default();
                    if known.len() < KEPT {
                        known.insert(id.to_owned());
                    }
                }
                members.values().for_each(|v| self.learn(v));
            }
            Value::Array(items) => items.iter().for_each(|i| self.learn(i)),
            _ => {}
        }
    }

    /// One of this kind.
    pub fn of(&self, kind: &str, dice: &mut Dice) -> Option<String> {
        let ids: Vec<&String> = self.0.get(kind)?.iter().collect();
        Some(ids[dice.below(ids.len())].clone())
    }

    /// One of any kind.
    pub fn any(&self, dice: &mut Dice) -> Option<String> {
        let kinds: Vec<&String> = self.0.keys().collect();
        let kind = if kinds.is_empty() { return None } else { kinds[dice.below(kinds.len())] };
        self.of(kind, dice)
    }

    /// One for a parameter or placeholder of this name, when it looks like one for an id.
    pub fn named(&self, name: &str, dice: &mut Dice) -> Option<String> {
        let name = name.rsplit(['[', '.']).next().unwrap_or(name).trim_end_matches(']');
        let kind = match name {
            "intent" => dice.pick(&["payment_intent", "setup_intent"]),
            "session" => "checkout.session",
            "default_payment_method" | "payment_method" => "payment_method",
            "subscription_exposed_id" => "subscription",
            "line_item_id" => "line_item",
            "schedule" => "subscription_schedule",
            "id" => return self.any(dice),
            "test_clock" => "test_helpers.test_clock",
            other => other.trim_end_matches("_id"),
        };
        self.of(kind, dice).or_else(|| self.of(kind.trim_end_matches('s'), dice))
    }
}
