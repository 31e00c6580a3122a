//! The bounded pool for hashing: it limits memory, and does not delay other routes. It only accepts counted attempts,
//! and keeps a single client from using all slots.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::PasswordHash;
use password_auth_model::measure::{Count, Histogram};
use password_auth_store::threads::{Priority, Threads};
use password_auth_wire::Secret;
use tokio::sync::Semaphore;

use super::error::HashError;
use super::hash::{
    PasswordMatch, SALT_BYTES, hash, hash_salted, is_current, verify, verify_nobody,
};
use super::normal::{nfc, try_each};
use super::params::ScryptParams;
use super::policy::{Policy, Strength};
use super::slots::{Slot, Slots};
use super::weak::Weak;
use crate::rate_limit::Counted;

/// The most waiting jobs per worker.
const QUEUE_PER_WORKER: usize = 16;

/// The queue, or the client's share of it, is full. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed")]
pub struct Busy;

impl Busy {
    /// When to try again.
    pub const RETRY_AFTER: Duration = Duration::from_secs(2);
}

/// Why the pool returned no result.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// The pool is full.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Hashing failed.
    #[error(transparent)]
    Failed(#[from] HashError),
    /// The hashing thread panicked, or the runtime is stopping.
    #[error("hashing did not finish")]
    Aborted,
}

/// What the pool has measured.
#[derive(Debug)]
pub struct PoolMeasures {
    /// How long jobs waited for a worker.
    pub waits: Histogram,
    /// How long the work took.
    pub work: Histogram,
    /// Jobs that were refused, because the queue or the client's share of it was full.
    pub refused: Count,
}

/// A place in the pool, for one job.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place(Slot);

/// How busy the pool is at the moment.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many jobs may run at once.
    pub workers: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that wait.
    pub waiting: usize,
}

/// Hashes passwords: as many at once as there are workers. More wait in a queue, of which one client gets a share.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    params: ScryptParams,
    policy: Policy,
    /// Slots for running and waiting jobs.
    slots: Arc<Slots>,
    /// Slots for running jobs.
    workers: Arc<Semaphore>,
    size: usize,
    measures: Arc<PoolMeasures>,
    /// Dedicated threads. `None` if they could not be started.
    threads: Option<Arc<Threads>>,
}

impl PasswordHasher {
    /// At most `workers` hashes at once.
    #[must_use]
    pub(crate) fn new(params: ScryptParams, workers: usize) -> Self {
        // Everything else is short, and should not wait for the end of a time slice.
        let threads = Threads::start("passwords", workers, Priority::Low).inspect_err(
            |error| tracing::error!(%error, "cannot start threads for password hashing"),
        );
        Self {
            params,
            policy: Policy::NONE,
            slots: Slots::new(workers * (1 + QUEUE_PER_WORKER)),
            workers: Arc::new(Semaphore::new(workers)),
            size: workers,
            measures: Arc::new(PoolMeasures {
                waits: Histogram::of_times(),
                work: Histogram::of_times(),
                refused: Count::default(),
            }),
            threads: threads.ok().map(Arc::new),
        }
    }

    /// What the pool has measured so far.
    #[must_use]
    pub fn measures(&self) -> &PoolMeasures {
        &self.measures
    }

    /// How busy the pool is.
    #[must_use]
    pub fn load(&self) -> Load {
        let running = self.size - self.workers.available_permits().min(self.size);
        Load {
            workers: self.size,
            running,
            waiting: self.slots.taken().saturating_sub(running),
        }
    }

    /// Sets the minimum strength of new passwords.
    #[must_use]
    pub(crate) const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How strong new passwords must be.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// Takes a place, so that nothing else need be done for an attempt that finds none.
    ///
    /// # Errors
    /// If the queue or the client's share of it is full.
    pub(crate) fn reserve(&self, counted: &Counted) -> Result<Place, Busy> {
        let slot = self.slots.take(counted.client());
        if slot.is_none() {
            self.measures.refused.add_one();
        }
        slot.map(Place).ok_or(Busy)
    }

    /// Checks the strength of a new password. `about` contains the user's names and address. The inner result is the
    /// policy's.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue or the client's share of it is full.
    pub(crate) async fn check_strength(
        &self,
        counted: &Counted,
        password: Secret,
        about: Vec<String>,
    ) -> Result<Result<(), Weak>, HashingError> {
        let policy = self.policy;
        if policy.is_none() {
            return Ok(Ok(()));
        }
        self.run(counted, move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            Ok(policy.check(&nfc(password.expose()), &about))
        })
        .await
    }

    /// How hard a password is to guess. `about` contains the user's names and address.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue or the client's share of it is full.
    pub(crate) async fn strength(
        &self,
        counted: &Counted,
        password: Secret,
        about: Vec<String>,
    ) -> Result<Strength, HashingError> {
        self.run(counted, move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            Ok(Strength::of(&nfc(password.expose()), &about))
        })
        .await
    }

    /// Hashes a password that is being set.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue or the client's share of it is full.
    pub(crate) async fn hash(
        &self,
        counted: &Counted,
        password: Secret,
    ) -> Result<PasswordHash, HashingError> {
        self.hash_salted(counted, password, None).await
    }

    /// Whether the hash has the form and parameters of new hashes.
    #[must_use]
    pub(crate) fn is_current(&self, hash: &PasswordHash) -> bool {
        is_current(hash, self.params)
    }

    /// Like [`hash`](Self::hash), with this salt, or a random one for `None`.
    ///
    /// # Errors
    /// As [`hash`](Self::hash).
    pub(crate) async fn hash_salted(
        &self,
        counted: &Counted,
        password: Secret,
        salt: Option<[u8; SALT_BYTES]>,
    ) -> Result<PasswordHash, HashingError> {
        let params = self.params;
        self.run(counted, move || {
            let password = nfc(password.expose());
            match salt {
                Some(salt) => hash_salted(password.as_bytes(), salt, params),
                None => hash(password.as_bytes(), params),
            }
        })
        .await
    }

    /// Compares a password with a user's hash. Without a user, it does the same work.
    ///
    /// # Errors
    /// If hashing failed.
    pub(crate) async fn verify(
        &self,
        place: Place,
        password: Secret,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordMatch, HashingError> {
        let params = self.params;
        self.run_in(place, move || {
            try_each(&password, |password| match &stored {
                Some(stored) => verify(password, stored, params),
                None => verify_nobody(password, params),
            })
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        counted: &Counted,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashingError> {
        self.run_in(self.reserve(counted)?, work).await
    }

    async fn run_in<T: Send + 'static>(
        &self,
        Place(slot): Place,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let waiting = self.measures.waits.timer();
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| HashingError::Aborted)?;
        drop(waiting);
        // The permits belong to the work: if the caller goes away, they are only released when the work is done.
        let permits = (slot, worker);
        let threads = self.threads.as_ref().ok_or(HashingError::Aborted)?;
        let measures = Arc::clone(&self.measures);
        threads
            .run(move || {
                let timer = measures.work.timer();
                let result = work();
                drop(timer);
                drop(permits);
                result
            })
            .await
            .ok_or(HashingError::Aborted)?
            .map_err(HashingError::Failed)
    }
}
