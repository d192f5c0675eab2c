//! Notes for who cannot wait for a reader: a thread of its own writes them to standard error.
//!
//! Until [`begin`], standard error is written by whoever has something to say, and a reader that has stopped reading holds
//! that up: a command that ends when it has said its piece can wait. From then on so many bytes wait for the reader at
//! most; the lines that come when there is no room are left out, and the reader is told how many.

use std::io::{self, Write, stderr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// So much waits for a reader: a few hundred lines, as much again as a pipe holds.
const MOST: usize = 64 << 10;

/// So long the last notes have at the end of the process. A reader that is there needs no time at all.
const AT_THE_END: Duration = Duration::from_secs(1);

static BESIDE: OnceLock<Arc<Notes>> = OnceLock::new();

#[derive(Default)]
struct Notes {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    left_out: u64,
    writing: bool,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.left_out == 0
    }

    fn add(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            // After a gap nothing is put in until the reader was told of it.
            if self.left_out > 0 || self.lines.len() + line.len() > MOST {
                self.left_out += 1;
            } else {
                self.lines.extend_from_slice(line);
            }
        }
    }
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, for ever.
    fn write(&self, to: &mut impl Write) {
        let mut waiting = self.lock();
        loop {
            waiting =
                self.changed.wait_while(waiting, |waiting| waiting.is_empty()).unwrap_or_else(PoisonError::into_inner);
            let Waiting { lines, left_out, .. } =
                std::mem::replace(&mut *waiting, Waiting { writing: true, ..Waiting::default() });
            drop(waiting);
            // Where nobody can read it any more, there is nobody to tell.
            let _ = to.write_all(&lines);
            if left_out > 0 {
                let _ = writeln!(to, "{left_out} lines were left out: nobody read standard error");
            }
            waiting = self.lock();
            waiting.writing = false;
            self.changed.notify_all();
        }
    }
}

/// From now on nobody waits for a reader of standard error.
pub fn begin() -> io::Result<()> {
    if BESIDE.get().is_none() {
        let notes = Arc::<Notes>::default();
        let of_thread = Arc::clone(&notes);
        thread::Builder::new().name("notes".to_owned()).spawn(move || of_thread.write(&mut stderr()))?;
        let _ = BESIDE.set(notes);
    }
    Ok(())
}

/// Waits a moment for the last notes to be written.
pub fn end() {
    if let Some(notes) = BESIDE.get() {
        let pending = |waiting: &mut Waiting| waiting.writing || !waiting.is_empty();
        drop(notes.changed.wait_timeout_while(notes.lock(), AT_THE_END, pending));
    }
}

/// Standard error: written at once, or from [`begin`] on beside everything else. Each write is of whole lines.
pub struct Errors;

impl Write for Errors {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let Some(notes) = BESIDE.get() else { return stderr().write(lines) };
        notes.lock().add(lines);
        notes.changed.notify_all();
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if BESIDE.get().is_some() { Ok(()) } else { stderr().flush() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_the_rest_is_counted() {
        let mut waiting = Waiting::default();
        for _ in 0..10_000 {
            waiting.add(b"a line of twenty-five bytes\n");
        }
        assert!(waiting.lines.len() <= MOST && waiting.lines.len() > MOST - 100);
        let kept = waiting.lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(kept + waiting.left_out, 10_000);
        waiting.lines.clear();
        waiting.add(b"a\n");
        assert!(waiting.lines.is_empty(), "a line after a gap would hide it");
    }
}
