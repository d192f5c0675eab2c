//! One value against the shape that it must have, and as it is sent.

use serde_json::{Map, Value};

use crate::catalogue::{Encoding, Fields, Meaning, Operation, Rule, Shape, did_you_mean, unsets};
use crate::error::{Error, Result};
use crate::json::{Kind, Node};
use crate::stripe::metadata;
use crate::timestamp;

use super::path::Path;
use super::refusal::{TIME, noun, unquoted, wrong_type};
use super::{amount, exclusive, id, number, scalar};

/// Checks the values of one input.
pub struct Checker {
    operation: Operation,
    path: Path,
    /// The currencies of the objects around the value, the nearest last.
    currencies: Vec<String>,
    /// Whether parameters travel as JSON, where `null` unsets; in a form the empty text does.
    json: bool,
}

impl Checker {
    /// For the input of an operation, with the value of its field `currency`.
    pub fn new(operation: Operation, currency: Option<Node<'_, '_>>) -> Self {
        let mut checker = Self {
            operation,
            path: Path::default(),
            currencies: Vec::new(),
            json: operation.request().encoding() == Encoding::Json,
        };
        checker.currencies.extend(currency.and_then(|c| amount::currency("", c).ok()));
        checker
    }

    /// The value of a field of the input.
    pub fn field(&mut self, name: &str, value: Node<'_, '_>, shape: Shape<'static>) -> Result<Value> {
        let mark = self.path.mark();
        self.path.enter(name);
        let checked = self.value(value, shape);
        self.path.leave(mark);
        checked
    }

    fn value(&mut self, value: Node<'_, '_>, shape: Shape<'static>) -> Result<Value> {
        let path = self.path.shown();
        let is_null = value.is_null();
        if is_null || value.str_eq("") {
            if unsets(shape) {
                return Ok(if self.json { Value::Null } else { Value::from("") });
            }
            let stands_for_itself = match shape {
                Shape::Any => true,
                Shape::String => self.json && !is_null,
                Shape::Enum(values) => !is_null && values.contains(""),
                _ => false,
            };
            if !stands_for_itself {
                let message = ["`", path, if is_null { "` cannot be null" } else { "` cannot be empty" }].concat();
                return Err(Error::input(path, message).hint("Leave the field out: Stripe has no way to unset it."));
            }
        }
        match shape {
            Shape::Any => scalar::anything(path, value),
            Shape::Boolean => value.as_bool().map(Value::from).ok_or_else(|| unquoted(path, "true or false", value)),
            Shape::True => {
                value.as_bool().filter(|yes| *yes).map(Value::from).ok_or_else(|| wrong_type(path, "true", value))
            }
            Shape::Integer => self.integer(value),
            Shape::Amount => self.amount(value),
            Shape::Timestamp => scalar::moment(path, value),
            Shape::Number => scalar::number(path, value),
            Shape::Decimal => scalar::decimal(path, value),
            Shape::String => self.text(value),
            Shape::Enum(values) => scalar::one_of(path, value, values),
            Shape::Array(item) => self.list(value, item.get()),
            Shape::Map(item) => self.map(value, item.get()),
            Shape::Object(fields) => self.object(value, fields),
            Shape::Union(_) => self.union(value, shape),
            Shape::File => {
                Err(Error::input(path, ["`", path, "` is a file: its bytes come beside the input"].concat()))
            }
            // Parameters name objects by id.
            Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => {
                self.text(value)
            }
        }
    }

    /// What the catalogue demands of the value at this place beyond its type.
    fn rule(&self) -> Option<Rule> {
        self.operation.meaning(self.path.plain()).and_then(|m| m.rule())
    }

    fn amount(&self, value: Node<'_, '_>) -> Result<Value> {
        let in_reach = self.currencies.last().map(String::as_str);
        amount(self.path.shown(), value, in_reach, self.rule()).map(Value::from)
    }

    fn integer(&self, value: Node<'_, '_>) -> Result<Value> {
        let path = self.path.shown();
        // Some amounts have no shape of their own in the facts; the catalogue says so of them.
        if matches!(self.rule(), Some(Rule::Amount | Rule::PositiveAmount | Rule::PayoutAmount)) {
            return self.amount(value);
        }
        match value.kind() {
            Kind::Number => number::whole(value.raw()).map(Value::from),
            _ => None,
        }
        .ok_or_else(|| unquoted(path, "a whole number", value))
    }

    fn text(&self, value: Node<'_, '_>) -> Result<Value> {
        let path = self.path.shown();
        let Some(text) = value.as_str() else {
            let is_time = self.operation.is_time_in_text(self.path.plain());
            let seconds = number::whole(value.raw()).filter(|_| is_time && value.kind() == Kind::Number);
            let text = seconds.and_then(timestamp::from_unix).map(Value::from);
            return text.ok_or_else(|| wrong_type(path, if is_time { TIME } else { "text" }, value));
        };
        let meaning = self.operation.meaning(self.path.plain());
        if meaning.and_then(Meaning::rule) == Some(Rule::Currency) {
            return amount::currency(path, value).map(Value::from);
        }
        id::right_resource(path, &text, &|| id::taken_by(meaning.map_or("", Meaning::picks), self.path.plain()))?;
        Ok(Value::from(text.into_owned()))
    }

