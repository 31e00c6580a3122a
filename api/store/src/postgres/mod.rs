//! The engine for more than one machine: PostgreSQL, asked by any number of nodes.
//!
//! Everything is read from and written to the primary. Reads share a few pipelined connections; each transaction
//! has one for itself. What is decided is decided inside the transaction that writes it, and time, where nodes
//! must agree on it, is the database's own (`clock_ms()` in the schema). A commit is acknowledged once it is on
//! disk, and on the synchronous standby where the server has one.

mod attempts;
mod connect;
mod copy;
mod deletion;
mod dump;
mod email_queue;
mod error;
mod events;
mod load;
mod locks;
mod reads;
mod rekey;
mod row;
mod schema;
mod sessions;
mod sweep;
mod tls;
mod tokens;
mod transact;
mod url;
mod user_reads;
mod users;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

pub use url::{DatabaseUrl, InvalidDatabaseUrl};

use async_trait::async_trait;
use password_auth_model::Timestamp;

use self::connect::{Connector, Purpose};
use self::reads::Reads;
use self::transact::{Pending, Pool, Transaction};
use super::StoreError;
use super::gate::Gate;
use crate::Lifecycle;

/// A write that waited longer than this before it was begun is refused without effect: its client has
/// given up or soon will, and what it asked for might surprise him later.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Connections that reads share. More do not make reads faster, since each carries as many as come.
const READING_CONNECTIONS: usize = 2;

/// Connections of one node for transactions that are acknowledged. With the others (reads, relaxed) a node holds
/// 23 at most; a server's default is to allow 100.
const DURABLE_CONNECTIONS: usize = 16;
/// Connections of one node for writes that nobody waits for.
const RELAXED_CONNECTIONS: usize = 4;

/// Why the database can not be used: what is wrong, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No host answers, or none takes writes.
    #[error(
        "the database can not be reached: {0}. Check DATABASE_URL, and that a server runs there and takes writes"
    )]
    Unreachable(String),
    /// Certificates.
    #[error("the database's certificates can not be used: {0}")]
    Tls(String),
    /// The server is not as it must be.
    #[error("the database can not be used: {0}")]
    Server(String),
    /// A newer program made the schema.
    #[error("the database was written by a newer version of this program: use that version")]
    OtherVersion,
    /// The pool of connections.
    #[error("connections to the database can not be pooled: {0}")]
    Pool(String),
}

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    reads: Reads,
    /// In front of the long reads.
    gate: Gate,
    /// Whoever stands behind one of these on its connection waits as long as it takes: nobody does.
    long_reads: Arc<Reads>,
    durable: Pool,
    relaxed: Pool,
}

impl PostgresStore {
    /// Reaches the database, checks that it can keep the store's promises, and brings its schema up to date.
    /// With `require_standby` it must also commit to a synchronous standby.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong with the database, and what to do.
    pub async fn connect(url: &DatabaseUrl, require_standby: bool) -> Result<Self, OpenError> {
        let connector = Connector::new(url)?;
        let connection = connector
            .connect(Purpose::Bulk)
            .await
            .map_err(OpenError::Unreachable)?;
        schema::prepare(&connection, require_standby).await?;
        let pool = |purpose, size| Pool::new(connector.clone(), purpose, size);
        Ok(Self {
            durable: pool(Purpose::Durable, DURABLE_CONNECTIONS)?,
            relaxed: pool(Purpose::Relaxed, RELAXED_CONNECTIONS)?,
            gate: Gate::new(1),
            long_reads: Arc::new(Reads::new(connector.clone(), Purpose::LongReads, 1)),
            reads: Reads::new(connector, Purpose::Reads, READING_CONNECTIONS),
        })
    }

    /// Runs `work` in a transaction that is durable once this says `Ok`.
    async fn durable<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a Transaction<'a>) -> Pending<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.durable.run(Arc::new(work)).await
    }

    /// Runs `work` in a transaction that a crash of the server may take back.
    async fn relaxed<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a Transaction<'a>) -> Pending<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.relaxed.run(Arc::new(work)).await
    }
}

#[async_trait]
impl Lifecycle for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.reads.row("SELECT 1", &[]).await.map(|_| ())
    }

    async fn sweep(&self, _now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self).await
    }

    /// Never: a database that fails is reached again once it is back.
    async fn failed(&self) {
        pending().await
    }

    async fn close(&self) {
        self.durable.close();
        self.relaxed.close();
        self.reads.close();
        self.long_reads.close();
    }
}
