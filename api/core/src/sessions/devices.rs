//! A person's sign-ins on several devices: seeing them, and ending them.

use password_auth_model::{Client, EventKind, Session, SessionId, UserId};
use password_auth_store::StoreError;

use super::{Caller, Sessions};
use crate::audit::EventContext;

impl Sessions {
    /// The caller's sign-ins that have not ended, [as they are shown](Session::shown), the latest used first.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn of_caller(&self, caller: &Caller) -> Result<Vec<Session>, StoreError> {
        self.of(caller.user.id).await
    }

    /// As [`of_caller`](Self::of_caller), anybody's: for the operator.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let now = self.clock.now();
        let mut sessions = self.store.sessions_of(user).await?;
        sessions.retain(|session| session.is_live(now));
        let mut sessions: Vec<_> = sessions.iter().map(|s| s.shown(now)).collect();
        // By what is shown of it: their order is to tell no more.
        sessions.sort_by_key(|session| std::cmp::Reverse((session.last_used, session.id)));
        Ok(sessions)
    }

    /// Ends one of the caller's sign-ins; says whether there was such a one.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn end_of_caller(
        &self,
        caller: &Caller,
        id: SessionId,
        client: &Client,
    ) -> Result<bool, StoreError> {
        let ended = self.store.end_session_of(caller.user.id, id).await?;
        if ended {
            self.note(caller.user.id, EventKind::SignedOut, id, client)
                .await;
        }
        Ok(ended)
    }

    /// Ends all of the caller's sign-ins, the one that asks included.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn end_all_of_caller(
        &self,
        caller: &Caller,
        client: &Client,
    ) -> Result<(), StoreError> {
        self.end_of_caller_but(caller, None, client).await
    }

    /// Ends all of the caller's sign-ins but the one that asks.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn end_others_of_caller(
        &self,
        caller: &Caller,
        client: &Client,
    ) -> Result<(), StoreError> {
        self.end_of_caller_but(caller, Some(caller.session), client)
            .await
    }

    async fn end_of_caller_but(
        &self,
        caller: &Caller,
        keep: Option<SessionId>,
        client: &Client,
    ) -> Result<(), StoreError> {
        let ended = self.store.end_sessions_of(caller.user.id, keep).await?;
        if ended > 0 {
            let what = EventKind::SignedOutElsewhere;
            self.note(caller.user.id, what, caller.session, client)
                .await;
        }
        Ok(())
    }

    /// Ends one of somebody's sign-ins, for the operator; says whether there was such a one.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn end_one_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let ended = self.store.end_session_of(user, id).await?;
        if ended {
            let context = EventContext {
                session: Some(id),
                ..EventContext::default()
            };
            self.audit_log
                .record(user, EventKind::SignedOut, context)
                .await;
        }
        Ok(ended)
    }

    /// Ends all of somebody's sign-ins, for the operator; how many went.
    ///
    /// # Errors
    /// If the store did not work.
    pub async fn end_all_of(&self, user: UserId) -> Result<u64, StoreError> {
        let ended = self.store.end_sessions_of(user, None).await?;
        if ended > 0 {
            self.audit_log
                .record(user, EventKind::SignedOutElsewhere, EventContext::default())
                .await;
        }
        Ok(ended)
    }
}
