//! Checking a password and starting a session.

use std::time::Duration;

use password_auth_wire::Secret;

use super::{Accounts, Client, EmailAddress, UsernameKey};
use crate::events::{Circumstances, Happening};
use crate::passwords::{HashingError, Verdict as PasswordVerdict};
use crate::sessions::{Issued, SessionError, SessionKind, Started};
use crate::store::{StoreError, User};
use crate::throttle::{Counted, SignInAttempt, Spender, Verdict};

/// How long a network from which somebody signed in is remembered for his account.
const NETWORK_REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// The most bytes of a tried name that are looked at; no longer name can be registered.
const MAX_TRIED_NAME: usize = 1024;

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The name or the password is empty.
    #[error("the name or the password is empty")]
    Empty,
    /// Unknown name or wrong password.
    #[error("unknown name or wrong password")]
    Refused,
    /// The right password of an account that was disabled.
    #[error("the account is disabled")]
    Disabled,
    /// Too many tries from this address or at this account; the next may come after this long.
    #[error("too many tries")]
    TooMany(Duration),
    /// Hashing did not work.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// Starting the session did not work.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Checks a password and starts a session. `name` is a user's name, or an address that is one person's.
    ///
    /// # Errors
    /// As [`SignInError`] lists. Of an account that is disabled only the right password learns it.
    pub async fn sign_in(
        &self,
        name: &str,
        password: Secret,
        kind: SessionKind,
        client: Client,
    ) -> Result<Issued, SignInError> {
        if name.trim().is_empty() || password.expose().is_empty() {
            return Err(SignInError::Empty);
        }
        let now = self.clock.now();
        // By address first: a try that its address may not make costs nothing, and does not count against
        // the account.
        let counted = self
            .sign_ins
            .count(client.address, now)
            .map_err(SignInError::TooMany)?;
        let (key, user) = self.find(name).await?;
        let attempt = SignInAttempt::new(&key, client.address);
        if let Verdict::Refused(wait) = self.count_at_account(attempt, now).await? {
            return Err(SignInError::TooMany(wait));
        }
        let stored = user.as_ref().map(|user| user.password.clone());
        let verdict = self
            .hasher
            .verify(&counted, password.clone(), stored)
            .await?;
        let user = match (verdict, user) {
            (PasswordVerdict::Right, Some(user)) => user,
            (PasswordVerdict::RightButOutdated, Some(user)) => {
                self.renew_hash(&counted, &user, password).await;
                user
            }
            (PasswordVerdict::Wrong, Some(user)) => {
                self.note_later(&user, Happening::SignInFailed, client);
                return Err(SignInError::Refused);
            }
            (_, None) => return Err(SignInError::Refused),
        };
        if !user.is_active {
            return Err(SignInError::Disabled);
        }
        // Each one leaves a session and an event.
        if let Verdict::Refused(wait) = self.allowance.spend(Spender::Password(user.id)) {
            return Err(SignInError::TooMany(wait));
        }
        if !self.rates.login.is_off() {
            let until = now.plus(NETWORK_REMEMBERED);
            self.store.remember_network(attempt, until).await?;
        }
        let started = self
            .sessions
            .start(&user, kind, client.device.clone())
            .await?;
        match started {
            Started::Session(id, issued) => {
                let circumstances = Circumstances {
                    session: Some(id),
                    client: Some(&client),
                    by: None,
                };
                self.journal
                    .record(user.id, Happening::SignedIn, circumstances)
                    .await;
                Ok(issued)
            }
            // Since it was read.
            Started::UserDisabled => Err(SignInError::Disabled),
            Started::PasswordChanged => Err(SignInError::Refused),
        }
    }

    /// Whose name, or address, it is; and the key under which tries at the account are counted, which is the same
    /// for both.
    async fn find(&self, name: &str) -> Result<(UsernameKey, Option<User>), StoreError> {
        let name = shortened(name.trim());
        let key = UsernameKey::of(name);
        // No user's name holds one.
        let user = if name.contains('@') {
            let mut found = match EmailAddress::parse(name) {
                Ok(address) => self.store.users_by_email(&address.key()).await?,
                Err(_) => Vec::new(),
            };
            // While nobody has verified it, whose it is is not known if several say so.
            if found.len() == 1 { found.pop() } else { None }
        } else {
            self.store.user_by_name(&key).await?
        };
        let key = user.as_ref().map_or(key, |user| user.username_key.clone());
        Ok((key, user))
    }

    /// Replaces a hash that was made with other parameters. The sign-in does not depend on it: what fails
    /// now is tried again at the next one.
    async fn renew_hash(&self, counted: &Counted, user: &User, password: Secret) {
        let renewed = match self.hasher.hash(counted, password).await {
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

/// A name that is too long is nobody's: what stands for it here is too long as well.
fn shortened(name: &str) -> &str {
    let end = name.floor_char_boundary(MAX_TRIED_NAME.min(name.len()));
    &name[..end]
}
