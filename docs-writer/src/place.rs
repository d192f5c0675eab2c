//! Where each thing is read about: the one place that knows how pages are called and what they are headed.

use stripe_connector::catalogue::{Entry, Resource};

use crate::markdown::slug;

/// The page that begins it all.
pub const INDEX: &str = "README.md";
/// The page of the operations that are no one request of the API.
pub const WHOLE_API: &str = "whole-api.md";
/// The folder of the resources' pages.
pub const RESOURCES: &str = "resources";
/// What triggers stand under.
pub const TRIGGERS: &str = "Triggers";

/// The page of a resource, from `docs/`.
pub fn page(resource: &str) -> String {
    format!("{RESOURCES}/{resource}.md")
}

/// A page that has links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// One in `docs/` itself.
    Top,
    /// One of a resource.
    OfResource,
}

impl Page {
    /// The address of a resource's page.
    pub fn to_resource(self, resource: &str) -> String {
        match self {
            Self::Top => page(resource),
            Self::OfResource => format!("{resource}.md"),
        }
    }

    /// The address of an entry's section.
    pub fn to_entry(self, entry: Entry) -> String {
        match entry {
            Entry::Operation(operation) => {
                format!("{}#{}", self.to_resource(operation.resource()), slug(&operation.title()))
            }
            Entry::Trigger(trigger) => format!("{}#{}", self.to_resource(trigger.resource()), slug(TRIGGERS)),
            Entry::Own(own) => {
                let up = if self == Self::OfResource { "../" } else { "" };
                format!("{up}{WHOLE_API}#{}", slug(own.title))
            }
        }
    }

    /// A link to a resource by its title.
    pub fn link(self, resource: Resource<'_>) -> String {
        format!("[{}]({})", crate::markdown::text(resource.title()), self.to_resource(resource.name()))
    }
}
