//! `connection`.

use super::exported::connection::{
    Access, AuthKind, AuthMethod, ConnectionField, ConnectionReport, ConnectionType, FieldKind, Guest, Oauth,
    Permission,
};
use super::{Component, types, wit};
use crate::catalogue;
use crate::connection_test as trial;
use crate::permission::{self as needs, Need};

impl Guest for Component {
    fn describe() -> ConnectionType {
        let (methods, fields) = catalogue::table().map_or_else(
            |_| (Vec::new(), Vec::new()),
            |table| {
                let methods = table.auth_methods().iter().map(method).collect();
                (methods, table.connection_fields().iter().map(field).collect())
            },
        );
        ConnectionType { title: catalogue::TITLE.into(), api_version: catalogue::API_VERSION.into(), methods, fields }
    }

    fn test(context: wit::CallContext) -> Result<ConnectionReport, wit::Error> {
        let report = trial::run(&types::session(context)?)?;
        Ok(ConnectionReport {
            mode: report.mode.into(),
            account_id: report.account_id,
            account_name: report.account_name,
            api_version: catalogue::API_VERSION.into(),
            restricted: report.restricted,
            permissions: report.permissions.into_iter().map(permission).collect(),
            extras: Vec::new(),
        })
    }

    fn permissions(operations: Vec<String>) -> Result<Vec<Permission>, wit::Error> {
        let least = |need: Need| trial::Finding { access: trial::Access::Unknown, grant: need.grant(), need };
        Ok(needs::least(&operations)?.into_iter().map(least).map(permission).collect())
    }
}

/// The first field of an OAuth method is the one that the token fills; the user fills in the others.
fn method(method: catalogue::AuthMethod<'_>) -> AuthMethod {
    let oauth = method.kind() == "oauth";
    AuthMethod {
        name: method.name().into(),
        title: method.title().into(),
        kind: match method.kind() {
            "fields" => AuthKind::Fields,
            _ if oauth => AuthKind::Oauth(Oauth {
                authorize_url: method.authorize_url().into(),
                token_url: method.token_url().into(),
                scopes: method.scopes().iter().map(Into::into).collect(),
                pkce: method.pkce(),
                token_field: method.fields().first().unwrap_or_default().into(),
            }),
            other => AuthKind::Other(other.into()),
        },
        fields: method.fields().iter().skip(usize::from(oauth)).map(Into::into).collect(),
    }
}

fn field(field: catalogue::ConnectionField<'_>) -> ConnectionField {
    ConnectionField {
        name: field.name().into(),
        kind: match field.kind() {
            catalogue::FieldKind::Secret => FieldKind::Secret,
            catalogue::FieldKind::Text => FieldKind::Text,
            catalogue::FieldKind::Url => FieldKind::Url,
        },
        title: field.title().into(),
        help: field.help(),
        required: field.required(),
        placeholder: types::optional(field.placeholder()),
        link: types::optional(field.link()),
        default_value: types::optional(field.default()),
    }
}

fn permission(finding: trial::Finding) -> Permission {
    Permission {
        title: finding.need.title(),
        operations: finding.need.operations.into_iter().map(Into::into).collect(),
        access: match finding.access {
            trial::Access::Allowed => Access::Allowed,
            trial::Access::Denied => Access::Denied,
            trial::Access::Unknown => Access::Unknown,
        },
        grant: finding.grant,
    }
}
