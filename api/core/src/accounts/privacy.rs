//! Exporting a user's data, and deleting the account.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use password_auth_model::{
    Client, Event, EventId, EventKind, Factors, Invite, InviteId, Session, User, UserId,
};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, ChangeUserError, CurrentPasswordError};
use crate::audit::EventContext;
use crate::sessions::{AuthenticateError, Caller, Sessions};

/// Events, or invitations, per read.
const EVENTS: u32 = 128;

/// Everything that is stored about a user, except for hashes. While it exists, no other export of the account can
/// begin.
pub struct Export {
    /// The user.
    pub user: Arc<User>,
    /// The sessions, [as they are shown](Session::shown).
    pub sessions: Vec<Session>,
    /// The second factors.
    pub factors: Factors,
    store: Arc<dyn Store>,
    all: Arc<Sessions>,
    caller: Caller,
    /// The last event that was read.
    read_to: Option<EventId>,
    /// The last invitation that was read.
    invites_read_to: Option<InviteId>,
    _alone: Alone,
}

impl Export {
    /// The next invitations that the user made. Empty at the end. As [`next_events`](Self::next_events).
    ///
    /// # Errors
    /// If the access token is no longer valid, or the store failed.
    pub async fn next_invites(&mut self) -> Result<Vec<Invite>, AuthenticateError> {
        self.all.check_again(&self.caller).await?;
        let later = self
            .store
            .invites(Some(self.user.id), self.invites_read_to, EVENTS);
        let later = later.await?;
        self.invites_read_to = later
            .last()
            .map(|invite| invite.id)
            .or(self.invites_read_to);
        Ok(later)
    }

    /// The next events, the latest first. Empty at the end. A slow reader gets no more once their access token is no
    /// longer valid.
    ///
    /// # Errors
    /// If the access token is no longer valid, or the store failed.
    pub async fn next_events(&mut self) -> Result<Vec<Event>, AuthenticateError> {
        self.all.check_again(&self.caller).await?;
        let older = self.store.events(Some(self.user.id), self.read_to, EVENTS);
        let older = older.await?;
        self.read_to = older.last().map(|event| event.id).or(self.read_to);
        Ok(older)
    }
}

/// The users with a running export.
#[derive(Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<HashSet<UserId>>>);

/// The only export of an account.
struct Alone {
    all: UnderWay,
    user: UserId,
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashSet<UserId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, user: UserId) -> Option<Alone> {
        let is_alone = self.lock().insert(user);
        is_alone.then(|| Alone {
            all: self.clone(),
            user,
        })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.all.lock().remove(&self.user);
    }
}

/// Why an export was refused.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The session did not prove lately who uses it.
    #[error("the session must prove who uses it")]
    Unproved,
    /// Another export of the account is in progress.
    #[error("another export is in progress")]
    UnderWay,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The password is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// The user cannot be deleted.
    #[error(transparent)]
    Remove(#[from] ChangeUserError),
}

impl Accounts {
    /// Starts an export of the caller's data. A stolen access token is not enough: the session must have
    /// [proved](Self::prove) lately who uses it.
    ///
    /// # Errors
    /// As [`ExportError`] lists.
    pub async fn export(&self, caller: &Caller, client: &Client) -> Result<Export, ExportError> {
        let user = caller.user.clone();
        let proved = self.proved_factors(caller).await?;
        let factors = proved.ok_or(ExportError::Unproved)?;
        let alone = self.exports.begin(user.id).ok_or(ExportError::UnderWay)?;
        self.note(&user, EventKind::Exported, client).await;
        let now = self.clock.now();
        let sessions = self.store.sessions_of(user.id).await?;
        Ok(Export {
            factors,
            sessions: sessions.iter().map(|session| session.shown(now)).collect(),
            user,
            store: Arc::clone(&self.store),
            all: Arc::clone(&self.sessions),
            caller: caller.clone(),
            read_to: None,
            invites_read_to: None,
            _alone: alone,
        })
    }

    /// Deletes the caller and all their data.
    ///
    /// # Errors
    /// As [`DeleteAccountError`] lists. Then nothing was deleted.
    pub async fn delete_account(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<(), DeleteAccountError> {
        let _counted = self
            .verify_current_password(caller, password, client)
            .await?;
        // Without address and device: nothing about the user should stay.
        self.remove(caller.user.id, EventContext::default()).await?;
        Ok(())
    }
}
