//! Being told what other processes did.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::changes::Bell;
use crate::error::Error;
use crate::postgres::server::Server;

/// What is said when there may be something to claim; it is also the channel's name.
pub const NOTIFY: &str = "NOTIFY inbox_runs";

/// A server that is gone is looked for so often.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// A connection that listens as long as this is there.
#[derive(Debug)]
pub struct Listening {
    task: AbortHandle,
}

impl Listening {
    pub fn start(server: Arc<Server>, bell: Arc<Bell>) -> Self {
        let listening = tokio::spawn(async move {
            loop {
                // What was said while nobody listened is not repeated: so look, whenever it begins or ends.
                let _ = listen(&server, &bell).await;
                bell.ring();
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
        });
        Self { task: listening.abort_handle() }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Until the connection ends.
async fn listen(server: &Server, bell: &Arc<Bell>) -> Result<(), Error> {
    let heard = Arc::clone(bell);
    let (client, ended) = server.connect(move || heard.ring()).await?;
    client.batch_execute("LISTEN inbox_runs").await?;
    bell.ring();
    let _ = ended.await;
    Ok(())
}
