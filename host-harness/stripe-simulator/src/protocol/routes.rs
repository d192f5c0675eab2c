//! Which operation a request means: the facts' paths as a tree, and the code that carries the operation out.

use std::collections::HashMap;

use stripe_facts::{Facts, Field, Method, Operation};

use crate::older;
use crate::resources::{Handler, handlers};

/// An operation and who carries it out.
#[derive(Debug)]
pub(crate) struct Route {
    /// What the facts say.
    pub(crate) operation: &'static Operation,
    /// The code with state; `None` is answered with a well-shaped object that is kept nowhere.
    pub(crate) handler: Option<Handler>,
    /// The parameters before a version's date, latest first.
    older: Vec<(&'static str, Vec<Field>)>,
}

impl Route {
    /// The parameters in a version.
    pub(crate) fn parameters(&self, version: &str) -> &[Field] {
        let date = version.split('.').next().unwrap_or_default();
        let found = self.older.iter().rev().find(|(until, _)| date < *until);
        found.map_or(&self.operation.parameters, |(_, fields)| fields)
    }
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<&'static str, Node>,
    placeholder: Option<Box<Node>>,
    routes: [Option<Route>; 3],
}

/// Every operation by its path.
#[derive(Debug)]
pub(crate) struct Routes {
    root: Node,
}

fn slot(method: Method) -> usize {
    match method {
        Method::Get => 0,
        Method::Post => 1,
        Method::Delete => 2,
    }
}

impl Routes {
    pub(crate) fn new(facts: &'static Facts) -> Self {
        let mut handlers: HashMap<(&str, &str), Handler> = handlers().collect();
        let mut root = Node::default();
        for operation in facts.operations.iter().chain(older::undocumented()) {
            let mut node = &mut root;
            for segment in operation.path.split('/').skip(1) {
                node = if segment.starts_with('{') {
                    node.placeholder.get_or_insert_default()
                } else {
                    node.literals.entry(segment).or_default()
                };
            }
            let handler = handlers.remove(&(operation.method.as_str(), operation.path.as_str()));
            node.routes[slot(operation.method)] =
                Some(Route { operation, handler, older: older::parameters(operation) });
        }
        debug_assert!(handlers.is_empty(), "handlers of no operation: {:?}", handlers.keys());
        Self { root }
    }

    /// The route of a path and what stands for its placeholders. A literal segment wins over a placeholder.
    pub(crate) fn find<'r, 'p>(&'r self, method: Method, path: &'p str) -> Option<(&'r Route, Vec<&'p str>)> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let mut values = Vec::new();
        let route = walk(&self.root, &segments, slot(method), &mut values)?;
        Some((route, values))
    }
}

fn walk<'r, 'p>(node: &'r Node, segments: &[&'p str], slot: usize, values: &mut Vec<&'p str>) -> Option<&'r Route> {
    let Some((first, rest)) = segments.split_first() else { return node.routes[slot].as_ref() };
    if let Some(found) = node.literals.get(*first).and_then(|n| walk(n, rest, slot, values)) {
        return Some(found);
    }
    let inner = node.placeholder.as_ref().filter(|_| !first.is_empty())?;
    values.push(first);
    let found = walk(inner, rest, slot, values);
    if found.is_none() {
        values.pop();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_finds_what_the_facts_find() {
        let facts = Facts::bundled();
        let routes = Routes::new(facts);
        for operation in &facts.operations {
            let path = operation.path.split('/').map(|s| if s.starts_with('{') { "x1" } else { s });
            let path = path.collect::<Vec<_>>().join("/");
            let (route, values) = routes.find(operation.method, &path).expect(&path);
            assert_eq!(route.operation.path, facts.find(operation.method, &path).unwrap().operation.path);
            assert_eq!(values.len(), route.operation.path_parameters().count());
        }
    }

    #[test]
    fn every_handler_is_of_an_operation_of_the_api() {
        for ((method, path), _) in handlers() {
            let method = Method::parse(method).unwrap();
            let undocumented = older::undocumented().iter().any(|o| o.method == method && o.path == path);
            assert!(undocumented || Facts::bundled().operation(method, path).is_some(), "{path}");
        }
    }

    #[test]
    fn an_empty_segment_is_no_id() {
        assert!(Routes::new(Facts::bundled()).find(Method::Get, "/v1/customers/").is_none());
    }
}
