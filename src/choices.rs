//! Searchable, paged drop-downs of a resource's objects.
//!
//! What the user typed is an id, which finds that object; or words for Stripe's search, where the resource has one; or,
//! where it has none, what the list is narrowed to here. Some lists are somebody's: a customer's payment methods. Whose,
//! the input so far says.

use serde_json::{Map, Value};

use crate::alias;
use crate::catalogue::{self, Entry, Operation, Request, Resource, Shape, Texts, did_you_mean};
use crate::error::{Error, ErrorKind, Result};
use crate::input;
use crate::json::Node;
use crate::mapping;
use crate::operation::page::Paging;
use crate::operation::request::filled;
use crate::operation::session::{Metadata, Session};
use crate::stripe::client::{Answer, Call, Expected};
use crate::stripe::form;

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The object's id.
    pub value: String,
    /// What to show.
    pub label: String,
    /// What to show beside it.
    pub detail: Option<String>,
}

/// One page of entries.
#[derive(Debug)]
pub struct Choices {
    /// In Stripe's order.
    pub choices: Vec<Choice>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How it came about.
    pub metadata: Metadata,
}

/// The field that a choice is for.
#[derive(Debug, Clone, Copy)]
pub struct ForField<'a> {
    /// The operation's id or alias.
    pub operation: &'a str,
    /// The field, as a path.
    pub field: &'a str,
    /// The input as far as it is filled in.
    pub input: &'a str,
}

/// What to list.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The resource's name.
    pub resource: &'a str,
    /// The field that is being filled, where it is one.
    pub for_field: Option<ForField<'a>>,
    /// What the user typed.
    pub search: Option<&'a str>,
    /// Where the page begins.
    pub cursor: Option<&'a str>,
    /// How many.
    pub limit: Option<u32>,
}

/// How many characters Stripe's search needs to find a part of a value.
const SHORTEST_SEARCH: usize = 3;
/// How many requests look for something that fits, at most.
const MOST_REQUESTS: u32 = 10;
/// What stands as an object in an answer; an empty list is not sent.
const EXPAND: &str = "expand";
/// Stripe's largest page.
const LARGEST_PAGE: u32 = 100;

/// Lists a page of objects to choose from.
///
/// # Errors
/// A resource that cannot be listed, or not yet; Stripe's refusal; no answer.
pub fn choices(session: &Session<'_>, wanted: Wanted<'_>) -> Result<Choices> {
    let resource = find(wanted.resource)?;
    let limit = wanted.limit.unwrap_or(20);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Error::input("limit", "a page has 1 to 100 entries"));
    }
    // Which of its fields it is for makes no difference yet.
    // A trigger's filter narrows nothing.
    let of_trigger = |field: &ForField<'_>| matches!(catalogue::entry(field.operation, None), Ok(Entry::Trigger(_)));
    let for_field = wanted.for_field.filter(|field| !of_trigger(field));
    let operation = for_field.map(|field| catalogue::operation(field.operation, None)).transpose()?;
    let Some(list) = resource.choices() else {
        return Err(Error::input("resource", ["`", resource.name(), "` cannot be listed"].concat()));
    };
    let needs = needs(resource, operation, for_field)?;
    let typed = wanted.search.map(str::trim).filter(|s| !s.is_empty()).unwrap_or_default();
    let is_own_id = catalogue::table()?.resource_of_id(typed).is_some_and(|r| r.name() == resource.name())
        // Who has typed no more than the prefix is still typing.
        && !resource.id_prefixes().contains(typed);
    if let Some(retrieve) = resource.retrieve().filter(|_| is_own_id) {
        return one(session, resource, retrieve, &needs, typed);
    }
    let search = resource.search().filter(|_| typed.chars().count() >= SHORTEST_SEARCH);
    let request = search.unwrap_or(list);
    let narrowed = if search.is_some() { String::new() } else { typed.to_ascii_lowercase() };
    let paging = Paging::of(request).ok_or_else(|| {
        Error::new(ErrorKind::Other, ["the catalogue lists `", resource.name(), "` by what is no list"].concat())
    })?;
    // A list of v1 can be left in the middle of a page: it goes on behind any of its objects.
    let by_id = paging == Paging::ById;
    let page_size = if by_id && !narrowed.is_empty() { LARGEST_PAGE } else { limit };
    let mut listing = Listing {
        session,
        resource,
        request,
        paging,
        path: path(request, &needs),
        parameters: parameters(request, &needs, page_size),
        narrowed,
    };
    if search.is_some() {
        listing.parameters.insert("query".into(), Value::from(query(resource, typed)));
    }
    expand(&mut listing.parameters, resource, "data.");
    listing.page(wanted.cursor, by_id.then_some(limit as usize))
}

