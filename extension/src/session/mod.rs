//! The session: stores the tokens, refreshes them once at a time, removes them. It is the same for every
//! surface and knows no page.
//!
//! Storage is the only truth: nothing is remembered between two calls. Five rules keep it consistent when
//! popups close half-way and several contexts act at once:
//!
//! 1. **Whoever writes tokens holds the lock**, from the read that the decision is based on to the write.
//!    [`token_store`] enforces it by type. So a refresh cannot restore what a sign-out has removed.
//! 2. **A pair is written before it is used**: the only copy of a refresh token is never in memory.
//! 3. **Tokens go only to the server that issued them.** Tokens of another server are removed, and that server
//!    is told ([`Session::discard_stale`]).
//! 4. **Only a definite refusal by the server ends a session** ([`decide::ends_session`](crate::decide::ends_session)).
//! 5. **A sign-out is stored until the server has heard of it** ([`finish_sign_outs`]).

mod access;
mod error;
mod sign_in;
mod sign_out;
mod status;
mod two_requests;

use wasm_bindgen_futures::spawn_local;

use crate::{
    browser::BrowserError,
    client::Client,
    server::{InvalidAddress, Server},
    token_store::{self, StoreContents, StoredTokens},
};

pub(crate) use crate::token_store::watch;
pub(crate) use error::Error;
pub(crate) use sign_in::SignIn;
pub(crate) use sign_out::finish_sign_outs;
pub(crate) use status::SessionStatus;

/// The session of this extension, at the server of the settings or at a fixed one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    fixed: Option<Result<Server, InvalidAddress>>,
}

impl Session {
    /// The session at `server`; `None`: at the server of the settings.
    pub(crate) fn at(server: Option<Server>) -> Self {
        Self {
            fixed: server.map(Ok),
        }
    }

    /// The session at `server`, if that is one that tokens may be sent to.
    pub(crate) const fn of(server: Result<Server, InvalidAddress>) -> Self {
        Self {
            fixed: Some(server),
        }
    }

    /// The configured server.
    pub(crate) async fn server(&self) -> Result<Server, Error> {
        match &self.fixed {
            Some(server) => Ok(server.clone()?),
            None => Ok(token_store::server().await??),
        }
    }

    async fn client(&self) -> Result<Client, Error> {
        self.server().await.map(Client::new)
    }

    /// The tokens of `server`. Others are discarded in the background.
    async fn load(&self, server: &Server) -> Result<Option<StoredTokens>, BrowserError> {
        let StoreContents { current, stale } = token_store::read(Some(server)).await?;
        if !stale.is_empty() {
            let session = self.clone();
            // A failure here is tried again at the next call.
            spawn_local(async move { drop(session.discard_stale().await) });
        }
        Ok(current)
    }
}

/// The time by this computer's clock: Unix milliseconds.
pub(crate) fn now_ms() -> f64 {
    js_sys::Date::now()
}
