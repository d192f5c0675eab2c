//! What a resource says of its objects: where values are, and how one finds them.

use stripe_table::ValueKind;
use stripe_table::model::Shape;
use toml::Spanned;

use crate::catalogue::Resource;
use crate::nearest::nearest;
use crate::problem::Report;
use crate::requests::placeholders;
use crate::shapes::describe;

use super::paths::Ids;
use super::subject::Subject;
use super::{paths, references};

/// Every resource.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    for resource in &subject.catalogue.resources {
        let (file, entry) = (resource.file.as_str(), &resource.entry);
        let owner = format!("resource `{}`", resource.name);
        let object = &entry.object;
        for inherited in entry.inherits.iter().filter(|i| *i.get_ref() != "common") {
            let hint = nearest(inherited.get_ref(), ["common"]);
            report.wrong(
                file,
                inherited,
                format!("{owner} inherits from `{}`, and there is only `common`{hint}", inherited.get_ref()),
            );
        }
        if subject.api.object(object.get_ref()).is_none() {
            let hint = nearest(object.get_ref(), subject.api.objects.keys().map(String::as_str));
            let what = format!("{owner} is object `{}`, which the facts do not have{hint}", object.get_ref());
            report.wrong(file, object, what);
            continue;
        }
        for path in entry.label.iter().chain(&entry.detail) {
            paths::shape(subject, (file, &owner), (object.get_ref(), path.get_ref()), Ids::Expanded, path, report);
        }
        for path in &entry.search_fields {
            paths::shape(subject, (file, &owner), (object.get_ref(), path.get_ref()), Ids::AsTheyAre, path, report);
        }
        for (field, mapping) in &entry.mapping {
            mapped(subject, resource, &owner, (field, mapping), report);
        }
        choices(subject, resource, &owner, report);
        search(subject, resource, &owner, report);
        retrieve(subject, resource, &owner, report);
    }
}

fn mapped(
    subject: Subject<'_>,
    resource: &Resource,
    owner: &str,
    (field, mapping): (&Spanned<String>, &Spanned<String>),
    report: &mut Report<'_>,
) {
    let file = resource.file.as_str();
    let Some((kind, places)) = mapping.get_ref().split_once(' ') else {
        let what = format!("{owner} maps `{}` to `{}`: write \"KIND PATH\"", field.get_ref(), mapping.get_ref());
        return report.wrong(file, mapping, what);
    };
    let fits: fn(&Shape) -> bool = match ValueKind::parse(kind) {
        Ok(ValueKind::Text) => |s| matches!(s, Shape::String | Shape::Enum(_) | Shape::Decimal),
        Ok(ValueKind::Integer) => |s| matches!(s, Shape::Integer),
        Ok(ValueKind::Number) => |s| matches!(s, Shape::Number),
        Ok(ValueKind::Timestamp) => |s| matches!(s, Shape::Timestamp),
        Ok(ValueKind::Money) => |s| matches!(s, Shape::Amount),
        Ok(ValueKind::Boolean) => |s| matches!(s, Shape::Boolean),
        Ok(ValueKind::Reference) => |s| matches!(s, Shape::String | Shape::Expandable(_)),
        Ok(ValueKind::Labels) => |s| matches!(s, Shape::Map(_)),
        Err(bad) => {
            let hint = nearest(kind, bad.known.iter().copied());
            return report.wrong(file, mapping, format!("`{kind}` is no kind: {}{hint}", bad.known.join(", ")));
        }
    };
    // Further paths are where older API versions keep the value: the facts of this version do not know them.
    let path = places.split(" | ").next().unwrap_or_default();
    let shape =
        paths::shape(subject, (file, owner), (resource.entry.object.get_ref(), path), Ids::AsTheyAre, mapping, report);
    if let Some(shape) = shape.filter(|s| !fits(s)) {
        report.wrong(file, mapping, format!("{owner} maps `{path}` as {kind}, and the facts say {}", describe(shape)));
    }
}

/// The list that a drop-down shows is of this object, and what must be known first is all that it needs.
fn choices(subject: Subject<'_>, resource: &Resource, owner: &str, report: &mut Report<'_>) {
    let (file, entry) = (resource.file.as_str(), &resource.entry);
    let Some(choices) = &entry.choices else {
        for need in &entry.choices_need {
            report.wrong(file, need, format!("{owner} has `choices_need` and no `choices`"));
        }
        return;
    };
    let Some(request) = references::request(subject, file, owner, choices, report) else { return };
    let listed = match &request.response {
        Shape::List(item) | Shape::Pages(item) => Some(&**item),
        _ => None,
    };
    of_object(resource, owner, (choices, listed), ("lists", "list"), report);
    let line = choices.get_ref();
    for placeholder in placeholders(line) {
        if !entry.choices_need.iter().any(|n| n.get_ref() == placeholder) {
            let what = format!("`{line}` needs `{placeholder}`: name it in `choices_need`");
            report.wrong(file, choices, what);
        }
    }
    for parameter in request.parameters.iter().filter(|p| p.required) {
        if !entry.choices_need.iter().any(|n| *n.get_ref() == parameter.name) {
            let what = format!("`{line}` needs `{}`: name it in `choices_need`", parameter.name);
            report.wrong(file, choices, what);
        }
    }
    for need in &entry.choices_need {
        let known = || placeholders(line).chain(request.parameters.iter().map(|p| p.name.as_str()));
        if !known().any(|n| n == need.get_ref()) {
            let hint = nearest(need.get_ref(), known());
            report.wrong(file, need, format!("`{line}` does not take `{}`{hint}", need.get_ref()));
        }
    }
}

fn search(subject: Subject<'_>, resource: &Resource, owner: &str, report: &mut Report<'_>) {
    let (file, entry) = (resource.file.as_str(), &resource.entry);
    let Some(search) = &entry.search else {
        if let Some(field) = entry.search_fields.first() {
            report.wrong(file, field, format!("{owner} has `search_fields` and no `search`"));
        }
        return;
    };
    if entry.search_fields.is_empty() {
        report.wrong(file, search, format!("{owner} has `search` and no `search_fields`"));
    }
    let Some(request) = references::request(subject, file, owner, search, report) else { return };
    let found = match &request.response {
        Shape::Search(item) => Some(&**item),
        _ => None,
    };
    of_object(resource, owner, (search, found), ("searches", "search"), report);
}

fn retrieve(subject: Subject<'_>, resource: &Resource, owner: &str, report: &mut Report<'_>) {
    let (file, entry) = (resource.file.as_str(), &resource.entry);
    let Some(retrieve) = &entry.retrieve else { return };
    let Some(request) = references::request(subject, file, owner, retrieve, report) else { return };
    if placeholders(retrieve.get_ref()).count() != 1 || !request.read_only {
        let what = format!("{owner} is retrieved by `{}`, which does not read one by its id alone", retrieve.get_ref());
        return report.wrong(file, retrieve, what);
    }
    of_object(resource, owner, (retrieve, Some(&request.response)), ("retrieves", "object"), report);
}

fn of_object(
    resource: &Resource,
    owner: &str,
    (line, item): (&Spanned<String>, Option<&Shape>),
    (does, form): (&str, &str),
    report: &mut Report<'_>,
) {
    let object = resource.entry.object.get_ref();
    let what = match item {
        Some(Shape::Ref(name)) if name == object => return,
        Some(Shape::Ref(name)) => {
            format!("{owner} {does} by `{}`, which is of `{name}` and not of `{object}`", line.get_ref())
        }
        _ => format!("{owner} {does} by `{}`, which answers no {form}", line.get_ref()),
    };
    report.wrong(resource.file.as_str(), line, what);
}