fn find(name: &str) -> Result<Resource<'static>> {
    let table = catalogue::table()?;
    table.resource(name).ok_or_else(|| {
        let error = Error::new(ErrorKind::UnknownOperation, ["there is no resource `", name, "`"].concat());
        did_you_mean(
            error,
            name,
            &mut table.resources().iter().map(|r| r.name()),
            "List the resources to see all of them.",
        )
    })
}

/// The values that the list of choices needs, out of the input so far.
fn needs(
    resource: Resource<'static>,
    operation: Option<Operation>,
    field: Option<ForField<'_>>,
) -> Result<Vec<(&'static str, String)>> {
    if resource.choices_need().is_empty() {
        return Ok(Vec::new());
    }
    let input = field.map_or("", |f| f.input);
    let renamed = operation.and_then(|o| Some(alias::translate_so_far(o, o.alias()?, input))).transpose()?;
    let doc = input::scan(renamed.as_deref().unwrap_or(input))?;
    let value = |name: &'static str| {
        let value = doc.root().get(name).and_then(Node::as_str).filter(|v| !v.is_empty());
        value.map(|v| (name, v.into_owned())).ok_or_else(|| {
            let title = resource.title().to_ascii_lowercase();
            Error::input(name, ["fill `", name, "` first: it says whose ", &title, " it can be"].concat())
                .hint("The choices depend on the input so far, which the request gives along with the field that they are for.")
        })
    };
    resource.choices_need().iter().map(value).collect()
}

/// The path of a request, its placeholders filled with what is known.
fn path(request: Request<'static>, known: &[(&'static str, String)]) -> String {
    let value = |name: &str| known.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    let mut values: Vec<String> = Vec::new();
    for name in request.path_names() {
        values.push(value(name).unwrap_or_default());
    }
    filled(request.path(), &values)
}

/// What is known and not in the path goes along as a parameter.
fn parameters(request: Request<'static>, known: &[(&'static str, String)], limit: u32) -> Map<String, Value> {
    let mut parameters = Map::new();
    parameters.insert("limit".into(), Value::from(limit));
    for (name, value) in known.iter().filter(|(name, _)| request.parameters().get(name).is_some()) {
        parameters.insert((*name).to_owned(), Value::from(value.as_str()));
    }
    parameters
}

/// Asks for what stands behind the ids by which people know an object: a price's product, a subscription's customer.
fn expand(parameters: &mut Map<String, Value>, resource: Resource<'static>, within: &str) {
    let mut ids = Vec::new();
    add_ids(&mut ids, resource.object(), within, resource.label());
    add_ids(&mut ids, resource.object(), within, resource.detail());
    parameters.insert(EXPAND.into(), Value::Array(ids));
}

fn add_ids(ids: &mut Vec<Value>, object: &str, within: &str, paths: Texts<'static>) {
    for path in paths {
        if let Some(id) = id_within(object, path) {
            let id = Value::from([within, id].concat());
            if ids.last() != Some(&id) {
                ids.push(id);
            }
        }
    }
}

/// The part of a path that is an id unless it is expanded: `product` of `product.name`.
fn id_within<'p>(object: &str, path: &'p str) -> Option<&'p str> {
    let table = catalogue::table().ok()?;
    let mut fields = table.object(object)?;
    let mut rest = path;
    loop {
        let (name, behind) = rest.split_once('.')?;
        fields = match fields.get(name)?.shape() {
            Shape::Expandable(_) => return path.get(..path.len() - behind.len() - 1),
            Shape::Object(members) => members,
            Shape::Ref(object) => table.object(object)?,
            _ => return None,
        };
        rest = behind;
    }
}

/// Reads, and where the key may not see what shall be expanded, the ids alone.
fn read(session: &Session<'_>, path: &str, parameters: &mut Map<String, Value>, expected: Expected) -> Result<Answer> {
    loop {
        let call = Call { expected, ..Call::read(path, form::encode(parameters)) };
        match (session.client().send(&call), parameters.get_mut(EXPAND)) {
            (Err(error), Some(Value::Array(ids))) if error.kind == ErrorKind::Permission && !ids.is_empty() => {
                ids.clear()
            }
            (done, _) => return done,
        }
    }
}

