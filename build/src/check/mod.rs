//! Holds what people wrote against the API: every name must exist there, be of the right type and be something that the
//! engine can do.
//!
//! A file a topic; each looks at the whole catalogue and reports what it finds. None changes anything, and none relies on
//! another having passed: one mistake is to be one message.

use stripe_facts::Facts;

use crate::api::Api;
use crate::catalogue::Catalogue;
use crate::problem::Report;

mod aliases;
mod connection;
mod connector;
mod egress;
mod encoding;
mod errors;
mod fields;
mod hooks;
mod inverse;
mod money;
mod names;
mod operations;
mod paths;
mod permissions;
mod prefixes;
mod references;
mod resources;
mod safety;
mod subject;
mod triggers;
mod values;

use subject::Subject;

/// Reports everything that is wrong.
pub fn check(catalogue: &Catalogue, api: &Api, facts: &Facts, report: &mut Report<'_>) {
    let subject = Subject { catalogue, api };
    connector::check(&catalogue.manifest, facts, report);
    egress::check(subject, report);
    connection::check(&catalogue.manifest.connection, report);
    hooks::declared(subject, report);
    resources::check(subject, report);
    prefixes::check(catalogue, report);
    names::check(catalogue, report);
    operations::check(subject, report);
    aliases::check(subject, report);
    fields::check(subject, report);
    triggers::check(subject, report);
    permissions::check(subject, report);
    errors::check(&catalogue.errors, api, report);
}
