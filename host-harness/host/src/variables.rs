//! Which environment variables a manifest may have. It names them as it likes, and comes with a component: what the
//! operator does not agree to is not read.

use crate::manifest::{ConnectionFieldDeclaration, Manifest};

/// The operator's consent to variables, by their names.
///
/// ```
/// use host::Variables;
///
/// // A component that the operator knows: `STRIPE_…` for the connector `stripe`, whatever else its manifest names.
/// let own = Variables::own();
/// // Exactly these.
/// let listed = Variables::named(["STRIPE_SECRET_KEY", "STRIPE_ACCOUNT"]);
/// ```
#[derive(Clone, Debug)]
pub struct Variables(Consent);

#[derive(Clone, Debug)]
enum Consent {
    Own,
    Named(Vec<String>),
}

impl Variables {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self(Consent::Named(Vec::new()))
    }

    /// Those that begin with the connector's own id in upper case and `_`: `STRIPE_` for `stripe`. A connector whose id
    /// the operator does not know should get those that are named for it.
    #[must_use]
    pub fn own() -> Self {
        Self(Consent::Own)
    }

    /// These.
    #[must_use]
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(Consent::Named(names.into_iter().map(Into::into).collect()))
    }

    /// The fields of a manifest that may be filled from a variable, each with the variable's name.
    pub fn of<'m>(&self, manifest: &'m Manifest) -> impl Iterator<Item = (&'m ConnectionFieldDeclaration, &'m str)> {
        let own: String = manifest
            .id
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
            .chain(['_'])
            .collect();
        manifest.fields.iter().filter_map(|field| Some((field, field.env.as_deref()?))).filter(move |(_, variable)| {
            match &self.0 {
                Consent::Own => variable.starts_with(&own),
                Consent::Named(names) => names.iter().any(|name| name == variable),
            }
        })
    }
}
