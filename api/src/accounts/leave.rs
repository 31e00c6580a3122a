//! Leaving, and taking one's data along.

use password_auth_wire::Secret;

use super::{Accounts, ChangePersonError, Client, ProofError};
use crate::events::{Circumstances, Event, Happening};
use crate::sessions::{Caller, Session};
use crate::store::{StoreError, User};

/// Events that are read at once.
const EVENTS: u32 = 1000;

/// Everything that is kept about a person, but for what is a secret of the server's: hashes.
#[derive(Clone, Debug)]
pub struct Export {
    /// The account.
    pub user: User,
    /// The sign-ins, [as they are shown](Session::shown).
    pub sessions: Vec<Session>,
    /// What happened, the latest first.
    pub events: Vec<Event>,
}

/// Why somebody is still here.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    /// The password is wrong, or could not be checked.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// He can not be removed.
    #[error(transparent)]
    Remove(#[from] ChangePersonError),
}

impl Accounts {
    /// Everything about the caller.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn export(&self, caller: &Caller, client: &Client) -> Result<Export, StoreError> {
        let user = caller.user.clone();
        self.note(&user, Happening::Exported, client).await;
        let now = self.clock.now();
        let sessions = self.store.sessions_of(user.id).await?;
        let sessions = sessions.iter().map(|session| session.shown(now)).collect();
        let mut events: Vec<Event> = Vec::new();
        loop {
            let before = events.last().map(|event| event.id);
            let older = self.store.events(Some(user.id), before, EVENTS).await?;
            if older.is_empty() {
                break;
            }
            events.extend(older);
        }
        Ok(Export {
            user,
            sessions,
            events,
        })
    }

    /// Removes the caller and everything about him.
    ///
    /// # Errors
    /// As [`LeaveError`] lists; then nothing was removed.
    pub async fn leave(
        &self,
        caller: &Caller,
        password: Secret,
        client: &Client,
    ) -> Result<(), LeaveError> {
        let _counted = self.prove(&caller.user, password, client).await?;
        // Neither address nor device: nothing of him is to stay.
        self.remove(caller.user.id, Circumstances::default())
            .await?;
        Ok(())
    }
}
