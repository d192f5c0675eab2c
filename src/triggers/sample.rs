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
    let payload = directory::sample(found);
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
        let table = catalogue::table().expect("a table");
        for known in table.events() {
            let event = sample(known.name()).expect("a sample");
            let (triggers, of_type) = (event.triggers.as_slice(), event.event_type.as_str());
            assert_eq!((triggers, of_type), (&[known.name().to_owned()][..], known.name()));
            let is_thin = directory::is_thin(known.name());
            let is_mapped = known.object().is_some_and(|object| table.resource_of_object(object).is_some());
            assert!(event.complete != is_thin && event.record.is_some() == is_mapped, "{}", known.name());
        }
        let any = sample("customer.subscription.*").expect("a sample");
        assert!(any.triggers == ["customer.subscription.*"] && any.event_type.starts_with("customer.subscription."));
        assert_eq!(sample("*").expect("a sample").triggers, ["*"]);
        assert_eq!(sample("customer.craeted").expect_err("none").kind, ErrorKind::UnknownOperation);
    }
}
