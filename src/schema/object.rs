//! Objects as Stripe answers with them.

use super::degree::{DIALECT, Degree};
use super::weight::{FEW_VALUES, is_plain, is_small};
use crate::catalogue::{self, Fields, Shape, did_you_mean};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Writer;

/// The schema of one kind of object, by the name that `x-object` gives; objects within it are named in turn.
///
/// # Errors
/// That there is no such object, with the nearest names.
pub fn object_schema(name: &str) -> Result<String> {
    let table = catalogue::table()?;
    let Some(object) = table.objects().iter().find(|o| o.name() == name) else {
        let error = Error::new(ErrorKind::UnknownOperation, ["there is no object `", name, "`"].concat());
        let otherwise = "The names are those that the `x-object` of a schema gives.";
        return Err(did_you_mean(error, name, &mut table.objects().iter().map(|o| o.name()), otherwise));
    };
    let mut objects = Objects::new(Within::Named, false);
    objects.json.begin_object().key("$schema").string(DIALECT).key("title").string(name);
    objects.members_of(object.fields());
    objects.json.end_object();
    Ok(objects.json.finish())
}

/// What stands for an object within another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Its name.
    Named,
    /// A reference to its definition in the same schema.
    Defined,
}

/// Writes schemas of answers. They are open: members may be added, and lists of values may grow.
pub struct Objects {
    /// What is written.
    pub json: Writer,
    within: Within,
    /// Whether what is large is told in part.
    brief: bool,
    /// The objects that were referred to.
    wanted: Vec<&'static str>,
    /// How many of them are defined.
    defined: usize,
}

impl Objects {
    fn new(within: Within, brief: bool) -> Self {
        Self { json: Writer::with_capacity(4096), within, brief, wanted: Vec::new(), defined: 0 }
    }

    /// For a schema of this degree.
    pub fn of_degree(degree: Degree) -> Self {
        match degree {
            Degree::Shown => Self::new(Within::Named, true),
            Degree::Full => Self::new(Within::Defined, false),
        }
    }

    /// `type`, `properties` and `required` of an object's schema.
    pub fn members_of(&mut self, fields: Fields<'static>) {
        self.json.key("type").string("object").key("properties").begin_object();
        let whole = !self.brief || is_small(Shape::Object(fields));
        for field in fields {
            self.json.key(field.name());
            let shape = field.shape();
            if !whole && !is_plain(shape) && !is_small(shape) {
                self.json.begin_object().key("x-more").boolean(true).end_object();
            } else {
                self.schema(shape, field.nullable());
            }
        }
        // What remains of a deleted object is its id.
        let deletable = fields.iter().any(|f| f.name() == "deleted");
        let required = fields.iter().filter(|f| f.required() && (!deletable || matches!(f.name(), "id" | "object")));
        self.json.end_object().key("required").strings(required.map(|f| f.name()));
    }

    /// `type`, `properties` and `required` of a page.
    pub fn page(&mut self, object: &str, item: Shape<'static>) {
        self.json.key("type").string("object").key("properties").begin_object();
        if !object.is_empty() {
            self.json.key("object").begin_object().key("const").string(object).end_object();
        }
        self.json.key("data").begin_object().key("type").string("array").key("items");
        self.schema(item, false);
        self.json.end_object();
        if object.is_empty() {
            self.json.key("next_page_url");
            self.schema(Shape::String, true);
            self.json.key("previous_page_url");
            self.schema(Shape::String, true);
        } else {
            self.json.key("has_more").raw(r#"{"type":"boolean"}"#).key("url").raw(r#"{"type":"string"}"#);
        }
        self.json.end_object().key("required");
        if object.is_empty() {
            self.json.strings(["data"]);
        } else {
            self.json.strings(["object", "data", "has_more"]);
        }
    }

    /// Has this object defined although nothing refers to it.
    pub fn want(&mut self, name: &'static str) {
        if self.within == Within::Defined && !self.wanted.contains(&name) {
            self.wanted.push(name);
        }
    }

    /// The definitions of all objects that were referred to, and of those that these refer to.
    pub fn definitions(&mut self) {
        if self.wanted.is_empty() {
            return;
        }
        self.json.key("$defs").begin_object();
        while let Some(name) = self.wanted.get(self.defined).copied() {
            self.defined += 1;
            if let Some(fields) = fields_of(name) {
                self.json.key(name).begin_object();
                self.members_of(fields);
                self.json.end_object();
            }
        }
        self.json.end_object();
    }

    /// The schema of a value.
    pub fn schema(&mut self, shape: Shape<'static>, nullable: bool) {
        self.json.begin_object();
        // Anything at all includes null.
        if nullable && shape != Shape::Any || matches!(shape, Shape::Union(_) | Shape::Expandable(_)) {
            self.json.key("anyOf").begin_array();
            self.alternatives(shape);
            if nullable {
                self.json.raw(r#"{"type":"null"}"#);
            }
            self.json.end_array();
            if let Shape::Expandable(names) = shape {
                self.json.key("x-expands-to").strings(names);
            }
        } else {
            self.members(shape);
        }
        self.json.end_object();
    }

    fn alternatives(&mut self, shape: Shape<'static>) {
        match shape {
            Shape::Union(parts) => parts.iter().for_each(|part| self.alternatives(part)),
            Shape::Expandable(_) => {
                self.json.raw(r#"{"type":"string"}"#).raw(r#"{"type":"object"}"#);
            }
            other => {
                self.json.begin_object();
                self.members(other);
                self.json.end_object();
            }
        }
    }

    fn members(&mut self, shape: Shape<'static>) {
        match shape {
            Shape::Any => {}
            Shape::Boolean => self.type_of("boolean"),
            Shape::True => {
                self.json.key("const").boolean(true);
            }
            Shape::Integer | Shape::Timestamp | Shape::Amount => self.type_of("integer"),
            Shape::Number => self.type_of("number"),
            Shape::Decimal | Shape::String | Shape::File => self.type_of("string"),
            Shape::Enum(values) => match (values.len(), values.first()) {
                (1, Some(only)) => {
                    self.json.key("const").string(only);
                }
                _ => {
                    self.type_of("string");
                    if !self.brief || values.len() <= FEW_VALUES {
                        self.json.key("x-known-values").strings(values);
                    }
                }
            },
            Shape::Array(item) => {
                self.type_of("array");
                self.json.key("items");
                self.schema(item.get(), false);
            }
            Shape::Map(item) => {
                self.type_of("object");
                self.json.key("additionalProperties");
                self.schema(item.get(), false);
            }
            Shape::Object(fields) => self.members_of(fields),
            Shape::Ref(name) => self.object(name),
            Shape::List(item) => self.page("list", item.get()),
            Shape::Search(item) => self.page("search_result", item.get()),
            Shape::Pages(item) => self.page("", item.get()),
            // Handled where alternatives are written.
            Shape::Union(_) | Shape::Expandable(_) => {}
        }
    }

    fn type_of(&mut self, name: &str) {
        self.json.key("type").string(name);
    }

    fn object(&mut self, name: &'static str) {
        let is_known = self.wanted.contains(&name) || fields_of(name).is_some();
        match self.within {
            Within::Defined if is_known => {
                self.want(name);
                self.json.key("$ref").string(&["#/$defs/", name].concat());
            }
            Within::Named if is_known => {
                self.type_of("object");
                self.json.key("x-object").string(name);
            }
            _ => self.type_of("object"),
        }
    }
}

/// The members of an object schema.
pub fn fields_of(name: &str) -> Option<Fields<'static>> {
    catalogue::table().ok()?.object(name)
}
