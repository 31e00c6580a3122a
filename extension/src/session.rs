//! The session: stores the tokens, refreshes them once at a time, removes them. It is the same for every
//! surface and knows no page.
//!
//! Storage is the only truth: nothing is remembered between two calls. Four rules keep it consistent when
//! popups close half-way and several contexts act at once:
//!
//! 1. **Whoever writes tokens holds the lock**, from the read that the decision is based on to the write.
//!    [`token_store`] enforces it by type. So a refresh cannot restore what a sign-out has removed.
//! 2. **A pair is written before it is used**: the only copy of a refresh token is never in memory.
//! 3. **Tokens go only to the server that issued them.** Tokens of another server are removed, and that server
//!    is told ([`discard_stale`]).
//! 4. **Only a definite refusal by the server ends a session** ([`decide::ends_session`]).

use password_auth_wire::{Authenticate, Credentials, Message, Secret};
use wasm_bindgen_futures::spawn_local;

use crate::{
    browser::{Area, BrowserError},
    client::Client,
    decide::{self, Next},
    response::Failure,
    server::{InvalidAddress, Server},
    token_store::{self, StoreContents, StoredTokens, WriteLock},
    tokens::Pair,
};

pub(crate) use crate::token_store::watch;

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody is signed in at the configured server.
    NotSignedIn,
    /// The server refused to refresh, with this message. Storage tells whether the session has ended.
    RefreshRefused(String),
    /// The server refused the request itself, or gave no usable answer.
    Failed(Failure, Server),
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
    pub(crate) user: Option<User>,
}

/// A signed-in user.
pub(crate) struct User {
    /// The registered spelling of the name, if the access token contains it.
    pub(crate) name: Option<String>,
}

/// Reads who is signed in. Asks no server: a user who is offline stays signed in.
///
/// # Errors
/// The address is invalid, or storage failed.
pub(crate) async fn status() -> Result<SessionStatus, Error> {
    let server = token_store::server().await??;
    let stored = load(&server).await?;
    let user = stored.map(|stored| User {
        name: token_store::name(&stored.pair),
    });
    Ok(SessionStatus { server, user })
}

/// Registers an account, without signing in.
///
/// # Errors
/// The server refused, or gave no usable answer.
pub(crate) async fn register(credentials: &Credentials) -> Result<(), Error> {
    let client = client().await?;
    client
        .register(credentials)
        .await
        .map_err(|failure| failed(failure, &client))?;
    Ok(())
}

/// Signs in, and stores the tokens: on disk, or until the browser closes.
///
/// # Errors
/// The server refused, or gave no usable answer. Storage has not changed then.
pub(crate) async fn sign_in(credentials: Credentials, stay_signed_in: bool) -> Result<(), Error> {
    let client = client().await?;
    let request = Authenticate {
        username: credentials.username,
        password: credentials.password,
        stay_signed_in: Some(stay_signed_in),
    };
    let asked_at_ms = now_ms();
    let answer = client
        .authenticate(&request)
        .await
        .map_err(|failure| failed(failure, &client))?;
    let area = if stay_signed_in {
        Area::Local
    } else {
        Area::Session
    };

    let lock = token_store::lock().await?;
    let replaced = token_store::read(Some(client.server())).await?;
    token_store::store(
        area,
        client.server(),
        &Pair::answered(answer, asked_at_ms),
        &lock,
    )
    .await?;
    drop(lock);

    // Another context signed in meanwhile, or at another server. Nobody uses these sessions any more, but the
    // disk may still show their tokens: end them.
    replaced
        .current
        .into_iter()
        .chain(replaced.stale)
        .for_each(revoke);
    Ok(())
}

/// Signs out: here in any case, and on the server if it can be reached.
///
/// # Errors
/// The browser's storage or its locks failed.
pub(crate) async fn sign_out() -> Result<(), Error> {
    let lock = token_store::lock().await?;
    // Sign out even if the configured address has become invalid: each pair knows its own server.
    let server = token_store::server().await?.ok();
    let StoreContents { current, stale } = token_store::read(server.as_ref()).await?;
    stale.into_iter().for_each(revoke);
    if let (Some(server), Some(stored)) = (server, current) {
        // The server first: if the popup closes in between, the next refresh learns of the end.
        // The answer changes nothing.
        let _ = Client::new(server).logout(stored.pair.refresh_token).await;
    }
    token_store::clear(&lock).await?;
    Ok(())
}

