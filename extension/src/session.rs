//! Who is signed in: keeps the tokens, refreshes them once at a time, forgets them. The same for every
//! surface; it knows no page.
//!
//! Storage is the only truth; nothing is remembered between two calls. Four rules make it hold when
//! popups close mid-way and several contexts act at once:
//!
//! 1. **Who writes tokens holds the lock**, from the reading that the decision rests on to the write.
//!    [`vault`] enforces it by type. So a refresh can not bring back what a sign-out took away.
//! 2. **A pair is written before anything uses it**: the only copy of a refresh token is never in memory.
//! 3. **Tokens go only to the server that issued them.** Another server's are no sign-in: they are forgotten,
//!    and their own server is told ([`settle`]).
//! 4. **Only the server's definite no ends a sign-in** ([`decide::ends_sign_in`]).

use password_auth_wire::{Authenticate, Credentials, Message, Secret};
use wasm_bindgen_futures::spawn_local;

use crate::{
    answer::Failure,
    browser::{Area, Fault},
    client::Client,
    decide::{self, Next},
    server::{InvalidAddress, Server},
    tokens::Pair,
    vault::{self, Contents, Exclusive, Kept},
};

pub(crate) use crate::vault::watch;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody is signed in at the configured server.
    NotSignedIn,
    /// The server refused to refresh, in these words. Whether that ended the sign-in, storage tells.
    RefreshRefused(String),
    /// The server refused the request itself, or could not be asked.
    Failed(Failure, Server),
    /// The configured address is none.
    InvalidAddress,
    /// The browser's storage or its locks failed.
    Browser(Fault),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Browser(fault)
    }
}

impl From<InvalidAddress> for Error {
    fn from(InvalidAddress: InvalidAddress) -> Self {
        Self::InvalidAddress
    }
}

/// Where things stand, for showing.
pub(crate) struct Standing {
    /// The configured server.
    pub(crate) server: Server,
    /// Who is signed in there.
    pub(crate) user: Option<User>,
}

/// Somebody who is signed in.
pub(crate) struct User {
    /// The registered spelling of the name, if the access token tells it.
    pub(crate) name: Option<String>,
}

/// Reads where things stand. Waits for no server: whoever is offline stays signed in.
///
/// # Errors
/// The address is invalid, or storage failed.
pub(crate) async fn standing() -> Result<Standing, Error> {
    let server = vault::server().await??;
    let kept = load(&server).await?;
    let user = kept.map(|kept| User {
        name: vault::name(&kept.pair),
    });
    Ok(Standing { server, user })
}

/// Registers; signs nobody in.
///
/// # Errors
/// As the server answered, or did not.
pub(crate) async fn register(credentials: &Credentials) -> Result<(), Error> {
    let client = client().await?;
    client
        .register(credentials)
        .await
        .map_err(|failure| failed(failure, &client))?;
    Ok(())
}

/// Signs in, and keeps the tokens: for good, or until the browser closes.
///
/// # Errors
/// As the server answered, or did not. Nothing that was kept has changed then.
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

    let lock = vault::lock().await?;
    let replaced = vault::read(Some(client.server())).await?;
    vault::keep(
        area,
        client.server(),
        &Pair::answered(answer, asked_at_ms),
        &lock,
    )
    .await?;
    drop(lock);

    // Another surface had signed in meanwhile, or somebody at another server. Nobody holds those sessions any
    // more, but the disk may still show their tokens: end them.
    replaced
        .kept
        .into_iter()
        .chain(replaced.strays)
        .for_each(revoke);
    Ok(())
}

/// Signs out: on the server if it can be reached, and here in any case.
///
/// # Errors
/// The browser's storage or its locks failed.
pub(crate) async fn sign_out() -> Result<(), Error> {
    let lock = vault::lock().await?;
    // An address that has become invalid keeps nobody signed in: each pair knows its own.
    let server = vault::server().await?.ok();
    let Contents { kept, strays } = vault::read(server.as_ref()).await?;
    strays.into_iter().for_each(revoke);
    if let (Some(server), Some(kept)) = (server, kept) {
        // The server first: were the popup closed in between, the next refresh would hear of the end.
        // An answer is welcome, and changes nothing.
        let _ = Client::new(server).logout(kept.pair.refresh_token).await;
    }
    vault::forget(&lock).await?;
    Ok(())
}

