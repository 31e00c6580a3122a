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
//! 4. **Only a definite refusal by the server ends a session** ([`decide::ends_session`]).
//! 5. **A sign-out is stored until the server has heard of it** ([`finish_sign_out`]).

use password_auth_wire::{Authenticate, Credentials, Secret, Tokens};
use wasm_bindgen_futures::spawn_local;
use web_sys::Response;

use crate::{
    browser::{self, Area, BrowserError},
    client::Client,
    decide::{self, Next},
    response::{Failure, NoAnswer, Refusal},
    server::{InvalidAddress, Server},
    token_store::{self, PendingSignOut, StoreContents, StoredTokens, UserInfo, WriteLock},
    tokens::{MARGIN_MS, Pair},
};

pub(crate) use crate::token_store::watch;

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody is signed in at the configured server.
    NotSignedIn,
    /// The server refused to refresh. Storage tells whether the session has ended.
    RefreshRefused(Box<Refusal>),
    /// The server refused the request itself, or gave no usable answer.
    Failed(Failure, Server),
    /// The extension has no host permission for the server, which could not be reached without.
    NoHostPermission(Server),
    /// The configured address is invalid.
    InvalidAddress,
    /// The browser's storage or its locks failed.
    Browser(BrowserError),
}

impl From<BrowserError> for Error {
    fn from(error: BrowserError) -> Self {
        Self::Browser(error)
    }
}

impl From<InvalidAddress> for Error {
    fn from(InvalidAddress: InvalidAddress) -> Self {
        Self::InvalidAddress
    }
}

/// Who is signed in where, for display.
pub(crate) struct SessionStatus {
    /// The configured server.
    pub(crate) server: Server,
    /// Who is signed in there.
    pub(crate) user: Option<SignedIn>,
    /// Why the session has ended, if nobody has seen it yet.
    pub(crate) end_message: Option<String>,
}

/// A signed-in user.
pub(crate) struct SignedIn {
    /// What the access token tells, if it can be read.
    pub(crate) claimed: Option<UserInfo>,
    /// When the access token expires: Unix milliseconds.
    pub(crate) expiry_ms: f64,
    area: Area,
}

