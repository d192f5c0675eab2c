//! The form that a user fills in.

use std::collections::HashSet;

use host::contract::{AuthKind, ConnectionType};

use crate::report::{Check, Findings};
use crate::subject::Subject;

/// The form is the manifest's, and its ways to connect fill fields that it has.
pub(crate) async fn form(subject: &Subject) -> Check {
    let mut findings = Findings::default();
    let what = "connection.describe";
    match subject.heard(what, subject.connector.describe_connection().await) {
        Ok((form, _)) => compare(subject, &form, &mut findings),
        Err(refused) => findings.broken(refused.said(what)),
    }
    findings.named("connection", "the connection's form is what the manifest says")
}

fn compare(subject: &Subject, form: &ConnectionType, findings: &mut Findings) {
    let declared: Vec<&str> = subject.manifest.fields.iter().map(|field| field.name.as_str()).collect();
    let given: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
    findings.that(declared == given, || format!("its fields are {given:?}, the manifest's are {declared:?}"));
    findings.that(!form.title.trim().is_empty(), || "it has no title".to_owned());
    findings.that(!form.methods.is_empty(), || "there is no way to connect".to_owned());
    let known: HashSet<&str> = given.into_iter().collect();
    for method in &form.methods {
        let token = match &method.kind {
            AuthKind::Oauth(oauth) => Some(&oauth.token_field),
            _ => None,
        };
        let strange = method.fields.iter().chain(token).find(|field| !known.contains(field.as_str()));
        findings
            .that(strange.is_none(), || format!("the method {:?} fills {strange:?}, which is no field", method.name));
    }
}
