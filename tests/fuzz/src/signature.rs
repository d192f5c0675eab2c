//! The signature of a delivery.

use arbitrary::{Arbitrary, Unstructured};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use stripe_connector::stripe::signature;

use crate::Target;

/// The signature header.
pub const TARGET: Target = Target {
    name: "signature",
    run,
    corpus,
    words: &["t=", "v1=", "v0=", ",", "=", "t=1000", "t=-1", "t=99999999999999999999", "v1=,v1=", " ", "\0"],
};

const SECRET: &str = "whsec_fuzz";
const NOW: u64 = 1_700_000_000;

/// A delivery: its header and body are the bytes, split at the first line's end. `%` in the header stands for the signature
/// that the body has at its time, so that what is genuine is met too.
fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
    let first_time = header.split(',').find_map(|part| part.strip_prefix("t=")).unwrap_or_default();
    let header = header.replace('%', &signed(SECRET, first_time, body.as_bytes()));

    let mut data = Unstructured::new(bytes);
    let tolerance = u64::arbitrary(&mut data).unwrap_or(300) % 1000;
    let other = "whsec_another".to_owned();
    let taken = signature::verify(&header, body.as_bytes(), &[other.clone(), SECRET.to_owned()], NOW, tolerance);
    assert_eq!(taken.is_ok(), genuine(&header, body.as_bytes(), tolerance), "{header:?}: {taken:?}");
    // Whatever the bytes say, they cannot know this secret, and no secret is no key.
    assert!(signature::verify(&header, body.as_bytes(), &[other], NOW, tolerance).is_err());
    assert!(signature::verify(&header, body.as_bytes(), &[], NOW, tolerance).is_err());
    assert!(signature::verify(&header, body.as_bytes(), &[String::new()], NOW, tolerance).is_err());
}

/// The rules again, in other words: one time in digits, a signature of it that fits, and not too far from now.
fn genuine(header: &str, body: &[u8], tolerance: u64) -> bool {
    let parts: Option<Vec<(&str, &str)>> = header.split(',').map(|part| part.split_once('=')).collect();
    let Some(parts) = parts else { return false };
    let times: Vec<&str> = parts.iter().filter(|(name, _)| *name == "t").map(|(_, value)| *value).collect();
    let [time] = times[..] else { return false };
    if time.is_empty() || !time.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let fits = parts.contains(&("v1", signed(SECRET, time, body).as_str()));
    fits && time.parse::<u64>().is_ok_and(|time| NOW.abs_diff(time) <= tolerance)
}

fn signed(secret: &str, time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn corpus() -> Vec<Vec<u8>> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../vectors/signatures.json")).expect("vectors");
    let text = |vector: &Value, name: &str| vector[name].as_str().expect("text").to_owned();
    let given = vectors.iter().map(|v| format!("{}\n{}", text(v, "header"), text(v, "body")));
    let own = [
        format!("t={NOW},v1=%\n{{}}"),
        format!("t={},v1=%\n{{\"id\":\"evt_1\"}}", NOW - 200),
        format!("t={},v0=%,v1=00,v1=%\n", NOW + 200),
        format!("t={NOW},t={NOW},v1=%\nx"),
        format!("t=0{NOW},v1=%\nx"),
    ];
    given.chain(own).map(String::into_bytes).collect()
}
