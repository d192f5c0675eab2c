//! The table of goals. Each pair is measured in turns, some calls of one and some of the other, until its time is over.

use std::time::{Duration, Instant};

use comfy_table::{CellAlignment, Table, presets};

use crate::turn::Turn;
use crate::{crowd, lists, memory, node, subjects};

/// So long each pair is measured, its start-up aside.
const TIME: Duration = Duration::from_secs(5);

/// A turn lasts about so long: more than the caches need to settle, less than a machine's mood lasts.
const TURN: Duration = Duration::from_millis(5);

/// The most that the component may have, in bytes.
const LIMIT: usize = 1024 * 1024;

pub fn print() {
    let memory = memory::waiting();
    let crowd = crowd::at_once();
    let lists = lists::read();
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header([
        "",
        "ours",
        "compared with",
        "",
        "ratio",
        "more",
        "goal",
    ]);
    let mut row = |what: &str, ours: String, with: &str, other: String, ratio: f64, more: String, goal: &str| {
        let digits = if ratio < 1.0 { 3 } else { 1 };
        table.add_row([what, &ours, with, &other, &format!("{ratio:.digits$}"), &more, goal]);
    };
    let mut times = |what: &str, with: &str, goal: &str, (ours, other): (Duration, Duration)| {
        let ratio = ours.as_secs_f64() / other.as_secs_f64();
        row(what, shown(ours), with, shown(other), ratio, ours.checked_sub(other).map(shown).unwrap_or_default(), goal);
    };
    times(
        "call in a fresh store",
        "in a kept store",
        "20 µs more",
        pair(subjects::fresh_store(), subjects::kept_store()),
    );
    times(
        "customer.create",
        "the request alone",
        "100 µs more",
        pair(subjects::customer_create(), subjects::bare_request()),
    );
    times(
        "harness call",
        "harness --version",
        "50 ms in all",
        pair(subjects::harness_call(), subjects::harness_version()),
    );
    times(
        "customer.create",
        "a guest that only sends",
        "40 µs more",
        pair(subjects::customer_create(), subjects::sending_guest()),
    );
    times(
        "a guest that only sends",
        "the request alone",
        "40 µs more",
        pair(subjects::sending_guest(), subjects::bare_request()),
    );
    times("webhook of 2.8 KB", "natively", "", pair(subjects::webhook_receive(), subjects::webhook_native()));
    if let Some(node) = node::construct_event() {
        times(
            "webhook of 2.8 KB",
            "the Node SDK",
            "3 ×, better 1.5 ×",
            turns((timed(subjects::webhook_receive()), node)),
        );
    }
    times("operations.list, a page", "in a fresh store", "1 ms", pair(subjects::list_page(), subjects::fresh_store()));
    times("api.search", "in a fresh store", "5 ms", pair(subjects::api_search(), subjects::fresh_store()));
    times("describe, as shown", "in a fresh store", "2 ms", pair(subjects::describe_shown(), subjects::fresh_store()));
    times("describe, all of it", "in a fresh store", "", pair(subjects::describe_full(), subjects::fresh_store()));
    times("load, compiled before", "compiling", "", pair(subjects::load_cached(), subjects::load_compiled()));
    if let Some((calls, time)) = crowd {
        let what = format!("{calls} calls at once");
        times(&what, "the server's 2 s", "3 s in all", (time, crowd::DELAY));
    }
    if let Some((calls, ours, bare)) = memory {
        let kib = |size: f64| format!("{size:.0} KiB");
        let what = format!("each of {calls} waiting calls");
        row(&what, kib(ours), "waiting requests", kib(bare), ours / bare, kib(ours - bare), "150 KiB in all");
    }
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let (ours, bare) = (lists.ours, lists.bare);
    let what = format!("list of {} objects", lists.objects);
    let ratio = ours.as_secs_f64() / bare.as_secs_f64();
    row(&what, seconds(ours), "a bare client", seconds(bare), ratio, seconds(ours.saturating_sub(bare)), "1.25 ×");
    if let Some((few, all)) = lists.peak {
        let mib = |size: usize| format!("{} MiB", size >> 20);
        let ratio = all as f64 / few as f64;
        row(
            "most memory of it",
            mib(all),
            "of a tenth of it",
            mib(few),
            ratio,
            mib(all.saturating_sub(few)),
            "the same",
        );
    }
    for column in [1, 3, 4, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let size = bundled_connector::COMPONENT.len();
    let share = 100 * size / LIMIT;
    println!(
        "\n{table}\nMedians, on {}. Component: {size} bytes, {share} % of the {LIMIT} that it may have.\n",
        machine()
    );
}

/// The medians of two subjects that are measured in turns.
fn pair(ours: impl FnMut() + 'static, other: impl FnMut() + 'static) -> (Duration, Duration) {
    turns((timed(ours), timed(other)))
}

/// The same for subjects that note their times themselves.
fn turns((mut ours, mut other): (Turn, Turn)) -> (Duration, Duration) {
    let (mut of_ours, mut of_other) = (Vec::new(), Vec::new());
    ours(TURN, &mut Vec::new());
    other(TURN, &mut Vec::new());
    let end = Instant::now() + TIME;
    while Instant::now() < end {
        ours(TURN, &mut of_ours);
        other(TURN, &mut of_other);
    }
    (median(of_ours), median(of_other))
}

fn timed(mut subject: impl FnMut() + 'static) -> Turn {
    Box::new(move |length: Duration, times: &mut Vec<Duration>| {
        let end = Instant::now() + length;
        while Instant::now() < end {
            let began = Instant::now();
            subject();
            times.push(began.elapsed());
        }
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..10.0 => format!("{micros:.1} µs"),
        ..10_000.0 => format!("{micros:.0} µs"),
        _ => format!("{:.1} ms", micros / 1e3),
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match load.split(' ').next() {
        Some(load) if !load.is_empty() => format!("{cores} cores with a load of {load}"),
        _ => format!("{cores} cores"),
    }
}
