//! The engine for several machines: PostgreSQL, shared by any number of nodes.
//!
//! All reads and writes go to the primary. Reads share a few pipelined connections; each transaction has its own.
//! Decisions are made inside the transaction that writes them. Where nodes must agree on the time, it is the database's
//! (`clock_ms()` in the schema). A commit is acknowledged once it is on disk and, if the server has a synchronous
//! standby, on the standby.

mod attempts;
mod connect;
mod copy;
mod deletion;
mod dump;
mod email_queue;
mod error;
mod events;
mod factors;
mod invites;
mod load;
mod locks;
mod lookups;
#[cfg(test)]
mod plans;
mod reads;
mod rekey;
mod row;
mod schema;
mod sessions;
mod sweep;
mod tls;
mod token_keys;
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
use self::lookups::Lookups;
use self::reads::Reads;
use self::transact::{Pending, Pool, Transaction};
use super::StoreError;
use super::gate::Gate;
use crate::{Lifecycle, Measures};

/// A write that waited longer than this is refused without effect: its client has given up or soon will, and would not
/// expect the write any more.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Connections that reads share. More would not be faster, since each is pipelined.
const READING_CONNECTIONS: usize = 2;

/// Connections of one node for durable transactions. Together with the others, a node has at most 23; the default limit
/// of a server is 100.
const DURABLE_CONNECTIONS: usize = 16;
/// Connections of one node for relaxed writes.
const RELAXED_CONNECTIONS: usize = 4;

/// Why the database cannot be used: what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No host responds, or none accepts writes.
    #[error(
        "the database cannot be reached: {0}. Check DATABASE_URL, and that a server runs there and accepts writes"
    )]
    Unreachable(String),
    /// The certificates cannot be used.
    #[error("the certificates for the database cannot be used: {0}")]
    Tls(String),
    /// The server does not meet the requirements.
    #[error("the database cannot be used: {0}")]
    Server(String),
    /// The schema is from a newer version of this program.
    #[error("the database was written by a newer version of this program: use that version")]
    OtherVersion,
    /// The connection pool cannot be created.
    #[error("cannot create the connection pool: {0}")]
    Pool(String),
}

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    reads: Arc<Reads>,
    identities: Lookups,
    identities_and_users: Lookups,
    /// Limits long reads.
    gate: Gate,
    /// Long reads have their own connection, so that no other query waits behind one.
    long_reads: Arc<Reads>,
    durable: Pool,
    relaxed: Pool,
}

impl PostgresStore {
    /// Connects to the database, checks that it can keep the store's promises, and upgrades its schema. With
    /// `require_standby` it must also commit to a synchronous standby.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong with the database and what to do.
    pub async fn connect(url: &DatabaseUrl, require_standby: bool) -> Result<Self, OpenError> {
        let connector = Connector::new(url)?;
        let connection = connector
            .connect(Purpose::Bulk)
            .await
            .map_err(OpenError::Unreachable)?;
        schema::prepare(&connection, require_standby).await?;
        let pool = |purpose, size| Pool::new(connector.clone(), purpose, size);
        let reads = |purpose, size| Arc::new(Reads::new(connector.clone(), purpose, size));
        let short_reads = reads(Purpose::Reads, READING_CONNECTIONS);
        let lookups = |select| Lookups::new(Arc::clone(&short_reads), select);
        Ok(Self {
            durable: pool(Purpose::Durable, DURABLE_CONNECTIONS)?,
            relaxed: pool(Purpose::Relaxed, RELAXED_CONNECTIONS)?,
            gate: Gate::new(1),
            long_reads: reads(Purpose::LongReads, 1),
            identities: lookups(sessions::IDENTITIES),
            identities_and_users: lookups(sessions::IDENTITIES_AND_USERS),
            reads: short_reads,
        })
    }

    /// Runs `work` in a transaction that is durable once this returns `Ok`.
    async fn durable<T: Send + 'static>(
        &self,
        work: impl for<'a> Fn(&'a Transaction<'a>) -> Pending<'a, T> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.durable.run(Arc::new(work)).await
    }

    /// Runs `work` in a transaction that may be lost if the database server crashes.
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

    /// Never completes: a database that fails is used again once it is back.
    async fn failed(&self) {
        pending().await
    }

    fn measures(&self) -> Measures<'_> {
        Measures {
            times: vec![
                ("read", &self.reads.times),
                ("long_read", &self.long_reads.times),
                ("write", &self.durable.times),
                ("relaxed_write", &self.relaxed.times),
            ],
            flushed_writes: None,
        }
    }

    async fn close(&self) {
        self.durable.close();
        self.relaxed.close();
        self.reads.close();
        self.long_reads.close();
    }
}
