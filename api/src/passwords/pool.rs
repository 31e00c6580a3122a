//! The bounded pool: hashing has a ceiling in memory, and no other route waits for it.

use std::sync::Arc;
use std::time::Duration;

use password_auth_wire::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hash::{HashError, Verdict, hash, verify, verify_nobody};
use super::params::ScryptParams;
use super::policy::{Policy, Weak};
use crate::model::PasswordHash;

/// How many may wait for each one that hashes.
const QUEUE_PER_WORKER: usize = 16;

/// Everybody hashes and the queue is full: nothing was done.
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

/// Hashes passwords: as many at once as there are workers, some more in a queue.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    params: ScryptParams,
    policy: Policy,
    /// Those that hash and those that wait.
    places: Arc<Semaphore>,
    /// Those that hash.
    workers: Arc<Semaphore>,
}

impl PasswordHasher {
    /// At most `workers` hashes at once.
    #[must_use]
    pub fn new(params: ScryptParams, workers: usize) -> Self {
        Self {
            params,
            policy: Policy::NONE,
            places: Arc::new(Semaphore::new(workers * (1 + QUEUE_PER_WORKER))),
            workers: Arc::new(Semaphore::new(workers)),
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
    /// [`HashingError::Busy`] if the queue is full.
    pub async fn judge(
        &self,
        password: Secret,
        about: Vec<String>,
    ) -> Result<Result<(), Weak>, HashingError> {
        let policy = self.policy;
        if policy.is_none() {
            return Ok(Ok(()));
        }
        self.run(move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            Ok(policy.check(password.expose(), &about))
        })
        .await
    }

    /// Hashes a password that is being set.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue is full.
    pub async fn hash(&self, password: Secret) -> Result<PasswordHash, HashingError> {
        let params = self.params;
        self.run(move || hash(password.expose().as_bytes(), params))
            .await
    }

    /// Compares a password with the hash of a user, or with nobody's at the same cost.
    ///
    /// # Errors
    /// [`HashingError::Busy`] if the queue is full.
    pub async fn verify(
        &self,
        password: Secret,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, HashingError> {
        let params = self.params;
        self.run(move || {
            let password = password.expose().as_bytes();
            match &stored {
                Some(stored) => verify(password, stored, params),
                None => verify_nobody(password, params),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Busy)?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|_| HashingError::Aborted)?;
        // The permits go with the work: a caller who leaves does not make room before it is done.
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, worker);
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permits);
            result
        })
        .await
        .map_err(|_| HashingError::Aborted)?
        .map_err(HashingError::Failed)
    }
}
