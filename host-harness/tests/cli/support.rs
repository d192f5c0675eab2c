//! A simulator and the binary pointed at it. Every output of every run is searched for secrets.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use stripe_simulator::{RecordedRequest, Simulator};
use tempfile::TempDir;
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
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
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
    /// What it keeps, for as long as it runs.
    state: TempDir,
}

impl Harness {
    /// The binary with nothing in its environment but a cache that these tests share and a state that is its own.
    pub fn new(arguments: &[&str]) -> Self {
        static COMPILED: OnceLock<()> = OnceLock::new();
        COMPILED.get_or_init(|| {
            let compiled = Self::bare(&["inspect"]).command.output().unwrap();
            assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        });
        Self::bare(arguments)
    }

    /// The same, with so many open files allowed.
    pub fn with_files(most: u32, arguments: &[&str]) -> Self {
        Self::limited(&format!("ulimit -n {most}"), arguments)
    }

    fn limited(limits: &str, arguments: &[&str]) -> Self {
        let whole = Self::new(&[]);
        let mut command = Command::new("sh");
        let limited = format!("{limits}; exec \"$0\" \"$@\"");
        command.args(["-c", &limited]).arg(whole.command.get_program()).args(arguments).env_clear();
        command.envs(whole.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self { command, input: None, state: whole.state }
    }

    /// The same, with no file larger than so many blocks of 512 bytes: a disk that is soon full.
    pub fn with_file_size(most: u32, arguments: &[&str]) -> Self {
        Self::limited(&format!("trap '' XFSZ; ulimit -f {most}"), arguments)
    }

    fn bare(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        let state = tempfile::tempdir().unwrap();
        command.env_clear().env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).args(arguments);
        command.env("XDG_STATE_HOME", state.path());
        Self { command, input: None, state }
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// With one more argument, which may be no text.
    pub fn argument(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs it to its end with standard output on a full disk.
    pub fn run_without_room(mut self) -> Ended {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = self.command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        Ended::of(output)
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Ended {
        self.command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(input) = self.input {
            child.stdin.take().unwrap().write_all(&input).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        Ended::of(output)
    }

    /// Starts it with a standard error that nobody reads and that is full.
    pub fn spawn_unheard(mut self) -> Unheard {
        let (unread, mut full) = std::io::pipe().unwrap();
        let child = self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(full.try_clone().unwrap());
        let child = child.spawn().unwrap();
        // It blocks when the pipe is full, until nobody can read it any more.
        std::thread::spawn(move || full.write_all(&vec![b'.'; 8 << 20]));
        Unheard { running: Running { child, _state: self.state }, _unread: unread }
    }

    /// Starts it and leaves it running.
    pub fn spawn(mut self) -> Running {
        let child = self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { child, _state: self.state }
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
    fn of(output: Output) -> Self {
        let ended = Self {
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
    _state: TempDir,
}

impl Running {
    /// The next line of standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        read_line(self.child.stdout.as_mut().unwrap())
    }

    #[track_caller]
    pub fn json_line(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Ends it without any warning, as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Its standard output, for many lines.
    pub fn output(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.child.stdout.take().unwrap())
    }

    /// How much memory it holds now, in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        resident.trim().trim_end_matches(" kB").parse().unwrap()
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

    /// Waits for its end while nobody reads its standard output: the status, and standard error.
    pub fn wait_without_reading(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (status.code().unwrap_or(-1), stderr)
    }

    /// Asks it to end, as Ctrl-C does.
    pub fn interrupt(self) -> Ended {
        self.signal(Signal::INT);
        self.wait()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// The next line of standard error.
    #[track_caller]
    pub fn error_line(&mut self) -> String {
        read_line(self.child.stderr.as_mut().unwrap())
    }
}

/// A run whose standard error nobody reads.
pub struct Unheard {
    running: Running,
    _unread: std::io::PipeReader,
}

impl Unheard {
    pub fn signal(&self, signal: Signal) {
        self.running.signal(signal);
    }

    /// The status, when it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.running.child.try_wait().unwrap().map(|status| status.code().unwrap_or(-1))
    }
}

/// To the end of the line and no further.
#[track_caller]
fn read_line(pipe: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while pipe.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    let line = String::from_utf8(line).unwrap();
    assert!(!SECRETS.iter().any(|secret| line.contains(secret)), "{line}");
    line
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A service that gives every request the same answer. Its address.
pub fn answering(status: u16, body: &str) -> String {
    let body = body.to_owned();
    answering_each(status, move |_| body.clone())
}

/// A service that answers each request by its place among them. Its address.
pub fn answering_each(status: u16, body: impl Fn(usize) -> String + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (place, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let body = body(place);
            let head = format!(
                "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head, body].concat().into_bytes());
        }
    });
    url
}

/// A file of this test's own, that only this user may read.
pub struct TestFile {
    _folder: TempDir,
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
