//! Where tokens are stored: keys, areas, and which server they belong to.
//!
//! Functions that change tokens take the lock as an argument, so that no code path writes without it.
//! `session` decides when to write, and what.

mod contents;
mod pending;
mod user;

use wasm_bindgen::JsValue;

use crate::{
    browser::{Area, BrowserError, Lock, StorageListener},
    json,
    server::{self, InvalidAddress, Server},
    step::STEP,
    tokens::Pair,
};

pub(crate) use contents::{StoreContents, StoredTokens};
use pending::{PENDING, with_pending};
pub(crate) use pending::{PendingSignOut, pending, remove_pending};
use user::USER;
pub(crate) use user::{UserInfo, claimed_user, store_user, user};

/// The key of the pair: a [`Pair`] as an object.
const TOKENS: &str = "auth_tokens";
/// The key of the address of the server that issued the pair. If absent, it is the configured one.
const ISSUER: &str = "auth_origin";
/// The key of the message that tells why the session has ended, in the local area only.
const END_MESSAGE: &str = "auth_end_message";
/// The key of the configured server's address, in the settings.
const SERVER: &str = "server_url";
/// The key that changes with anything in the stand-in for the local area (`storage.js`).
const CHANGED: &str = "auth_changed";

const LOCK: &str = "password-auth.session";

/// The right to change the stored tokens. One context at a time has it.
pub(crate) struct WriteLock(
    #[expect(dead_code, reason = "held, not used: dropping it releases the lock")] Lock,
);

/// Waits for the right to change the stored tokens. Read them again afterwards.
pub(crate) async fn lock() -> Result<WriteLock, BrowserError> {
    Lock::acquire(LOCK).await.map(WriteLock)
}

/// The configured server.
pub(crate) async fn server() -> Result<Result<Server, InvalidAddress>, BrowserError> {
    let address = Area::Settings.read_one(SERVER).await?;
    if address.is_undefined() || address.is_null() {
        return Ok(Server::parse(server::DEFAULT));
    }
    Ok(address
        .as_string()
        .ok_or(InvalidAddress)
        .and_then(|text| Server::parse(&text)))
}

/// Reads all stored tokens. `configured` is the server.
pub(crate) async fn read(configured: Option<&Server>) -> Result<StoreContents, BrowserError> {
    let mut found = Vec::new();
    for area in [Area::Session, Area::Local] {
        let items = area.read(&[TOKENS, ISSUER]).await?;
        let issuer = json::field(&items, ISSUER).unwrap_or_default();
        let issuer = if issuer.is_undefined() {
            configured.cloned()
        } else {
            issuer
                .as_string()
                .and_then(|address| Server::parse(&address).ok())
        };
        let pair = json::field(&items, TOKENS).and_then(|pair| Pair::read(&pair));
        if let Some(pair) = pair.filter(Pair::is_well_formed) {
            found.push(StoredTokens { area, issuer, pair });
        }
    }
    Ok(StoreContents::sort(found, configured))
}

/// Stores `pair` of `server` in `area`, and empties the other area. The sessions of `replaced` become pending
/// sign-outs in the same write.
pub(crate) async fn store(
    area: Area,
    server: &Server,
    pair: &Pair,
    replaced: Vec<StoredTokens>,
    lock: &WriteLock,
) -> Result<Vec<PendingSignOut>, BrowserError> {
    area.hide_from_content_scripts().await;
    let mut items = vec![(TOKENS, pair.value()), (ISSUER, server.address().into())];
    let pending: Vec<_> = replaced
        .into_iter()
        .filter_map(PendingSignOut::of)
        .collect();
    if !pending.is_empty() {
        items.push((PENDING, with_pending(area, &pending).await?.into()));
    }
    if area == Area::Session {
        // The step that led here is done. In the other case, it goes with what else is in that area.
        items.push((STEP, JsValue::NULL));
    }
    area.write(&items).await?;
    // In this order: a popup that closes in between leaves two pairs, which can be told apart, and not none.
    let other = if area == Area::Local {
        Area::Session
    } else {
        Area::Local
    };
    remove(other, lock).await?;
    Ok(pending)
}

/// Removes the tokens of `area`.
pub(crate) fn remove(
    area: Area,
    _: &WriteLock,
) -> impl Future<Output = Result<(), BrowserError>> + use<> {
    area.remove(&[TOKENS, ISSUER, USER, STEP])
}

/// Removes all tokens, since the server has ended the session, and keeps its `message` for the user.
pub(crate) async fn end(message: &str, lock: &WriteLock) -> Result<(), BrowserError> {
    Area::Local.write(&[(END_MESSAGE, message.into())]).await?;
    remove(Area::Session, lock).await?;
    remove(Area::Local, lock).await
}

/// Why the session has ended, if a server said so and nobody has seen it yet.
pub(crate) async fn end_message() -> Result<Option<String>, BrowserError> {
    Ok(Area::Local.read_one(END_MESSAGE).await?.as_string())
}

/// The user has seen the message, or has signed in again.
pub(crate) fn remove_end_message() -> impl Future<Output = Result<(), BrowserError>> {
    Area::Local.remove(&[END_MESSAGE])
}

/// Turns `tokens` of `area` into a pending sign-out.
pub(crate) async fn retire(
    tokens: StoredTokens,
    lock: &WriteLock,
) -> Result<Option<PendingSignOut>, BrowserError> {
    let area = tokens.area;
    let pending = PendingSignOut::of(tokens);
    // In this order: interrupted in between, the session ends all the same.
    if let Some(pending) = &pending {
        let list = with_pending(area, core::slice::from_ref(pending)).await?;
        area.write(&[(PENDING, list.into())]).await?;
    }
    remove(area, lock).await?;
    Ok(pending)
}

/// Whether a change of `key` may change who is signed in, where, and what is shown about it.
pub(crate) fn concerns_status(key: &str) -> bool {
    matches!(
        key,
        TOKENS | ISSUER | USER | SERVER | END_MESSAGE | CHANGED | STEP
    )
}

/// Whether a change of `key` may add a pending sign-out.
pub(crate) fn concerns_pending(key: &str) -> bool {
    matches!(key, PENDING | CHANGED)
}

/// Calls `changed` whenever any context changes the tokens or the server.
pub(crate) fn watch(changed: impl FnMut() + 'static) -> StorageListener {
    StorageListener::new(concerns_status, changed)
}
