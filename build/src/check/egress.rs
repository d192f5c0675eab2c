//! What a host grants is exactly what the API's requests need.

use std::collections::BTreeSet;

use crate::catalogue::REQUESTS;
use crate::problem::Report;
use crate::sources::MANIFEST;

use super::subject::Subject;

/// For each host of the API an entry, with the methods that are used there and no others.
pub fn check(subject: Subject<'_>, report: &mut Report<'_>) {
    let bases = &subject.catalogue.requests.bases;
    let declared = &subject.catalogue.manifest.permissions.egress;
    for (base, url) in bases {
        let used: BTreeSet<&str> =
            subject.api.requests.iter().filter(|r| r.base.name() == base.get_ref()).map(|r| r.method.name()).collect();
        if used.is_empty() {
            report.wrong(REQUESTS, base, format!("no request of the facts is served by `{}`", base.get_ref()));
            continue;
        }
        let methods = used.iter().copied().collect::<Vec<_>>().join(", ");
        let Some(entry) = declared.iter().find(|e| e.url.get_ref() == url.get_ref()) else {
            let what =
                format!("`{}` serves {methods}, and manifest.toml has no [[permissions.egress]] for it", url.get_ref());
            report.wrong(REQUESTS, url, what);
            continue;
        };
        let granted: BTreeSet<&str> = entry.methods.get_ref().iter().map(String::as_str).collect();
        if granted != used {
            let what = format!("the requests to `{}` are {methods}, no more and no less", url.get_ref());
            report.wrong(MANIFEST, &entry.methods, what);
        }
    }
    for entry in declared.iter().filter(|e| !bases.values().any(|url| url.get_ref() == e.url.get_ref())) {
        let what = format!(
            "no request goes to `{}`: [bases] in catalogue/requests.toml does not have it",
            entry.url.get_ref()
        );
        report.wrong(MANIFEST, &entry.url, what);
    }
}
