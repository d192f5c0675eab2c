//! The ways to get a connection.

use std::collections::BTreeSet;

use stripe_table::FieldKind;

use crate::manifest::{AuthMethod, Connection};
use crate::nearest::nearest;
use crate::problem::Report;
use crate::sources::MANIFEST;

/// Each method fills fields that there are, and says all that it needs.
pub fn check(connection: &Connection, report: &mut Report<'_>) {
    let mut names = BTreeSet::new();
    for method in &connection.methods {
        if !names.insert(method.name.get_ref()) {
            report.wrong(MANIFEST, &method.name, format!("there are two methods `{}`", method.name.get_ref()));
        }
        kind(method, report);
        token(method, connection, report);
        for field in &method.fields {
            if !connection.fields.iter().any(|f| f.name == *field.get_ref()) {
                let hint = nearest(field.get_ref(), connection.fields.iter().map(|f| f.name.as_str()));
                let what = format!(
                    "method `{}` fills `{}`, which is no field of the connection{hint}",
                    method.name.get_ref(),
                    field.get_ref()
                );
                report.wrong(MANIFEST, field, what);
            }
        }
        let missing =
            connection.fields.iter().find(|f| f.required && !method.fields.iter().any(|m| *m.get_ref() == f.name));
        if let Some(missing) = missing {
            let what =
                format!("method `{}` does not fill `{}`, which is required", method.name.get_ref(), missing.name);
            report.wrong(MANIFEST, &method.name, what);
        }
    }
}

/// The first field of an `oauth` method takes the access token, so it must be one that is kept secret.
fn token(method: &AuthMethod, connection: &Connection, report: &mut Report<'_>) {
    if method.kind.get_ref() != "oauth" {
        return;
    }
    let Some(first) = method.fields.first() else {
        let what = format!("method `{}` has no field for its access token", method.name.get_ref());
        return report.wrong(MANIFEST, &method.name, what);
    };
    let field = connection.fields.iter().find(|f| f.name == *first.get_ref());
    if field.is_some_and(|f| f.kind.0 != FieldKind::Secret) {
        let what = format!(
            "method `{}` puts its access token into its first field, `{}`, which is no secret",
            method.name.get_ref(),
            first.get_ref()
        );
        report.wrong(MANIFEST, first, what);
    }
}

fn kind(method: &AuthMethod, report: &mut Report<'_>) {
    let name = method.name.get_ref();
    let urls = [("authorize_url", &method.authorize_url), ("token_url", &method.token_url)];
    match method.kind.get_ref().as_str() {
        "fields" => {
            for (key, url) in urls {
                if let Some(url) = url {
                    let what = format!("method `{name}` is of kind `fields`, where nobody is sent to `{key}`");
                    report.wrong(MANIFEST, url, what);
                }
            }
        }
        "oauth" => {
            for (key, url) in urls {
                match url {
                    None => report.wrong(MANIFEST, &method.name, format!("method `{name}` lacks its `{key}`")),
                    Some(url) if !url.get_ref().starts_with("https://") => {
                        report.wrong(MANIFEST, url, format!("`{key}` of method `{name}` must begin with https://"));
                    }
                    Some(_) => {}
                }
            }
        }
        other => {
            let hint = nearest(other, ["fields", "oauth"]);
            report.wrong(MANIFEST, &method.kind, format!("`{other}` is no kind of method: fields or oauth{hint}"));
        }
    }
}