/// A list that is gone through until something fits.
struct Listing<'s, 'a> {
    session: &'s Session<'a>,
    resource: Resource<'static>,
    request: Request<'static>,
    paging: Paging,
    path: String,
    parameters: Map<String, Value>,
    /// What the entries have, in lower case; empty for anything.
    narrowed: String,
}

impl Listing<'_, '_> {
    /// The first page behind a cursor that has something. `most`: where the list can be left after so many entries.
    fn page(&mut self, cursor: Option<&str>, most: Option<usize>) -> Result<Choices> {
        let mut cursor = cursor.map(str::to_owned);
        let mut last: Option<Choices> = None;
        for _ in 0..MOST_REQUESTS {
            if let Some(cursor) = &cursor {
                self.paging.go_on(&mut self.parameters, cursor)?;
            }
            let expected = if self.paging == Paging::ByUrl { Expected::Page } else { Expected::Object };
            let answer = match (read(self.session, &self.path, &mut self.parameters, expected), last) {
                (Ok(answer), _) => answer,
                // What was looked through is not looked through again: the next call goes on from there.
                (Err(error), Some(so_far)) if error.kind == ErrorKind::Timeout => return Ok(so_far),
                (Err(error), _) => return Err(error),
            };
            let found = self.fitting(&answer, most)?;
            if !found.choices.is_empty() || found.next_cursor.is_none() {
                return Ok(found);
            }
            cursor.clone_from(&found.next_cursor);
            last = Some(found);
        }
        last.ok_or_else(|| Error::new(ErrorKind::Other, "nothing was asked"))
    }

    /// What fits of a page.
    fn fitting(&self, answer: &Answer, most: Option<usize>) -> Result<Choices> {
        let page = answer.body.root();
        let mut next_cursor = self.paging.next(page, self.request.path(), false)?;
        let mut choices = Vec::new();
        let mut objects = page.get("data").map(Node::items).into_iter().flatten().peekable();
        while let Some(object) = objects.next() {
            choices.extend(choice(object, self.resource).filter(|c| self.fits(c)));
            if most.is_some_and(|most| choices.len() >= most) && objects.peek().is_some() {
                next_cursor = object.get("id").and_then(Node::as_str).map(Into::into);
                break;
            }
        }
        Ok(Choices { choices, next_cursor, metadata: self.session.metadata(answer) })
    }

    fn fits(&self, choice: &Choice) -> bool {
        let has = |text: &str| text.to_ascii_lowercase().contains(&self.narrowed);
        self.narrowed.is_empty()
            || has(&choice.label)
            || has(&choice.value)
            || choice.detail.as_deref().is_some_and(has)
    }
}

