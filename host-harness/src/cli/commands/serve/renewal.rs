//! A subscription that ends by itself is prolonged in time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guard::Guarded;
use host::contract::Subscription;
use inbox::Expected;

use crate::cli::failure::Failure;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::state_file::StateFile;
use crate::cli::terminal::Terminal;

/// A subscription that ends by itself is renewed so long before.
const BEFORE_THE_END: Duration = Duration::from_secs(300);

/// One that could not be renewed is tried again after so long.
const BETWEEN_RENEWALS: Duration = Duration::from_secs(60);

/// When the subscription is to be renewed.
#[derive(Default)]
pub struct Renewal {
    at: Option<tokio::time::Instant>,
}

impl Renewal {
    /// In time before this one ends, where it does.
    pub fn due(&mut self, made: &Subscription) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.at = made.expires_at.map(|end| {
            let left = Duration::from_secs(end).saturating_sub(now).saturating_sub(BEFORE_THE_END);
            // One that has always just ended is not renewed without pause.
            let left = left.clamp(BETWEEN_RENEWALS, Duration::from_secs(366 * 24 * 3600));
            tokio::time::Instant::now() + left
        });
    }

    /// When it is time, where it ever is.
    pub fn at(&self) -> Option<tokio::time::Instant> {
        self.at
    }
}

/// Prolongs the subscription. What goes wrong is told, and tried again.
pub async fn renew(
    terminal: &mut Terminal,
    connector: &Guarded,
    link: &Link,
    expected: &Expected,
    file: Option<(&StateFile<'_>, &str)>,
    renewal: &mut Renewal,
) {
    renewal.at = Some(tokio::time::Instant::now() + BETWEEN_RENEWALS);
    let Some(state) = expected.state() else { return };
    let renewed = async {
        let renewed = connector.renew(&link.fresh_call()?, &state).await?.value;
        expected.replace(renewed.state.clone());
        if let Some((file, url)) = file {
            file.write(url, &renewed.state)?;
        }
        Ok::<_, Failure>(renewed)
    };
    match renewed.await {
        Ok(renewed) => renewal.due(&renewed),
        Err(failure) => {
            terminal.warn(format_args!("the subscription was not renewed: {failure}"));
        }
    }
}
