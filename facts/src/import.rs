//! From an OpenAPI 3 document of Stripe's API to [`Facts`].
//!
//! Only what can be checked is taken: names, types, enums, which is required, what returns what. Descriptions,
//! titles and length hints are dropped. A construct that the model cannot express is an error, never a guess.

use serde_json::{Map, Value};

use crate::model::{Encoding, Facts, Field, Method, Operation, Shape};

/// Why a document could not be turned into facts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{at}: {problem}")]
pub struct ImportError {
    /// Where in the document, as a path of names.
    pub at: String,
    /// What is missing or not understood there.
    pub problem: String,
}

fn wrong<T>(at: &str, problem: impl Into<String>) -> Result<T, ImportError> {
    Err(ImportError { at: at.to_owned(), problem: problem.into() })
}

/// Reads an OpenAPI 3 document.
///
/// # Errors
/// The first place whose form is not understood.
pub fn from_openapi(document: &Value) -> Result<Facts, ImportError> {
    let Some(api_version) = document.pointer("/info/version").and_then(Value::as_str) else {
        return wrong("info.version", "is missing");
    };
    let mut facts = Facts {
        api_version: api_version.to_owned(),
        operations: Vec::new(),
        objects: Default::default(),
        event_types: Vec::new(),
    };
    for (name, schema) in members(document.pointer("/components/schemas")) {
        let shape = shape(schema, name)?;
        if !matches!(shape, Shape::Object(_)) {
            return wrong(name, "is not an object schema");
        }
        facts.objects.insert(name.clone(), shape);
    }
    for (path, methods) in members(document.get("paths")) {
        for (method, operation) in members(Some(methods)) {
            let Some(method) = Method::parse(&method.to_uppercase()) else {
                return wrong(path, format!("method {method}"));
            };
            facts.operations.push(self::operation(method, path, operation)?);
        }
    }
    facts.operations.sort_by(|a, b| (&a.path, a.method).cmp(&(&b.path, b.method)));
    facts.event_types = event_types(&facts)?;
    Ok(facts)
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn operation(method: Method, path: &str, source: &Value) -> Result<Operation, ImportError> {
    let at = format!("{} {path}", method.as_str());
    let mut parameters = Vec::new();
    for parameter in source["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "query") {
        let Some(name) = parameter["name"].as_str() else { return wrong(&at, "a parameter without a name") };
        let shape = shape(&parameter["schema"], &format!("{at}.{name}"))?;
        let required = parameter["required"] == true;
        parameters.push(Field { name: name.to_owned(), required, nullable: false, shape });
    }
    let mut encoding = if path.starts_with("/v2/") { Encoding::Json } else { Encoding::Form };
    if let Some((kind, content)) = members(source.pointer("/requestBody/content")).next() {
        encoding = match kind.as_str() {
            "application/x-www-form-urlencoded" if path.starts_with("/v1/") => Encoding::Form,
            // Documents list an empty form body on v2's GET and DELETE.
            "application/x-www-form-urlencoded" | "application/json" => Encoding::Json,
            "multipart/form-data" => Encoding::Multipart,
            other => return wrong(&at, format!("body of type {other}")),
        };
        match shape(&content["schema"], &at)? {
            Shape::Object(fields) => parameters.extend(fields),
            Shape::Any => {}
            _ => return wrong(&at, "a body that is not an object"),
        }
    }
    parameters.sort_by(|a, b| a.name.cmp(&b.name));
    let Some(name) = source["x-sdk"].as_str().or_else(|| source["operationId"].as_str()) else {
        return wrong(&at, "has no operationId");
    };
    let base = source["x-base"].as_str().map(str::to_owned);
    let response = match members(source.pointer("/responses/200/content")).next() {
        Some((_, content)) => response(&content["schema"], &at)?,
        None => Shape::Any,
    };
    Ok(Operation { method, path: path.to_owned(), encoding, name: name.to_owned(), base, parameters, response })
}

/// A response keeps references to objects; a one-off inline object says no more than that it is some object.
fn response(schema: &Value, at: &str) -> Result<Shape, ImportError> {
    Ok(match shape(schema, at)? {
        Shape::Object(_) => Shape::Any,
        other => other,
    })
}

fn shape(schema: &Value, at: &str) -> Result<Shape, ImportError> {
    let Some(schema) = schema.as_object() else { return wrong(at, "a schema that is not an object") };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return Ok(Shape::Ref(target.rsplit('/').next().unwrap_or(target).to_owned()));
    }
    if let Some(parts) = schema.get("anyOf").and_then(Value::as_array) {
        let parts = parts.iter().map(|p| shape(p, at)).collect::<Result<Vec<_>, _>>()?;
        return Ok(if schema.contains_key("x-expansionResources") { expandable(parts, at)? } else { union(parts) });
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return enumeration(values, at);
    }
    let plain = match schema.get("type").and_then(Value::as_str) {
        None => Shape::Any,
        Some("boolean") => Shape::Boolean,
        Some("integer") => Shape::Integer,
        Some("number") => Shape::Number,
        Some("string") if schema.get("format").is_some_and(|f| f == "decimal") => Shape::Decimal,
        Some("string") => Shape::String,
        Some("array") => {
            Shape::Array(Box::new(shape(schema.get("items").unwrap_or(&Value::Null), &format!("{at}[]"))?))
        }
        Some("object") => object(schema, at)?,
        Some(other) => return wrong(at, format!("type {other}")),
    };
    let emptyable = schema.get("x-emptyable").is_some_and(|v| v == true);
    Ok(if emptyable { union(vec![Shape::empty_string(), plain]) } else { plain })
}

