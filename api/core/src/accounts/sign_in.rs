//! Checking a password and starting a session.

use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{
    Client, EmailAddress, EmailKey, EventKind, SignInAttempt, User, UsernameKey, Verdict, salt_for,
    shared_salt,
};
use password_auth_store::{ChangeUser, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, SecondStep};
use crate::audit::EventContext;
use crate::passwords::{HashingError, PasswordMatch, has_salt};
use crate::rate_limit::{Counted, Spender};
use crate::sessions::{Issued, SessionError, SessionKind, Started};
use crate::tokens::ChallengePurpose;

/// The longest name that is looked up. Longer names cannot be registered.
const MAX_TRIED_NAME: usize = 1024;

/// Why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Unknown name or wrong password.
    #[error("unknown name or wrong password")]
    Refused,
    /// The account is disabled. Only correct credentials reveal this.
    #[error("the account is disabled")]
    Disabled,
    /// Too many attempts from this address or at this account. The next one is allowed after this time.
    #[error("too many tries")]
    TooMany(Duration),
    /// The password is right, and a second factor is needed.
    #[error("a second factor is needed")]
    SecondFactorRequired(SecondStep),
    /// The second factor is wrong. Only the right password reveals this.
    #[error("the second factor is wrong")]
    WrongFactor,
    /// The challenge is unknown, used or expired, or the password was changed since.
    #[error("the challenge is not valid")]
    ChallengeExpired,
    /// The system provides no random bytes.
    #[error("the system provides no random bytes: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Hashing failed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Starting the session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Checks a password, and a code if the account has a second factor, and starts a session. `name` is a user name, or
    /// an e-mail address that only one user has.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Only correct credentials reveal that an account is disabled.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Secret,
        code: Option<&Secret>,
        kind: SessionKind,
        client: Client,
    ) -> Result<Issued, SignInError> {
        let user = self.check_password(name, password, &client).await?;
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        let purpose = match kind {
            SessionKind::Staying => ChallengePurpose::SignIn,
            SessionKind::Short => ChallengePurpose::ShortSignIn,
        };
        self.second_step(&user, purpose, code, &client).await?;
        self.begin(&user, kind, &client).await
    }

    /// Like [`sign_in`](Self::sign_in), but also reactivates an account that its user deactivated. Other disabled
    /// accounts are refused.
    ///
    /// # Errors
    /// As [`SignInError`] lists.
    pub async fn reactivate(
        &self,
        name: &str,
        password: Secret,
        code: Option<&Secret>,
        client: Client,
    ) -> Result<Issued, SignInError> {
        let user = self.check_password(name, password, &client).await?;
        if !user.is_active && !user.deactivated_by_self {
            return Err(SignInError::Disabled);
        }
        self.spend(&user)?;
        let purpose = ChallengePurpose::Reactivate;
        self.second_step(&user, purpose, code, &client).await?;
        self.begin_reactivated(user, &client).await
    }

    /// Reactivates the account, if it is not active, and starts a session.
    pub(super) async fn begin_reactivated(
        &self,
        mut user: User,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        if !user.is_active {
            let version = user.password_version;
            let ChangeUser::Changed { before, after } =
                self.store.reactivate_user(user.id, version).await?
            else {
                return Err(SignInError::Disabled);
            };
            if !before.is_active {
                self.note(&after, EventKind::Activated, client).await;
            }
            user = *after;
        }
        self.begin(&user, SessionKind::Staying, client).await
    }

    /// The user with this name and password, active or not.
    async fn check_password(
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
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(SignInError::TooMany)?;
        let (attempt, tried) = self.find(name, client.address).await?;
        let Tried {
            user,
            by_address,
            only,
        } = tried;
        let over = match self.count_at_account(attempt, now).await? {
            Verdict::Allowed => None,
            Verdict::Refused(wait) if by_address.is_none() => {
                return Err(SignInError::TooMany(wait));
            }
            Verdict::Refused(wait) => Some(wait),
        };
        let stored = user.as_ref().map(|user| user.password.clone());
        let verdict = self
            .hasher
            .verify(&counted, password.clone(), stored)
            .await?;
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
                return Err(SignInError::TooMany(wait));
            }
        }
        match found {
            Some(user) => {
                if verdict == PasswordMatch::RightButOutdated || has_another_salt(&user) {
                    self.renew_hash(&counted, &user, password).await;
                }
                Ok(user)
            }
            None => {
                if let Some(user) = only {
                    self.note_later(&user, EventKind::SignInFailed, client.clone());
                }
                Err(SignInError::Refused)
            }
        }
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

    /// Each sign-in adds a session and an event.
    pub(super) fn spend(&self, user: &User) -> Result<(), SignInError> {
        match self.allowance.spend(Spender::Password(user.id)) {
            Verdict::Refused(wait) => Err(SignInError::TooMany(wait)),
            Verdict::Allowed => Ok(()),
        }
    }

    /// Starts a session for a user whose password was checked.
    pub(super) async fn begin(
        &self,
        user: &User,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Issued, SignInError> {
        self.remember_network(user, client).await?;
        match self.sessions.start(user, kind, client).await? {
            Started::Session(id, issued) => {
                let context = EventContext {
                    session: Some(id),
                    client: Some(client),
                    by: None,
                };
                self.audit_log
                    .record(user.id, EventKind::SignedIn, context)
                    .await;
                Ok(issued)
            }
            // Deactivated since the user was read.
            Started::UserDisabled => Err(SignInError::Disabled),
            Started::PasswordChanged => Err(SignInError::Refused),
        }
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
