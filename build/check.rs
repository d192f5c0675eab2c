//! Holds the manifest against the facts: every name that it uses must exist there and be of the right type.

use std::collections::BTreeSet;

use stripe_facts::{Facts, Field, Method, Operation as Fact, Shape};
use toml::{Spanned, Value};

use super::manifest::{FieldText, Manifest, Operation, Resource, Rule, Safety, Table};

/// One thing to mend in the manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place in the file, in bytes.
    pub at: usize,
    /// What is wrong there, and what would be right where that is known.
    pub what: String,
}

struct Checker<'a> {
    manifest: &'a Manifest,
    facts: &'a Facts,
    problems: Vec<Problem>,
    used_fields: BTreeSet<&'a str>,
    missing_request: bool,
}

/// Everything that is wrong with the manifest, in the order of the file.
pub fn check(manifest: &Manifest, facts: &Facts) -> Vec<Problem> {
    let mut checker =
        Checker { manifest, facts, problems: Vec::new(), used_fields: BTreeSet::new(), missing_request: false };
    checker.connector();
    checker.resources();
    checker.operations();
    checker.triggers();
    checker.probes();
    checker.field_texts();
    checker.problems.sort_by_key(|p| p.at);
    checker.problems
}

/// The operation of the facts that `METHOD /path/{placeholder}` means. Placeholders may have names of our own.
pub fn find_request<'f>(facts: &'f Facts, request: &str) -> Option<&'f Fact> {
    let (method, path) = request.split_once(' ')?;
    let method = Method::parse(method)?;
    let form =
        |path: &str| path.split('/').map(|s| if s.starts_with('{') { "{}" } else { s }).collect::<Vec<_>>().join("/");
    let wanted = form(path);
    facts.operations.iter().find(|o| o.method == method && form(&o.path) == wanted)
}

/// The placeholders of a request line, left to right.
pub fn placeholders(request: &str) -> impl Iterator<Item = &str> {
    request.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
}

/// The name out of `names` that a person most likely meant.
fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    names
        .into_iter()
        .map(|name| (strsim::levenshtein(wanted, name), name))
        .min()
        .filter(|(distance, _)| *distance <= wanted.len().div_ceil(3))
        .map(|(_, name)| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}

impl<'a> Checker<'a> {
    fn wrong<T>(&mut self, place: &Spanned<T>, what: String) {
        self.problems.push(Problem { at: place.span().start, what });
    }

    fn connector(&mut self) {
        let version = &self.manifest.connector.api_version;
        if *version.get_ref() != self.facts.api_version {
            let what =
                format!("api_version is `{}`, and the facts are of `{}`", version.get_ref(), self.facts.api_version);
            self.wrong(version, what);
        }
        let version = &self.manifest.connector.version;
        if option_env!("CARGO_PKG_VERSION").is_some_and(|package| package != version.get_ref()) {
            self.wrong(version, format!("version is `{}`, and the package's another", version.get_ref()));
        }
    }

