//! The embedded engine: sled 0.34, in one folder of one process.
//!
//! Sled's problems are handled here and nowhere else: its `flush` does not sync (see `writer`), a start that is killed
//! leaves a file that makes the next start fail (see `open`), and a transaction must not use a tree from outside (see
//! `trees`). Reads run inline. All writes go through one thread. A second thread acknowledges durable writes, after
//! one flush for all that wait.

mod apply;
mod attempts;
mod cache;
mod change;
mod codec;
mod deletion;
mod dump;
mod email_queue;
mod events;
mod factors;
#[cfg(test)]
mod fuzz;
mod invites;
mod legacy;
mod load;
mod log_check;
mod open;
mod opened;
mod reads;
mod sessions;
mod snapshot;
mod sweep;
mod token_keys;
mod tokens;
mod trees;
mod upgrade;
mod user_entries;
mod users;
mod warm;
mod watermark;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use open::OpenError;

use async_trait::async_trait;
use password_auth_model::Timestamp;
use password_auth_model::measure::Histogram;

use self::opened::Tables;
use self::sweep::SweptTo;
use self::trees::Tree;
use self::writer::{Durability, Writer};
use super::StoreError;
use super::gate::Gate;
use crate::threads::{Priority, Threads};
use crate::{Lifecycle, Measures};

/// A write that waited longer than this is refused without effect: its client has given up or soon will, and would not
/// expect the write any more.
pub const MAX_WAIT: Duration = Duration::from_secs(5);

/// How much is kept in memory by default: there is room for the sessions of a million users, and it is taken as it is needed.
pub const CACHE_BYTES: u64 = 256 << 20;

/// Threads for long reads. More would only compete for the processor.
const READERS: usize = 2;

/// A store in a folder.
pub struct SledStore {
    tables: Arc<Tables>,
    writer: Arc<Writer>,
    /// Limits long reads.
    gate: Gate,
    readers: Arc<Threads>,
    closed: Arc<AtomicBool>,
    swept_to: SweptTo,
    read_times: Histogram,
    long_read_times: Histogram,
}

impl SledStore {
    /// Whether there is a store in `data_dir`.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        open::exists(data_dir)
    }

    /// The owner of the store in `data_dir`, if there is one.
    #[must_use]
    pub fn owner(data_dir: &Path) -> Option<u32> {
        open::owner(data_dir)
    }

    /// Opens the store in `data_dir`, or creates it. Blocks.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong with the folder and what to do.
    pub fn open(data_dir: &Path) -> Result<Self, OpenError> {
        Self::open_as(data_dir, CACHE_BYTES, MAX_WAIT)
    }

    /// Like [`open`](Self::open), with another cache size than [`CACHE_BYTES`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_cache(data_dir: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        Self::open_as(data_dir, cache_bytes, MAX_WAIT)
    }

    /// Like [`open`](Self::open), with another limit than [`MAX_WAIT`].
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with_max_wait(data_dir: &Path, max_wait: Duration) -> Result<Self, OpenError> {
        Self::open_as(data_dir, CACHE_BYTES, max_wait)
    }

    fn open_as(data_dir: &Path, cache_bytes: u64, max_wait: Duration) -> Result<Self, OpenError> {
        let (tables, disk, watermark) = open::open(data_dir, cache_bytes)?;
        let tables = Arc::new(tables);
        let writer = Writer::start(Arc::clone(&tables), disk, watermark, max_wait)
            .map_err(OpenError::Threads)?;
        let readers =
            Threads::start("store-reads", READERS, Priority::Same).map_err(OpenError::Threads)?;
        Ok(Self {
            tables,
            writer: Arc::new(writer),
            gate: Gate::new(READERS),
            readers: Arc::new(readers),
            closed: Arc::default(),
            swept_to: SweptTo::default(),
            read_times: Histogram::of_times(),
            long_read_times: Histogram::of_times(),
        })
    }

    /// For reads, which do not go through the writing thread.
    fn tables(&self) -> Result<&Arc<Tables>, StoreError> {
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

    /// For long reads.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _timer = self.long_read_times.timer();
        let (tables, readers) = (Arc::clone(self.tables()?), Arc::clone(&self.readers));
        let reading = async move {
            let read = readers.run(move || read(&tables)).await;
            read.unwrap_or_else(|| Err(StoreError::Unavailable("a read panicked".to_owned())))
        };
        self.gate.run(reading).await
    }
}

#[async_trait]
impl Lifecycle for SledStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.tables()?.contains(Tree::Users, &[]).map(|_| ())
    }

    async fn sweep(&self, now: Timestamp) -> Result<usize, StoreError> {
        sweep::sweep(self, now).await
    }

    async fn warm(&self, now: Timestamp) -> Result<(), StoreError> {
        let (tables, closed) = (Arc::clone(self.tables()?), Arc::clone(&self.closed));
        let thread = Threads::start("store-warm", 1, Priority::Same);
        let thread = thread.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let warmed = thread.run(move || warm::warm(&tables, now, &closed)).await;
        warmed.unwrap_or_else(|| Err(StoreError::Unavailable("a read panicked".to_owned())))
    }

    async fn failed(&self) {
        self.writer.failed().await;
    }

    fn measures(&self) -> Measures<'_> {
        let writer = &self.writer.measures;
        Measures {
            times: vec![
                ("read", &self.read_times),
                ("long_read", &self.long_read_times),
                ("write", &writer.durable),
                ("relaxed_write", &writer.relaxed),
                ("flush", &writer.flushes),
            ],
            flushed_writes: Some(&writer.flushed_writes),
        }
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.writer.close().await;
    }
}
