//! A simulator and the binary pointed at it. Every output of every run is searched for secrets.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use stripe_simulator::{RecordedRequest, Simulator};
use tokio::runtime::Runtime;

pub const KEY: &str = "sk_test_51CliTestsSecretKey";
/// In two parts, so that no scanner takes it for a real one.
pub const LIVE_KEY: &str = concat!("sk_live_", "51CliTestsSecretKey");
pub const WEBHOOK_SECRET: &str = "whsec_CliTestsWebhookSecret";
/// What no output may contain.
const SECRETS: [&str; 2] = ["CliTestsSecretKey", "CliTestsWebhookSecret"];

/// One HTTP/1.1 exchange on a connection of its own: the status and the body.
pub fn exchange(url: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

/// A simulator of this test's own.
pub struct Stripe {
    simulator: Option<Simulator>,
    runtime: Runtime,
}

impl Stripe {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let simulator = runtime.block_on(Simulator::start()).unwrap();
        Self { simulator: Some(simulator), runtime }
    }

    pub fn url(&self) -> String {
        self.simulator.as_ref().unwrap().base_url()
    }

    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.simulator.as_ref().unwrap().requests()
    }

    /// Lets this go wrong from now on: a form of `/_simulator/faults`.
    pub fn fault(&self, form: &str) {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        assert_eq!(exchange(&self.url(), "POST", "/_simulator/faults", headers, form).0, 200);
    }

    /// Lets nothing go wrong any more.
    pub fn no_faults(&self) {
        assert_eq!(exchange(&self.url(), "DELETE", "/_simulator/faults", "", "").0, 200);
    }

    /// The binary, connected to this simulator.
    pub fn harness(&self, arguments: &[&str]) -> Harness {
        Harness::new(arguments).env("STRIPE_SECRET_KEY", KEY).env("STRIPE_API_BASE", &self.url())
    }
}

impl Drop for Stripe {
    fn drop(&mut self) {
        if let Some(simulator) = self.simulator.take() {
            self.runtime.block_on(simulator.stop());
        }
    }
}

/// One run of the binary to come.
pub struct Harness {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Harness {
    /// The binary with nothing in its environment but a cache that these tests share.
    pub fn new(arguments: &[&str]) -> Self {
        static COMPILED: OnceLock<()> = OnceLock::new();
        COMPILED.get_or_init(|| {
            let compiled = Self::bare(&["inspect"]).command.output().unwrap();
            assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        });
        Self::bare(arguments)
    }

    fn bare(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command.env_clear().env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).args(arguments);
        Self { command, input: None }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Ended {
        self.command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(input) = self.input {
            child.stdin.take().unwrap().write_all(&input).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let ended = Ended {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in SECRETS {
            assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "a secret is shown: {ended:?}");
        }
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        ended
    }

    /// Starts it and leaves it running.
    pub fn spawn(mut self) -> Running {
        let child = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{self:?}");
        self
    }

    /// Failed with this status, printed no result, and said all of this.
    #[track_caller]
    pub fn failed(self, status: i32, said: &[&str]) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.stdout, "", "a failed run has no result");
        for text in said {
            assert!(self.stderr.contains(text), "{text:?} is not in {}", self.stderr);
        }
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as lines of JSON.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Standard error as one JSON document.
    #[track_caller]
    pub fn error(&self) -> Value {
        serde_json::from_str(&self.stderr).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A run that has not ended.
pub struct Running {
    child: Child,
}

impl Running {
    /// The next line of standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let stdout = self.child.stdout.as_mut().unwrap();
        let mut line = Vec::new();
        let mut byte = [0];
        while stdout.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.extend(byte);
        }
        let line = String::from_utf8(line).unwrap();
        assert!(!SECRETS.iter().any(|secret| line.contains(secret)), "{line}");
        line
    }

    #[track_caller]
    pub fn json_line(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Closes standard output, as `| head` does.
    pub fn stop_reading(&mut self) {
        self.child.stdout = None;
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = self.child.wait().unwrap();
        Ended { status: status.code().unwrap_or(-1), stdout, stderr }
    }

    /// Asks it to end, as Ctrl-C does.
    pub fn interrupt(self) -> Ended {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of this test's own, that only this user may read.
pub struct TestFile {
    _folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl TestFile {
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Self { _folder: folder, path }
    }

    pub fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    pub fn at(&self) -> String {
        format!("@{}", self.path())
    }
}
