//! Connections to the host that accepts writes, with the settings that the store's promises need.

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

/// How long connecting to a host may take, with authentication. tokio-postgres only limits the first step.
const CONNECT: Duration = Duration::from_secs(3);

/// How long sent bytes may stay unacknowledged before the connection counts as broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Short reads, pipelined.
    Reads,
    /// Long reads, one after the other.
    LongReads,
    /// Transactions that must be durable.
    Durable,
    /// Writes that nobody waits for.
    Relaxed,
    /// A dump or a restore, without a time limit.
    Bulk,
}

impl Purpose {
    /// The session settings for this purpose. The engine relies on these, not on the settings of the server.
    pub(super) fn settings(self) -> &'static str {
        match self {
            // Each statement finds a few rows by an index. PostgreSQL would plan those with a list anew each time, and
            // rather read a whole table as long as it is small: that takes several times as long as the lookup. Where
            // an index has no other scan (GIN), it would compile the scan, since it calls it dear.
            Self::Reads => {
                "SET default_transaction_isolation = 'read committed'; \
                 SET statement_timeout = '5s'; \
                 SET plan_cache_mode = 'force_generic_plan'; \
                 SET enable_seqscan = off; \
                 SET enable_bitmapscan = off; \
                 SET enable_hashjoin = off; \
                 SET enable_mergejoin = off; \
                 SET jit = off"
            }
            // Shorter than the limit for reads: the server ends a slow read, and the connection is not taken for
            // broken.
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
    /// How often a server was given up because it did not respond. Older connections lead to that server.
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

    /// A connection to the first host that responds and accepts writes. All hosts are tried at once, so that a host
    /// that hangs delays nobody. `Err` says for each host why not.
    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connection, String> {
        let mut attempts: FuturesUnordered<_> = self
            .hosts
            .iter()
            .map(|host| async move {
                timeout(CONNECT, self.connect_to(host, purpose))
                    .await
                    .unwrap_or_else(|_elapsed| Err("it does not respond".to_owned()))
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

    /// Reports that the server of this connection does not respond: from now on only new connections are used, for
    /// every purpose. Otherwise each kind of connection would time out separately, one after the other in one request.
    pub(super) fn doubt(&self, connection: &Connection) {
        let before = connection.given_up_before;
        let (order, unless) = (Ordering::SeqCst, Ordering::SeqCst);
        // Many callers notice it at the same time. Only the first report counts.
        self.given_up
            .compare_exchange(before, before + 1, order, unless)
            .ok();
    }

    /// Whether the connection is open and was made after a server was last given up.
    pub(super) fn trusts(&self, connection: &Connection) -> bool {
        !connection.client.is_closed()
            && connection.given_up_before == self.given_up.load(Ordering::SeqCst)
    }

    /// Closes a connection that does not respond, and cancels its statement on the server. Otherwise a server that
    /// waits for its standby would keep waiting, until it has no connections left.
    pub(super) fn give_up(&self, connection: Connection) {
        self.doubt(&connection);
        let tls = self.tls.clone();
        tokio::spawn(async move {
            let cancel = connection.client.cancel_token();
            timeout(CONNECT, cancel.cancel_query(tls)).await.ok();
            connection.hang_up();
        });
    }
}

/// Drives a connection, and records a warning 01000 before its response arrives: "canceling wait for synchronous
/// replication" comes with a COMMIT that otherwise looks successful.
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
                "message from the database"
            );
        }
    }
}

/// A connection with its prepared statements.
pub(super) struct Connection {
    pub(super) client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
    warned: Arc<AtomicBool>,
    /// The task that drives it.
    driver: AbortHandle,
    /// See [`Connector::trusts`].
    given_up_before: u64,
}

/// Parameters of a statement.
pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Connection {
    /// Ends it at once, without waiting for rows that are still to come.
    pub(super) fn hang_up(&self) {
        self.driver.abort();
    }

    /// The statement, prepared once per connection.
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

    /// Like [`row`](Self::row) for two statements, pipelined in order: the second sees what the first waited for.
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

    /// Returns how many rows it changed.
    pub(super) async fn execute(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, tokio_postgres::Error> {
        let statement = self.statement(sql).await?;
        self.client.execute(&statement, parameters).await
    }

    /// Whether there was a warning 01000 since the last call.
    pub(super) fn take_warning(&self) -> bool {
        self.warned.swap(false, Ordering::SeqCst)
    }
}
