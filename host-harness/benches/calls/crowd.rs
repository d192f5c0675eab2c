//! Very many calls in flight at once.

use std::env::current_exe;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use host::{Grants, Host, HostConfig};
use tokio::runtime::Builder;

use crate::memory::open_files;
use crate::platform::{cache, call, connection, load};
use crate::servers;

/// So many, where the machine allows two open files for each.
const CALLS: usize = 10_000;

/// The server answers each request so much later.
pub const DELAY: Duration = Duration::from_secs(2);

/// What this program is asked for when it shall be the crowd.
pub const CROWD: &str = "crowd";

/// How many there were, and how long it took until all had their answers. In a process of their own: a system allows only so
/// many mappings for each, and ten thousand calls take most of them.
pub fn at_once() -> Option<(usize, Duration)> {
    let output = Command::new(current_exe().unwrap()).arg(CROWD).stderr(Stdio::inherit()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (calls, micros) = text.trim().split_once(' ')?;
    Some((calls.parse().unwrap(), Duration::from_micros(micros.parse().unwrap())))
}

/// Is the crowd, and says what came of it. Room for all of them is a matter of the host's configuration; they run on all
/// cores, as in a server.
pub fn be() {
    let calls = CALLS.min(open_files(2 * CALLS + 500) / 2 - 200);
    let room = u32::try_from(calls).unwrap();
    let host = Host::with(HostConfig { cache: cache(), calls: room, waiting: room, ..HostConfig::default() }).unwrap();
    let base = servers::slow(DELAY, servers::a_customer(&load(&host, &Grants::nothing())));
    let connector = load(&host, &Grants::nothing().allow(&base).unwrap());
    let connection = connection(&base);
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let one = || {
        let (connector, call) = (connector.clone(), call(&connection));
        async move { connector.run_action(&call, "customer.create", "{}").await.is_ok() }
    };
    let began = Instant::now();
    let running: Vec<_> = (0..calls).map(|_| runtime.spawn(one())).collect();
    let done = running.into_iter().filter_map(|call| runtime.block_on(call).ok()).filter(|done| *done).count();
    let time = began.elapsed();
    if done < calls {
        eprintln!("*** only {done} of {calls} calls at once were answered ***");
    }
    println!("{done} {}", time.as_micros());
}
