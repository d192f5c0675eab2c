//! What goes into a request.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use stripe_facts::{Encoding, Field, Operation, Shape};

use crate::{Dice, Known};

const TEXTS: &[&str] =
    &["usd", "eur", "jpy", "a text", "US", "en", "2026-10-28.endive", "a@example.com", "pm_card_visa"];
const ODD_TEXTS: &[&str] = &["", " ", "\0", "null", "[]", "-1", "日本語 \u{1f600}", "' OR 1=1", "%", "cus_none", "\n"];
const ODD_SEGMENTS: &[&str] = &["none", "cus_none", "日本", "%", "..", "a b", "search", "'"];
const NUMBERS: &[i64] = &[1, 2, 50, 1000, 2000, 12];
const ODD_NUMBERS: &[i64] = &[0, -1, 99, 1 << 31, 999_999_999_999, i64::MAX, i64::MIN, i64::MAX - 1];
const CURRENCIES: &[&str] = &["usd", "eur", "jpy"];
/// How names of parameters end that are a time.
const TIMELY: &[&str] =
    &["_at", "time", "created", "start", "end", "anchor", "_date", "gte", "lte", "gt", "lt", "timestamp"];
/// How names of parameters of v2 end that are a time in text.
const TIMELY_TEXTS: &[&str] =
    &["timestamp", "_time", "created", "created_gt", "created_gte", "created_lt", "created_lte"];
const DAY: i64 = 86_400;

/// Writes the parameters and the path of an operation.
#[derive(Debug)]
pub struct Author<'a> {
    /// What it decides by.
    pub dice: &'a mut Dice,
    /// The ids that it uses.
    pub known: &'a Known,
    /// Whether some of it is wrong on purpose: values at the edge of their type and beyond, parameters of others, ids of
    /// other kinds. What is not wrong is as the facts say, to the last nested value.
    pub wrong: bool,
    /// Whether parameters that may be left out are, all of them.
    pub sparse: bool,
}

