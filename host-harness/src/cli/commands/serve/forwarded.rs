//! Deliveries by `stripe listen`, where nothing else brings any: whether it is run, its beginning, and what becomes of it.

use std::net::SocketAddr;
use std::pin::pin;

use host::{Manifest, Secret};
use inbox::PATH;

use crate::cli::commands::serve::spec::Listen;
use crate::cli::failure::Failure;
use crate::cli::listen::{Asked, Listening, News, Patience, Program, Skipped};
use crate::cli::setup::connecting::Link;
use crate::cli::setup::stopping;
use crate::cli::terminal::Terminal;
use crate::cli::terminal::progress::Progress;
use crate::cli::wording;

/// The connector that the Stripe command line speaks for, and the field of its key.
const STRIPE: &str = "stripe";
const KEY: &str = "api_key";

/// The field that deliveries are checked with which no subscription of ours signs.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

/// The command that runs the program and ends it with us.
const KEEPER: [&str; 3] = ["webhook", "keep", "--"];

/// Everything that is needed to listen but the address that is listened for.
pub struct Plan {
    program: Program,
    key: Secret,
    api_base: Option<String>,
}

impl Plan {
    /// What deliveries are checked with, where no subscription signs them: a secret that is given, or that of `stripe listen`.
    pub fn wanted(
        terminal: &mut Terminal,
        listen: Listen,
        link: &Link,
        manifest: &Manifest,
    ) -> Result<Option<Self>, Failure> {
        let has_secret = link.connection.has(WEBHOOK_SECRET);
        let plan = match listen {
            Listen::Never(why) => Err(why),
            Listen::Only => Self::of(link, manifest, false),
            Listen::WithoutSecret => Self::of(link, manifest, has_secret),
        };
        match plan {
            Ok(plan) => Ok(Some(plan)),
            Err(why) if listen == Listen::Only => Err(Failure::usage(format!("`stripe listen` is not started: {why}"))),
            Err(Skipped::OfAFile) if has_secret => Ok(None),
            Err(why) if has_secret => {
                terminal.note(format_args!("`stripe listen` is not started: {why}"));
                Ok(None)
            }
            Err(why) => Err(unchecked(manifest, format_args!("`stripe listen` is not started: {why}"))),
        }
    }

    /// What would be done, or the reason why it is not.
    fn of(link: &Link, manifest: &Manifest, has_secret: bool) -> Result<Self, Skipped> {
        if manifest.id != STRIPE {
            return Err(Skipped::OtherService);
        }
        let key = Skipped::unless_possible(link.secret(KEY), has_secret)?.clone();
        let program = Program::found(&KEEPER).ok_or(Skipped::NoProgram)?;
        Ok(Self { program, key, api_base: link.own_address(manifest).map(str::to_owned) })
    }

    /// Starts to listen for this address, and waits until the secret is known, which the link then has.
    pub async fn begin(
        self,
        terminal: &mut Terminal,
        link: &mut Link,
        manifest: &Manifest,
        address: SocketAddr,
        source: &str,
    ) -> Result<Listening, Failure> {
        let mut stopping = pin!(stopping::wanted());
        let forward_to = format!("http://{}{PATH}/{source}", loopback(address));
        let asked = Asked { key: self.key, forward_to, api_base: self.api_base };
        let mut listening = Listening::start(self.program, asked, Patience::default());
        let progress = Progress::of("Waiting for `stripe listen`");
        let reason = tokio::select! {
            news = listening.news() => match news {
                News::Ready(secret) => {
                    drop(progress);
                    link.take(manifest, WEBHOOK_SECRET, secret)?;
                    terminal.note("`stripe listen` delivers the events of this account here, as long as this runs");
                    return Ok(listening);
                }
                News::Ended { reason, .. } | News::GivenUp { reason } => reason,
            },
            status = &mut stopping => {
                listening.stop().await;
                return Err(Failure::Stopped(status));
            }
        };
        drop(progress);
        Err(unchecked(manifest, format_args!("`stripe listen` was not ready: {reason}")))
    }
}

/// There is nothing that deliveries can be checked with.
fn unchecked(manifest: &Manifest, listen: impl std::fmt::Display) -> Failure {
    let variable = manifest.field(WEBHOOK_SECRET).and_then(|field| field.env.as_deref()).unwrap_or(WEBHOOK_SECRET);
    Failure::usage(format!("there is no webhook signing secret, so no delivery can be checked; {listen}"))
        .hint(format!("Set {variable}, or let --subscribe get one."))
}

/// Another secret, or what is to be said.
pub fn told(news: News) -> Result<Secret, String> {
    match news {
        News::Ready(secret) => Ok(secret),
        News::Ended { reason, again } => {
            let again = wording::duration(again);
            Err(format!("`stripe listen` is started again in {again}: {reason}"))
        }
        News::GivenUp { reason } => Err(format!("`stripe listen` is given up: {reason}")),
    }
}

/// Where a program of this machine reaches what listens there.
fn loopback(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_reached_on_this_machine() {
        for (address, reached) in [
            ("0.0.0.0:4242", "127.0.0.1:4242"),
            ("[::]:4242", "[::1]:4242"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:1", "10.0.0.7:1"),
        ] {
            assert_eq!(loopback(address.parse().unwrap()).to_string(), reached);
        }
    }
}
