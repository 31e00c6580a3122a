//! Leaving, and taking one's data along.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use password_auth_model::{Client, Event, EventId, EventKind, Session, User, UserId};
use password_auth_store::{Store, StoreError};
use password_auth_wire::Secret;

use super::{Accounts, ChangeUserError, CurrentPasswordError};
use crate::audit::EventContext;
use crate::sessions::Caller;

/// Events that are read at once.
const EVENTS: u32 = 128;

/// Everything that is kept about a person, but for what is a secret of the server's: hashes.
/// While it lasts, no other is begun for the account.
pub struct Export {
    /// The account.
    pub user: User,
    /// The sign-ins, [as they are shown](Session::shown).
    pub sessions: Vec<Session>,
    store: Arc<dyn Store>,
    /// The last event that was read.
    read_to: Option<EventId>,
    _alone: Alone,
}

impl Export {
    /// More of what happened, the latest first; nothing once that was all.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn next_events(&mut self) -> Result<Vec<Event>, StoreError> {
        let older = self.store.events(Some(self.user.id), self.read_to, EVENTS);
        let older = older.await?;
        self.read_to = older.last().map(|event| event.id).or(self.read_to);
        Ok(older)
    }
}

/// For whom an export is under way.
#[derive(Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<HashSet<UserId>>>);

/// The one of an account.
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

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Another export of the account is under way.
    #[error("another export is under way")]
    UnderWay,
    /// The store did not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody is still here.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The password is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] CurrentPasswordError),
    /// He can not be removed.
    #[error(transparent)]
    Remove(#[from] ChangeUserError),
}

impl Accounts {
    /// Everything about the caller, to be read bit by bit.
    ///
    /// # Errors
    /// As [`ExportError`] lists.
    pub async fn export(&self, caller: &Caller, client: &Client) -> Result<Export, ExportError> {
        let user = caller.user.clone();
        let alone = self.exports.begin(user.id).ok_or(ExportError::UnderWay)?;
        self.note(&user, EventKind::Exported, client).await;
        let now = self.clock.now();
        let sessions = self.store.sessions_of(user.id).await?;
        Ok(Export {
            sessions: sessions.iter().map(|session| session.shown(now)).collect(),
            user,
            store: Arc::clone(&self.store),
            read_to: None,
            _alone: alone,
        })
    }

    /// Removes the caller and everything about him.
    ///
    /// # Errors
    /// As [`DeleteAccountError`] lists; then nothing was removed.
    pub async fn delete_account(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<(), DeleteAccountError> {
        let _counted = self
            .verify_current_password(&caller.user, password, client)
            .await?;
        // Neither address nor device: nothing of him is to stay.
        self.remove(caller.user.id, EventContext::default()).await?;
        Ok(())
    }
}
