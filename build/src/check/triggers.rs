//! Triggers listen to events that there are, about the resource that they stand with.

use stripe_table::model::EventType;

use crate::catalogue::in_order;
use crate::nearest::nearest;
use crate::problem::Report;

use super::subject::Subject;

/// Every trigger.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    for resource in &subject.catalogue.resources {
        let object = resource.entry.object.get_ref();
        for (id, trigger) in in_order(&resource.entry.triggers) {
            let event = trigger.event.get_ref();
            let owner = format!("trigger `{}`", id.get_ref());
            match subject.api.events.iter().find(|e| e.name == *event) {
                None => {
                    let hint = nearest(event, subject.api.events.iter().map(|e| e.name.as_str()));
                    let what = format!("{owner} listens to event `{event}`, which the API does not send{hint}");
                    report.wrong(&resource.file, &trigger.event, what);
                }
                Some(EventType { object: Some(about), .. }) if about != object => {
                    let what = format!(
                        "{owner} listens to event `{event}`, which is about `{about}` and not about `{object}`"
                    );
                    report.wrong(&resource.file, &trigger.event, what);
                }
                Some(_) => {}
            }
        }
    }
}
