//! Registration, and sign-in by a password. The ways in that take two requests are in [`two_requests`](super::two_requests).

use password_auth_wire::{Authenticate, Credentials, Secret, Tokens};

use super::{Error, Session, now_ms, sign_out::finish_in_background};
use crate::{
    browser::Area,
    client::Client,
    token_store::{self, StoreContents},
    tokens::Pair,
};

/// What somebody signs in with.
pub(crate) struct SignIn {
    /// Name and password.
    pub(crate) credentials: Credentials,
    /// The code of a second factor, if the server has asked for one.
    pub(crate) code: Option<String>,
    /// Whether to stay signed in when the browser closes.
    pub(crate) stay: bool,
}

impl Session {
    /// Registers an account, without signing in, and returns the server's message.
    ///
    /// # Errors
    /// The server refused, or gave no usable answer.
    pub(crate) async fn register(
        &self,
        credentials: &Credentials,
        email: Option<&str>,
        invite: Option<&str>,
    ) -> Result<String, Error> {
        let client = self.client().await?;
        Ok(client.register(credentials, email, invite).await?)
    }

    /// Signs in, and stores the tokens: on disk, or until the browser closes.
    ///
    /// # Errors
    /// The server refused, or gave no usable answer. Storage has not changed then.
    pub(crate) async fn sign_in(&self, sign_in: SignIn) -> Result<(), Error> {
        let client = self.client().await?;
        let stay = sign_in.stay;
        let request = Authenticate {
            username: sign_in.credentials.username,
            password: sign_in.credentials.password,
            stay_signed_in: Some(stay),
            code: sign_in.code.map(Secret::new),
        };
        let asked_at_ms = now_ms();
        let answer = client.authenticate(&request).await?;
        self.keep(&client, answer, asked_at_ms, stay).await
    }

    /// Keeps the first pair of a session. The sign-in is complete then.
    ///
    /// # Errors
    /// The browser's storage or its locks failed.
    pub(super) async fn keep(
        &self,
        client: &Client,
        answer: Tokens,
        asked_at_ms: f64,
        stay: bool,
    ) -> Result<(), Error> {
        let area = if stay { Area::Local } else { Area::Session };

        let lock = token_store::lock().await?;
        let StoreContents { current, stale } = token_store::read(Some(client.server())).await?;
        let pair = Pair::answered(answer, asked_at_ms);
        // Another context signed in meanwhile, or at another server. Nobody uses these sessions any more.
        let replaced = current.into_iter().chain(stale).collect();
        let replaced = token_store::store(area, client.server(), &pair, replaced, &lock).await?;
        token_store::remove_end_message().await?;
        drop(lock);
        replaced.into_iter().for_each(finish_in_background);
        Ok(())
    }
}