/// The object of an id that was pasted in.
fn one(
    session: &Session<'_>,
    resource: Resource<'static>,
    retrieve: Request<'static>,
    needs: &[(&'static str, String)],
    id: &str,
) -> Result<Choices> {
    let mut known = needs.to_vec();
    // The last placeholder is the object's own.
    known.extend(retrieve.path_names().last().map(|name| (name, id.to_owned())));
    let mut parameters = Map::new();
    expand(&mut parameters, resource, "");
    match read(session, &path(retrieve, &known), &mut parameters, Expected::Object) {
        Ok(answer) => {
            let choices = choice(answer.body.root(), resource).map_or_else(Vec::new, |choice| vec![choice]);
            Ok(Choices { choices, next_cursor: None, metadata: session.metadata(&answer) })
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            Ok(Choices { choices: Vec::new(), next_cursor: None, metadata: session.metadata_of(&error) })
        }
        Err(error) => Err(error),
    }
}

/// `name~"jen" OR email~"jen"`, in Stripe's search language.
fn query(resource: Resource<'static>, typed: &str) -> String {
    let escaped = typed.replace('\\', "\\\\").replace('"', "\\\"");
    let mut query = String::new();
    for field in resource.search_fields() {
        query.push_str(if query.is_empty() { "" } else { " OR " });
        for part in [field, "~\"", &escaped, "\""] {
            query.push_str(part);
        }
    }
    query
}

fn choice(object: Node<'_, '_>, resource: Resource<'static>) -> Option<Choice> {
    // What is deleted can be chosen no more.
    if object.get("deleted").and_then(Node::as_bool) == Some(true) {
        return None;
    }
    let value = object.get("id").and_then(Node::as_str)?.into_owned();
    Some(Choice {
        label: mapping::label(object, resource).unwrap_or_else(|| value.clone()),
        detail: mapping::detail(object, resource),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Fields;
    use crate::error::Outcome;
    use crate::operation::session::Invocation;
    use crate::stripe::tests::scripted::{KEY, Step, World, answer, error, fails};
    use crate::stripe::transport::Failure;

    const CUSTOMERS: Wanted<'_> =
        Wanted { resource: "customer", for_field: None, search: None, cursor: None, limit: None };

    fn listed(world: &World, wanted: Wanted<'_>) -> Result<Choices> {
        let fields = Fields { values: vec![("api_key".into(), KEY.into())], development: true };
        let invocation = Invocation { id: "run-1".into(), idempotency_key: None, timeout: None, history: None };
        choices(&Session::start(world, world, &fields, invocation).expect("a session"), wanted)
    }

    fn paths(world: &World) -> Vec<String> {
        world.sent().into_iter().map(|s| s.path).collect()
    }

    /// A page of objects of these ids, which are their names, too.
    fn page(object: &str, ids: &[&str], has_more: bool) -> Step {
        let object = |id: &&str| format!(r#"{{"id":"{id}","object":"{object}","nickname":"{id}","name":"{id}"}}"#);
        let data: Vec<String> = ids.iter().map(object).collect();
        answer(200, &format!(r#"{{"object":"list","url":"/","has_more":{has_more},"data":[{}]}}"#, data.join(",")))
    }

    fn values(choices: &Choices) -> Vec<&str> {
        choices.choices.iter().map(|c| c.value.as_str()).collect()
    }

    #[test]
    fn lists_a_page_and_goes_on_behind_it() {
        let world = World::of([page("customer", &["cus_1", "cus_2"], true)]);
        let first = listed(&world, CUSTOMERS).expect("a page");
        assert_eq!((values(&first), first.next_cursor.as_deref()), (vec!["cus_1", "cus_2"], Some("cus_2")));
        listed(&world, Wanted { cursor: Some("cus_2"), limit: Some(5), ..CUSTOMERS }).expect("a page");
        assert_eq!(paths(&world), ["/v1/customers?limit=20", "/v1/customers?limit=5&starting_after=cus_2"]);
    }

    #[test]
    fn words_are_searched_where_stripe_searches() {
        let world = World::of([answer(
            200,
            r#"{"object":"search_result","url":"/","has_more":true,"next_page":"p2","data":[]}"#,
        )]);
        let found = listed(&world, Wanted { search: Some(" o\"x "), ..CUSTOMERS }).expect("a page");
        assert_eq!(found.next_cursor.as_deref(), Some("p2"));
        let first = paths(&world).into_iter().next().expect("one");
        let query = "name~%22o%5C%22x%22%20OR%20email~%22o%5C%22x%22%20OR%20phone~%22o%5C%22x%22";
        assert_eq!(first, ["/v1/customers/search?limit=20&query=", query].concat());
    }

    #[test]
    fn narrowing_reads_on_until_something_fits() {
        let nothing = || page("price", &["price_a", "price_b"], true);
        let world = World::of([nothing(), nothing(), page("price", &["price_c", "gold_1", "gold_2", "price_d"], true)]);
        let gold = Wanted { resource: "price", search: Some("GOLD"), limit: Some(1), ..CUSTOMERS };
        let found = listed(&world, gold).expect("a page");
        // The page is left in its middle, and the next one begins there.
        assert_eq!((values(&found), found.next_cursor.as_deref()), (vec!["gold_1"], Some("gold_1")));
        assert_eq!(found.metadata.attempts, 3);
        assert_eq!(
            paths(&world),
            [
                "/v1/prices?limit=100&expand%5B0%5D=data.product",
                "/v1/prices?limit=100&expand%5B0%5D=data.product&starting_after=price_b",
                "/v1/prices?limit=100&expand%5B0%5D=data.product&starting_after=price_b"
            ]
        );
    }

    #[test]
    fn what_the_key_may_not_expand_is_shown_by_its_id() {
        let refused = || error(403, "invalid_request_error", "permission");
        let world = World::of([refused(), page("price", &["price_1"], true), page("price", &["price_2"], false)]);
        let prices = Wanted { resource: "price", ..CUSTOMERS };
        assert_eq!(values(&listed(&world, prices).expect("a page")), ["price_1"]);
        assert_eq!(paths(&world), ["/v1/prices?limit=20&expand%5B0%5D=data.product", "/v1/prices?limit=20"]);
        let world = World::of([refused(), answer(200, r#"{"id":"price_1","object":"price","nickname":"Gold"}"#)]);
        assert_eq!(values(&listed(&world, Wanted { search: Some("price_1"), ..prices }).expect("one")), ["price_1"]);
        assert_eq!(paths(&world), ["/v1/prices/price_1?expand%5B0%5D=product", "/v1/prices/price_1"]);
    }

    #[test]
    fn narrowing_ends_at_the_end_and_at_its_bound() {
        let gold = Wanted { resource: "price", search: Some("gold"), ..CUSTOMERS };
        let world = World::of([page("price", &["price_a"], true), page("price", &["price_b"], false)]);
        let found = listed(&world, gold).expect("a page");
        assert_eq!((found.choices.len(), found.next_cursor), (0, None));
        let world = World::of([page("price", &["price_a"], true)]);
        let found = listed(&world, gold).expect("a page");
        assert_eq!((world.sent().len(), found.next_cursor.as_deref()), (10, Some("price_a")));
    }

    #[test]
    fn what_was_looked_through_before_time_ran_out_is_not_lost() {
        let gold = Wanted { resource: "price", search: Some("gold"), ..CUSTOMERS };
        let world = World::of([
            page("price", &["price_a"], true).taking(237_000),
            fails(Failure::TimedOut("no answer".into())),
        ]);
        let found = listed(&world, gold).expect("a page");
        assert_eq!(found.next_cursor.as_deref(), Some("price_a"));
    }

    #[test]
    fn an_id_that_is_pasted_finds_its_object() {
        let world = World::of([answer(200, r#"{"id":"cus_1","object":"customer","name":"Jenny"}"#)]);
        let found = listed(&world, Wanted { search: Some("cus_1"), ..CUSTOMERS }).expect("one");
        assert_eq!((values(&found), found.choices[0].label.as_str()), (vec!["cus_1"], "Jenny"));
        assert_eq!(paths(&world), ["/v1/customers/cus_1"]);
        let world = World::of([error(404, "invalid_request_error", "resource_missing")]);
        assert!(listed(&world, Wanted { search: Some("cus_9"), ..CUSTOMERS }).expect("none").choices.is_empty());
        let deleted = World::of([answer(200, r#"{"id":"cus_1","object":"customer","deleted":true}"#)]);
        assert!(listed(&deleted, Wanted { search: Some("cus_1"), ..CUSTOMERS }).expect("none").choices.is_empty());
    }

    #[test]
    fn the_filter_of_a_trigger_can_be_picked_too() {
        let world = World::of([page("customer", &["cus_1"], false)]);
        let field = ForField { operation: "invoice.paid", field: "customer", input: "{}" };
        let found = listed(&world, Wanted { for_field: Some(field), ..CUSTOMERS }).expect("a page");
        assert_eq!(values(&found), ["cus_1"]);
    }

    #[test]
    fn a_customers_payment_methods_need_the_customer() {
        let methods = |input| Wanted {
            resource: "payment_method",
            for_field: Some(ForField { operation: "payment_intent.create", field: "payment_method", input }),
            ..CUSTOMERS
        };
        let world = World::of([page("payment_method", &["pm_1"], false)]);
        let found = listed(&world, methods(r#"{"customer":"cus_1","amount":5}"#)).expect("a page");
        assert_eq!(
            (values(&found), paths(&world)),
            (vec!["pm_1"], vec!["/v1/customers/cus_1/payment_methods?limit=20".to_owned()])
        );
        let world = World::of([]);
        let without = Wanted { for_field: None, ..methods("") };
        for wanted in [methods("{}"), methods(""), methods(r#"{"customer":""}"#), without] {
            let error = listed(&world, wanted).map(|_| ()).expect_err("refused");
            assert_eq!((error.field.as_deref(), error.outcome), (Some("customer"), Outcome::NotSent));
            assert!(error.message.contains("fill `customer` first"), "{}", error.message);
        }
        assert!(listed(&world, methods("{")).is_err());
    }

    #[test]
    fn what_cannot_be_listed_says_so() {
        let world = World::of([]);
        let refused = |wanted| listed(&world, wanted).map(|_| ()).expect_err("refused");
        assert_eq!(refused(Wanted { resource: "balance", ..CUSTOMERS }).field.as_deref(), Some("resource"));
        assert!(refused(Wanted { resource: "custommer", ..CUSTOMERS }).hint.is_some_and(|h| h.contains("`customer`")));
        for limit in [0, 101] {
            assert_eq!(refused(Wanted { limit: Some(limit), ..CUSTOMERS }).field.as_deref(), Some("limit"));
        }
        assert_eq!(refused(Wanted { cursor: Some("a b"), ..CUSTOMERS }).field.as_deref(), Some("cursor"));
    }
}
