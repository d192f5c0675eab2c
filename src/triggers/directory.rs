//! The triggers that there are: the one place of this folder that looks into the catalogue for them.

use crate::catalogue;
use crate::error::Result;
use crate::sample;

pub use crate::catalogue::{Fields, Shape, Trigger, is_thin};

/// The trigger of this id or alias.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn find(id: &str) -> Result<Trigger> {
    catalogue::trigger(id)
}

/// The triggers that events of this type are for, the narrowest first: one of a type that is not known is for
/// [`Trigger::ANY`] alone.
pub fn listening_to(event_type: &str) -> Vec<Trigger> {
    catalogue::of_event(event_type).into_iter().chain([Trigger::ANY]).collect()
}

/// Whether there is a trigger of this very event type.
pub fn is_known(event_type: &str) -> bool {
    catalogue::of_event(event_type).is_some()
}

/// The object schemas that a trigger's events are about, each once, with their members; none for what is not known.
pub fn objects(trigger: Trigger) -> Vec<Option<(&'static str, Fields<'static>)>> {
    let mut objects = Vec::new();
    for event in trigger.events().into_iter().filter(|event| !is_thin(event.name())) {
        let object = event.object().and_then(|name| Some((name, catalogue::table().ok()?.object(name)?)));
        if !objects.contains(&object) {
            objects.push(object);
        }
    }
    objects
}

/// An event of the right shape, as JSON.
pub fn sample(trigger: Trigger) -> String {
    sample::event(trigger)
}

/// The version of the API that everything is asked for in.
pub fn api_version() -> &'static str {
    catalogue::API_VERSION
}
