//! Who asks, by an access token.

use std::sync::Arc;

use password_auth_model::{Identity, SessionId, Timestamp, User};
use password_auth_store::StoreError;

use super::{AuthenticateError, Sessions};
use crate::tokens::{AccessToken, AccessTokenError, AccessTokens};
use crate::tracing_context::is_about;

/// The caller, from an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user as stored now.
    pub user: Arc<User>,
    /// The session.
    pub session: SessionId,
    token: AccessToken,
}

impl Sessions {
    /// Who asks, by an access token.
    ///
    /// # Errors
    /// As [`AuthenticateError`] lists.
    pub async fn identify(&self, token: &str) -> Result<Identity, AuthenticateError> {
        let (token, now) = self.read_valid(token).await?;
        let identity = self.store.identity(token.session).await?;
        let identity = identity.filter(|identity| counts(&token, identity, now));
        let identity = identity.ok_or(AuthenticateError::Invalid)?;
        self.note_use(&token, &identity).await;
        Ok(identity)
    }

    /// Finds the caller for an access token: who asks, and all that is known of them.
    ///
    /// # Errors
    /// As [`AuthenticateError`] lists.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AuthenticateError> {
        let (token, now) = self.read_valid(token).await?;
        let found = self.store.identity_and_user(token.session).await?;
        let found = found.filter(|(identity, _)| counts(&token, identity, now));
        let (identity, user) = found.ok_or(AuthenticateError::Invalid)?;
        self.note_use(&token, &identity).await;
        Ok(Caller {
            user: Arc::new(user),
            session: token.session,
            token,
        })
    }

    /// Checks that the access token of a caller is still valid, while something long is done for them.
    ///
    /// # Errors
    /// As [`AuthenticateError`] lists.
    pub(crate) async fn check_again(&self, caller: &Caller) -> Result<(), AuthenticateError> {
        let now = self.clock.now();
        if caller.token.has_expired(now) {
            return Err(AuthenticateError::Expired);
        }
        let identity = self.store.identity(caller.session).await?;
        let counts = identity.is_some_and(|identity| counts(&caller.token, &identity, now));
        counts.then_some(()).ok_or(AuthenticateError::Invalid)
    }

    /// What a token says that has not expired, and when that was.
    async fn read_valid(&self, token: &str) -> Result<(AccessToken, Timestamp), AuthenticateError> {
        let now = self.clock.now();
        let token = self
            .read_access_token(|tokens| tokens.verify(token, now))
            .await??;
        is_about(token.session);
        Ok((token, now))
    }

    /// Lets the session know that a token of it was used, if that may change it: seldom.
    async fn note_use(&self, token: &AccessToken, identity: &Identity) {
        let (generation, party) = (token.generation, token.party);
        if !identity.may_change_after_use(generation) {
            return;
        }
        // In memory of its own: most requests do without.
        let noted = Box::pin(async {
            // Of a watched session, only all of it says whether it changes; most do not, and a write costs more.
            if !identity.is_confirmed_by(generation) {
                let found = self.store.session(token.session).await?;
                let after = found.and_then(|(session, _)| session.after_use(generation, party));
                if after.is_none() {
                    return Ok(());
                }
            }
            self.store.note_use(token.session, generation, party).await
        });
        // If the use is not recorded, a theft may be missed, but the token is still valid.
        if let Err(error) = noted.await {
            tracing::warn!(session.id = %token.session, %error, "the first use of an access token could not be \
                recorded");
        }
    }

    /// Reads an access token. If it names an unknown key, looks for the key once.
    pub(super) async fn read_access_token(
        &self,
        read: impl Fn(&AccessTokens) -> Result<AccessToken, AccessTokenError>,
    ) -> Result<Result<AccessToken, AccessTokenError>, StoreError> {
        let tokens = self.token_keys.tokens();
        match read(tokens) {
            Err(AccessTokenError::UnknownKey) => {
                self.token_keys.look_again().await?;
                Ok(read(tokens))
            }
            known => Ok(known),
        }
    }
}

/// Whether the session of an access token counts, and its user.
fn counts(token: &AccessToken, identity: &Identity, now: Timestamp) -> bool {
    identity.admits(token.user, token.epoch, now)
}
