//! The official Node SDK beside the component: what it does with the same delivery, measured within its own process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::platform::WEBHOOK_SECRET;
use crate::subjects::delivery;
use crate::turn::Turn;

/// Where the judges install it.
const INSTALLED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../judges/node");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/calls/construct_event.mjs");

/// A process that waits to be asked. It ends with its input.
struct Node {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Verifies a delivery, reads it and writes the event out again. None, and said so, where the SDK is not installed.
pub fn construct_event() -> Option<Turn> {
    if !Path::new(INSTALLED).join("node_modules/stripe").is_dir() {
        eprintln!("\n*** WITHOUT the Node SDK: `tests/judges/run` installs it, then it is compared with as well ***\n");
        return None;
    }
    let child = Command::new("node")
        .args([SCRIPT, INSTALLED])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| eprintln!("\n*** WITHOUT the Node SDK: node does not start: {error} ***\n"));
    let mut child = child.ok()?;
    let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
    let mut node = Node { child, input, output };
    let (event, signature) = delivery();
    let delivery = json!({ "event": event, "signature": signature, "secret": WEBHOOK_SECRET });
    writeln!(node.input.as_mut().unwrap(), "{delivery}").unwrap();
    Some(Box::new(move |length: Duration, times: &mut Vec<Duration>| {
        writeln!(node.input.as_mut().unwrap(), "{}", length.as_micros()).unwrap();
        let mut answer = String::new();
        node.output.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the Node SDK stopped");
        times.extend(answer.split_whitespace().map(|time| Duration::from_nanos(time.parse().unwrap())));
    }))
}