impl Author<'_> {
    /// The parameters that are not in the path: those that are required, and some of the others unless it is sparse.
    pub fn parameters(&mut self, operation: &Operation) -> Map<String, Value> {
        match self.members(&operation.parameters, "", 0, operation.encoding == Encoding::Json) {
            Value::Object(members) => members,
            other => panic!("{other} is no object"),
        }
    }

    /// What fills the path's placeholders, left to right: the last one with the id of what the operation answers with.
    pub fn path<'o>(&mut self, operation: &'o Operation) -> Vec<(&'o str, String)> {
        let own = match &operation.response {
            Shape::Ref(name) => Some(name.as_str()),
            _ => None,
        };
        let names: Vec<&str> = operation.path_parameters().collect();
        let mut filled = Vec::new();
        for (place, name) in names.iter().enumerate() {
            if self.wrong && self.dice.percent(20) {
                filled.push((*name, self.dice.pick(ODD_SEGMENTS).to_owned()));
                continue;
            }
            let of_its_kind = own.filter(|_| place + 1 == names.len()).and_then(|kind| self.known.of(kind, self.dice));
            let id = of_its_kind.or_else(|| self.known.named(name, self.dice));
            // A made-up answer may call an object anything; what has a space in it is no id.
            let id = id.filter(|id| !id.contains(' '));
            filled.push((*name, id.unwrap_or_else(|| "id_none".to_owned())));
        }
        filled
    }

    fn odd(&mut self) -> bool {
        self.wrong && self.dice.percent(15)
    }

    fn text(&mut self, name: &str, json: bool) -> String {
        if self.odd() {
            return match self.dice.below(4) {
                0 => self.known.any(self.dice).unwrap_or_default(),
                1 => "x".repeat(600),
                _ => self.dice.pick(ODD_TEXTS).to_owned(),
            };
        }
        let ends = |ends: &[&str]| ends.iter().any(|end| name.trim_end_matches(']').ends_with(end));
        if name.contains("currency") {
            return self.dice.pick(CURRENCIES).to_owned();
        }
        if ends(&["url"]) {
            return "https://example.com/".to_owned();
        }
        if json && ends(TIMELY_TEXTS) {
            return "2026-11-20T10:00:00.000Z".to_owned();
        }
        if name.ends_with("expand[0]") {
            return self.dice.pick(&["customer", "data.customer", "latest_charge", "data", "lines.data"]).to_owned();
        }
        self.known.named(name, self.dice).unwrap_or_else(|| self.dice.pick(TEXTS).to_owned())
    }

    fn number(&mut self, name: &str) -> i64 {
        if self.odd() {
            return ODD_NUMBERS[self.dice.below(ODD_NUMBERS.len())];
        }
        if TIMELY.iter().any(|t| name.trim_end_matches(']').ends_with(t)) {
            let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
            return i64::try_from(now).expect("before the end of time") + [-DAY, 0, DAY, 40 * DAY][self.dice.below(4)];
        }
        NUMBERS[self.dice.below(NUMBERS.len())]
    }

    /// A value as JSON. Its name is that of the form, `items[0][price]`.
    fn value(&mut self, shape: &Shape, name: &str, depth: usize, json: bool) -> Value {
        if self.odd() && self.dice.percent(20) {
            return [json!("odd"), json!({}), json!([1, [2]]), json!({"a": {"b": "c"}}), json!("")][self.dice.below(5)]
                .clone();
        }
        match shape {
            Shape::Boolean => self.dice.percent(50).into(),
            Shape::True => true.into(),
            Shape::Integer => self.number(name).into(),
            Shape::Number => (self.number(name) as f64 / 4.0).into(),
            Shape::Decimal => self.dice.pick(&["1", "0.5", "12.25"]).into(),
            Shape::Enum(_) if self.odd() => self.text(name, json).into(),
            Shape::Enum(values) => values[self.dice.below(values.len())].as_str().into(),
            Shape::Array(inner) => {
                let count = if self.odd() { 0 } else { 1 + self.dice.below(2) };
                (0..count).map(|i| self.value(inner, &format!("{name}[{i}]"), depth + 1, json)).collect()
            }
            Shape::Map(inner) => {
                let key = if name.ends_with("currency_options") { self.dice.pick(CURRENCIES) } else { "key" };
                json!({key: self.value(inner, name, depth + 1, json)})
            }
            Shape::Object(fields) => self.members(fields, name, depth + 1, json),
            Shape::Union(parts) => {
                let part = &parts[self.dice.below(parts.len())];
                self.value(part, name, depth, json)
            }
            _ => self.text(name, json).into(),
        }
    }

    fn members(&mut self, fields: &[Field], parent: &str, depth: usize, json: bool) -> Value {
        let chance = [35, 15, 8, 4][depth.min(3)].min(4 + 400 / fields.len().max(1));
        // In a form an object without members is nothing at all, so one that is there has one at least.
        let sure = if self.wrong || depth == 0 || fields.iter().any(|f| f.required && travels(&f.shape)) {
            None
        } else {
            let places: Vec<usize> = (0..fields.len()).filter(|place| travels(&fields[*place].shape)).collect();
            (!places.is_empty()).then(|| places[self.dice.below(places.len())])
        };
        let mut object = Map::new();
        for (place, field) in fields.iter().enumerate() {
            let name = if parent.is_empty() { field.name.clone() } else { format!("{parent}[{}]", field.name) };
            let wanted = sure == Some(place)
                || if field.required { !self.odd() } else { !self.sparse && depth < 6 && self.dice.percent(chance) };
            if wanted {
                object.insert(field.name.clone(), self.value(&field.shape, &name, depth, json));
            }
        }
        if self.odd() {
            object.insert("unheard_of".into(), "x".into());
        }
        Value::Object(object)
    }
}

/// Whether every value of a shape is something in a form.
fn travels(shape: &Shape) -> bool {
    match shape {
        Shape::Object(fields) => fields.iter().any(|f| travels(&f.shape)),
        Shape::Union(parts) => parts.iter().all(travels),
        Shape::Array(inner) | Shape::Map(inner) => travels(inner),
        _ => true,
    }
}
