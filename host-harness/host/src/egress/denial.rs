//! A request that was not let out, and why. Short whatever the component asked for, since it is kept and shown.

use std::fmt;

use serde::Serialize;

/// So much of a method, a destination or a path is kept.
const MOST: usize = 300;

/// A request that was not let out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// The method.
    pub method: String,
    /// Scheme, host and port, or what stood in their place.
    pub destination: String,
    /// The path, without its query.
    pub path: String,
    /// Why.
    pub reason: DenialReason,
    /// The origin that an operator would have to grant ([`Grants::allow`](crate::Grants::allow), or [`Grants::allow_private`](crate::Grants::allow_private) for a name with
    /// a private address). Absent where no grant allows it.
    pub allow_with: Option<String>,
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} was not let out: {}", self.method, self.destination, self.reason)?;
        match &self.allow_with {
            Some(origin) => write!(formatter, "; granting {origin} would allow it"),
            None => Ok(()),
        }
    }
}

/// Why a request was not let out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DenialReason {
    /// Neither the manifest nor the operator names the destination, or the operator narrowed it away.
    NotGranted,
    /// The destination is granted, with other methods.
    Method(String),
    /// The address is loopback, private, link-local or reserved.
    PrivateAddress,
    /// The URL is not one that can be decided on.
    Url(String),
    /// One call made too many requests.
    TooMany(usize),
    /// The function is one that needs no network.
    NoNetwork,
    /// It carries an `Authorization` that is not exactly `Bearer` and what stands for the connection's own credential, or
    /// more than one.
    Authorization,
    /// The connection's credential may not go to this destination.
    NotItsOrigin,
    /// A credential would leave in the clear, for another machine than this one.
    InTheClear,
    /// Its head has more bytes.
    Head(usize),
    /// Its body has more bytes.
    Body(usize),
    /// The call, or the host, has more bytes of request bodies on the way.
    InFlight(usize),
    /// The caller's own gate held it back, for this reason.
    HeldBack(String),
}

impl fmt::Display for DenialReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted => formatter.write_str("the destination is not granted"),
            Self::Method(methods) => write!(formatter, "only {methods} is granted there"),
            Self::PrivateAddress => formatter.write_str("its address is private"),
            Self::Url(reason) | Self::HeldBack(reason) => formatter.write_str(reason),
            Self::TooMany(most) => write!(formatter, "a call may make {most} requests"),
            Self::NoNetwork => formatter.write_str("the function is one that needs no network"),
            Self::Authorization => formatter.write_str(
                "its Authorization is not exactly `Bearer` and the value that stands for the connection's own secret",
            ),
            Self::NotItsOrigin => formatter.write_str("the connection's secret may not go there"),
            Self::InTheClear => formatter.write_str("a secret leaves only over TLS (https), or to this machine itself"),
            Self::Head(most) => write!(formatter, "its head has more than {} KiB", most >> 10),
            Self::Body(most) => write!(formatter, "its body has more than {} MiB", most >> 20),
            Self::InFlight(most) => {
                write!(formatter, "more than {} MiB of request bodies would be on the way", most >> 20)
            }
        }
    }
}

impl Denial {
    /// A denial, with what the component chose cut short.
    pub(crate) fn new(
        method: &str,
        destination: &str,
        path: &str,
        reason: DenialReason,
        allow_with: Option<String>,
    ) -> Self {
        Self { method: clipped(method), destination: clipped(destination), path: clipped(path), reason, allow_with }
    }
}

/// A text, or its beginning and `…`.
pub(crate) fn clipped(text: &str) -> String {
    if text.len() <= MOST {
        return text.to_owned();
    }
    let end = (0..=MOST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_short() {
        let long = "ä".repeat(10_000);
        let denial = Denial::new(&long, &long, &long, DenialReason::NotGranted, None);
        assert!(denial.to_string().len() < 2_000 && denial.path.ends_with('…') && denial.path.len() < 400);
        assert_eq!(clipped("/v1/customers"), "/v1/customers");
    }
}