/// What somebody signs in with.
pub(crate) struct SignIn {
    /// Name and password.
    pub(crate) credentials: Credentials,
    /// The code of a second factor, if the server has asked for one.
    pub(crate) code: Option<String>,
    /// Whether to stay signed in when the browser closes.
    pub(crate) stay: bool,
}

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

    pub(crate) async fn client(&self) -> Result<Client, Error> {
        self.server().await.map(Client::new)
    }

    /// Reads who is signed in. Asks no server: a user who is offline stays signed in.
    ///
    /// # Errors
    /// The address is invalid, or storage failed.
    pub(crate) async fn status(&self) -> Result<SessionStatus, Error> {
        let server = self.server().await?;
        let user = self.load(&server).await?.map(|stored| SignedIn {
            claimed: token_store::claimed_user(&stored.pair),
            expiry_ms: stored.pair.expiry_ms(),
            area: stored.area,
        });
        Ok(SessionStatus {
            server,
            user,
            end_message: token_store::end_message().await?,
        })
    }

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
        match client.register(credentials, email, invite).await {
            Ok(message) => Ok(message),
            Err(failure) => Err(failed(failure, &client).await),
        }
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
        let answer = match client.authenticate(&request).await {
            Ok(answer) => answer,
            Err(failure) => return Err(failed(failure, &client).await),
        };
        self.keep(&client, answer, asked_at_ms, stay).await
    }

    /// Keeps the first pair of a session. The sign-in is complete then.
    ///
    /// # Errors
    /// The browser's storage or its locks failed.
    pub(crate) async fn keep(
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

    /// Signs out here, and on the server if it can be reached. Returns whether the server was told; if not, the
    /// sign-out is pending.
    ///
    /// # Errors
    /// The browser's storage or its locks failed.
    pub(crate) async fn sign_out(&self) -> Result<bool, Error> {
        let lock = token_store::lock().await?;
        // Sign out even if the configured address has become invalid: each pair knows its own server.
        let server = self.server().await.ok();
        let StoreContents { current, stale } = token_store::read(server.as_ref()).await?;
        for stored in stale {
            let pending = token_store::retire(stored, &lock).await?;
            pending.into_iter().for_each(finish_in_background);
        }
        let pending = match current {
            Some(stored) => token_store::retire(stored, &lock).await?,
            None => None,
        };
        drop(lock);
        match pending {
            Some(pending) => finish_sign_out(pending).await,
            None => Ok(true),
        }
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

    /// Removes tokens of other servers than the configured one, and ends their sessions there.
    async fn discard_stale(&self) -> Result<(), Error> {
        let lock = token_store::lock().await?;
        // Meanwhile another context may have done it, or the user may have changed the server back.
        // An invalid address in the settings signs nobody out.
        let server = self.server().await?;
        for stale in token_store::read(Some(&server)).await?.stale {
            let pending = token_store::retire(stale, &lock).await?;
            pending.into_iter().for_each(finish_in_background);
        }
        Ok(())
    }

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
                Err(failure) => return Err(failed(failure, &client).await),
                Ok(message) => return Ok(message),
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

    async fn token(
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
            Err(failure) => Err(failed(failure, client).await),
        }
    }

    /// What the server has told about `user`. Asks it if that is not stored, or if `anew`; if it does not
    /// answer, what the token tells.
    pub(crate) async fn user_info(&self, user: SignedIn, anew: bool) -> Option<UserInfo> {
        let claimed = user.claimed?;
        let stored = token_store::user(user.area).await.ok().flatten();
        let stored = stored.filter(|stored| stored.id == claimed.id);
        if let (Some(stored), false) = (&stored, anew) {
            return Some(stored.clone());
        }
        match self
            .ask_for_user(&claimed, stored.as_ref(), user.area)
            .await
        {
            Ok(told) => Some(told),
            Err(_) => Some(stored.unwrap_or(claimed)),
        }
    }

    async fn ask_for_user(
        &self,
        claimed: &UserInfo,
        stored: Option<&UserInfo>,
        area: Area,
    ) -> Result<UserInfo, Error> {
        let client = self.client().await?;
        let access = self.token(&client, None, MARGIN_MS).await?;
        let told = match client.me(&access).await {
            Ok(told) if told.id == claimed.id => told,
            Ok(_) => return Err(Error::NotSignedIn),
            Err(failure) => return Err(failed(failure, &client).await),
        };
        if stored != Some(&told) {
            let lock = token_store::lock().await?;
            let now = token_store::read(Some(client.server())).await?.current;
            let now = now.filter(|now| now.area == area);
            let now = now.and_then(|now| token_store::claimed_user(&now.pair));
            if now.is_some_and(|now| now.id == told.id) {
                token_store::store_user(area, &told, &lock).await?;
            }
        }
        Ok(told)
    }
}

/// Tells the server of `pending` that the session has ended. Returns whether it has heard.
///
/// # Errors
/// The browser's storage or its locks failed.
pub(crate) async fn finish_sign_out(pending: PendingSignOut) -> Result<bool, Error> {
    let told = match Server::parse(&pending.server) {
        Ok(server) => {
            let token = pending.refresh_token.clone();
            !matches!(
                Client::new(server).logout(token).await,
                Err(Failure::NoAnswer(_))
            )
        }
        // Tokens may not be sent there at all.
        Err(InvalidAddress) => true,
    };
    if told {
        let lock = token_store::lock().await?;
        token_store::remove_pending(&pending, &lock).await?;
    }
    Ok(told)
}

/// Tells servers of the sign-outs that they have not heard of. Returns whether all have heard.
pub(crate) async fn finish_sign_outs() -> Result<bool, Error> {
    let mut told = true;
    for pending in token_store::pending().await? {
        told &= matches!(finish_sign_out(pending).await, Ok(true));
    }
    Ok(told)
}

/// Starts at once, so that the request leaves even if the page closes. A failure leaves the sign-out pending.
fn finish_in_background(pending: PendingSignOut) {
    spawn_local(async move { drop(finish_sign_out(pending).await) });
}

pub(crate) async fn failed(failure: Failure, client: &Client) -> Error {
    let server = client.server().clone();
    // Without permission a request works where the server allows this extension's origin, so ask afterwards.
    if matches!(failure, Failure::NoAnswer(NoAnswer::Unreachable))
        && !browser::has_host_permission(server.origin()).await
    {
        return Error::NoHostPermission(server);
    }
    Error::Failed(failure, server)
}

pub(crate) fn now_ms() -> f64 {
    js_sys::Date::now()
}
