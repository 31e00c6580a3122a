//! Connections: to whichever host takes writes, with the settings that the promises need.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::describe;
use super::url::{DatabaseUrl, HostConfig};
use super::{OpenError, tls};

/// How long reaching a host, signing in to it included, may take. tokio-postgres limits the first step alone.
const CONNECT: Duration = Duration::from_secs(3);

/// How long bytes may stay unacknowledged by the other side before the connection counts as cut.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Many reads at once, one behind the other.
    Reads,
    /// Reads that look at many rows, one after the other.
    LongReads,
    /// Transactions that are acknowledged once they are durable.
    Durable,
    /// Writes that nobody waits for.
    Relaxed,
    /// A dump or a restore: as long as it takes.
    Bulk,
}

impl Purpose {
    /// What a session of this purpose sets. Whatever the server's own settings say: what the engine relies on
    /// stands here.
    fn settings(self) -> &'static str {
        match self {
            Self::Reads => {
                "SET default_transaction_isolation = 'read committed'; \
                 SET statement_timeout = '5s'"
            }
            // Shorter than a read waits: one that takes long is ended by its server, and none is doubted for it.
            Self::LongReads => {
                "SET default_transaction_isolation = 'read committed'; \
                 SET statement_timeout = '4s'"
            }
            Self::Durable => {
                "SET default_transaction_isolation = 'read committed'; \
                 SET statement_timeout = '5s'; \
                 SET lock_timeout = '4s'; \
                 SET idle_in_transaction_session_timeout = '10s'; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                     WHERE current_setting('synchronous_commit') <> 'remote_apply'"
            }
            Self::Relaxed => {
                "SET default_transaction_isolation = 'read committed'; \
                 SET statement_timeout = '5s'; \
                 SET lock_timeout = '1s'; \
                 SET idle_in_transaction_session_timeout = '10s'; \
                 SET synchronous_commit = 'off'"
            }
            Self::Bulk => {
                "SET statement_timeout = 0; \
                 SET idle_in_transaction_session_timeout = 0; \
                 SELECT set_config('synchronous_commit', 'on', false) \
                     WHERE current_setting('synchronous_commit') <> 'remote_apply'"
            }
        }
    }
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    hosts: Arc<[HostConfig]>,
    tls: MakeRustlsConnect,
    /// How often a server was given up, since it did not answer. Connections of before lead to the same one.
    given_up: Arc<AtomicU64>,
}

impl Connector {
    pub(super) fn new(url: &DatabaseUrl) -> Result<Self, OpenError> {
        let mut hosts = url.hosts.clone();
        for host in &mut hosts {
            host.config
                .connect_timeout(CONNECT)
                .tcp_user_timeout(UNACKNOWLEDGED)
                .keepalives_idle(UNACKNOWLEDGED)
                .keepalives_interval(Duration::from_secs(2))
                .keepalives_retries(3);
        }
        Ok(Self {
            hosts: hosts.into(),
            tls: tls::connector(url.root_certificates.as_deref())?,
            given_up: Arc::default(),
        })
    }