/// The sign-in at `server`; what else is kept goes, without making anybody wait.
async fn load(server: &Server) -> Result<Option<Kept>, Fault> {
    let Contents { kept, strays } = vault::read(Some(server)).await?;
    if !strays.is_empty() {
        // What fails here is tried again when somebody looks again.
        spawn_local(async { drop(settle().await) });
    }
    Ok(kept)
}

/// Forgets what is not of the configured server, as after that was changed, and ends it where it belongs.
async fn settle() -> Result<(), Error> {
    let lock = vault::lock().await?;
    // While this waited, another context may have done it, or the person may have changed the server back.
    // Only a server takes the place of a server: a slip in the settings signs nobody out.
    let server = vault::server().await??;
    for stray in vault::read(Some(&server)).await?.strays {
        let area = stray.area;
        // Both start in the same turn of the page, so that it can not close between them.
        revoke(stray);
        vault::remove(area, &lock).await?;
    }
    Ok(())
}

/// Tells the server that issued the pair of `kept`, and no other, that nobody will use it any more.
///
/// Waits for nothing, and does not hear of a failure.
fn revoke(kept: Kept) {
    if let Some(issuer) = kept.issuer {
        spawn_local(async move { drop(Client::new(issuer).logout(kept.pair.refresh_token).await) });
    }
}

/// Asks for the protected greeting: refreshes silently when that is due, and answers a 401 by one
/// refresh and one retry.
///
/// # Errors
/// As the server answered, or did not, to the request or to the refresh.
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

/// An access token that is worth trying, after the server has `refused` one, or none.
async fn access_token(client: &Client, refused: Option<&Secret>) -> Result<Secret, Error> {
    let kept = load(client.server()).await?;
    match decide::next(kept.as_ref().map(|kept| &kept.pair), refused, now_ms()) {
        Next::SignIn => return Err(Error::NotSignedIn),
        Next::Use(access) => return Ok(access),
        Next::Refresh => {}
    }
    let lock = vault::lock().await?;
    // While this waited, another context may have refreshed, signed in or signed out.
    let kept = load(client.server()).await?;
    match (
        decide::next(kept.as_ref().map(|kept| &kept.pair), refused, now_ms()),
        kept,
    ) {
        (Next::Use(access), _) => Ok(access),
        (Next::Refresh, Some(kept)) => refresh(client, kept, &lock).await,
        (Next::SignIn | Next::Refresh, _) => Err(Error::NotSignedIn),
    }
}

async fn refresh(client: &Client, kept: Kept, lock: &Exclusive) -> Result<Secret, Error> {
    let asked_at_ms = now_ms();
    let answer = client.refresh(kept.pair.refresh_token.clone()).await;
    // The lock keeps every surface of ours away, but not a script that writes storage by hand. The answer
    // is about the pair that was presented; if that is no longer there, what is there stays as it is.
    let presented = &kept.pair.refresh_token;
    let now_kept = load(client.server()).await?;
    let still_kept = now_kept.is_some_and(|now| now.pair.refresh_token == *presented);
    match answer {
        Ok(tokens) if still_kept => {
            let pair = Pair::answered(tokens, asked_at_ms);
            vault::keep(kept.area, client.server(), &pair, lock).await?;
            Ok(pair.access_token)
        }
        Ok(_) => Err(Error::NotSignedIn),
        Err(Failure::Refused(refusal)) => {
            if still_kept && decide::ends_sign_in(refusal.code) {
                vault::forget(lock).await?;
            }
            Err(Error::RefreshRefused(refusal.message))
        }
        Err(failure) => Err(failed(failure, client)),
    }
}

async fn client() -> Result<Client, Error> {
    Ok(Client::new(vault::server().await??))
}

fn failed(failure: Failure, client: &Client) -> Error {
    Error::Failed(failure, client.server().clone())
}

fn now_ms() -> f64 {
    js_sys::Date::now()
}
