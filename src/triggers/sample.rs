//! Events of the right shape, for building a workflow before anything has happened.

use super::directory;
use super::event::{Event, Head};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Doc;

/// An event of the right shape.
///
/// # Errors
/// That there is no such trigger.
pub fn sample(trigger: &str) -> Result<Event> {
    let found = directory::find(trigger)?;
    let payload = directory::sample(found)?;
    let broken = |what: &str| Error::new(ErrorKind::Other, format!("the sample of `{trigger}` is no event: {what}"));
    let doc = Doc::scan_str(&payload).map_err(|e| broken(e.what))?;
    let head = Head::read(doc.root()).map_err(broken)?;
    let event = Event::new(&head, doc.root(), &[found], None);
    Ok(Event { payload: payload.clone(), ..event })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_trigger_has_a_sample_that_it_would_report() {
        for trigger in catalogue::table().expect("a table").triggers().iter() {
            let event = sample(trigger.id()).expect("a sample");
            assert_eq!((event.triggers.as_slice(), event.event_type.as_str()), (&[trigger.id()][..], trigger.event()));
            assert!(event.complete && event.record.is_some(), "{}", trigger.id());
        }
        assert_eq!(sample("customer.craeted").expect_err("none").kind, ErrorKind::UnknownOperation);
    }
}
