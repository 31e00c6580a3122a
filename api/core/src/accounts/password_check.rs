//! Finding the account of a name and a password: counted, at one cost whether there is such an account or not.

use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKey, EventKind, SignInAttempt, Timestamp, User, UsernameKey,
    Verdict, salt_for, shared_salt,
};
use password_auth_store::StoreError;
use password_auth_wire::Secret;

use super::{Accounts, SignInError};
use crate::passwords::{HashingError, PasswordMatch, has_salt};
use crate::rate_limit::{Counted, Failure};

/// The longest name that is looked up. Longer names cannot be registered.
const MAX_TRIED_NAME: usize = 1024;

impl Accounts {
    /// The user with this name and password, active or not.
    pub(super) async fn check_password(
        &self,
        name: &str,
        password: Secret,
        client: &Client,
    ) -> Result<User, SignInError> {
        if name.trim().is_empty() || password.expose().is_empty() {
            return Err(SignInError::Empty);
        }
        let now = self.clock.now();
        // The address is counted first: an attempt over the address's limit costs nothing, and does not count against
        // the account.
        if let Err(wait) = self.sign_ins.check(client.address, now) {
            let wait = self.wait_of_refused(wait, name, client, now).await?;
            return Err(SignInError::TooMany(wait));
        }
        let (attempt, tried) = self.find(name, client.address).await?;
        let (counted, failure) = self.count_at_address(attempt, client, now).await?;
        // A place first: a name that finds none leaves no trace in the store, so the store holds no more counters than
        // can be hashed for.
        let place = match self.hasher.reserve(&counted) {
            Ok(place) => place,
            Err(busy) => {
                self.undo_at_address(failure);
                return Err(HashingError::from(busy).into());
            }
        };
        let Tried {
            user,
            by_address,
            only,
        } = tried;
        let over = match self.count_at_account(attempt, now).await? {
            Verdict::Allowed => None,
            Verdict::Refused(wait) if by_address.is_none() => {
                self.undo_at_address(failure);
                return Err(self.refused_at_account(wait, client, now));
            }
            Verdict::Refused(wait) => Some(wait),
        };
        let stored = user.as_ref().map(|user| user.password.clone());
        let verdict = self.hasher.verify(place, password.clone(), stored).await?;
        let mut found = user.filter(|_| verdict != PasswordMatch::Wrong);
        // Over the limit, a right guess must cost what a wrong one costs.
        if let Some(address) = &by_address {
            if found.is_none() || over.is_some() {
                let other = self.find_by_hash(&counted, address, password.clone());
                found = found.or(other.await?);
            }
            if let Some(wait) = over
                && !self.knows_network(found.as_ref(), address, client).await?
            {
                self.undo_at_address(failure);
                return Err(self.refused_at_account(wait, client, now));
            }
        }
        match found {
            Some(user) => {
                match (failure, &only) {
                    (Some(failure), Some(_)) => self.failures.forgive(failure, now),
                    // Failures at an address that several have may have been tries at the others.
                    (Some(failure), None) => self.failures.undo(failure),
                    (None, _) => {}
                }
                if verdict == PasswordMatch::RightButOutdated || has_another_salt(&user) {
                    self.renew_hash(&counted, &user, password).await;
                }
                Ok(user)
            }
            None => {
                if let Some(failure) = failure {
                    self.failures.fail(failure);
                }
                if let Some(user) = only {
                    self.note_later(&user, EventKind::SignInFailed, client.clone());
                }
                Err(SignInError::Refused)
            }
        }
    }

    /// Counts an attempt by address: plainly, and as a failure unless the network is remembered for the account. So
    /// waits at an address, however long a stranger's failures there have made them, are not the owner's.
    async fn count_at_address(
        &self,
        attempt: SignInAttempt,
        client: &Client,
        now: Timestamp,
    ) -> Result<(Counted, Option<Failure>), SignInError> {
        let is_known =
            self.rates.login.is_off() || self.store.network_is_remembered(attempt, now).await?;
        let failure = if is_known {
            None
        } else {
            let counted = self
                .failures
                .count(client.address, attempt.counter(), now)
                .map_err(SignInError::TooMany)?;
            Some(counted)
        };
        match self.sign_ins.count(client.address, now) {
            Ok(counted) => Ok((counted, failure)),
            // Others came in between.
            Err(wait) => {
                self.undo_at_address(failure);
                Err(SignInError::TooMany(wait))
            }
        }
    }

    /// An attempt that is refused for another reason makes no wait at its address longer.
    fn undo_at_address(&self, failure: Option<Failure>) {
        if let Some(failure) = failure {
            self.failures.undo(failure);
        }
    }

    /// It counted at the address, so that may be over its limit now, too.
    fn refused_at_account(&self, wait: Duration, client: &Client, now: Timestamp) -> SignInError {
        SignInError::TooMany(wait.max(self.sign_ins.wait(client.address, now)))
    }