    fn request(&mut self, owner: &str, request: &Spanned<String>) -> Option<&'a Fact> {
        let facts = self.facts;
        let found = find_request(facts, request.get_ref());
        if found.is_none() {
            self.missing_request = true;
            let lines: Vec<String> =
                facts.operations.iter().map(|o| format!("{} {}", o.method.as_str(), o.path)).collect();
            let hint = nearest(request.get_ref(), lines.iter().map(String::as_str));
            let what = format!(
                "{owner} sends `{}`, which the API {} does not have{hint}",
                request.get_ref(),
                facts.api_version
            );
            self.wrong(request, what);
        }
        found
    }

    fn resource(&mut self, owner: &str, name: &Spanned<String>) {
        let manifest = self.manifest;
        if !manifest.resources.contains_key(name) {
            let hint = nearest(name.get_ref(), manifest.resources.keys().map(|k| k.get_ref().as_str()));
            self.wrong(
                name,
                format!("{owner} names resource `{}`, which has no entry in [resources]{hint}", name.get_ref()),
            );
        }
    }

    fn resources(&mut self) {
        for (name, resource) in &self.manifest.resources {
            let owner = format!("resource `{}`", name.get_ref());
            let object = &resource.object;
            if self.facts.object(object.get_ref()).is_none() {
                let hint = nearest(object.get_ref(), self.facts.objects.keys().map(String::as_str));
                self.wrong(
                    object,
                    format!("{owner} is object `{}`, which the facts do not have{hint}", object.get_ref()),
                );
                continue;
            }
            for path in resource.label.iter().chain(&resource.detail) {
                self.path(&owner, object.get_ref(), path, path.get_ref());
            }
            for (field, mapping) in &resource.mapping {
                self.mapping(&owner, resource, field, mapping);
            }
            for request in resource.choices.iter().chain(&resource.search) {
                self.request(&owner, request);
            }
            for field in &resource.search_fields {
                self.path(&owner, object.get_ref(), field, field.get_ref());
            }
            if resource.search.is_some() && resource.search_fields.is_empty() {
                self.wrong(name, format!("{owner} has `search` and no `search_fields`"));
            }
        }
    }

    fn mapping(&mut self, owner: &str, resource: &Resource, field: &Spanned<String>, mapping: &Spanned<String>) {
        let Some((kind, paths)) = mapping.get_ref().split_once(' ') else {
            return self.wrong(
                mapping,
                format!("{owner} maps `{}` to `{}`: write \"KIND PATH\"", field.get_ref(), mapping.get_ref()),
            );
        };
        let fits: fn(&Shape) -> bool = match kind {
            "text" => |s| matches!(s, Shape::String | Shape::Enum(_) | Shape::Decimal),
            "integer" | "timestamp" | "money" => |s| matches!(s, Shape::Integer),
            "boolean" => |s| matches!(s, Shape::Boolean),
            "reference" => |s| matches!(s, Shape::String | Shape::Expandable(_)),
            "labels" => |s| matches!(s, Shape::Map(_)),
            _ => {
                let what =
                    format!("`{kind}` is no kind: text, integer, boolean, timestamp, money, reference or labels");
                return self.wrong(mapping, what);
            }
        };
        let mut alternatives = paths.split(" | ");
        let Some(path) = alternatives.next() else { return };
        // Further paths are where older API versions keep the value: the facts of this version do not know them.
        if let Some(shape) = self.path(owner, resource.object.get_ref(), mapping, path)
            && !fits(shape)
        {
            self.wrong(mapping, format!("{owner} maps `{path}` as {kind}, and the facts say {}", describe(shape)));
        }
    }

    /// Follows `a.b.0.c` through an object schema.
    fn path<T>(&mut self, owner: &str, object: &str, place: &Spanned<T>, path: &str) -> Option<&'a Shape> {
        let facts = self.facts;
        let mut fields: &'a [Field] = facts.object(object)?;
        let mut found: Option<&'a Shape> = None;
        for segment in path.split('.') {
            if let (Some(Shape::Array(inner)), Ok(_)) = (found, segment.parse::<usize>()) {
                found = Some(inner);
                fields = members(facts, inner);
                continue;
            }
            if let (Some(Shape::List(inner)), "data") = (found, segment) {
                found = Some(&**inner);
                fields = members(facts, inner);
                continue;
            }
            if let (Some(_), Ok(_)) = (found, segment.parse::<usize>()) {
                continue;
            }
            let Some(field) = fields.iter().find(|f| f.name == segment) else {
                let hint = nearest(segment, fields.iter().map(|f| f.name.as_str()));
                self.wrong(place, format!("{owner} reads `{path}`: object `{object}` has no `{segment}`{hint}"));
                return None;
            };
            found = Some(&field.shape);
            fields = members(facts, &field.shape);
        }
        found
    }

    fn operations(&mut self) {
        let manifest = self.manifest;
        let mut names = BTreeSet::new();
        for (kind, table) in [("action", &manifest.actions), ("query", &manifest.queries)] {
            for (id, operation) in table {
                let owner = format!("{kind} `{}`", id.get_ref());
                for name in std::iter::once(id).chain(&operation.aliases) {
                    if !names.insert(name.get_ref()) {
                        self.wrong(
                            name,
                            format!("{owner} has the name `{}`, which another operation has", name.get_ref()),
                        );
                    }
                }
                self.operation(&owner, operation, kind == "query");
            }
        }
    }

    fn operation(&mut self, owner: &str, operation: &'a Operation, is_query: bool) {
        self.resource(owner, &operation.resource);
        let Some(fact) = self.request(owner, &operation.request) else { return };
        self.safety(owner, operation, fact, is_query);
        let mut inputs: Vec<Field> = placeholders(operation.request.get_ref())
            .map(|name| Field { name: name.to_owned(), required: true, nullable: false, shape: Shape::String })
            .collect();
        inputs.extend(fact.parameters.iter().cloned());
        for name in operation.hook.iter().flat_map(|h| h.extra_fields()) {
            inputs.push(Field { name: (*name).to_owned(), required: false, nullable: false, shape: Shape::Boolean });
        }
        for (virtual_name, minor) in &operation.major_units {
            let shape = inputs.iter().find(|f| f.name == *minor.get_ref()).map(|f| &f.shape);
            match shape {
                Some(Shape::Integer) => inputs.push(Field {
                    name: virtual_name.get_ref().clone(),
                    required: false,
                    nullable: false,
                    shape: Shape::Decimal,
                }),
                Some(other) => {
                    let what = format!(
                        "{owner} takes `{}` in major units, and the facts say {}",
                        minor.get_ref(),
                        describe(other)
                    );
                    self.wrong(minor, what);
                }
                None => self.unknown_parameter(owner, operation, minor, &inputs),
            }
        }
        for name in operation.show.iter().chain(&operation.one_of).chain(operation.fields.keys()) {
            if !inputs.iter().any(|f| f.name == *name.get_ref()) {
                self.unknown_parameter(owner, operation, name, &inputs);
            }
        }
        for (name, text) in &operation.fields {
            let shape = inputs.iter().find(|f| f.name == *name.get_ref()).map(|f| &f.shape);
            self.field_text(owner, name, text, shape);
        }
        for field in &inputs {
            if let Some((name, _)) = self.manifest.fields.get_key_value(field.name.as_str()) {
                self.used_fields.insert(name.get_ref());
            }
        }
        let sample = Value::Table(operation.sample.get_ref().clone());
        self.value(owner, &operation.sample, "sample", &sample, &inputs, true);
        if let Some(defaults) = &operation.defaults {
            self.value(owner, defaults, "defaults", &Value::Table(defaults.get_ref().clone()), &inputs, false);
        }
    }

    fn unknown_parameter(&mut self, owner: &str, operation: &Operation, name: &Spanned<String>, inputs: &[Field]) {
        let hint = nearest(name.get_ref(), inputs.iter().map(|f| f.name.as_str()));
        let what = format!(
            "{owner} shows parameter `{}`, which `{}` does not have{hint}",
            name.get_ref(),
            operation.request.get_ref()
        );
        self.wrong(name, what);
    }

    fn safety(&mut self, owner: &str, operation: &Operation, fact: &Fact, is_query: bool) {
        let safety = *operation.safety.get_ref();
        if is_query != (safety == Safety::Read) {
            self.wrong(&operation.safety, format!("{owner}: queries, and only queries, have safety `read`"));
        } else if is_query != (fact.method == Method::Get) {
            self.wrong(&operation.request, format!("{owner}: queries, and only queries, are GET requests"));
        } else if fact.method == Method::Delete && safety != Safety::Destroy {
            self.wrong(&operation.safety, format!("{owner} deletes, so its safety is `destroy`"));
        }
    }

    fn value(
        &mut self,
        owner: &str,
        place: &Spanned<toml::Table>,
        what: &str,
        value: &Value,
        fields: &[Field],
        whole: bool,
    ) {
        if let Err(problem) = check_fields(self.facts, value, fields, what, whole) {
            self.wrong(place, format!("{owner}: {problem}"));
        }
    }

    fn field_text(&mut self, owner: &str, name: &Spanned<String>, text: &FieldText, shape: Option<&Shape>) {
        if let Some(picks) = &text.picks {
            self.resource(owner, picks);
        }
        let (Some(rule), Some(shape)) = (&text.rule, shape) else { return };
        let fits = match rule.get_ref() {
            Rule::Amount | Rule::PositiveAmount => matches!(shape, Shape::Integer),
            Rule::Currency => matches!(shape, Shape::String),
        };
        if !fits {
            let what =
                format!("{owner}: `{}` has a rule for another type; the facts say {}", name.get_ref(), describe(shape));
            self.wrong(rule, what);
        }
    }

    fn triggers(&mut self) {
        let mut names = BTreeSet::new();
        for (id, trigger) in &self.manifest.triggers {
            let owner = format!("trigger `{}`", id.get_ref());
            self.resource(&owner, &trigger.resource);
            for name in std::iter::once(id).chain(&trigger.aliases) {
                if !names.insert(name.get_ref()) {
                    self.wrong(name, format!("{owner} has the name `{}`, which another trigger has", name.get_ref()));
                }
            }
            if self.facts.event_types.binary_search(trigger.event.get_ref()).is_err() {
                let hint = nearest(trigger.event.get_ref(), self.facts.event_types.iter().map(String::as_str));
                let what = format!(
                    "{owner} listens to event `{}`, which the API does not send{hint}",
                    trigger.event.get_ref()
                );
                self.wrong(&trigger.event, what);
            }
        }
    }

    fn probes(&mut self) {
        let manifest = self.manifest;
        for probe in &manifest.connection.probes {
            self.request("a connection probe", &probe.request);
            for operation in &probe.operations {
                let known = |table: &Table<Operation>| table.contains_key(operation);
                if !known(&manifest.actions) && !known(&manifest.queries) {
                    self.wrong(
                        operation,
                        format!("a connection probe names operation `{}`, which has no entry", operation.get_ref()),
                    );
                }
            }
        }
    }

    /// The texts that apply everywhere must apply somewhere. An operation that is not there says nothing of its fields.
    fn field_texts(&mut self) {
        for (name, text) in &self.manifest.fields {
            if !self.missing_request && !self.used_fields.contains(name.get_ref().as_str()) {
                self.wrong(name, format!("no operation has a parameter `{}`", name.get_ref()));
            }
            self.field_text("[fields]", name, text, None);
        }
    }
}

