//! From an operation's JSON input to the parameters of its request, checked to the last nested field.
//!
//! Every problem is found here, before anything is sent: a field that does not exist (with the nearest names), one that
//! comes twice, a missing or ill-typed one (with its path), an amount that is negative or in another currency than the
//! one beside it, an id that belongs to something else, fields that exclude each other, metadata over Stripe's limits. Values are never guessed: text
//! is not turned into numbers, and nothing is rounded.
//!
//! ```text
//! text ─ text.rs ─▶ nodes ─ value.rs (scalar, amount, id; number, time) ─▶ Input
//! files ─ file.rs ──────────────────────────────────────────────────────▲
//! ```

mod amount;
mod exclusive;
mod expand;
mod file;
mod id;
mod number;
mod path;
mod refusal;
mod scalar;
mod text;
pub mod time;
mod value;

pub use amount::{amount, currency};
pub use file::File;
pub use id::resource_in_path;
pub use text::scan;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::catalogue::{Operation, did_you_mean};
use crate::error::{Error, Result};
use crate::json::Node;
use crate::stripe;
use refusal::missing;
use value::Checker;

/// A checked input.
#[derive(Debug, PartialEq)]
pub struct Input {
    /// The values of the path's placeholders, left to right.
    pub path: Vec<String>,
    /// The request's parameters.
    pub parameters: Map<String, Value>,
    /// The fields that the operation's hook adds.
    pub extra: Map<String, Value>,
    /// The file that goes along, and the parameter that takes it.
    pub file: Option<(&'static str, stripe::file::File)>,
}

/// Parses and checks an input.
///
/// # Errors
/// The first problem, with the path of its field.
pub fn check(operation: Operation, input: &str, files: Vec<File>) -> Result<Input> {
    let given = scan(input)?;
    let (defaults, fixed) = (scan(operation.defaults())?, scan(operation.fixed())?);
    let (given, fixed) = (given.root(), fixed.root());
    if let Some((name, value)) = fixed.members().find(|(name, _)| given.get(name).is_some()) {
        let message = ["`", operation.id(), "` always sends `", &name, "` as ", value.raw(), ": leave it out"].concat();
        return Err(Error::input(name, message));
    }
    let mut fields: Vec<(Cow<'_, str>, Node<'_, '_>)> = Vec::new();
    for member in given.members() {
        fields.push(member);
    }
    for (name, value) in defaults.root().members() {
        if given.get(&name).is_none() {
            fields.push((name, value));
        }
    }
    for member in fixed.members() {
        fields.push(member);
    }
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, value)| *value);
    one_of(operation, &|name| field(name).is_some())?;

    let mut checker = Checker::new(operation, field("currency"));
    let mut checked =
        Input { path: Vec::new(), parameters: Map::new(), extra: Map::new(), file: file::check(operation, files)? };
    let (path_fields, major_units) = (operation.path_fields(), operation.major_units());
    for name in path_fields.iter().copied() {
        let value = field(name).ok_or_else(|| missing(operation, name))?;
        checked.path.push(id::in_path(operation, name, value)?);
    }
    for (name, value) in &fields {
        let name: &str = name;
        if path_fields.contains(&name) {
            continue;
        }
        if let Some((major, minor)) = major_units.iter().copied().find(|(major, _)| *major == name) {
            if field(minor).is_some() {
                return Err(Error::input(major, ["give `", major, "` or `", minor, "`, not both"].concat()));
            }
            let currency = field("currency").ok_or_else(|| missing(operation, "currency"))?;
            let rule = operation.meaning(minor).and_then(|m| m.rule());
            let amount = amount::in_major_units((major, *value), (minor, rule), currency)?;
            checked.parameters.insert(minor.to_owned(), Value::from(amount));
        } else if let Some(extra) = operation.extra().and_then(|extra| extra.get(name)) {
            let value = checker.field(name, *value, extra.shape())?;
            checked.extra.insert(name.to_owned(), value);
        } else if let Some(parameter) = operation.parameters().get(name) {
            let value = checker.field(name, *value, parameter.shape())?;
            checked.parameters.insert(name.to_owned(), value);
        } else {
            let error = Error::input(name, ["`", operation.id(), "` has no field `", name, "`"].concat());
            let otherwise = "Describe the operation to see its fields.";
            let mut names = Vec::new();
            if let Some(alias) = operation.alias() {
                for (own, _) in alias.inputs() {
                    names.push(own);
                }
            }
            names.append(&mut operation.input_names());
            return Err(did_you_mean(error, name, &mut names.into_iter(), otherwise));
        }
    }
    exclusive::check("", &checked.parameters)?;
    expand::check(operation, &checked.parameters)?;
    let mut required = operation.parameters().into_iter().filter(|f| f.required() && !file::is_file(f.shape()));
    match required.find(|f| !checked.parameters.contains_key(f.name())) {
        Some(field) => Err(missing(operation, field.name())),
        None => Ok(checked),
    }
}

fn one_of(operation: Operation, is_given: &dyn Fn(&str) -> bool) -> Result<()> {
    let (names, major_units) = (operation.one_of(), operation.major_units());
    let Some(first) = names.first() else { return Ok(()) };
    // In major units or in minor ones.
    let counts =
        |name: &&&str| is_given(name) || major_units.iter().any(|(major, minor)| minor == *name && is_given(major));
    let given = names.iter().filter(counts).count();
    if given == 1 {
        return Ok(());
    }
    let message = ["give exactly one of `", &names.join("` or `"), "`; the input has ", &given.to_string()].concat();
    Err(Error::input(*first, message))
}

#[cfg(test)]
mod tests;
