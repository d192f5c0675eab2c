//! What a restricted key is tried with.

use crate::catalogue::PROBES;
use crate::problem::Report;

use super::references;
use super::subject::Subject;

/// Each reads something, and needs nothing for it.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    for probe in &subject.catalogue.probes.probes {
        let owner = format!("probe `{}`", probe.title);
        if let Some(request) = references::request(subject, PROBES, &owner, &probe.request, report) {
            let needs = request.path.contains('{') || request.parameters.iter().any(|p| p.required);
            if needs || !request.read_only {
                let what = format!("{owner} sends `{}`: a probe reads, and needs no input", probe.request.get_ref());
                report.wrong(PROBES, &probe.request, what);
            }
        }
        if let Some(resource) = &probe.resource {
            references::resource(subject, PROBES, &owner, resource, report);
        }
    }
}
