//! Ending the session of a token.

use password_auth_model::{Client, EventKind};
use password_auth_wire::Secret;

use super::{Sessions, SignOutError};
use crate::tracing_context::is_about;

/// A token that names the session to end.
#[derive(Clone, Debug)]
pub enum SignOut {
    /// An access token, expired or not.
    Access(Secret),
    /// A refresh token of any generation.
    Refresh(Secret),
}

impl Sessions {
    /// Ends the session of a token. Repeating it is not an error, nor is an expired token.
    ///
    /// # Errors
    /// If no key of ours made the token, or if the store failed.
    pub async fn sign_out(&self, token: &SignOut, client: &Client) -> Result<(), SignOutError> {
        let session = match token {
            SignOut::Access(token) => self
                .read_access_token(|tokens| tokens.verify_ignoring_expiry(token.expose()))
                .await?
                .map(|token| token.session)
                .map_err(|_| SignOutError::Invalid)?,
            SignOut::Refresh(token) => self
                .refresh_tokens
                .read(token.expose())
                .map(|presented| presented.session)
                .ok_or(SignOutError::Invalid)?,
        };
        is_about(session);
        let found = self.store.session(session).await?;
        self.store.end_session(session).await?;
        if let Some((session, user)) = found.filter(|(session, _)| session.ended.is_none()) {
            self.measures.signed_out.add_one();
            self.note(user.id, EventKind::SignedOut, session.id, client)
                .await;
        }
        Ok(())
    }
}
