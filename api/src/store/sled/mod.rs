//! The embedded engine: sled 0.34, in one folder of one process.
//!
//! What the crate does badly is wrapped here and nowhere else: its `flush` does not sync (see `writer`),
//! a start that was killed leaves a file that the next start trips over (see `open`), and a transaction
//! must not touch a tree from outside (see `tables`). Reads are inline; every write goes through one
//! thread, and what must be durable is acknowledged by another after one flush for all that waited.

mod change;
mod codec;
mod dump;
mod load;
mod log;
mod mark;
mod open;
mod picture;
mod sweep;
mod tables;
mod transactions;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

pub use open::OpenError;

use self::sweep::SweptTo;
use self::tables::Tables;
use self::writer::{Durability, Writer};
use super::{CreateUser, LoadError, Loaded, Records, Store, StoreError, User};
use crate::accounts::UsernameKey;
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Rotation, Session};
use crate::throttle::{Rate, SignInAttempt, Verdict};

/// A write that waited longer than this before it was begun is refused without effect: its client has
/// given up or soon will, and what it asked for might surprise him later.
pub const MAX_WAIT: Duration = Duration::from_secs(5);

/// How much of what sled has read stays in memory, unless a caller says otherwise. sled's own default is a gigabyte.
pub const CACHE_BYTES: u64 = 64 << 20;

/// A store in a folder.
pub struct SledStore {
    tables: Arc<Tables>,
    writer: Arc<Writer>,
    closed: AtomicBool,
    swept_to: SweptTo,
}

impl SledStore {
    /// Whether there is a store in `data_dir`.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        open::exists(data_dir)
    }

    /// Opens the store in `data_dir`, made if it is not there. Blocks.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong with the folder, and what to do.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_as(data_dir, CACHE_BYTES, MAX_WAIT)
    }

    /// As [`open`](Self::open), with another bound than [`CACHE_BYTES`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_cache(data_dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        Self::open_as(data_dir, cache_bytes, MAX_WAIT)
    }

    /// As [`open`](Self::open), with another bound than [`MAX_WAIT`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_max_wait(data_dir: &Path, max_wait: Duration) -> Result<Self, OpenError> {
        Self::open_as(data_dir, CACHE_BYTES, max_wait)
    }

    fn open_as(data_dir: &Path, cache_bytes: u64, max_wait: Duration) -> Result<Self, OpenError> {
        let (tables, disk, mark) = open::open(data_dir, cache_bytes)?;
        let tables = Arc::new(tables);
        let writer =
            Writer::start(Arc::clone(&tables), disk, mark, max_wait).map_err(OpenError::Threads)?;
        Ok(Self {
            tables,
            writer: Arc::new(writer),
            closed: AtomicBool::new(false),
            swept_to: SweptTo::default(),
        })
    }

    /// For reads, which do not pass the writing thread.
    fn tables(&self) -> Result<&Tables, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the store was closed".to_owned()));
        }
        Ok(&self.tables)
    }

    async fn durable<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(Durability::Flushed, work).await
    }

    async fn relaxed<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(Durability::Soon, work).await
    }
}

#[async_trait]
impl Store for SledStore {
    async fn create_user(&self, user: User) -> Result<CreateUser, StoreError> {
        self.durable(move |tables| transactions::create_user(tables, &user))
            .await
    }

    async fn user_by_name(&self, name: &UsernameKey) -> Result<Option<User>, StoreError> {
        self.tables()?.user_by_name(name)
    }

    async fn name_is_taken(&self, name: &UsernameKey) -> Result<bool, StoreError> {
        if self.tables()?.user_by_name(name)?.is_none() {
            return Ok(false);
        }
        // What a read sees may not have been flushed yet.
        let name = name.clone();
        self.durable(move |tables| Ok(tables.user_by_name(&name)?.is_some()))
            .await
    }

    async fn replace_password_hash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<bool, StoreError> {
        let old = old.clone();
        self.durable(move |tables| transactions::replace_password_hash(tables, user, &old, &new))
            .await
    }

    async fn set_user_active(&self, user: UserId, active: bool) -> Result<Option<()>, StoreError> {
        self.durable(move |tables| transactions::set_user_active(tables, user, active))
            .await
    }

    async fn create_session(&self, session: Session) -> Result<bool, StoreError> {
        self.durable(move |tables| transactions::create_session(tables, &session))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        self.tables()?.session_and_user(id)
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(move |tables| transactions::rotate_session(tables, id, presented, arrival))
            .await
    }

    async fn confirm_generation(
        &self,
        id: SessionId,
        generation: Generation,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| transactions::confirm_generation(tables, id, generation))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(move |tables| transactions::end_session(tables, id))
            .await
    }

    async fn count_attempt(
        &self,
        attempt: SignInAttempt,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        self.relaxed(move |tables| transactions::count_attempt(tables, attempt, rate, now))
            .await
    }

    async fn remember_network(
        &self,
        attempt: SignInAttempt,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.relaxed(move |tables| transactions::remember_network(tables, attempt, until))
            .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self, now).await
    }

    async fn dump(&self) -> Result<Records, StoreError> {
        dump::dump(self).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self, records).await
    }

    async fn failed(&self) {
        self.writer.failed().await;
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.writer.close().await;
    }
}
