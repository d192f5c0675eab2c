//! What an operation takes: its path's placeholders, its request's parameters, and what the catalogue adds to them.

use std::collections::BTreeMap;

use stripe_table::model::{Field, Request, Shape};
use toml::Spanned;

use crate::catalogue::{HookInput, Operation, in_order};
use crate::requests::placeholders;

/// Every input field of an operation; what it always sends is none. Amounts in major units are decimal numbers.
pub fn inputs(operation: &Operation, request: &Request) -> Vec<Field> {
    let of = |name: &str, required, shape| Field { name: name.to_owned(), required, nullable: false, shape };
    let mut inputs: Vec<Field> =
        placeholders(operation.request.get_ref()).map(|name| of(name, true, Shape::String)).collect();
    let is_fixed = |name: &str| operation.fixed.as_ref().is_some_and(|f| f.get_ref().contains_key(name));
    inputs.extend(request.parameters.iter().filter(|p| !is_fixed(&p.name)).cloned());
    inputs.extend(extra(operation));
    inputs.extend(operation.major_units.keys().map(|name| of(name.get_ref(), false, Shape::Decimal)));
    inputs
}

/// The input fields that the operation's hook adds, in the order of the file.
pub fn extra(operation: &Operation) -> Vec<Field> {
    let field = |(name, input): (&Spanned<String>, &HookInput)| Field {
        name: name.get_ref().clone(),
        required: false,
        nullable: false,
        shape: input.kind.get_ref().shape(),
    };
    in_order(&operation.inputs).into_iter().map(field).collect()
}

/// Every path below some fields, sorted, with the shapes that may stand there: list indices are left out, `*` stands
/// where the caller names the member.
pub fn paths(fields: &[Field]) -> BTreeMap<String, Vec<&Shape>> {
    let mut found = BTreeMap::new();
    below("", fields, &mut found);
    found
}

fn below<'f>(path: &str, fields: &'f [Field], found: &mut BTreeMap<String, Vec<&'f Shape>>) {
    for field in fields {
        let path = if path.is_empty() { field.name.clone() } else { format!("{path}.{}", field.name) };
        found.entry(path.clone()).or_default().push(&field.shape);
        inside(&path, &field.shape, found);
    }
}

fn inside<'f>(path: &str, shape: &'f Shape, found: &mut BTreeMap<String, Vec<&'f Shape>>) {
    match shape {
        Shape::Object(fields) => below(path, fields, found),
        Shape::Array(item) => inside(path, item, found),
        Shape::Map(item) => inside(&format!("{path}.*"), item, found),
        Shape::Union(parts) => parts.iter().for_each(|p| inside(path, p, found)),
        _ => {}
    }
}
