//! How a connection is made and tested.

use super::items::Texts;
use super::record::cursors;
use super::request::Request;
use crate::layout::{auth_method, connection_field, permission};
use crate::names::FieldKind;

cursors! {
    /// A way to authenticate.
    AuthMethod, named by name {
        /// Its name, `api-key`.
        name: text(auth_method::NAME) -> &'t str,
        /// Its title.
        title: text(auth_method::TITLE) -> &'t str,
        /// `fields` or `oauth`.
        kind: text(auth_method::KIND) -> &'t str,
        /// The connection fields that it fills.
        fields: texts(auth_method::FIELDS) -> Texts<'t>,
        /// Where the user is sent to consent; empty where there is no consent.
        authorize_url: text(auth_method::AUTHORIZE_URL) -> &'t str,
        /// Where codes are exchanged; empty likewise.
        token_url: text(auth_method::TOKEN_URL) -> &'t str,
        /// What is asked for.
        scopes: texts(auth_method::SCOPES) -> Texts<'t>,
        /// Whether the service takes a PKCE challenge.
        pkce: flag(auth_method::PKCE) -> bool,
    }
    /// One field of the connection form.
    ConnectionField, named by name {
        /// Its name.
        name: text(connection_field::NAME) -> &'t str,
        /// How it is shown.
        kind: case(connection_field::KIND, FieldKind::from_code, FieldKind::Secret) -> FieldKind,
        /// Its title.
        title: text(connection_field::TITLE) -> &'t str,
        /// What it is for; empty for nothing.
        help: prose(connection_field::HELP) -> String,
        /// Whether it must be filled.
        required: flag(connection_field::REQUIRED) -> bool,
        /// What stands in it while it is empty; empty for nothing.
        placeholder: text(connection_field::PLACEHOLDER) -> &'t str,
        /// Where its value is found; empty for none.
        link: text(connection_field::LINK) -> &'t str,
        /// Its value unless another is given; empty for none.
        default: text(connection_field::DEFAULT) -> &'t str,
    }
    /// What a restricted key may be allowed, to read or to write.
    Permission, named by name {
        /// Its name, `customer`.
        name: text(permission::NAME) -> &'t str,
        /// What the service calls it where keys are made.
        title: text(permission::TITLE) -> &'t str,
        /// What triggers need of it: `read`, `write` or, empty, nothing.
        triggers: text(permission::TRIGGERS) -> &'t str,
    }
}

impl<'t> Permission<'t> {
    /// The request that shows whether a key may read it.
    pub fn probe(self) -> Option<Request<'t>> {
        Request::named_in(self.0, permission::PROBE)
    }
}