    /// A connection to the first host that answers and takes writes. All are asked at once, so that one that
    /// hangs keeps nobody waiting. `Err` says of each host why not.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connection, String> {
        let mut attempts: FuturesUnordered<_> = self
            .hosts
            .iter()
            .map(|host| async move {
                timeout(CONNECT, self.connect_to(host, purpose))
                    .await
                    .unwrap_or_else(|_elapsed| Err("it does not answer".to_owned()))
                    .map_err(|error| format!("{}: {error}", host.name))
            })
            .collect();
        let mut errors = Vec::new();
        while let Some(attempt) = attempts.next().await {
            match attempt {
                Ok(connection) => return Ok(connection),
                Err(error) => errors.push(error),
            }
        }
        Err(errors.join("; "))
    }

    async fn connect_to(&self, host: &HostConfig, purpose: Purpose) -> Result<Connection, String> {
        let given_up_before = self.given_up.load(Ordering::SeqCst);
        let (client, driver) = host
            .config
            .connect(self.tls.clone())
            .await
            .map_err(|error| describe(&error))?;
        let warned = Arc::new(AtomicBool::new(false));
        let driver = tokio::spawn(drive(driver, Arc::clone(&warned)));
        client
            .batch_execute(purpose.settings())
            .await
            .map_err(|error| describe(&error))?;
        Ok(Connection {
            client,
            statements: Mutex::default(),
            warned,
            driver: driver.abort_handle(),
            given_up_before,
        })
    }

    /// This connection's server does not answer: who asks next asks on one that is made from now on, whatever it is
    /// for. Else each kind of connection would find that out for itself, one after the other in one request.
    pub(super) fn doubt(&self, connection: &Connection) {
        let before = connection.given_up_before;
        let (order, unless) = (Ordering::SeqCst, Ordering::SeqCst);
        // Many find it out at once, and the first has said it for all.
        self.given_up
            .compare_exchange(before, before + 1, order, unless)
            .ok();
    }

    /// Whether it was made since a server was last given up, and is open.
    pub(super) fn trusts(&self, connection: &Connection) -> bool {
        !connection.client.is_closed()
            && connection.given_up_before == self.given_up.load(Ordering::SeqCst)
    }

    /// Lets go of a connection that keeps an answer to itself, and of the server's side of it. A server that only
    /// waits for its standby would go on waiting, with nobody there, until it has no connection left for anyone.
    pub(super) fn give_up(&self, connection: Connection) {
        self.doubt(&connection);
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let cancel = connection.client.cancel_token();
            timeout(CONNECT, cancel.cancel_query(tls)).await.ok();
            connection.driver.abort();
        });
    }
}

/// Carries a connection's bytes, and notes a warning 01000 before the answer that it belongs to arrives:
/// "canceling wait for synchronous replication" comes with a COMMIT that otherwise looks well.
async fn drive<S, T>(mut driver: tokio_postgres::Connection<S, T>, warned: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| driver.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message {
            if *notice.code() == SqlState::WARNING {
                warned.store(true, Ordering::SeqCst);
            }
            tracing::debug!(
                code = notice.code().code(),
                message = notice.message(),
                "the database says"
            );
        }
    }
}

/// A connection, and the statements that it has prepared.
pub(super) struct Connection {
    pub(super) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    warned: Arc<AtomicBool>,
    /// Carries its bytes.
    driver: AbortHandle,
    /// See [`Connector::trusts`].
    given_up_before: u64,
}

/// What statements take.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Connection {
    /// The statement, prepared once for each connection.
    pub(super) async fn statement(
        &self,
        sql: &'static str,
    ) -> Result<Statement, tokio_postgres::Error> {
        let known = self
            .statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(sql, statement.clone());
        Ok(statement)
    }

    pub(super) async fn rows(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = self.statement(sql).await?;
        self.client.query(&statement, parameters).await
    }

    /// The first row, if there is one.
    pub(super) async fn row(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, tokio_postgres::Error> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    /// As [`row`](Self::row) of both, sent together and answered in order: the second sees what the first waited
    /// for.
    pub(super) async fn rows_of_both(
        &self,
        first: (&'static str, Parameters<'_>),
        second: (&'static str, Parameters<'_>),
    ) -> Result<(Option<Row>, Option<Row>), tokio_postgres::Error> {
        let statements = (
            self.statement(first.0).await?,
            self.statement(second.0).await?,
        );
        let (first, second) = tokio::join!(
            self.client.query_opt(&statements.0, first.1),
            self.client.query_opt(&statements.1, second.1),
        );
        Ok((first?, second?))
    }

    /// How many rows it changed.
    pub(super) async fn execute(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = self.statement(sql).await?;
        self.client.execute(&statement, parameters).await
    }

    /// Whether there was a warning 01000 since the last time that this was asked.
    pub(super) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::SeqCst)
    }
}
