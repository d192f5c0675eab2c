//! An input under an alias's names as the operation takes it.

use super::filter::Filter;
use super::refusal;
use crate::catalogue::{Alias, Operation};
use crate::error::{Error, Result};
use crate::input;
use crate::json::{Node, Writer};

/// What came in, taken apart.
#[derive(Debug)]
pub struct Translated {
    /// The operation's input, as JSON.
    pub input: String,
    /// An idempotency key of the caller's own.
    pub key: Option<String>,
    /// What chooses among the objects of a page.
    pub filters: Vec<Filter>,
    /// The alias's inputs that stand for a field, and the field.
    renamed: Vec<(&'static str, &'static str)>,
}

impl Translated {
    /// An error of the operation, in the alias's names.
    pub fn tell(&self, error: Box<Error>) -> Box<Error> {
        self.renamed.iter().fold(error, |error, (name, target)| refusal::renamed(error, name, target))
    }
}

/// The first part of a path: a field of the operation.
pub fn head(path: &str) -> &str {
    path.split_once('.').map_or(path, |(head, _)| head)
}

/// Puts an input under the operation's names. Fields that are none of the alias's own go along as they are.
///
/// # Errors
/// What is no JSON object; what is required and missing; a value that is given under both names.
pub fn translate(operation: Operation, alias: Alias<'static>, text: &str) -> Result<Translated> {
    put(operation, alias, text, true)
}

/// The same of an input that is not filled in yet, for what depends on it.
///
/// # Errors
/// As for [`translate`], but for what is missing.
pub fn translate_so_far(operation: Operation, alias: Alias<'static>, text: &str) -> Result<String> {
    put(operation, alias, text, false).map(|translated| translated.input)
}

fn put(operation: Operation, alias: Alias<'static>, text: &str, whole: bool) -> Result<Translated> {
    let (given, defaults) = (input::scan(text)?, input::scan(alias.defaults())?);
    let (given, defaults) = (given.root(), defaults.root());
    let is_own = |name: &str| {
        name == alias.key()
            || alias.inputs().iter().any(|(own, _)| own == name)
            || alias.filters().iter().any(|(own, _)| own == name)
    };
    // A field that is given by the operation's own name.
    let by_its_own = |field: &str| !is_own(field) && given.get(field).is_some();
    let renamed: Vec<(&str, &str)> =
        alias.inputs().iter().filter(|(name, target)| name != target && !by_its_own(head(target))).collect();

    let mut json = Writer::with_capacity(text.len() + 64);
    json.begin_object();
    let mut written: Vec<&str> = Vec::new();
    for (name, target) in alias.inputs() {
        let field = head(target);
        if by_its_own(field) {
            if given.get(name).is_some() {
                return Err(Error::input(name, ["give `", name, "` or `", field, "`, not both"].concat()));
            }
            continue;
        }
        let is_there = given.get(name).is_some() || defaults.get(name).is_some();
        if whole && !is_there && alias.required().contains(name) {
            return Err(Error::input(name, ["`", name, "` is required"].concat()));
        }
        if !written.contains(&field) {
            written.push(field);
            write(alias, field, &|name| given.get(name).or_else(|| defaults.get(name)), &mut json);
        }
    }
    for (name, value) in given.members().filter(|(name, _)| !is_own(name)) {
        json.key(&name).raw(value.raw());
    }
    json.end_object();

    let filter = |(name, member): (&'static str, &'static str)| {
        given.get(name).map(|value| Filter::new(operation, name, member, value))
    };
    Ok(Translated {
        input: json.finish(),
        key: given.get(alias.key()).map(|key| own_key(alias.key(), key)).transpose()?,
        filters: alias.filters().iter().filter_map(filter).collect::<Result<_>>()?,
        renamed,
    })
}

fn own_key(name: &str, value: Node<'_, '_>) -> Result<String> {
    let key = value.as_str().filter(|key| !key.is_empty());
    key.map(Into::into).ok_or_else(|| Error::input(name, ["`", name, "` is text, and not empty"].concat()))
}

/// Writes a field of the operation: itself, an object of its members, or a list of one such object.
fn write<'d, 'a: 'd>(
    alias: Alias<'static>,
    field: &str,
    value: &dyn Fn(&str) -> Option<Node<'d, 'a>>,
    json: &mut Writer,
) {
    let parts = || {
        let into = alias.inputs().iter().filter(|(_, target)| head(target) == field);
        into.filter_map(|(name, target)| Some((target.get(field.len()..)?, value(name)?)))
    };
    let Some((first, whole)) = parts().next() else { return };
    json.key(field);
    if first.is_empty() {
        json.raw(whole.raw());
        return;
    }
    let is_list = first.starts_with(".0.");
    if is_list {
        json.begin_array();
    }
    json.begin_object();
    for (path, part) in parts() {
        json.key(path.rsplit('.').next().unwrap_or_default()).raw(part.raw());
    }
    json.end_object();
    if is_list {
        json.end_array();
    }
}