fn enumeration(values: &[Value], at: &str) -> Result<Shape, ImportError> {
    if values.len() == 1 && values.first().is_some_and(|v| v == true) {
        return Ok(Shape::True);
    }
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        match value.as_str() {
            Some(text) if text.contains([' ', '(', ')', '\n']) => return wrong(at, format!("enum value {text:?}")),
            Some(text) => texts.push(text.to_owned()),
            None => return wrong(at, format!("enum value {value}")),
        }
    }
    Ok(Shape::Enum(texts.into()))
}

fn union(parts: Vec<Shape>) -> Shape {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Shape::Union(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.dedup();
    // A choice that includes "anything" is anything.
    if flat.contains(&Shape::Any) {
        return Shape::Any;
    }
    if flat.len() == 1 { flat.swap_remove(0) } else { Shape::Union(flat) }
}

fn expandable(parts: Vec<Shape>, at: &str) -> Result<Shape, ImportError> {
    let mut names = Vec::new();
    for part in parts {
        match part {
            Shape::String => {}
            Shape::Ref(name) => names.push(name),
            Shape::Any => return Ok(Shape::Any),
            Shape::Union(inner) if inner.iter().all(|s| matches!(s, Shape::Ref(_))) => {
                names
                    .extend(inner.into_iter().filter_map(|s| if let Shape::Ref(name) = s { Some(name) } else { None }));
            }
            // An object without a schema of its own: the id, or that object.
            inline @ Shape::Object(_) => return Ok(Shape::Union(vec![Shape::String, inline])),
            other => return wrong(at, format!("expands to {other:?}")),
        }
    }
    Ok(Shape::Expandable(names))
}

fn object(schema: &Map<String, Value>, at: &str) -> Result<Shape, ImportError> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(match schema.get("additionalProperties") {
            Some(inner @ Value::Object(_)) => Shape::Map(Box::new(shape(inner, &format!("{at}{{}}"))?)),
            _ => Shape::Map(Box::new(Shape::Any)),
        });
    };
    if let Some(page) = page(properties, at)? {
        return Ok(page);
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::with_capacity(properties.len());
    for (name, property) in properties {
        fields.push(Field {
            name: on_the_wire(name).to_owned(),
            required: required.contains(&name.as_str()),
            nullable: property["nullable"] == true,
            shape: shape(property, &format!("{at}.{name}"))?,
        });
    }
    // The order of the document means nothing; ours is one that diffs well.
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Shape::Object(fields))
}

/// The three envelopes that lists of objects come in.
/// The name that a member has in JSON: a document that was read out of Python classes has an underscore behind
/// names that Python keeps for itself.
fn on_the_wire(name: &str) -> &str {
    const KEYWORDS: &[&str] = &["as", "class", "def", "del", "for", "from", "global", "if", "import", "in", "is"];
    name.strip_suffix('_').filter(|n| KEYWORDS.contains(n)).unwrap_or(name)
}

fn page(properties: &Map<String, Value>, at: &str) -> Result<Option<Shape>, ImportError> {
    let Some(items) = properties.get("data").and_then(|d| d.get("items")) else { return Ok(None) };
    let wrap: fn(Box<Shape>) -> Shape = if properties.contains_key("next_page_url") {
        Shape::Pages
    } else if properties.get("object").is_some_and(|o| o.pointer("/enum/0").is_some_and(|v| v == "search_result")) {
        Shape::Search
    } else if properties.contains_key("has_more") && properties.contains_key("url") {
        Shape::List
    } else {
        return Ok(None);
    };
    Ok(Some(wrap(Box::new(shape(items, &format!("{at}.data[]"))?))))
}

/// The event types are the values that a webhook endpoint's `enabled_events` takes, without `*`.
fn event_types(facts: &Facts) -> Result<Vec<String>, ImportError> {
    const AT: &str = "POST /v1/webhook_endpoints";
    let parameter = facts.operation(Method::Post, "/v1/webhook_endpoints").and_then(|o| o.parameter("enabled_events"));
    match parameter.map(|p| &p.shape) {
        Some(Shape::Array(item)) => match item.as_ref() {
            Shape::Enum(values) => {
                let mut types: Vec<String> = values.iter().filter(|v| *v != "*").cloned().collect();
                types.sort();
                Ok(types)
            }
            _ => wrong(AT, "`enabled_events` is not a list of enum values"),
        },
        _ => wrong(AT, "has no list `enabled_events`"),
    }
}
