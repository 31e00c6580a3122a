//! Starting sessions, and the pair of tokens that belongs to each generation of one.

use std::time::Duration;

use password_auth_model::{Client, Session, SessionId, Timestamp, TokenId, User};
use password_auth_store::NewSession;
use password_auth_wire::Secret;

use super::{SessionError, Sessions};
use crate::tokens::{AccessClaims, CLIENT_ID};
use crate::tracing_context::is_about;

/// The longest session of a user who does not want to stay signed in.
const SHORT_SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// How long tokens and sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// An access token.
    pub access_token: Duration,
    /// A session, from sign-in, regardless of refreshes.
    pub session: Duration,
}

/// Whether the user wants to stay signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// As long as the server allows.
    Staying,
    /// One day at most.
    Short,
}

impl SessionKind {
    /// What a client asked for, or did not say.
    #[must_use]
    pub const fn wished(stay_signed_in: Option<bool>) -> Self {
        match stay_signed_in {
            None | Some(true) => Self::Staying,
            Some(false) => Self::Short,
        }
    }
}

/// A pair of tokens for a client.
#[derive(Clone, Debug)]
pub struct Issued {
    /// A JWT.
    pub access_token: Secret,
    /// Opaque.
    pub refresh_token: Secret,
    /// How long the access token is valid, in whole seconds.
    pub expires_in: Duration,
}

/// The result of starting a session.
#[derive(Clone, Debug)]
pub(crate) enum Started {
    /// It was started.
    Session(SessionId, Issued),
    /// The user does not exist or is deactivated.
    UserDisabled,
    /// The password was changed after it was checked.
    PasswordChanged,
}

impl Sessions {
    /// Starts a session for a user whose password was checked. `user` is the record at that time.
    ///
    /// # Errors
    /// As [`SessionError`] lists.
    pub(crate) async fn start(
        &self,
        user: &User,
        kind: SessionKind,
        client: &Client,
    ) -> Result<Started, SessionError> {
        let now = self.clock.now();
        let lifetime = match kind {
            SessionKind::Staying => self.lifetimes.session,
            SessionKind::Short => self.lifetimes.session.min(SHORT_SESSION),
        };
        let session = Session::new(user.id, client.device.clone(), now, now.plus(lifetime));
        let added = self
            .store
            .create_session(session.clone(), user.password_version)
            .await?;
        match added {
            NewSession::Added => {
                self.measures.started.add_one();
                is_about(session.id);
                let issued = self.issue(&session, user.username.as_str(), client, now)?;
                Ok(Started::Session(session.id, issued))
            }
            NewSession::NoUser => Ok(Started::UserDisabled),
            NewSession::PasswordChanged => Ok(Started::PasswordChanged),
        }
    }

    /// The current pair of a session that was [renewed](Session::renewed).
    ///
    /// # Errors
    /// If signing failed.
    pub(crate) fn issue_renewed(
        &self,
        session: &Session,
        user: &User,
        client: &Client,
    ) -> Result<Issued, SessionError> {
        self.issue(session, user.username.as_str(), client, self.clock.now())
    }

    pub(super) fn issue(
        &self,
        session: &Session,
        username: &str,
        client: &Client,
        now: Timestamp,
    ) -> Result<Issued, SessionError> {
        // Whole seconds, as in a JWT, and never past the end of the session.
        let expires_in = self.lifetimes.access_token.min(session.expires.since(now));
        let expires_in = Duration::from_secs(expires_in.as_secs());
        let tokens = self.token_keys.tokens();
        let claims = AccessClaims {
            iss: tokens.issuer().to_owned(),
            aud: tokens.issuer().to_owned(),
            client_id: CLIENT_ID.to_owned(),
            sub: session.user,
            preferred_username: username.to_owned(),
            sid: session.id,
            generation: session.generation,
            epoch: session.epoch,
            party: Some(self.refresh_tokens.party(session.id, client)),
            jti: TokenId::new(now),
            iat: now.as_secs(),
            exp: now.as_secs() + expires_in.as_secs(),
        };
        Ok(Issued {
            access_token: tokens.issue(&claims, now).ok_or(SessionError::Signing)?,
            refresh_token: self.refresh_tokens.issue(session.id, session.generation),
            expires_in,
        })
    }
}
