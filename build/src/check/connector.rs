//! Who the connector says it is.

use stripe_facts::Facts;

use crate::manifest::Manifest;
use crate::problem::Report;
use crate::sources::MANIFEST;

/// The API version must be the facts', the version the package's.
pub fn check(manifest: &Manifest, facts: &Facts, report: &mut Report<'_>) {
    let version = &manifest.connector.api_version;
    if *version.get_ref() != facts.api_version {
        let what = format!("api_version is `{}`, and the facts are of `{}`", version.get_ref(), facts.api_version);
        report.wrong(MANIFEST, version, what);
    }
    let version = &manifest.connector.version;
    // All packages of the workspace have one version.
    if version.get_ref() != env!("CARGO_PKG_VERSION") {
        let what = format!("version is `{}`, and the package's `{}`", version.get_ref(), env!("CARGO_PKG_VERSION"));
        report.wrong(MANIFEST, version, what);
    }
}
