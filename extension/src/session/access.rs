//! Requests with the session: an access token that is worth trying, refreshed where that is due.

use password_auth_wire::Secret;
use web_sys::Response;

use super::{Error, Session, now_ms};
use crate::{
    client::Client,
    decide::{self, Next},
    response::Failure,
    token_store::{self, StoredTokens, WriteLock},
    tokens::{MARGIN_MS, Pair},
};

impl Session {
    /// Requests the protected greeting of `route`. Refreshes first when that is due, and answers a 401 by one refresh and
    /// one retry.
    ///
    /// # Errors
    /// The server refused the request or the refresh, or gave no usable answer.
    pub(crate) async fn protected(&self, route: &str) -> Result<String, Error> {
        let client = self.client().await?;
        let mut refused = None;
        loop {
            let access = self.token(&client, refused.as_ref(), MARGIN_MS).await?;
            match client.protected(route, &access).await {
                Err(failure) if failure.is_unauthorized() && refused.is_none() => {
                    refused = Some(access);
                }
                answer => return Ok(answer?),
            }
        }
    }

    /// An access token that is worth trying. `refused` is the one that the server has just refused, if any.
    ///
    /// # Errors
    /// Nobody is signed in, or the server refused the refresh or gave no usable answer.
    pub(crate) async fn access_token(&self, refused: Option<&Secret>) -> Result<Secret, Error> {
        let client = self.client().await?;
        self.token(&client, refused, MARGIN_MS).await
    }

    /// What `send` is answered with an access token that is worth trying. A 401 is answered by one refresh and one retry.
    ///
    /// # Errors
    /// As for [`Session::access_token`], and those of `send`.
    pub(crate) async fn with_token<E: From<Error>>(
        &self,
        send: impl AsyncFn(&Secret) -> Result<Response, E>,
    ) -> Result<Response, E> {
        let token = self.access_token(None).await?;
        let response = send(&token).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        let token = self.access_token(Some(&token)).await?;
        send(&token).await
    }

    /// Refreshes unless the access token lasts for `margin_ms` more.
    ///
    /// # Errors
    /// As for [`Session::access_token`].
    pub(crate) async fn refresh_early(&self, margin_ms: f64) -> Result<(), Error> {
        let client = self.client().await?;
        self.token(&client, None, margin_ms).await.map(drop)
    }

    /// A token for `client`'s server that lasts for `margin_ms` more, and is not the `refused` one.
    pub(super) async fn token(
        &self,
        client: &Client,
        refused: Option<&Secret>,
        margin_ms: f64,
    ) -> Result<Secret, Error> {
        let stored = self.load(client.server()).await?;
        let pair = stored.as_ref().map(|stored| &stored.pair);
        match decide::next(pair, refused, now_ms(), margin_ms) {
            Next::SignIn => return Err(Error::NotSignedIn),
            Next::Use(access) => return Ok(access),
            Next::Refresh => {}
        }
        let lock = token_store::lock().await?;
        // Meanwhile another context may have refreshed, signed in or signed out.
        let stored = self.load(client.server()).await?;
        let pair = stored.as_ref().map(|stored| &stored.pair);
        match (decide::next(pair, refused, now_ms(), margin_ms), stored) {
            (Next::Use(access), _) => Ok(access),
            (Next::Refresh, Some(stored)) => self.refresh(client, stored, &lock).await,
            (Next::SignIn | Next::Refresh, _) => Err(Error::NotSignedIn),
        }
    }

    async fn refresh(
        &self,
        client: &Client,
        stored: StoredTokens,
        lock: &WriteLock,
    ) -> Result<Secret, Error> {
        let asked_at_ms = now_ms();
        let answer = client.refresh(stored.pair.refresh_token.clone()).await;
        // A context that was frozen may have lost the lock, and other scripts can write storage. The answer is
        // about the pair that was presented: if that has gone, leave storage alone.
        let presented = &stored.pair.refresh_token;
        let now = self.load(client.server()).await?;
        let is_current = now
            .as_ref()
            .is_some_and(|now| now.pair.refresh_token == *presented);
        match answer {
            Ok(tokens) if is_current => {
                let pair = Pair::answered(tokens, asked_at_ms);
                let (area, none) = (stored.area, Vec::new());
                token_store::store(area, client.server(), &pair, none, lock).await?;
                Ok(pair.access_token)
            }
            // Another context has refreshed: its token is as good.
            Ok(_) => match now {
                Some(now) if !now.pair.is_due(now_ms(), MARGIN_MS) => Ok(now.pair.access_token),
                _ => Err(Error::NotSignedIn),
            },
            Err(Failure::Refused(refusal)) => {
                if is_current && decide::ends_session(&refusal.details.code) {
                    token_store::end(&refusal.message, lock).await?;
                }
                Err(Error::RefreshRefused(refusal))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}
