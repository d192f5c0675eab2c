//! One thing that can be run: an entry of the catalogue, or a request of the API that has none.

use stripe_table::{
    Alias, Encoding, Fields, Meaning, Method, Operation as Curated, OperationKind, Request, Safety, Shape, Texts,
};

use crate::json::Doc;

/// An action or query.
///
/// Whatever people have not said of a plain request is taken at its most careful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    request: Request<'static>,
    curated: Option<Curated<'static>>,
    /// The place of the alias that it was asked for by among all of them: an operation is handed about by value.
    alias: Option<u16>,
}

impl Operation {
    /// An entry of the catalogue; none where it has no request, which the build refuses.
    pub fn curated(entry: Curated<'static>) -> Option<Self> {
        Some(Self { request: entry.request()?, curated: Some(entry), alias: None })
    }

    /// A request of the API, as it is.
    pub fn plain(request: Request<'static>) -> Self {
        Self { request, curated: None, alias: None }
    }

    /// An entry of the catalogue under the first name with fields of its own that is wanted.
    pub fn renamed(wanted: &dyn Fn(&str) -> bool) -> Option<Self> {
        let table = super::embedded::table().ok()?;
        let (place, alias) = (0..).zip(table.aliases()).find(|(_, alias)| wanted(alias.name()))?;
        let entry = table.operation(alias.operation()).iter().find(|o| o.kind() == alias.kind())?;
        Some(Self { alias: Some(place), ..Self::curated(entry)? })
    }

    /// The name with fields of its own under which it was asked for.
    pub fn alias(self) -> Option<Alias<'static>> {
        let place = self.alias?;
        super::embedded::table().ok()?.aliases().get(place.into())
    }

    /// What people have said of it; none for a plain request.
    pub fn entry(self) -> Option<Curated<'static>> {
        self.curated
    }

    /// The request that it sends.
    pub fn request(self) -> Request<'static> {
        self.request
    }

    /// Its id: `customer.create`, `v1.customers.create` for a plain request, or the name with fields of its own.
    pub fn id(self) -> &'static str {
        let entry = || self.curated.map_or_else(|| self.request.id(), Curated::id);
        self.alias().map_or_else(entry, Alias::name)
    }

    /// Its id as a name that every agent API takes: letters, digits and `_`, at most 64 (which the build sees to):
    /// `customer_create`.
    pub fn tool_name(self) -> String {
        self.id().replace(['.', '-'], "_")
    }

    /// Action or query.
    pub fn kind(self) -> OperationKind {
        match self.curated {
            Some(entry) => entry.kind(),
            None if self.reads() => OperationKind::Query,
            None => OperationKind::Action,
        }
    }

    /// Whether its request changes nothing.
    pub fn reads(self) -> bool {
        self.request.method() == Method::Get || self.request.read_only()
    }

    /// Its title.
    pub fn title(self) -> String {
        match self.curated {
            Some(entry) => entry.title(),
            None => plain_title(self.request.id()),
        }
    }

    /// What it does, in a sentence.
    pub fn description(self) -> String {
        match self.curated {
            Some(entry) => entry.description(),
            None => {
                ["Stripe's own ", self.request.method().name(), " ", self.request.path(), ", as its reference has it."]
                    .concat()
            }
        }
    }

    /// The resource that it is about; empty for a plain request of which none is known.
    pub fn resource(self) -> &'static str {
        match self.curated {
            Some(entry) => entry.resource(),
            None => super::embedded::table()
                .ok()
                .zip(self.answers_with())
                .and_then(|(table, object)| table.resource_of_object(object))
                .map_or("", |resource| resource.name()),
        }
    }

    /// The object schema that its answer is, or lists.
    pub fn answers_with(self) -> Option<&'static str> {
        match self.request.response() {
            Shape::Ref(name) => Some(name),
            Shape::List(item) | Shape::Search(item) | Shape::Pages(item) => match item.get() {
                Shape::Ref(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// How careful one has to be with it. What a plain request does is not known here, so it may move money.
    pub fn safety(self) -> Safety {
        match (self.curated, self.request.method()) {
            (Some(entry), _) => entry.safety(),
            (None, _) if self.reads() => Safety::Read,
            (None, Method::Delete) => Safety::Destroy,
            (None, _) => Safety::MoveMoney,
        }
    }

    /// Other ids that mean it.
    pub fn aliases(self) -> Vec<&'static str> {
        let mut all = texts(self.curated.map(Curated::aliases));
        if let Some(alias) = self.alias() {
            all.retain(|name| *name != alias.name());
            all.insert(0, alias.operation());
        }
        all
    }

    /// The input fields that fill the path's placeholders, left to right.
    pub fn path_fields(self) -> Vec<&'static str> {
        match self.curated {
            Some(entry) => entry.path_fields().iter().collect(),
            None => self.request.path_names().collect(),
        }
    }

    /// Its other parameters.
    pub fn parameters(self) -> Fields<'static> {
        self.request.parameters()
    }

    /// Input fields that its hook adds.
    pub fn extra(self) -> Option<Fields<'static>> {
        self.curated.map(Curated::extra)
    }

    /// The input fields to show first, in order; none for a plain request.
    pub fn shown(self) -> Vec<&'static str> {
        texts(self.curated.map(Curated::shown))
    }

    /// Input fields in major units, and the parameter in minor units that each stands for.
    pub fn major_units(self) -> Vec<(&'static str, &'static str)> {
        self.curated.map(|entry| entry.major_units().iter().collect()).unwrap_or_default()
    }

    /// Input fields of which exactly one must be given.
    pub fn one_of(self) -> Vec<&'static str> {
        texts(self.curated.map(Curated::one_of))
    }

    /// The id of the action that takes back what it did; empty for none.
    pub fn inverse(self) -> &'static str {
        self.curated.map_or("", Curated::inverse)
    }

    /// What is said of the input field at this path, `items.price`.
    pub fn meaning(self, path: &str) -> Option<Meaning<'static>> {
        self.curated?.meaning(path)
    }

    /// Whether the text at this path is a time. What travels as JSON writes times as text, and the facts know it only
    /// by these names, which are v2's.
    pub fn is_time_in_text(self, path: &str) -> bool {
        let (around, name) = path.rsplit_once('.').unwrap_or(("", path));
        let of_a_range = |name: &str| matches!(name, "gt" | "gte" | "lt" | "lte");
        self.request.encoding() == Encoding::Json
            && match name {
                "created" | "timestamp" | "start_time" | "end_time" => true,
                _ => name.strip_prefix("created_").is_some_and(of_a_range) || (around == "created" && of_a_range(name)),
            }
    }

    /// Values of input fields that are left out, as a JSON object; empty for none.
    pub fn defaults(self) -> &'static str {
        self.curated.map_or("", Curated::defaults)
    }

    /// Values that are always sent and nobody gives, as a JSON object; empty for none.
    pub fn fixed(self) -> &'static str {
        self.curated.map_or("", Curated::fixed)
    }

    /// The name of its hook; empty for none.
    pub fn hook(self) -> &'static str {
        self.curated.map_or("", Curated::hook)
    }

    /// Every name that its input may have.
    pub fn input_names(self) -> Vec<&'static str> {
        let mut names = self.path_fields();
        names.extend(self.parameters().iter().map(stripe_table::Field::name));
        names.extend(self.extra().into_iter().flatten().map(stripe_table::Field::name));
        names.extend(self.major_units().into_iter().map(|(major, _)| major));
        if let Ok(fixed) = Doc::scan_str(self.fixed()) {
            names.retain(|name| fixed.root().get(name).is_none());
        }
        names
    }
}

