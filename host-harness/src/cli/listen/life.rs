//! One life of the program, from its start to its end: its lines as they come, and how it ended.
//!
//! Threads read it, since it writes to two pipes at its own pace. Closing its standard input ends it: that is what its
//! keeper waits for.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc as threads;
use std::thread;
use std::time::Duration;

use host::Secret;
use tokio::sync::mpsc;

use crate::cli::listen::said::{Said, said};

/// A longer line is read as several.
const LONGEST: u64 = 8 << 10;

/// So many lines wait to be looked at before the program has to wait.
const WAITING: usize = 64;

/// What was written before the end is read for so long. A pipe that somebody else keeps open has no end.
const LAST_LINES: Duration = Duration::from_millis(500);

/// What is heard of it.
pub enum Heard {
    Said(Said),
    /// It ended so; nothing is heard after it.
    Ended(String),
}

/// A running program.
pub struct Life {
    heard: mpsc::Receiver<Heard>,
    input: Option<ChildStdin>,
}

impl Life {
    /// Starts it.
    pub fn begin(mut command: Command, key: &Secret) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A Ctrl-C is ours to hear: it would end the program before what it has taken is answered.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (sender, heard) = mpsc::channel(WAITING);
        let (done, read) = threads::channel();
        let input = child.stdin.take();
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let pipes = out.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>).into_iter();
        for pipe in pipes.chain(err.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>)) {
            let (sender, done, key) = (sender.clone(), done.clone(), key.clone());
            thread::Builder::new().name("stripe listen".to_owned()).spawn(move || {
                read_lines(pipe, &key, &sender);
                // Whoever waited for it has given it up.
                let _ = done.send(());
            })?;
        }
        drop(done);
        thread::Builder::new().name("stripe listen".to_owned()).spawn(move || {
            let ended = wait(&mut child);
            while read.recv_timeout(LAST_LINES).is_ok() {}
            let _ = sender.blocking_send(Heard::Ended(ended));
        })?;
        Ok(Self { heard, input })
    }

    /// What is heard next; nothing after its end.
    pub async fn heard(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }

    /// Asks it to end.
    pub fn close(&mut self) {
        self.input = None;
    }
}

/// How it ended. Its keeper is a process of ours, and always comes to an end.
fn wait(child: &mut Child) -> String {
    let told = |status: ExitStatus| match status.code() {
        Some(code) => format!("it ended with status {code}"),
        None => "it was killed".to_owned(),
    };
    child.wait().map_or_else(|error| format!("it cannot be waited for: {error}"), told)
}

/// Hands on every line. What is no text is read as well as it goes.
fn read_lines(pipe: impl Read, key: &Secret, sender: &mpsc::Sender<Heard>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match pipe.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let said = match said(&String::from_utf8_lossy(&line), key) {
            Said::Nothing => continue,
            said => Heard::Said(said),
        };
        if sender.blocking_send(said).is_err() {
            return;
        }
    }
}