    fn list(&mut self, value: Node<'_, '_>, item: Shape<'static>) -> Result<Value> {
        if value.kind() != Kind::Array {
            return Err(wrong_type(self.path.shown(), "a list", value));
        }
        let mut out = Vec::new();
        for (index, entry) in value.items().enumerate() {
            let mark = self.path.mark();
            self.path.enter_item(index);
            out.push(self.value(entry, item)?);
            self.path.leave(mark);
        }
        Ok(Value::Array(out))
    }

    fn map(&mut self, value: Node<'_, '_>, item: Shape<'static>) -> Result<Value> {
        if value.kind() != Kind::Object {
            return Err(wrong_type(self.path.shown(), "an object of names and values", value));
        }
        let is = |name: &str, plain: &str| plain == name || plain.strip_suffix(name).is_some_and(|p| p.ends_with('.'));
        let (is_metadata, by_currency) = (is("metadata", self.path.plain()), is("currency_options", self.path.plain()));
        let mut out = Map::new();
        for (name, entry) in value.members() {
            let mark = self.path.mark();
            self.path.enter(&name);
            let reach = self.currencies.len();
            if by_currency {
                self.currencies.push(name.to_ascii_lowercase());
            }
            // Nothing in an entry's place removes the entry.
            let removed = matches!(item, Shape::String) && (entry.is_null() || entry.str_eq(""));
            let entry = match (removed, item) {
                (true, _) if self.json && entry.is_null() => Value::Null,
                (true, _) => Value::from(""),
                // A name that the caller gave says nothing of what its text may be.
                (false, Shape::String) => {
                    let text = entry.as_str().map(|text| Value::from(text.into_owned()));
                    text.ok_or_else(|| wrong_type(self.path.shown(), "text", entry))?
                }
                (false, _) => self.value(entry, item)?,
            };
            self.currencies.truncate(reach);
            self.path.leave(mark);
            out.insert(name.into_owned(), entry);
        }
        if is_metadata {
            metadata::check(self.path.shown(), &out)?;
        }
        Ok(Value::Object(out))
    }

    fn object(&mut self, value: Node<'_, '_>, fields: Fields<'static>) -> Result<Value> {
        if value.kind() != Kind::Object {
            return Err(wrong_type(self.path.shown(), "an object", value));
        }
        let reach = self.currencies.len();
        self.currencies.extend(value.get("currency").and_then(|c| amount::currency("", c).ok()));
        let mut out = Map::new();
        for (name, member) in value.members() {
            let mark = self.path.mark();
            let Some(field) = fields.get(&name) else {
                let around = self.path.shown();
                let error =
                    Error::input([around, ".", &name].concat(), ["`", around, "` has no field `", &name, "`"].concat());
                let names: Vec<&str> = fields.iter().map(|f| f.name()).collect();
                let all = ["Its fields are ", &names.join(", "), "."].concat();
                return Err(did_you_mean(error, &name, &mut names.into_iter(), &all));
            };
            self.path.enter(&name);
            let member = self.value(member, field.shape())?;
            self.path.leave(mark);
            out.insert(name.into_owned(), member);
        }
        self.currencies.truncate(reach);
        exclusive::check(self.path.shown(), &out)?;
        match fields.iter().find(|f| f.required() && !out.contains_key(f.name())) {
            Some(field) => {
                let at = [self.path.shown(), ".", field.name()].concat();
                let message = ["`", &at, "` is required"].concat();
                Err(Error::input(at, message))
            }
            None => Ok(Value::Object(out)),
        }
    }

    /// The first part that fits. Where none does, the error of the part that is of the value's own kind; of several, the
    /// one that got furthest into it.
    fn union(&mut self, value: Node<'_, '_>, shape: Shape<'static>) -> Result<Value> {
        let Shape::Union(parts) = shape else { return self.value(value, shape) };
        let (mark, reach) = (self.path.mark(), self.currencies.len());
        let mut errors: Vec<Box<Error>> = Vec::new();
        for part in parts.iter().filter(|p| could_be(*p, value.kind())) {
            match self.value(value, part) {
                Ok(value) => return Ok(value),
                Err(error) => errors.push(error),
            }
            self.path.leave(mark);
            self.currencies.truncate(reach);
        }
        let depth = |error: &Error| error.field.as_ref().map_or(0, String::len);
        match (errors.len(), value.kind()) {
            (1, _) | (2.., Kind::Object | Kind::Array) => {
                let furthest = errors.into_iter().max_by_key(|e| depth(e));
                Err(furthest.unwrap_or_else(|| wrong_type(self.path.shown(), "something else", value)))
            }
            _ => Err(wrong_type(self.path.shown(), &noun(shape), value)),
        }
    }
}

/// Whether a value of this kind may be of a shape.
fn could_be(shape: Shape<'_>, kind: Kind) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Boolean | Shape::True => kind == Kind::Boolean,
        Shape::Integer | Shape::Number => kind == Kind::Number,
        Shape::Timestamp | Shape::Decimal => matches!(kind, Kind::Number | Kind::String),
        Shape::Amount => matches!(kind, Kind::Number | Kind::Object),
        Shape::Array(_) => kind == Kind::Array,
        Shape::Map(_) | Shape::Object(_) => kind == Kind::Object,
        Shape::Union(parts) => parts.iter().any(|p| could_be(p, kind)),
        Shape::File => false,
        Shape::Enum(_) => kind == Kind::String && !shape.is_empty_string(),
        Shape::String | Shape::Ref(_) | Shape::Expandable(_) | Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => {
            kind == Kind::String
        }
    }
}
