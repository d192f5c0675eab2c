//! What chooses among the objects of a page, where the service has no such parameter.

use crate::catalogue::{self, Operation, Shape};
use crate::error::{Error, Result};
use crate::json::{Doc, Kind, Node};

/// A member and what it has to be: a text, or an object of which each member has to be as it says.
#[derive(Debug)]
pub struct Filter {
    member: &'static str,
    /// As JSON.
    wanted: String,
}

impl Filter {
    /// Checks what was given under a name.
    pub fn new(operation: Operation, name: &str, member: &'static str, value: Node<'_, '_>) -> Result<Self> {
        let refused = |what: &str| Err(Error::input(name, ["`", name, "` must be ", what].concat()));
        match (shape(operation, member), value.kind()) {
            (Some(Shape::Map(_)), Kind::Object) if value.members().all(|(_, v)| v.kind() == Kind::String) => {}
            (Some(Shape::Map(_)), _) => return refused("an object of names and texts"),
            (Some(Shape::Enum(values)), Kind::String) if !values.iter().any(|v| value.str_eq(v)) => {
                return refused(&["one of ", &values.iter().collect::<Vec<_>>().join(", ")].concat());
            }
            (_, Kind::String) => {}
            _ => return refused("text"),
        }
        Ok(Self { member, wanted: value.raw().to_owned() })
    }

    /// Whether an object is chosen.
    pub fn passes(&self, object: Node<'_, '_>) -> bool {
        let (Ok(wanted), Some(found)) = (Doc::scan_str(&self.wanted), object.get(self.member)) else { return false };
        let alike = |wanted: Node<'_, '_>, found: Node<'_, '_>| wanted.as_str().is_some_and(|text| found.str_eq(&text));
        match wanted.root() {
            all if all.is_object() => {
                all.members().all(|(name, value)| found.get(&name).is_some_and(|f| alike(value, f)))
            }
            text => alike(text, found),
        }
    }
}

/// The shape of a member of the objects that an operation lists.
pub fn shape(operation: Operation, member: &str) -> Option<Shape<'static>> {
    let fields = catalogue::table().ok()?.object(operation.answers_with()?)?;
    fields.get(member).map(|field| field.shape())
}
