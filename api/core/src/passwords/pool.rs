//! The bounded pool: hashing has a ceiling in memory, and no other route waits for it. It works only on what was
//! counted, and keeps places free of any one client.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::PasswordHash;
use password_auth_store::threads::Threads;
use password_auth_wire::Secret;
use tokio::sync::Semaphore;

use super::error::HashError;
use super::hash::{PasswordMatch, hash, verify, verify_nobody};
use super::normal::{nfc, try_each};
use super::params::ScryptParams;
use super::policy::{Policy, Weak};
use super::slots::Slots;
use crate::rate_limit::Counted;

/// How many may wait for each one that hashes.
const QUEUE_PER_WORKER: usize = 16;

/// The queue is full, or the client's share of it: nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being hashed")]
pub struct Busy;

impl Busy {
    /// When to try again.
    pub const RETRY_AFTER: Duration = Duration::from_secs(2);
}

/// Why the pool gave no answer.
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

/// Hashes passwords: as many at once as there are workers, some more in a queue, of which one client gets a share.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    params: ScryptParams,
    policy: Policy,
    /// Those that hash and those that wait.
    slots: Arc<Slots>,
    /// Those that hash.
    workers: Arc<Semaphore>,
    /// Nothing else uses them. None if the system gave none.
    threads: Option<Arc<Threads>>,
}

impl PasswordHasher {
    /// At most `workers` hashes at once.
    #[must_use]
    pub fn new(params: ScryptParams, workers: usize) -> Self {
        let threads = Threads::start("passwords", workers)
            .inspect_err(|error| tracing::error!(%error, "there are no threads to hash on"));
        Self {
            params,
            policy: Policy::NONE,
            slots: Slots::new(workers * (1 + QUEUE_PER_WORKER)),
            workers: Arc::new(Semaphore::new(workers)),
            threads: threads.ok().map(Arc::new),
        }
    }

    /// With a floor under the strength of new passwords.
    #[must_use]
    pub const fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Looks at a password that somebody chooses; `about` is what he is called. The inner result is what the
    /// policy says.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue, or the client's share of it, is full.
    pub async fn check_strength(
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

    /// Hashes a password that is being set.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue, or the client's share of it, is full.
    pub async fn hash(
        &self,
        counted: &Counted,
        password: Secret,
    ) -> Result<PasswordHash, HashingError> {
        let params = self.params;
        self.run(counted, move || {
            hash(nfc(password.expose()).as_bytes(), params)
        })
        .await
    }

    /// Compares a password with the hash of a user, or with nobody's at the same cost.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue, or the client's share of it, is full.
    pub async fn verify(
        &self,
        counted: &Counted,
        password: Secret,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordMatch, HashingError> {
        let params = self.params;
        self.run(counted, move || {
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
        let slot = self.slots.take(counted.client()).ok_or(Busy)?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| HashingError::Aborted)?;
        // The permits go with the work: a caller who leaves does not make room before it is done.
        let permits = (slot, worker);
        let threads = self.threads.as_ref().ok_or(HashingError::Aborted)?;
        threads
            .run(move || {
                let result = work();
                drop(permits);
                result
            })
            .await
            .ok_or(HashingError::Aborted)?
            .map_err(HashingError::Failed)
    }
}
