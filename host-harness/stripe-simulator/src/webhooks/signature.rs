//! `Stripe-Signature`: the time and an HMAC over the time and the body.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header's value for a body sent at this time. The key is the whole secret, `whsec_` included.
pub(crate) fn header(secret: &str, time: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return format!("t={time}") };
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={time},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_the_time_and_the_body_with_the_whole_secret() {
        // Made with Python: hmac.new(b"whsec_test", b'1.{"a":1}', sha256).
        let made = header("whsec_test", 1, b"{\"a\":1}");
        assert_eq!(made, "t=1,v1=9215ca250453177205c9e5d9f2ab0ca280e659841172b64e00fb52446f2345cd");
    }
}
