//! What the guard knows of a connector: its operations, what each is about and may do, and the requests that they become.
//!
//! Nothing here asks the connector anything; [`load`](crate::load) does.

use std::collections::{BTreeMap, BTreeSet};

/// What an operation may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Change nothing.
    Read,
    /// Make or change things.
    Change,
    /// Move money.
    MoveMoney,
    /// Remove or end something for good.
    Destroy,
}

impl Safety {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Change, Self::MoveMoney, Self::Destroy];

    /// Its name in a guard's file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Change => "change",
            Self::MoveMoney => "move-money",
            Self::Destroy => "destroy",
        }
    }
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about; empty where it is about nothing in particular.
    pub resource: String,
    /// What it may do. Of what nobody has said anything everything that changes things is assumed.
    pub safety: BTreeSet<Safety>,
}

/// A request of the service's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: String,
    /// The method.
    pub method: String,
    /// The path, with placeholders in braces.
    pub path: String,
    /// Whether it only reads, whatever its method.
    pub reads: bool,
    /// The operation for people that sends it, where there is one.
    pub curated: Option<String>,
}

impl Template {
    fn fits(&self, path: &str) -> bool {
        let (mut own, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), given.next()) {
                (None, None) => return true,
                (Some(own), Some(given)) if own == given || (own.starts_with('{') && !given.is_empty()) => {}
                _ => return false,
            }
        }
    }

    fn own_words(&self) -> usize {
        self.path.split('/').filter(|part| !part.starts_with('{')).count()
    }

    /// The path with `{}` in place of each placeholder.
    pub(crate) fn shape(&self) -> String {
        let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) templates: Vec<Template>,
    /// The request of an operation for people, as far as it was asked for.
    pub(crate) sends: BTreeMap<String, String>,
    /// What names mean, or what there is instead.
    pub(crate) meant: BTreeMap<String, Result<String, String>>,
    /// The connection has no key, or none that can be one: it is good for checking deliveries, and sends nothing.
    pub(crate) sends_nothing: bool,
}

impl Catalogue {
    /// The ids of everything that can be run or received.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The kinds of things that operations are about.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<&str> = self.entries.values().map(|entry| entry.resource.as_str()).collect();
        all.into_iter().filter(|name| !name.is_empty())
    }

    /// The operation of this id.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// The id that a name means, or what to do where it means nothing.
    pub(crate) fn meant(&self, name: &str) -> Result<&str, String> {
        if let Some((id, _)) = self.entries.get_key_value(name) {
            return Ok(id);
        }
        match self.meant.get(name) {
            Some(Ok(id)) => Ok(id),
            Some(Err(hint)) => Err(hint.clone()),
            None => Err("`harness operations` lists what there is".to_owned()),
        }
    }

    /// Whether it is known which requests the operations become: also where nothing can become one.
    #[must_use]
    pub fn tells_requests(&self) -> bool {
        self.sends_nothing || !self.templates.is_empty()
    }

    /// The id of the request that an operation sends.
    pub(crate) fn request_of(&self, id: &str) -> Option<&str> {
        match self.templates.iter().find(|template| template.id == id) {
            Some(template) => Some(&template.id),
            None => self.sends.get(id).map(String::as_str),
        }
    }

    /// The request of this id.
    pub(crate) fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// The request that a method and a path are. Of several that fit, the one with the most words of its own.
    #[must_use]
    pub fn template_of(&self, method: &str, path: &str) -> Option<&Template> {
        let fitting = self.templates.iter().filter(|template| template.method == method && template.fits(path));
        fitting.max_by_key(|template| template.own_words())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn template(id: &str, method: &str, path: &str, curated: &str) -> Template {
        Template {
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            reads: method == "GET",
            curated: (!curated.is_empty()).then(|| curated.to_owned()),
        }
    }

    #[test]
    fn a_path_is_the_request_with_the_most_words_of_its_own() {
        let templates = vec![
            template("one", "GET", "/v1/customers/{customer}", ""),
            template("search", "GET", "/v1/customers/search", ""),
            template("delete", "DELETE", "/v1/customers/{customer}", ""),
        ];
        let catalogue = Catalogue { templates, ..Catalogue::default() };
        let found = |method: &str, path: &str| catalogue.template_of(method, path).map(|found| found.id.as_str());
        assert_eq!(found("GET", "/v1/customers/search"), Some("search"));
        assert_eq!(found("GET", "/v1/customers/cus_1"), Some("one"));
        assert_eq!(found("DELETE", "/v1/customers/cus_1"), Some("delete"));
        assert_eq!(found("POST", "/v1/customers/cus_1"), None);
        assert_eq!(found("GET", "/v1/customers/"), None);
    }
}