fn members<'f>(facts: &'f Facts, shape: &'f Shape) -> &'f [Field] {
    match shape {
        Shape::Object(fields) => fields,
        Shape::Ref(name) => facts.object(name).unwrap_or_default(),
        Shape::Array(inner) => members(facts, inner),
        _ => &[],
    }
}

fn check_fields(facts: &Facts, value: &Value, fields: &[Field], path: &str, whole: bool) -> Result<(), String> {
    let Value::Table(table) = value else { return Err(format!("`{path}` must be a table")) };
    for (name, value) in table {
        let path = format!("{path}.{name}");
        let field = fields.iter().find(|f| f.name == *name).ok_or_else(|| {
            format!("`{path}` is no parameter{}", nearest(name, fields.iter().map(|f| f.name.as_str())))
        })?;
        check_value(facts, value, &field.shape, &path)?;
    }
    match fields.iter().find(|f| whole && f.required && !table.contains_key(&f.name)) {
        Some(field) => Err(format!("`{path}` lacks the required `{}`", field.name)),
        None => Ok(()),
    }
}

fn check_value(facts: &Facts, value: &Value, shape: &Shape, path: &str) -> Result<(), String> {
    let fits = match (shape, value) {
        (Shape::Any, _) | (Shape::String | Shape::Decimal | Shape::Expandable(_), Value::String(_)) => true,
        (Shape::Boolean, Value::Boolean(_)) | (Shape::Integer, Value::Integer(_)) => true,
        (Shape::Number, Value::Integer(_) | Value::Float(_)) => true,
        (Shape::Enum(values), Value::String(text)) => values.contains(text),
        (Shape::Array(inner), Value::Array(items)) => {
            return items
                .iter()
                .enumerate()
                .try_for_each(|(i, v)| check_value(facts, v, inner, &format!("{path}[{i}]")));
        }
        (Shape::Map(inner), Value::Table(table)) => {
            return table.iter().try_for_each(|(k, v)| check_value(facts, v, inner, &format!("{path}.{k}")));
        }
        (Shape::Object(fields), Value::Table(_)) => return check_fields(facts, value, fields, path, true),
        (Shape::Union(parts), _) => {
            let mut results = parts.iter().map(|p| check_value(facts, value, p, path));
            return results.clone().find(Result::is_ok).or_else(|| results.next_back()).unwrap_or(Ok(()));
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("`{path}` is `{value}`, and the facts say {}", describe(shape))) }
}

fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".into(),
        Shape::Boolean | Shape::True => "a boolean".into(),
        Shape::Integer => "an integer".into(),
        Shape::Number => "a number".into(),
        Shape::Decimal => "a decimal number as text".into(),
        Shape::String => "text".into(),
        Shape::Enum(values) if values.len() <= 12 => format!("one of {}", values.join(", ")),
        Shape::Enum(_) => "a closed list of values".into(),
        Shape::Array(_) => "a list".into(),
        Shape::Map(_) | Shape::Object(_) | Shape::Ref(_) => "an object".into(),
        Shape::Union(parts) => parts.iter().map(describe).collect::<Vec<_>>().join(" or "),
        Shape::Expandable(_) => "an id".into(),
        Shape::List(_) | Shape::Search(_) | Shape::Pages(_) => "a page of objects".into(),
    }
}
