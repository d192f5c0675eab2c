//! Events and their list.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub created: u64,
    /// From when on it is listed.
    pub visible: u64,
    pub account: Option<String>,
}

impl Event {
    fn shown(&self) -> Value {
        let mut shown = json!({"id": self.id, "object": "event", "type": self.kind, "created": self.created,
            "livemode": false, "data": {"object": {"id": "cus_1", "object": "customer"}}});
        if let Some(account) = &self.account {
            shown["account"] = json!(account);
        }
        shown
    }
}

impl World {
    /// Something that happens now and is listed so many seconds later.
    pub fn happens(&mut self, kind: &str, late: u64) -> String {
        let id = format!("evt_{}", self.letters());
        self.events.push(Event {
            id: id.clone(),
            kind: kind.into(),
            created: self.now,
            visible: self.now + late,
            account: None,
        });
        id
    }

    /// The list, or the parameter whose event it does not know.
    pub(super) fn list_events(&self, query: &BTreeMap<String, String>) -> Result<(u16, Value), &'static str> {
        let number = |name: &str| query.get(name).map(|v| v.parse::<u64>().expect("a number"));
        let limit = number("limit").unwrap_or(10) as usize;
        assert!((1..=100).contains(&limit), "{limit}");
        let types: Vec<&String> = query.iter().filter(|(n, _)| n.starts_with("types[")).map(|(_, v)| v).collect();
        assert!(types.len() <= 20, "{types:?}");
        let month = 30 * 24 * 60 * 60;
        // Newest first; equal times in no order that anybody knows, and always the same.
        let mut all: Vec<&Event> =
            self.events.iter().filter(|e| e.visible <= self.now && e.created + month >= self.now).collect();
        all.sort_by(|a, b| (b.created, &b.id).cmp(&(a.created, &a.id)));
        let place = |name: &'static str| match query.get(name) {
            None => Ok(None),
            Some(id) => all.iter().position(|e| e.id == *id).map(Some).ok_or(name),
        };
        let (after, before) = (place("starting_after")?, place("ending_before")?);
        let wanted = |e: &&&Event| {
            (types.is_empty() || types.contains(&&e.kind))
                && number("created[gte]").is_none_or(|t| e.created >= t)
                && number("created[lt]").is_none_or(|t| e.created < t)
        };
        let mut found: Vec<&&Event> = match before {
            Some(before) => all[..before].iter().rev().filter(wanted).take(limit + 1).collect(),
            None => all[after.map_or(0, |a| a + 1)..].iter().filter(wanted).take(limit + 1).collect(),
        };
        let more = found.len() > limit;
        found.truncate(limit);
        if before.is_some() {
            found.reverse();
        }
        let data: Vec<Value> = found.iter().map(|e| e.shown()).collect();
        Ok((200, json!({"object": "list", "data": data, "has_more": more, "url": "/v1/events"})))
    }
}