fn texts(texts: Option<Texts<'static>>) -> Vec<&'static str> {
    texts.map(|texts| texts.iter().collect()).unwrap_or_default()
}

/// `Test helpers, test clocks: advance` of `v1.test_helpers.test_clocks.advance`.
fn plain_title(id: &str) -> String {
    let (path, verb) = id.rsplit_once('.').unwrap_or(("", id));
    let mut out = String::with_capacity(id.len() + 8);
    for part in path.split('.').skip(1) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        spaced(part, &mut out);
    }
    if let Some(first) = out.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    out.push_str(": ");
    spaced(verb, &mut out);
    if path.starts_with("v2") {
        out.push_str(" (v2)");
    }
    out
}

fn spaced(part: &str, out: &mut String) {
    out.extend(part.chars().map(|c| if c == '_' { ' ' } else { c }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{operation, table};

    #[test]
    fn a_plain_request_is_taken_at_its_most_careful() {
        let of = |id: &str| operation(id, None).expect(id);
        assert_eq!(
            (of("v1.customers.create").kind(), of("v1.customers.create").safety()),
            (OperationKind::Action, Safety::MoveMoney)
        );
        assert_eq!(
            (of("v1.customers.list").kind(), of("v1.customers.list").safety()),
            (OperationKind::Query, Safety::Read)
        );
        assert_eq!(of("v1.customers.delete").safety(), Safety::Destroy);
        assert_eq!(of("v1.invoices.create_preview").kind(), OperationKind::Query);
    }

    #[test]
    fn both_kinds_have_every_part() {
        for (id, name, title) in [
            ("customer.create", "customer_create", "Create a customer"),
            ("v1.customers.create", "v1_customers_create", "Customers: create"),
        ] {
            let found = operation(id, None).expect(id);
            assert_eq!((found.id(), found.tool_name().as_str(), found.title().as_str()), (id, name, title));
            assert_eq!(found.resource(), "customer");
            assert!(found.parameters().get("email").is_some());
            assert!(!found.description().is_empty());
        }
        let retrieve = operation("v1.customers.retrieve", None).expect("there");
        assert_eq!(retrieve.path_fields(), ["customer"]);
    }

    #[test]
    fn every_tool_name_is_one() {
        let mut names = std::collections::BTreeSet::new();
        for request in table().expect("opens").requests() {
            let name = Operation::plain(request).tool_name();
            assert!(name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "{name}");
            assert!(names.insert(name), "{} shares its name", request.id());
        }
    }

    #[test]
    fn titles_of_plain_requests_read_as_words() {
        assert_eq!(plain_title("v1.test_helpers.test_clocks.advance"), "Test helpers, test clocks: advance");
        assert_eq!(plain_title("v2.core.accounts.close"), "Core, accounts: close (v2)");
    }
}
