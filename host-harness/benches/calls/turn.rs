//! What two subjects are measured by in turns.

use std::time::Duration;

/// What is measured: does for so long what it does, and notes how long it took each time.
pub type Turn = Box<dyn FnMut(Duration, &mut Vec<Duration>)>;
