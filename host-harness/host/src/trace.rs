//! The trace that a call belongs to, as W3C Trace Context writes it in a `traceparent` header.

use std::fmt;

use http::HeaderValue;
use thiserror::Error;

/// A `traceparent` of version 00: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(HeaderValue);

/// A text is no `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a traceparent is of the form 00-<32 hexadecimal digits>-<16>-<2>, in lower case and not all zeros")]
pub struct NoTraceParent;

impl TraceParent {
    /// Reads the header's value.
    pub fn parse(text: &str) -> Result<Self, NoTraceParent> {
        let mut parts = text.split('-');
        let hexadecimal = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_set = |part: &str| part.bytes().any(|byte| byte != b'0');
        match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("00"), Some(trace), Some(parent), Some(flags), None)
                if hexadecimal(trace, 32)
                    && is_set(trace)
                    && hexadecimal(parent, 16)
                    && is_set(parent)
                    && hexadecimal(flags, 2) =>
            {
                HeaderValue::from_str(text).map(Self).map_err(|_| NoTraceParent)
            }
            _ => Err(NoTraceParent),
        }
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(good).unwrap().to_string(), good);
        for bad in [
            "",
            "00",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n",
        ] {
            assert_eq!(TraceParent::parse(bad), Err(NoTraceParent), "{bad:?}");
        }
    }
}
