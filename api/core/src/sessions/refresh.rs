//! Exchanging refresh tokens: what the store decided is answered, recorded, counted and, if it is a theft, mailed.

use password_auth_model::{Client, Decision, EmailKind, End, EventKind, Rotation, Session};
use password_auth_wire::Secret;

use super::{Issued, RefreshError, SessionError, Sessions};
use crate::tracing_context::is_about;

impl Sessions {
    /// Exchanges a refresh token for the session's current pair.
    ///
    /// # Errors
    /// As [`RefreshError`] lists.
    pub async fn refresh(&self, token: &Secret, client: &Client) -> Result<Issued, RefreshError> {
        let presented = self
            .refresh_tokens
            .read(token.expose())
            .ok_or(RefreshError::Invalid)?;
        is_about(presented.session);
        let arrival = self.clock.now();
        let by = self.refresh_tokens.party(presented.session, client);
        let Rotation {
            decision,
            session,
            owner,
        } = self
            .store
            .rotate_session(presented.session, presented.generation, by, arrival)
            .await
            .map_err(SessionError::from)?
            .ok_or(RefreshError::Invalid)?;
        self.record(decision, &session, client).await;
        match decision {
            Decision::Rotate
            | Decision::Adopt
            | Decision::Replay
            | Decision::ReplayElsewhere
            | Decision::ReplayInNewEpoch
            | Decision::ReplayElsewhereInNewEpoch => {
                let name = owner.username.as_str();
                Ok(self.issue(&session, name, client, arrival)?)
            }
            Decision::Void => Err(RefreshError::Invalid),
            Decision::Theft | Decision::Over(End::Theft) => Err(RefreshError::Reused),
            Decision::Expired => Err(RefreshError::Expired),
        }
    }

    /// Records the event. If it is a theft, also notifies the user.
    async fn record(&self, decision: Decision, session: &Session, client: &Client) {
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
