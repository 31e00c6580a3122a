//! Use cases for sessions: start, authenticate, rotate, end.
//!
//! Knows neither HTTP nor an engine. Session and user are read from the store on every authenticated request, so that a
//! sign-out takes effect on the next request, on every node.

mod authenticate;
mod devices;
mod error;
mod issue;
mod measures;
mod refresh;
mod sign_out;

use std::sync::Arc;

use password_auth_model::{Client, EventKind, SessionId, SharedClock, UserId};
use password_auth_store::Store;

pub use authenticate::Caller;
pub use error::{AuthenticateError, RefreshError, SessionError, SignOutError};
pub(crate) use issue::Started;
pub use issue::{Issued, Lifetimes, SessionKind};
pub use measures::Measures;
pub use sign_out::SignOut;

use crate::audit::{AuditLog, EventContext};
use crate::mail::Mailer;
use crate::token_keys::TokenKeys;
use crate::tokens::RefreshTokens;

/// Starts, authenticates, refreshes and ends sessions.
///
/// A session is one record in the store, and none of its tokens is stored. Access tokens are JWTs (RFC 9068); refresh
/// tokens rotate, and one that comes back too late ends the session as stolen (RFC 9700 §4.14).
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
    pub(crate) fn new(
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

    /// What happened to sessions on this node.
    #[must_use]
    pub const fn measures(&self) -> &Measures {
        &self.measures
    }

    async fn note(&self, user: UserId, what: EventKind, session: SessionId, client: &Client) {
        let context = EventContext::in_session(session, client);
        self.audit_log.record(user, what, context).await;
    }
}
