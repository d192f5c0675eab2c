//! Which operation is meant: by its id, or by a method and a path with real ids in it.

use std::borrow::Cow;

use crate::catalogue::{self, Method, Operation, OperationKind, Own, Request, did_you_mean};
use crate::error::{Error, Result};
use crate::input;
use crate::json::{Node, Writer};
use crate::stripe::form;

/// An operation and its input.
#[derive(Debug)]
pub struct Target {
    /// What is meant.
    pub operation: Operation,
    /// Its input, as JSON.
    pub input: String,
}

/// Takes apart the input of one of the four.
///
/// # Errors
/// What names no operation, or one of another kind than `wanted`; fields that do not go together.
pub fn target(own: &Own, text: &str, wanted: Option<OperationKind>) -> Result<Target> {
    let doc = input::scan(text)?;
    let root = doc.root();
    known_names(own, root)?;
    let (given, path) = (words(root, "operation")?, words(root, "path")?);
    let (method, parameters) = match (&given, &path) {
        (Some(_), None) => (None, "input"),
        (None, Some(_)) => (words(root, "method")?, "params"),
        (Some(_), Some(_)) => return Err(Error::input("path", "give `operation` or `path`, not both")),
        (None, None) => {
            let hint = "Such as v1.customers.create, or GET /v1/customers/cus_123; `api.search` finds them.";
            return Err(Error::input("operation", "`operation` is required").hint(hint));
        }
    };
    let stray = ["method", "input", "params"].into_iter().find(|name| {
        let belongs = *name == parameters || (*name == "method" && path.is_some());
        !belongs && root.get(name).is_some()
    });
    if let Some(stray) = stray {
        let with = if stray == "input" { "operation" } else { "path" };
        return Err(Error::input(stray, ["`", stray, "` goes with `", with, "`"].concat()));
    }
    let (operation, ids) = match (given, path) {
        (Some(id), _) => match id.trim().split_once(' ') {
            Some((method, path)) if path.trim_start().starts_with('/') => {
                by_path("operation", Some(method), path.trim())?
            }
            _ => (catalogue::operation(id.trim(), None).map_err(|e| e.at("operation"))?, Vec::new()),
        },
        (None, path) => by_path("path", method.as_deref(), path.as_deref().unwrap_or_default().trim())?,
    };
    if let Some(kind) = wanted.filter(|kind| *kind != operation.kind()) {
        let (does, other) = match kind {
            OperationKind::Query => ("` changes something: run it with `", "api.write"),
            _ => ("` only reads: run it with `", "api.read"),
        };
        return Err(Error::input("operation", ["`", operation.id(), does, other, "`"].concat()));
    }
    if let Some(template) = ids.iter().find(|id| wanted.is_some() && id.starts_with('{')) {
        let field = if parameters == "input" { "operation" } else { "path" };
        return Err(Error::input(field, ["put a real id in the place of `", template, "`"].concat()));
    }
    let input = whole(operation, &ids, parameters, root.get(parameters))?;
    Ok(Target { operation, input })
}

fn known_names(own: &Own, root: Node<'_, '_>) -> Result<()> {
    let mut names = own.inputs.iter().map(|(name, ..)| *name);
    match root.members().find(|(name, _)| !own.inputs.iter().any(|(known, ..)| known == name)) {
        None => Ok(()),
        Some((name, _)) => {
            let error = Error::input(name.as_ref(), ["`", own.id, "` has no field `", &name, "`"].concat());
            let otherwise = "What the operation itself takes goes into `input`.";
            Err(did_you_mean(error, &name, &mut names, otherwise))
        }
    }
}

/// A field that is text where it is given.
pub fn words<'a>(root: Node<'_, 'a>, name: &str) -> Result<Option<Cow<'a, str>>> {
    match root.get(name) {
        None => Ok(None),
        Some(value) => match value.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(Some(text)),
            None => Err(Error::input(name, ["`", name, "` must be text, and not empty"].concat())),
        },
    }
}

/// A method as it is written.
pub fn method(field: &str, name: &str) -> Result<Method> {
    let found = [Method::Get, Method::Post, Method::Delete].into_iter().find(|m| m.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| Error::input(field, ["there is no method `", name, "`: it is GET, POST or DELETE"].concat()))
}

/// The operation of a path, and what fills its placeholders. Of several that fit, the one with the most words of its own.
fn by_path(field: &'static str, name: Option<&str>, path: &str) -> Result<(Operation, Vec<String>)> {
    let Some(name) = name else {
        return Err(Error::input("method", "`method` is required beside a path: GET, POST or DELETE"));
    };
    let wanted = method(if field == "path" { "method" } else { field }, name)?;
    if path.contains(['?', '#']) {
        let message = "a path has no `?` and no `#`: parameters go into `params`, or into `input` beside an operation";
        return Err(Error::input(field, message));
    }
    let path = path.trim_end_matches('/');
    let requests = catalogue::table()?.requests();
    let fitting = || requests.iter().filter(|request| fits(request.path(), path));
    let own_words = |request: &Request<'_>| request.path().split('/').filter(|part| !part.starts_with('{')).count();
    let Some(found) = fitting().filter(|request| request.method() == wanted).max_by_key(own_words) else {
        let error = Error::input(field, ["the API has no ", wanted.name(), " ", path].concat());
        let others: Vec<&str> = fitting().map(|request| request.method().name()).collect();
        return Err(match others.as_slice() {
            [] => {
                let mut alike =
                    requests.iter().filter(|request| request.method() == wanted).map(|request| request.path());
                did_you_mean(error, path, &mut alike, "`api.search` finds what there is.")
            }
            others => error.hint(["There is a ", &others.join(" and a "), " of this path."].concat()),
        });
    };
    let segments = found.path().split('/').zip(path.split('/'));
    let ids = segments.filter(|(own, _)| own.starts_with('{')).map(|(_, id)| form::unescape(id).unwrap_or_default());
    Ok((Operation::plain(found), ids.collect()))
}

/// Whether a path is one of a template.
fn fits(template: &str, path: &str) -> bool {
    let (mut own, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (own.next(), given.next()) {
            (None, None) => return true,
            (Some(own), Some(given)) if own == given || (own.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

/// What the operation takes: the ids of its path, and what was given beside.
fn whole(operation: Operation, ids: &[String], name: &str, beside: Option<Node<'_, '_>>) -> Result<String> {
    if beside.is_some_and(|given| !given.is_object()) {
        return Err(Error::input(name, ["`", name, "` must be an object"].concat()));
    }
    let names = operation.path_fields();
    let mut json = Writer::with_capacity(beside.map_or(0, |given| given.raw().len()) + 64);
    json.begin_object();
    for (own, id) in names.iter().zip(ids) {
        if beside.is_some_and(|given| given.get(own).is_some()) {
            return Err(Error::input(*own, ["`", own, "` stands in the path already"].concat()));
        }
        json.key(own).string(id);
    }
    for (member, value) in beside.into_iter().flat_map(Node::members) {
        json.key(&member).raw(value.raw());
    }
    json.end_object();
    Ok(json.finish())
}
