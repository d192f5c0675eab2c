//! What of a call is the guest's.

use std::time::{Duration, Instant};

use crate::platform::{CALLER, call, connection, connector};
use crate::servers::ANSWERING;
use crate::subjects::INPUT;
use crate::turn::Turn;

/// The computation of `customer.create` in the guest, the host functions that it calls within and its instantiation
/// aside; and the same call whole.
pub fn of_customer_create() -> (Turn, Turn) {
    let (connector, connection) = (connector(&ANSWERING), connection(&ANSWERING));
    let run = move || {
        let began = Instant::now();
        let reply = CALLER.block_on(connector.run_action(&call(&connection), "customer.create", INPUT)).unwrap();
        (reply.report.cpu.saturating_sub(reply.report.instantiate), began.elapsed())
    };
    let again = run.clone();
    (turn(move || run().0), turn(move || again().1))
}

/// Turns of something that says itself how long it took.
fn turn(mut told: impl FnMut() -> Duration + 'static) -> Turn {
    Box::new(move |length: Duration, times: &mut Vec<Duration>| {
        let end = Instant::now() + length;
        while Instant::now() < end {
            times.push(told());
        }
    })
}
