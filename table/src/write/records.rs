//! What of the model goes into which column.

use std::collections::HashMap;

use super::graph::{Entry, Graph, Node, NodeId, Row, ShapeRef, TextId, Value};
use crate::failure::TooLarge;
use crate::layout::{
    DEPTH, NULLABLE, REQUIRED, advice, alias, auth_method, code, connection_field, event, mapping, meaning, object,
    operation, pair, permission, request, resource, tag, trigger,
};
use crate::model::{
    Advice, Alias, AuthMethod, ConnectionField, EventType, Field, Mapping, Meaning, Operation, Permission, Request,
    Resource, Shape, Trigger,
};

/// Puts things of the model into the graph.
#[derive(Debug, Default)]
pub struct Records<'m> {
    pub graph: Graph<'m>,
    /// The position of each request in its section.
    requests: HashMap<&'m str, u32>,
}

impl<'m> Records<'m> {
    /// Nothing yet but the positions of the requests, which are sorted.
    pub fn of_requests(requests: &[&'m Request]) -> Self {
        let mut positions = HashMap::new();
        for (position, request) in (0..).zip(requests) {
            positions.entry(request.id.as_str()).or_insert(position);
        }
        Self { graph: Graph::default(), requests: positions }
    }

    pub fn auth_method(&mut self, it: &'m AuthMethod) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(auth_method::NAME, self.text(&it.name)?)
            .with(auth_method::TITLE, self.text(&it.title)?)
            .with(auth_method::KIND, self.text(&it.kind)?)
            .maybe(auth_method::FIELDS, self.texts(&it.fields)?)
            .with(auth_method::AUTHORIZE_URL, self.text(&it.authorize_url)?)
            .with(auth_method::TOKEN_URL, self.text(&it.token_url)?)
            .maybe(auth_method::SCOPES, self.texts(&it.scopes)?)
            .with(auth_method::PKCE, Value::Number(it.pkce.into()));
        self.graph.add_listed(row.node())
    }

    pub fn connection_field(&mut self, it: &'m ConnectionField) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(connection_field::NAME, self.text(&it.name)?)
            .with(connection_field::KIND, Value::Number(it.kind as u32))
            .with(connection_field::TITLE, self.text(&it.title)?)
            .with(connection_field::HELP, self.prose(&it.help)?)
            .with(connection_field::REQUIRED, Value::Number(it.required.into()))
            .with(connection_field::PLACEHOLDER, self.text(&it.placeholder)?)
            .with(connection_field::LINK, self.text(&it.link)?)
            .with(connection_field::DEFAULT, self.text(&it.default)?);
        self.graph.add_listed(row.node())
    }

    pub fn permission(&mut self, it: &'m Permission) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(permission::NAME, self.text(&it.name)?)
            .with(permission::TITLE, self.text(&it.title)?)
            .with(permission::PROBE, self.position(&it.probe))
            .with(permission::TRIGGERS, self.text(&it.triggers)?);
        self.graph.add_listed(row.node())
    }

    pub fn advice(&mut self, it: &'m Advice) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(advice::HINT, self.prose(&it.hint)?)
            .maybe(advice::OF, self.texts(&it.of)?)
            .with(advice::ABOUT, Value::Number(it.about as u32));
        self.graph.add_listed(row.node())
    }

    pub fn request(&mut self, it: &'m Request) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(request::ID, self.text(&it.id)?)
            .with(request::METHOD, Value::Number(it.method as u32))
            .with(request::PATH, self.text(&it.path)?)
            .with(request::ENCODING, Value::Number(it.encoding as u32))
            .with(request::BASE, Value::Number(it.base as u32))
            .with(request::READ_ONLY, Value::Number(it.read_only.into()))
            .with(request::BINARY, Value::Number(it.binary.into()))
            .with(request::PERMISSION, self.text(&it.permission)?)
            .maybe(request::PARAMETERS, self.members(&it.parameters)?)
            .with(request::RESPONSE, Value::Shape(self.shape(&it.response, 0)?));
        self.graph.add_listed(row.node())
    }

    pub fn object(&mut self, name: &'m str, fields: &'m [Field]) -> Result<NodeId, TooLarge> {
        let row = Row::default().with(object::NAME, self.text(name)?).maybe(object::FIELDS, self.members(fields)?);
        self.graph.add_listed(row.node())
    }

    pub fn event(&mut self, it: &'m EventType) -> Result<NodeId, TooLarge> {
        let mut row = Row::default().with(event::NAME, self.text(&it.name)?);
        if let Some(object) = &it.object {
            row = row.with(event::OBJECT, Value::MaybeText(self.graph.text(object)?));
        }
        self.graph.add_listed(row.node())
    }

    pub fn operation(&mut self, it: &'m Operation) -> Result<NodeId, TooLarge> {
        let mut meanings: Vec<&Meaning> = it.meanings.iter().collect();
        meanings.sort_by(|a, b| a.path.cmp(&b.path));
        let row = Row::default()
            .with(operation::ID, self.text(&it.id)?)
            .with(operation::KIND, Value::Number(it.kind as u32))
            .with(operation::TITLE, self.prose(&it.title)?)
            .with(operation::DESCRIPTION, self.prose(&it.description)?)
            .with(operation::RESOURCE, self.text(&it.resource)?)
            .maybe(operation::ALIASES, self.texts(&it.aliases)?)
            .with(operation::SAFETY, Value::Number(it.safety as u32))
            .with(operation::REQUEST, self.position(&it.request))
            .maybe(operation::PATH_FIELDS, self.texts(&it.path_fields)?)
            .maybe(operation::SHOWN, self.texts(&it.shown)?)
            .with(operation::SAMPLE, self.prose(&it.sample)?)
            .with(operation::DEFAULTS, self.text(&it.defaults)?)
            .with(operation::FIXED, self.text(&it.fixed)?)
            .with(operation::HOOK, self.text(&it.hook)?)
            .maybe(operation::EXTRA, self.members(&it.extra)?)
            .maybe(operation::MAJOR_UNITS, self.pairs(&it.major_units)?)
            .maybe(operation::ONE_OF, self.texts(&it.one_of)?)
            .with(operation::INVERSE, self.text(&it.inverse)?)
            .maybe(operation::MEANINGS, self.list(meanings, Self::meaning)?);
        self.graph.add_listed(row.node())
    }

    fn meaning(&mut self, it: &'m Meaning) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(meaning::PATH, self.text(&it.path)?)
            .with(meaning::TITLE, self.prose(&it.title)?)
            .with(meaning::HELP, self.prose(&it.help)?)
            .with(meaning::RULE, Value::Number(it.rule.map_or(0, |rule| rule as u32 + 1)))
            .with(meaning::PICKS, self.text(&it.picks)?);
        self.graph.add(row.node())
    }

    pub fn alias(&mut self, it: &'m Alias) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(alias::NAME, self.text(&it.name)?)
            .with(alias::OPERATION, self.text(&it.operation)?)
            .with(alias::KIND, Value::Number(it.kind as u32))
            .maybe(alias::INPUTS, self.pairs(&it.inputs)?)
            .with(alias::SAMPLE, self.prose(&it.sample)?)
            .maybe(alias::REQUIRED, self.texts(&it.required)?)
            .maybe(alias::OUTPUTS, self.pairs(&it.outputs)?)
            .with(alias::KEY, self.text(&it.key)?)
            .with(alias::DEFAULTS, self.text(&it.defaults)?)
            .maybe(alias::FILTERS, self.pairs(&it.filters)?);
        self.graph.add_listed(row.node())
    }

    pub fn trigger(&mut self, it: &'m Trigger) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(trigger::ID, self.text(&it.id)?)
            .with(trigger::TITLE, self.prose(&it.title)?)
            .with(trigger::DESCRIPTION, self.prose(&it.description)?)
            .with(trigger::RESOURCE, self.text(&it.resource)?)
            .with(trigger::EVENT, self.text(&it.event)?)
            .maybe(trigger::ALIASES, self.texts(&it.aliases)?);
        self.graph.add_listed(row.node())
    }

    pub fn resource(&mut self, it: &'m Resource) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(resource::NAME, self.text(&it.name)?)
            .with(resource::TITLE, self.text(&it.title)?)
            .with(resource::INTERNAL, self.text(&it.internal)?)
            .with(resource::OBJECT, self.text(&it.object)?)
            .maybe(resource::ID_PREFIXES, self.texts(&it.id_prefixes)?)
            .with(resource::DASHBOARD, self.text(&it.dashboard)?)
            .maybe(resource::LABEL, self.texts(&it.label)?)
            .maybe(resource::DETAIL, self.texts(&it.detail)?)
            .with(resource::CHOICES, self.position(&it.choices))
            .maybe(resource::CHOICES_NEED, self.texts(&it.choices_need)?)
            .with(resource::SEARCH, self.position(&it.search))
            .maybe(resource::SEARCH_FIELDS, self.texts(&it.search_fields)?)
            .with(resource::RETRIEVE, self.position(&it.retrieve))
            .maybe(resource::MAPPING, self.list(&it.mapping, Self::mapping)?);
        self.graph.add_listed(row.node())
    }

    fn mapping(&mut self, it: &'m Mapping) -> Result<NodeId, TooLarge> {
        let row = Row::default()
            .with(mapping::INTERNAL, self.text(&it.internal)?)
            .with(mapping::KIND, Value::Number(it.kind as u32))
            .maybe(mapping::PATHS, self.texts(&it.paths)?);
        self.graph.add(row.node())
    }

    pub fn constant(&mut self, name: &'m str, value: &'m str) -> Result<NodeId, TooLarge> {
        let row = Row::default().with(pair::LEFT, self.text(name)?).with(pair::RIGHT, self.text(value)?);
        self.graph.add_listed(row.node())
    }

    fn pair(&mut self, left: &'m str, right: &'m str) -> Result<NodeId, TooLarge> {
        let row = Row::default().with(pair::LEFT, self.text(left)?).with(pair::RIGHT, self.text(right)?);
        self.graph.add(row.node())
    }

    fn pairs(&mut self, pairs: &'m [(String, String)]) -> Result<Option<NodeId>, TooLarge> {
        self.list(pairs, |records, (left, right)| records.pair(left, right))
    }

    fn text(&mut self, text: &'m str) -> Result<Value, TooLarge> {
        self.graph.text(text).map(Value::Text)
    }

    fn prose(&mut self, text: &'m str) -> Result<Value, TooLarge> {
        self.graph.packed_text(text).map(Value::Prose)
    }

    fn texts(&mut self, texts: &'m [String]) -> Result<Option<NodeId>, TooLarge> {
        if texts.is_empty() {
            return Ok(None);
        }
        let texts = self.graph.all_texts(texts)?;
        self.graph.add(Node::Texts(tag::TEXTS, texts)).map(Some)
    }

    fn list<T>(
        &mut self,
        things: impl IntoIterator<Item = T>,
        record: impl Fn(&mut Self, T) -> Result<NodeId, TooLarge>,
    ) -> Result<Option<NodeId>, TooLarge> {
        let list = things.into_iter().map(|thing| record(self, thing)).collect::<Result<Vec<_>, _>>()?;
        if list.is_empty() { Ok(None) } else { self.graph.add(Node::List(list)).map(Some) }
    }

    fn position(&self, request: &str) -> Value {
        Value::Number(self.requests.get(request).map_or(0, |position| position + 1))
    }

    fn members(&mut self, fields: &'m [Field]) -> Result<Option<NodeId>, TooLarge> {
        if fields.is_empty() { Ok(None) } else { self.fields(fields, 1).map(Some) }
    }

    fn fields(&mut self, fields: &'m [Field], depth: u32) -> Result<NodeId, TooLarge> {
        let mut entries = Vec::new();
        for field in fields {
            let name = self.graph.text(&field.name)?;
            let required = if field.required { REQUIRED } else { 0 };
            let nullable = if field.nullable { NULLABLE } else { 0 };
            entries.push(Entry { name, flags: required | nullable, shape: self.shape(&field.shape, depth)? });
        }
        self.graph.add(Node::Fields(entries))
    }

    /// A shape that lies in so many others.
    fn shape(&mut self, shape: &'m Shape, depth: u32) -> Result<ShapeRef, TooLarge> {
        self.graph.step()?;
        if depth >= DEPTH {
            return Err(TooLarge { what: "shapes inside each other", most: DEPTH });
        }
        let simple = match shape {
            Shape::Any => code::ANY,
            Shape::Boolean => code::BOOLEAN,
            Shape::True => code::TRUE,
            Shape::Integer => code::INTEGER,
            Shape::Timestamp => code::TIMESTAMP,
            Shape::Amount => code::AMOUNT,
            Shape::Number => code::NUMBER,
            Shape::Decimal => code::DECIMAL,
            Shape::String => code::STRING,
            Shape::File => code::FILE,
            Shape::Enum(values) => return self.shape_of_texts(tag::ENUM, values),
            Shape::Expandable(names) => return self.shape_of_texts(tag::EXPANDABLE, names),
            Shape::Array(inner) => return self.shape_of(tag::ARRAY, inner, depth),
            Shape::Map(inner) => return self.shape_of(tag::MAP, inner, depth),
            Shape::List(inner) => return self.shape_of(tag::LIST, inner, depth),
            Shape::Search(inner) => return self.shape_of(tag::SEARCH, inner, depth),
            Shape::Pages(inner) => return self.shape_of(tag::PAGES, inner, depth),
            Shape::Object(fields) => return self.fields(fields, depth + 1).map(ShapeRef::Cell),
            Shape::Union(parts) => {
                let parts = parts.iter().map(|p| self.shape(p, depth + 1)).collect::<Result<_, _>>()?;
                return self.graph.add(Node::Union(parts)).map(ShapeRef::Cell);
            }
            Shape::Ref(name) => {
                let name = self.graph.text(name)?;
                return self.graph.add(Node::Ref(name)).map(ShapeRef::Cell);
            }
        };
        Ok(ShapeRef::Simple(simple))
    }

    fn shape_of(&mut self, tag: u32, inner: &'m Shape, depth: u32) -> Result<ShapeRef, TooLarge> {
        let inner = self.shape(inner, depth + 1)?;
        self.graph.add(Node::Inside(tag, inner)).map(ShapeRef::Cell)
    }

    fn shape_of_texts(&mut self, tag: u32, texts: &'m [String]) -> Result<ShapeRef, TooLarge> {
        let texts: Vec<TextId> = self.graph.all_texts(texts)?;
        self.graph.add(Node::Texts(tag, texts)).map(ShapeRef::Cell)
    }
}
