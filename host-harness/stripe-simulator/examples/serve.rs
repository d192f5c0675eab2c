//! Serves a simulated Stripe until it is interrupted; the first line that it prints is its URL.
//!
//! `serve [ADDRESS] [--check-answers]`: with the switch, every answer is held against the facts, and
//! `/_simulator/violations` tells what was wrong.

use stripe_simulator::{Options, Simulator};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--check-answers" => options.check_answers = true,
            address => options.listen = address.parse().map_err(std::io::Error::other)?,
        }
    }
    let simulator = Simulator::start_with(options).await?;
    println!("{}", simulator.base_url());
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