/// The tokens of `server`. Others are discarded in the background.
async fn load(server: &Server) -> Result<Option<StoredTokens>, BrowserError> {
    let StoreContents { current, stale } = token_store::read(Some(server)).await?;
    if !stale.is_empty() {
        // A failure here is tried again at the next call.
        spawn_local(async { drop(discard_stale().await) });
    }
    Ok(current)
}

/// Removes tokens of other servers than the configured one, and ends their sessions there.
async fn discard_stale() -> Result<(), Error> {
    let lock = token_store::lock().await?;
    // Meanwhile another context may have done it, or the user may have changed the server back.
    // An invalid address in the settings signs nobody out.
    let server = token_store::server().await??;
    for old in token_store::read(Some(&server)).await?.stale {
        let area = old.area;
        // Both start in the same task, so that the page cannot close between them.
        revoke(old);
        token_store::remove(area, &lock).await?;
    }
    Ok(())
}

/// Ends the session of `stored` on the server that issued it, in the background; failures are ignored.
fn revoke(stored: StoredTokens) {
    if let Some(issuer) = stored.issuer {
        spawn_local(
            async move { drop(Client::new(issuer).logout(stored.pair.refresh_token).await) },
        );
    }
}

/// Requests the protected greeting. Refreshes first when that is due, and answers a 401 by one refresh and one
/// retry.
///
/// # Errors
/// The server refused the request or the refresh, or gave no usable answer.
pub(crate) async fn protected() -> Result<Message, Error> {
    let client = client().await?;
    let mut refused = None;
    loop {
        let access = access_token(&client, refused.as_ref()).await?;
        match client.protected(&access).await {
            Err(failure) if failure.is_unauthorized() && refused.is_none() => {
                refused = Some(access);
            }
            answer => return answer.map_err(|failure| failed(failure, &client)),
        }
    }
}

/// An access token that is worth trying. `refused` is the one that the server has just refused, if any.
async fn access_token(client: &Client, refused: Option<&Secret>) -> Result<Secret, Error> {
    let stored = load(client.server()).await?;
    match decide::next(
        stored.as_ref().map(|stored| &stored.pair),
        refused,
        now_ms(),
    ) {
        Next::SignIn => return Err(Error::NotSignedIn),
        Next::Use(access) => return Ok(access),
        Next::Refresh => {}
    }
    let lock = token_store::lock().await?;
    // Meanwhile another context may have refreshed, signed in or signed out.
    let stored = load(client.server()).await?;
    match (
        decide::next(
            stored.as_ref().map(|stored| &stored.pair),
            refused,
            now_ms(),
        ),
        stored,
    ) {
        (Next::Use(access), _) => Ok(access),
        (Next::Refresh, Some(stored)) => refresh(client, stored, &lock).await,
        (Next::SignIn | Next::Refresh, _) => Err(Error::NotSignedIn),
    }
}

async fn refresh(client: &Client, stored: StoredTokens, lock: &WriteLock) -> Result<Secret, Error> {
    let asked_at_ms = now_ms();
    let answer = client.refresh(stored.pair.refresh_token.clone()).await;
    // The lock keeps our contexts away, but not other scripts that write storage. The answer is about the pair
    // that was presented: if that has gone, leave storage alone.
    let presented = &stored.pair.refresh_token;
    let now = load(client.server()).await?;
    let is_current = now.is_some_and(|now| now.pair.refresh_token == *presented);
    match answer {
        Ok(tokens) if is_current => {
            let pair = Pair::answered(tokens, asked_at_ms);
            token_store::store(stored.area, client.server(), &pair, lock).await?;
            Ok(pair.access_token)
        }
        Ok(_) => Err(Error::NotSignedIn),
        Err(Failure::Refused(refusal)) => {
            if is_current && decide::ends_session(refusal.code) {
                token_store::clear(lock).await?;
            }
            Err(Error::RefreshRefused(refusal.message))
        }
        Err(failure) => Err(failed(failure, client)),
    }
}

async fn client() -> Result<Client, Error> {
    Ok(Client::new(token_store::server().await??))
}

fn failed(failure: Failure, client: &Client) -> Error {
    Error::Failed(failure, client.server().clone())
}

fn now_ms() -> f64 {
    js_sys::Date::now()
}
