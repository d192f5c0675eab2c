//! Serves a simulated Stripe until it is interrupted; the first line that it prints is its URL.

use stripe_simulator::{Options, Simulator};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut options = Options::default();
    if let Some(address) = std::env::args().nth(1) {
        options.listen = address.parse().map_err(std::io::Error::other)?;
    }
    let simulator = Simulator::start_with(options).await?;
    println!("{}", simulator.base_url());
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(())
}
