//! The engine for more than one machine: PostgreSQL, asked by any number of nodes.
//!
//! Everything is read from and written to the primary. Reads share a few pipelined connections; each transaction
//! has one for itself. What is decided is decided inside the transaction that writes it, and time, where nodes
//! must agree on it, is the database's own (`clock_ms()` in the schema). A commit is acknowledged once it is on
//! disk, and on the synchronous standby where the server has one.

mod attempts;
mod connect;
mod dump;
mod error;
mod load;
mod reads;
mod row;
mod schema;
mod sessions;
mod sweep;
mod tls;
mod transact;
mod url;
mod users;

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use url::{DatabaseUrl, InvalidDatabaseUrl};

use self::connect::{Connector, Purpose};
use self::reads::Reads;
use self::transact::{Pending, Pool, Transaction};
use super::{CreateUser, LoadError, Loaded, Records, Store, StoreError, User};
use crate::accounts::UsernameKey;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Rotation, Session};
use crate::throttle::{Rate, SignInAttempt, Verdict};

/// A write that waited longer than this before it was begun is refused without effect: its client has
/// given up or soon will, and what it asked for might surprise him later.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Connections of one node for transactions that are acknowledged. With the others (reads, relaxed) a node holds
/// 22 at most; a server's default is to allow 100.
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
            reads: Reads::new(connector),
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
impl Store for PostgresStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(move |transaction| {
            let user = user.clone();
            Box::pin(async move { users::create(transaction, &user).await })
        })
        .await
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        users::by_name(&self.reads, name).await
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        let name = name.clone();
        if users::by_name(&self.reads, &name).await?.is_none() {
            return Ok(false);
        }
        self.durable(move |transaction| {
            let name = name.clone();
            Box::pin(async move { users::name_is_taken(transaction, &name).await })
        })
        .await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(move |transaction| {
            let (old, new) = (old.clone(), new.clone());
            Box::pin(async move { users::replace_hash(transaction, user, &old, &new).await })
        })
        .await
    }

    async fn set_user_active(&self, user: UserId, active: bool) -> Result<Option<()>, StoreError> {
        self.durable(move |transaction| Box::pin(users::set_active(transaction, user, active)))
            .await
    }

    async fn create_session(&self, session: Session) -> Result<bool, StoreError> {
        self.durable(move |transaction| {
            let session = session.clone();
            Box::pin(async move { sessions::create(transaction, &session).await })
        })
        .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        sessions::with_user(&self.reads, id).await
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        _arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(move |transaction| Box::pin(sessions::rotate(transaction, id, presented)))
            .await
    }

    async fn confirm_generation(
        &self,
        id: SessionId,
        generation: Generation,
    ) -> Result<(), StoreError> {
        self.relaxed(move |transaction| Box::pin(sessions::confirm(transaction, id, generation)))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(move |transaction| Box::pin(sessions::end(transaction, id)))
            .await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        _now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |transaction| Box::pin(attempts::count(transaction, attempt, rate)))
            .await
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(move |transaction| Box::pin(attempts::remember(transaction, attempt, until)))
            .await
    }

    async fn sweep(&self, _now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self).await
    }

    async fn dump(&self) -> Result<Records, StoreError> {
        dump::dump(self.reads.connector()?).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self.reads.connector()?, records).await
    }

    /// Never: a database that fails is reached again once it is back.
    async fn failed(&self) {
        pending().await
    }

    async fn close(&self) {
        self.durable.close();
        self.relaxed.close();
        self.reads.close();
    }
}
