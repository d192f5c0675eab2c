//! The triggers that there are: the one place of this folder that looks into the catalogue for them.

use crate::catalogue;
use crate::error::{Error, ErrorKind, Result};
use crate::sample;

pub use crate::catalogue::Trigger;

/// The trigger of this id or alias.
///
/// # Errors
/// That there is none, with the nearest names.
pub fn find(id: &str) -> Result<Trigger<'static>> {
    catalogue::trigger(id)
}

/// The triggers that events of this type are for.
pub fn listening_to(event_type: &str) -> Vec<Trigger<'static>> {
    catalogue::table().into_iter().flat_map(|table| table.triggers_of_event(event_type).iter()).collect()
}

/// An event of the right shape, as JSON.
///
/// # Errors
/// That the catalogue does not have its resource.
pub fn sample(trigger: Trigger<'static>) -> Result<String> {
    let resource = catalogue::table()?.resource(trigger.resource()).ok_or_else(|| {
        Error::new(ErrorKind::Other, ["the catalogue has no resource `", trigger.resource(), "`"].concat())
    })?;
    Ok(sample::event(trigger, resource))
}

/// The version of the API that everything is asked for in.
pub fn api_version() -> &'static str {
    catalogue::API_VERSION
}
