//! A connection that is made again when it was lost.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Client, Statement};

use crate::error::Error;
use crate::postgres::server::Server;

/// What takes longer than this is not waited for: the server hangs, or the network does.
const ANSWER: Duration = Duration::from_secs(20);

/// How the server finds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plans {
    /// Always by an index: a plan that was made while the tables were small is used when they are not any more.
    ByIndex,
    /// As it sees fit.
    AsItSees,
}

/// What is wanted of every session: an answer means that it is on the disk, also where the server's own default is not so strict; and a
/// process that hangs in the middle of a transaction does not keep its locks.
const SETTINGS: &str = "\
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
SET idle_in_transaction_session_timeout = '15s'; SET lock_timeout = '10s'; SET statement_timeout = '60s';
SET client_min_messages = warning;";

const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;";

/// A connection, or the wish for one.
pub struct Line {
    server: Arc<Server>,
    plans: Plans,
    session: Option<Session>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("server", &self.server).finish_non_exhaustive()
    }
}

/// A connection and the statements that it knows.
pub struct Session {
    pub client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Line {
    pub fn new(server: Arc<Server>, plans: Plans) -> Self {
        Self { server, plans, session: None }
    }

    /// The connection: a new one where the last is gone.
    pub async fn session(&mut self) -> Result<&mut Session, Error> {
        self.session.take_if(|session| session.client.is_closed());
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                let (client, _) = self.server.connect(|| ()).await?;
                client.batch_execute(SETTINGS).await?;
                if self.plans == Plans::ByIndex {
                    client.batch_execute(BY_INDEX).await?;
                }
                Session { client, statements: HashMap::new() }
            }
        };
        Ok(self.session.insert(session))
    }

    /// The next piece of work gets another connection.
    pub fn hang_up(&mut self) {
        self.session = None;
    }
}

impl Session {
    /// A statement, prepared once for the connection.
    pub async fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Runs a piece of work on a line: once more where the connection turned out to be lost, which is the usual way to learn of it. Every
/// piece is harmless when it is done twice.
macro_rules! on {
    ($line:expr, $session:ident => $work:expr) => {{
        let mut last = $crate::postgres::line::closed();
        for _ in 0..2 {
            let done = $crate::postgres::line::in_time(async {
                let $session = $line.session().await?;
                $work.await
            });
            match done.await {
                Err(error @ $crate::error::Error::Unavailable(_)) => {
                    $line.hang_up();
                    last = error;
                }
                done => return done,
            }
        }
        Err(last)
    }};
}
pub(crate) use on;

/// Gives up on a server that does not answer.
pub async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = || Error::Unavailable("the server does not answer".to_owned());
    tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_| Err(late()))
}

pub fn closed() -> Error {
    Error::Unavailable("it was closed".to_owned())
}
