//! What can be waited for: an event type, described by people or not, or all types that begin alike.
//!
//! The API sends more types than people have described. Of the others the title and the sentence are made of their
//! names, and everything else of the facts: they are triggers all the same.

use std::borrow::Cow;

use stripe_table::EventType;

use super::embedded::table;

/// A trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// An event type that people have described.
    Curated(stripe_table::Trigger<'static>),
    /// Any other event type of the API.
    Plain(EventType<'static>),
    /// Every type that begins so. The beginning ends with a dot; the empty one is every type's.
    Every(&'static str),
}

impl Trigger {
    /// Every event, also of a type that is not known.
    pub const ANY: Self = Self::Every("");

    /// Its id: the event type or, of several, `customer.subscription.*`.
    pub fn id(self) -> Cow<'static, str> {
        match self {
            Self::Curated(entry) => entry.id().into(),
            Self::Plain(event) => event.name().into(),
            Self::Every(beginning) => [beginning, "*"].concat().into(),
        }
    }

    /// Whether events of this type are for it.
    pub fn fires_at(self, event_type: &str) -> bool {
        match self {
            Self::Curated(entry) => entry.event() == event_type,
            Self::Plain(event) => event.name() == event_type,
            // What comes as a thin event only has the version before it.
            Self::Every(beginning) => {
                event_type.starts_with(beginning)
                    || event_type.strip_prefix("v1.").is_some_and(|rest| rest.starts_with(beginning))
            }
        }
    }

    /// Whether its events are thin, all of them.
    pub fn is_thin(self) -> bool {
        matches!(self, Self::Plain(event) if is_thin(event.name()))
    }

    /// The event types that are known to be for it, in alphabetical order.
    pub fn events(self) -> Vec<EventType<'static>> {
        let all = table().ok().into_iter().flat_map(|table| table.events());
        match self {
            Self::Curated(entry) => table().ok().and_then(|table| table.event(entry.event())).into_iter().collect(),
            Self::Plain(event) => vec![event],
            Self::Every(_) => all.filter(|event| self.fires_at(event.name())).collect(),
        }
    }

    /// The object schema that all of its events are about, where there is one that is known.
    pub fn object(self) -> Option<&'static str> {
        // What comes as a thin event only carries none.
        let carrying = self.events().into_iter().filter(|event| !is_thin(event.name()));
        let mut objects = carrying.map(EventType::object);
        let first = objects.next()??;
        objects.all(|other| other == Some(first)).then_some(first)
    }

    /// The resource that its events are about; empty where that is none of the catalogue's.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Curated(entry) => entry.resource(),
            _ => {
                let found =
                    self.object().zip(table().ok()).and_then(|(object, table)| table.resource_of_object(object));
                found.map_or("", |resource| resource.name())
            }
        }
    }

    /// What its events are about as names have it: the resource, or what their types begin with.
    pub fn subject(self) -> &'static str {
        match (self.resource(), self) {
            ("", Self::Plain(event)) => event.name().rsplit_once('.').map_or("", |(subject, _)| subject),
            (resource, _) => resource,
        }
    }

    /// Its title.
    pub fn title(self) -> String {
        match self {
            Self::Curated(entry) => entry.title(),
            Self::Plain(event) => words(event.name()),
            Self::ANY => "Any event".to_owned(),
            Self::Every(beginning) => [&words(beginning.trim_end_matches('.')), ": any event"].concat(),
        }
    }

    /// When it fires, in a sentence.
    pub fn description(self) -> String {
        match self {
            Self::Curated(entry) => entry.description(),
            Self::Plain(event) => {
                let about = event.object().map(|object| [", which is about a `", object, "` object"].concat());
                ["Stripe sent `", event.name(), "`", &about.unwrap_or_default(), "."].concat()
            }
            Self::ANY => "Something happened, of whatever type, also one that this connector does not know.".to_owned(),
            Self::Every(beginning) => ["Something happened whose type begins with `", beginning, "`."].concat(),
        }
    }

    /// Other ids that mean it.
    pub fn aliases(self) -> Vec<String> {
        let mut all: Vec<String> = match self {
            Self::Curated(entry) => entry.aliases().iter().map(str::to_owned).collect(),
            Self::ANY => ANY_NAMES.map(str::to_owned).into(),
            _ => Vec::new(),
        };
        if let Self::Curated(_) | Self::Plain(_) = self {
            let event = self.events().first().map_or("", |event| event.name());
            all.push([&in_plural(self.subject()), "/", event].concat());
        }
        all
    }

    /// The same as a name that every agent API takes: letters, digits and `_`. Of one that would be too long the first words
    /// are left out.
    pub fn tool_name(self) -> String {
        let mut name = match self {
            Self::Every(beginning) => ["any_", beginning, "event"].concat(),
            _ => self.id().into_owned(),
        };
        name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        while let Some((_, rest)) = name.split_once('_').filter(|_| name.len() > LONGEST_TOOL_NAME) {
            name = rest.to_owned();
        }
        name
    }
}

/// What agent APIs take.
const LONGEST_TOOL_NAME: usize = 64;

/// Whether events of this type are never sent but as thin ones.
pub fn is_thin(event_type: &str) -> bool {
    event_type.starts_with("v1.") || event_type.starts_with("v2.")
}

/// What people call [`Trigger::ANY`].
pub const ANY_NAMES: [&str; 2] = ["any event", "event.any"];

/// A name as words, `issuing_card.created`: `Issuing card created`.
fn words(name: &str) -> String {
    let mut words = name.replace(['.', '_', '[', ']'], " ").replace("  ", " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// The name of a resource for several of it.
pub fn in_plural(resource: &str) -> String {
    match resource.strip_suffix('y') {
        Some(stem) => [stem, "ies"].concat(),
        None => [resource, "s"].concat(),
    }
}