    /// How long an attempt has to wait that is over the address's limit, which refuses it for `wait`. For an e-mail
    /// address, nobody looks up whose it is for that: it costs more.
    async fn wait_of_refused(
        &self,
        wait: Duration,
        name: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Duration, StoreError> {
        let of_failures = self.failures.wait(client.address, now);
        if of_failures <= wait {
            return Ok(wait);
        }
        let attempt = SignInAttempt::new(&UsernameKey::of(shortened(name.trim())), client.address);
        let is_known = self.store.network_is_remembered(attempt, now).await?;
        Ok(if is_known { wait } else { of_failures })
    }

    /// Whether the client's network is remembered for the account that the password found: then an address leads there
    /// also after strangers used up its tries. For an address that nobody has verified, no network is remembered. That
    /// would free strangers who gave it from its limit, for all its accounts. So the hashes come first here, within the
    /// client's own limit, and whoever is not let in gets the same response at the same cost.
    async fn knows_network(
        &self,
        found: Option<&User>,
        address: &EmailKey,
        client: &Client,
    ) -> Result<bool, StoreError> {
        let attempt = match found {
            Some(user) => SignInAttempt::new(&user.username_key, client.address),
            None => SignInAttempt::by_address(address, None, client.address),
        };
        let now = self.clock.now();
        self.store.network_is_remembered(attempt, now).await
    }

    /// The user with this unverified address and this password. Computes one hash, however many users have the address,
    /// even none.
    async fn find_by_hash(
        &self,
        counted: &Counted,
        address: &EmailKey,
        password: Secret,
    ) -> Result<Option<User>, SignInError> {
        let salt = Some(shared_salt(address));
        let hash = self.hasher.hash_salted(counted, password, salt).await?;
        Ok(self.store.user_by_email_and_hash(address, &hash).await?)
    }

    /// The users that a name or an address may mean, and the attempt, which is counted by what was typed.
    async fn find(&self, name: &str, client: IpAddr) -> Result<(SignInAttempt, Tried), StoreError> {
        let name = shortened(name.trim());
        // User names contain no `@`.
        if name.contains('@')
            && let Ok(address) = EmailAddress::parse(name)
        {
            let key = address.key();
            let found = self.store.users_by_email(&key).await?;
            let owner = found.first().filter(|user| user.is_verified);
            let owner = owner.map(|user| user.id);
            let attempt = SignInAttempt::by_address(&key, owner, client);
            let only = found.first().filter(|_| found.len() == 1).cloned();
            // While nobody has verified the address, the password finds its account among any number. Only an account
            // with another kind of hash (imported, with other parameters, or from before the shared salt) is tried
            // separately. New registrations never have such a hash, so they never come before it.
            let mut found = found.into_iter();
            let user = found.find(|user| {
                let is_found_by_hash =
                    !has_another_salt(user) && self.hasher.is_current(&user.password);
                user.is_verified || !is_found_by_hash
            });
            let tried = Tried {
                user,
                by_address: Some(key),
                only,
            };
            return Ok((attempt, tried));
        }
        let key = UsernameKey::of(name);
        let user = self.store.user_by_name(&key).await?;
        let tried = Tried {
            only: user.clone(),
            user,
            by_address: None,
        };
        Ok((SignInAttempt::new(&key, client), tried))
    }

    /// Replaces a hash with other parameters. The sign-in does not depend on it: if it fails, the next sign-in tries
    /// again.
    async fn renew_hash(&self, counted: &Counted, user: &User, password: Secret) {
        let hash = self.hasher.hash_salted(counted, password, salt_for(user));
        let renewed = match hash.await {
            Ok(hash) => self
                .store
                .replace_password_hash(user.id, &user.password, hash)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = renewed {
            tracing::warn!(user.id = %user.id, error, "the password hash was not renewed");
        }
    }
}

/// The users whose password it may be. A failed sign-in by an address always costs two hashes: one for `user` (or for
/// nobody), and one to find an account of `by_address`, however many there are.
struct Tried {
    /// The user whose hash the password is compared with.
    user: Option<User>,
    /// The address, if it was typed. Once it is verified, the store finds nobody by it here.
    by_address: Option<EmailKey>,
    /// The user who is told about a failure: the only one that can be meant.
    only: Option<User>,
}

/// Whether the hash of the account has another salt than it should: the address was verified since, or it is another
/// kind of hash.
fn has_another_salt(user: &User) -> bool {
    match (salt_for(user), &user.email) {
        (Some(shared), _) => !has_salt(&user.password, &shared),
        (None, Some(email)) => has_salt(&user.password, &shared_salt(&email.key())),
        (None, None) => false,
    }
}

/// A shortened name that is still too long to be registered, so it names no user.
fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_TRIED_NAME.min(name.len()));
    &name[..end]
}
