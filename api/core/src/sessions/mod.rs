//! Use cases for sessions: start, authenticate, rotate, end.
//!
//! Knows neither HTTP nor an engine. Session and user are read from the store on every authenticated request, so that a
//! sign-out takes effect on the next request, on every node.

mod devices;
mod error;
mod measures;
mod told;

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{
    Client, Decision, End, EventKind, Identity, Rotation, Session, SessionId, SharedClock,
    Timestamp, TokenId, User,
};
use password_auth_store::{NewSession, Store, StoreError};
use password_auth_wire::Secret;

pub use error::{AuthenticateError, RefreshError, SessionError, SignOutError};
pub use measures::Measures;

use crate::audit::AuditLog;
use crate::mail::Mailer;
use crate::token_keys::TokenKeys;
use crate::tokens::{
    AccessClaims, AccessToken, AccessTokenError, AccessTokens, CLIENT_ID, RefreshTokens,
};
use crate::tracing_context::is_about;

/// The longest session of a user who does not want to stay signed in.
const SHORT_SESSION: Duration = Duration::from_secs(24 * 60 * 60);

/// Lifetimes.
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
    /// How long the access token is valid.
    pub expires_in: Duration,
}

/// The caller, from an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user as stored now.
    pub user: Arc<User>,
    /// The session.
    pub session: SessionId,
    token: AccessToken,
}

/// The result of starting a session.
#[derive(Clone, Debug)]
pub enum Started {
    /// It was started.
    Session(SessionId, Issued),
    /// The user does not exist or is deactivated.
    UserDisabled,
    /// The password was changed after it was checked.
    PasswordChanged,
}

/// A token that names the session to end.
#[derive(Clone, Debug)]
pub enum SignOut {
    /// An access token, expired or not.
    Access(Secret),
    /// A refresh token of any generation.
    Refresh(Secret),
}

/// Whether the session of an access token counts, and its user.
fn counts(token: &AccessToken, identity: &Identity, now: Timestamp) -> bool {
    identity.admits(token.user, token.epoch, now)
}

/// The use cases.
pub struct Sessions {
    measures: Measures,
    store: Arc<dyn Store>,
    clock: SharedClock,
    token_keys: Arc<TokenKeys>,
    refresh_tokens: RefreshTokens,
    lifetimes: Lifetimes,
    audit_log: AuditLog,
    mailer: Arc<Mailer>,
}

impl Sessions {
    /// Sessions in `store`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: SharedClock,
        token_keys: Arc<TokenKeys>,
        refresh_tokens: RefreshTokens,
        lifetimes: Lifetimes,
        mailer: Arc<Mailer>,
    ) -> Self {
        Self {
            measures: Measures::default(),
            audit_log: AuditLog::new(Arc::clone(&store), Arc::clone(&clock)),
            store,
            clock,
            token_keys,
            refresh_tokens,
            lifetimes,
            mailer,
        }
    }

    /// Starts a session for a user whose password was checked. `user` is the record at that time.
    ///
    /// # Errors
    /// As [`SessionError`] lists.
    pub async fn start(
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

    /// What happened to sessions on this node.
    #[must_use]
    pub const fn measures(&self) -> &Measures {
        &self.measures
    }

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
    pub async fn check_again(&self, caller: &Caller) -> Result<(), AuthenticateError> {
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
        let token = self.read(|tokens| tokens.verify(token, now)).await??;
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

    /// Ends the session of a token. Repeating it is not an error, nor is an expired token.
    ///
    /// # Errors
    /// If no key of ours made the token, or if the store failed.
    pub async fn sign_out(&self, token: &SignOut, client: &Client) -> Result<(), SignOutError> {
        let session = match token {
            SignOut::Access(token) => self
                .read(|tokens| tokens.verify_ignoring_expiry(token.expose()))
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

    /// Reads an access token. If it names an unknown key, looks for the key once.
    async fn read(
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

    /// The current pair of a session that was [renewed](Session::renewed).
    ///
    /// # Errors
    /// If signing failed.
    pub fn issue_renewed(
        &self,
        session: &Session,
        user: &User,
        client: &Client,
    ) -> Result<Issued, SessionError> {
        self.issue(session, user.username.as_str(), client, self.clock.now())
    }

    fn issue(
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
