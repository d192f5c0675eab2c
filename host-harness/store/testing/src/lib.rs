//! A real PostgreSQL server for tests, from the machine's own binaries.
//!
//! It lives in a temporary folder, listens on a socket in it and on no port, and ends with the process that started it, however that
//! ends: a shell waits for the other end of a pipe to close, stops the server and removes the folder. PostgreSQL refuses to run as
//! root; there it runs as `postgres` or `nobody`.
//!
//! What lives here: the server, and nothing about what is stored in it. A machine without PostgreSQL passes the tests that need
//! it, and says loudly that they did not run; under `CI` that is an error.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "only tests use this crate")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a server may take to start or stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub struct Server {
    binaries: PathBuf,
    folder: PathBuf,
    account: Option<Account>,
    running: Mutex<Option<Child>>,
    /// Closed when this process ends.
    _watch: Child,
    databases: AtomicU32,
}

/// Whom the server runs as.
#[derive(Clone, Copy, Debug)]
struct Account {
    user: u32,
    group: u32,
}

/// One server for all tests of a process. None where there is no PostgreSQL.
pub fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref()
}

impl Server {
    /// Starts a server of its own. None where there is no PostgreSQL, which is said loudly.
    pub fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            assert!(
                std::env::var_os("CI").is_none(),
                "there is no PostgreSQL on this machine: install it (Debian: postgresql)"
            );
            // Past what the test harness keeps to itself.
            let _ = std::io::stderr().write_all(
                b"\n*** NOT TESTED: there is no PostgreSQL on this machine (Debian: apt-get install postgresql). ***\n\n",
            );
            return None;
        };
        let account = (fs::metadata("/proc/self").map_or(0, |own| own.uid()) == 0).then(unprivileged);
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").expect("a temporary folder").keep();
        if let Some(account) = account {
            chown(&folder, Some(account.user), Some(account.group)).expect("the folder's new owner");
        }
        let watch = watch(&folder);
        let server =
            Self { binaries, folder, account, running: Mutex::new(None), _watch: watch, databases: AtomicU32::new(0) };
        let made = server
            .program("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"])
            .arg(server.folder.join("data"))
            .output()
            .expect("initdb");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.go_on();
        Some(server)
    }

    /// Starts it again after [`Server::stop`].
    pub fn go_on(&self) {
        let mut running = self.running.lock().expect("nobody panicked here");
        let socket = format!("unix_socket_directories={}", self.folder.display());
        let log = fs::File::create(self.folder.join("log")).expect("a log file");
        let mut child = self
            .program("postgres")
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-c", "listen_addresses=", "-c", "max_connections=300", "-c", &socket])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres");
        // The shell that watches stops it by this, whatever becomes of us.
        fs::write(self.folder.join("pid"), child.id().to_string()).expect("the server's number");
        let began = Instant::now();
        while !self
            .program("pg_isready")
            .arg("-q")
            .arg("-h")
            .arg(&self.folder)
            .status()
            .is_ok_and(|status| status.success())
        {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(matches!(child.try_wait(), Ok(None)), "the server ended: {}", log());
            assert!(began.elapsed() < PATIENCE, "the server does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        *running = Some(child);
    }

    /// Stops it as a power cut would: at once, in the middle of everything. What is in it is there again after
    /// [`Server::go_on`].
    pub fn stop(&self) {
        if let Some(mut child) = self.running.lock().expect("nobody panicked here").take() {
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }

    /// A new database on it, as an address.
    pub fn database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        self.execute(&format!("postgres://postgres@{folder}/postgres"), &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@{folder}/{name}")
    }

    /// Runs a statement in a database.
    pub fn execute(&self, address: &str, sql: &str) {
        let done = self.program("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql]).output();
        let done = done.expect("psql");
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(&self.folder).env("LC_ALL", "C");
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A shell that waits until nobody can write to it any more: we are gone, or the server is dropped.
fn watch(folder: &Path) -> Child {
    const SCRIPT: &str = r#"
        read -r _
        [ -f "$0/pid" ] && kill -QUIT "$(cat "$0/pid")" 2>/dev/null && sleep 1
        rm -rf "$0"
    "#;
    let mut shell = Command::new("sh");
    // Not in our group, so that Ctrl-C leaves it to do its work.
    shell.args(["-c", SCRIPT]).arg(folder).process_group(0);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell")
}

/// The newest PostgreSQL of this machine: where Debian puts it, or on PATH.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .collect();
    versions.sort();
    let newest = versions.into_iter().rev().map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// An account that PostgreSQL agrees to run as.
fn unprivileged() -> Account {
    let accounts = fs::read_to_string("/etc/passwd").expect("the accounts of this machine");
    let account = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some(Account { user: fields.next()?.ok()?, group: fields.next()?.ok()? })
    };
    account("postgres").or_else(|| account("nobody")).expect("an account that is not root")
}
