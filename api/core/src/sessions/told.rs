//! What is recorded, counted and mailed when tokens are exchanged.

use password_auth_model::{
    Client, Decision, EmailKind, End, EventKind, Session, SessionId, UserId,
};

use super::Sessions;
use crate::audit::EventContext;

impl Sessions {
    pub(super) async fn note(
        &self,
        user: UserId,
        what: EventKind,
        session: SessionId,
        client: &Client,
    ) {
        let context = EventContext {
            session: Some(session),
            client: Some(client),
            by: None,
        };
        self.audit_log.record(user, what, context).await;
    }

    /// Records the event. If it is a theft, also notifies the user.
    pub(super) async fn record(&self, decision: Decision, session: &Session, client: &Client) {
        let user = session.user;
        self.measures.record(decision);
        match decision {
            Decision::Theft => {
                self.note(user, EventKind::TokenReused, session.id, client)
                    .await;
                match self.store.user(user).await {
                    Ok(Some(user)) => self.mailer.tell(&user, EmailKind::TokenReused).await,
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(user.id = %user, %error, "a mail about a theft could not be queued");
                    }
                }
            }
            Decision::Adopt => {
                self.note(user, EventKind::StoreWentBack, session.id, client)
                    .await;
            }
            Decision::ReplayElsewhere | Decision::ReplayElsewhereInNewEpoch => {
                let what = EventKind::TokenReplayedElsewhere;
                self.note(user, what, session.id, client).await;
            }
            Decision::ReplayInNewEpoch => tracing::info!(
                session.id = %session.id, user.id = %user,
                "a lost refresh response was repeated in a new epoch"
            ),
            Decision::Rotate
            | Decision::Replay
            | Decision::Void
            | Decision::Over(End::Theft)
            | Decision::Expired => {}
        }
    }
}
