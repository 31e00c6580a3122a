//! Where tokens are stored: keys, areas, and which server they belong to.
//!
//! Functions that change tokens take the lock as an argument, so that no code path writes without it.
//! `session` decides when to write, and what.

use js_sys::Array;
use password_auth_wire::Secret;
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    browser::{Area, BrowserError, Lock, StorageListener},
    json::{self, object},
    server::{self, InvalidAddress, Server},
    step::STEP,
    tokens::Pair,
};

/// The key of the pair: a [`Pair`] as an object.
const TOKENS: &str = "auth_tokens";
/// The key of the address of the server that issued the pair. If absent, it is the configured one.
const ISSUER: &str = "auth_origin";
/// The key of what the server has told about the user: a [`UserInfo`], beside the pair.
const USER: &str = "auth_user";
/// The key of the sign-outs that a server has not been told of yet: a list of [`PendingSignOut`].
const PENDING: &str = "auth_pending_sign_outs";
/// The key of the message that tells why the session has ended, in the local area only.
const END_MESSAGE: &str = "auth_end_message";
/// The key of the configured server's address, in the settings.
const SERVER: &str = "server_url";
/// The key that changes with anything in the stand-in for the local area (`storage.js`).
const CHANGED: &str = "auth_changed";

const LOCK: &str = "password-auth.session";

/// How many pending sign-outs are remembered. The oldest ones go first.
const MAX_PENDING: u32 = 20;

/// The right to change the stored tokens. One context at a time has it.
pub(crate) struct WriteLock(
    #[expect(dead_code, reason = "held, not used: dropping it releases the lock")] Lock,
);

/// A pair, its area, and its server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredTokens {
    /// The area that holds it. A refreshed pair goes there too.
    pub(crate) area: Area,
    /// The only server that may see it. `None`: unknown, or not one that tokens may be sent to.
    pub(crate) issuer: Option<Server>,
    /// The pair.
    pub(crate) pair: Pair,
}

/// What a server tells about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserInfo {
    /// A UUID.
    pub(crate) id: String,
    /// The registered spelling.
    pub(crate) username: String,
    /// The role, as the server names it. `None` until it has told it.
    pub(crate) role: Option<String>,
}

impl UserInfo {
    /// Reads the part of `object` that is kept of a user.
    pub(crate) fn read(object: &JsValue) -> Option<Self> {
        Some(Self {
            id: json::text_field(object, "id")?,
            username: json::text_field(object, "username")?,
            role: json::text_field(object, "role"),
        })
    }

    /// As an object.
    pub(crate) fn value(&self) -> JsValue {
        let fields = [
            ("id", self.id.as_str().into()),
            ("username", self.username.as_str().into()),
            (
                "role",
                self.role.as_deref().map_or(JsValue::NULL, JsValue::from),
            ),
        ];
        object(&fields).into()
    }
}

/// A session that a server has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingSignOut {
    /// The address of the server.
    pub(crate) server: String,
    /// The token that proves that the session is ours.
    pub(crate) refresh_token: Secret,
}

impl PendingSignOut {
    /// `None` for tokens of an unknown server: nobody can be told.
    pub(crate) fn of(tokens: StoredTokens) -> Option<Self> {
        Some(Self {
            server: tokens.issuer?.to_string(),
            refresh_token: tokens.pair.refresh_token,
        })
    }

    fn read(object: &JsValue) -> Option<Self> {
        Some(Self {
            server: json::text_field(object, "server")?,
            refresh_token: Secret::new(json::text_field(object, "refresh_token")?),
        })
    }

    fn value(&self) -> JsValue {
        let fields = [
            ("server", self.server.as_str().into()),
            ("refresh_token", self.refresh_token.expose().into()),
        ];
        object(&fields).into()
    }
}

/// All stored tokens.
#[derive(Debug, PartialEq)]
pub(crate) struct StoreContents {
    /// The tokens of the configured server.
    pub(crate) current: Option<StoredTokens>,
    /// Pairs that are not used any more: of a server that was configured before, or replaced by a newer sign-in
    /// that was interrupted before it cleaned up.
    pub(crate) stale: Vec<StoredTokens>,
}

impl StoreContents {
    /// Tells the tokens of the server `configured` from the rest of what was `found`.
    fn sort(mut found: Vec<StoredTokens>, configured: Option<&Server>) -> Self {
        let is_ours =
            |stored: &StoredTokens| configured.is_some() && stored.issuer.as_ref() == configured;
        let newest = (0..found.len())
            .filter(|&at| is_ours(&found[at]))
            .max_by(|&a, &b| found[a].pair.by_age(&found[b].pair));
        let current = newest.map(|at| found.remove(at));
        Self {
            current,
            stale: found,
        }
    }
}

/// Waits for the right to change the stored tokens. Read them again afterwards.
pub(crate) async fn lock() -> Result<WriteLock, BrowserError> {
    Lock::acquire(LOCK).await.map(WriteLock)
}

/// The configured server.
pub(crate) async fn server() -> Result<Result<Server, InvalidAddress>, BrowserError> {
    let [address] = Area::Settings.read([SERVER]).await?;
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
        let [pair, issuer] = area.read([TOKENS, ISSUER]).await?;
        let issuer = if issuer.is_undefined() {
            configured.cloned()
        } else {
            issuer
                .as_string()
                .and_then(|address| Server::parse(&address).ok())
        };
        if let Some(pair) = Pair::read(&pair).filter(Pair::is_well_formed) {
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
    let mut items = vec![(TOKENS, pair.value()), (ISSUER, server.to_string().into())];
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
pub(crate) async fn remove(area: Area, _: &WriteLock) -> Result<(), BrowserError> {
    area.remove(&[TOKENS, ISSUER, USER, STEP]).await
}

/// Removes all tokens, since the server has ended the session, and keeps its `message` for the user.
pub(crate) async fn end(message: &str, lock: &WriteLock) -> Result<(), BrowserError> {
    Area::Local.write(&[(END_MESSAGE, message.into())]).await?;
    remove(Area::Session, lock).await?;
    remove(Area::Local, lock).await
}

/// Why the session has ended, if a server said so and nobody has seen it yet.
pub(crate) async fn end_message() -> Result<Option<String>, BrowserError> {
    let [message] = Area::Local.read([END_MESSAGE]).await?;
    Ok(message.as_string())
}

/// The user has seen the message, or has signed in again.
pub(crate) async fn remove_end_message() -> Result<(), BrowserError> {
    Area::Local.remove(&[END_MESSAGE]).await
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

/// The sessions that their servers have to end.
pub(crate) async fn pending() -> Result<Vec<PendingSignOut>, BrowserError> {
    let mut found = pending_in(Area::Session).await?.to_vec();
    found.extend(pending_in(Area::Local).await?.to_vec());
    Ok(found.iter().filter_map(PendingSignOut::read).collect())
}

/// `done` is not pending any more.
pub(crate) async fn remove_pending(
    done: &PendingSignOut,
    _: &WriteLock,
) -> Result<(), BrowserError> {
    for area in [Area::Session, Area::Local] {
        let list = pending_in(area).await?;
        let rest = list.filter(&mut |pending, _, _| {
            PendingSignOut::read(&pending).is_some_and(|pending| pending != *done)
        });
        if rest.length() == 0 {
            area.remove(&[PENDING]).await?;
        } else if rest.length() < list.length() {
            area.write(&[(PENDING, rest.into())]).await?;
        }
    }
    Ok(())
}

/// The list of pending sign-outs of `area`, with `new` ones at its end.
async fn with_pending(area: Area, new: &[PendingSignOut]) -> Result<Array, BrowserError> {
    let list = pending_in(area).await?;
    for pending in new {
        list.push(&pending.value());
    }
    let surplus = list.length().saturating_sub(MAX_PENDING);
    Ok(list.slice(surplus, list.length()))
}

async fn pending_in(area: Area) -> Result<Array, BrowserError> {
    let [list] = area.read([PENDING]).await?;
    Ok(list.dyn_into().unwrap_or_default())
}

/// What the server has told about the user of the tokens in `area`.
pub(crate) async fn user(area: Area) -> Result<Option<UserInfo>, BrowserError> {
    let [user] = area.read([USER]).await?;
    Ok(UserInfo::read(&user))
}

/// Stores what the server has told about the user of the tokens in `area`.
pub(crate) async fn store_user(
    area: Area,
    user: &UserInfo,
    _: &WriteLock,
) -> Result<(), BrowserError> {
    area.write(&[(USER, user.value())]).await
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
pub(crate) fn watch(mut changed: impl FnMut() + 'static) -> StorageListener {
    StorageListener::new(move |keys| {
        if keys.iter().any(|key| concerns_status(key)) {
            changed();
        }
    })
}

/// The user of `pair`, if the access token tells it. It does not tell the role.
pub(crate) fn claimed_user(pair: &Pair) -> Option<UserInfo> {
    let claims = json::parse(&pair.claims()?)?;
    Some(UserInfo {
        id: json::text_field(&claims, "sub")?,
        username: json::text_field(&claims, "preferred_username")?,
        role: None,
    })
}

#[cfg(test)]
mod tests {
    use super::{StoreContents, StoredTokens};
    use crate::{browser::Area, server::Server, tokens::Pair};

    const HERE: &str = "http://127.0.0.1:8000";
    const THERE: &str = "https://auth.example";

    fn stored(area: Area, issuer: Option<&str>, expiry_ms: f64) -> StoredTokens {
        StoredTokens {
            area,
            issuer: issuer.map(Server::at),
            pair: Pair::sample("a", "r", expiry_ms),
        }
    }

    fn check(
        found: &[&StoredTokens],
        configured: Option<&str>,
        ours: Option<&StoredTokens>,
        stale: &[&StoredTokens],
    ) {
        let expected = StoreContents {
            current: ours.cloned(),
            stale: stale.iter().copied().cloned().collect(),
        };
        let found = found.iter().copied().cloned().collect();
        let configured = configured.map(Server::at);
        assert_eq!(StoreContents::sort(found, configured.as_ref()), expected);
    }

    #[test]
    fn only_a_pair_of_the_configured_server_is_current() {
        let here = stored(Area::Local, Some(HERE), 1.0);
        let there = stored(Area::Session, Some(THERE), 2.0);
        check(&[], Some(HERE), None, &[]);
        check(&[&here], Some(HERE), Some(&here), &[]);
        check(&[&here], Some(THERE), None, &[&here]);
        check(&[&there, &here], Some(HERE), Some(&here), &[&there]);
        check(&[&there, &here], Some(THERE), Some(&there), &[&here]);
    }

    #[test]
    fn without_a_server_or_an_issuer_no_pair_is_current() {
        let here = stored(Area::Local, Some(HERE), 1.0);
        let unknown = stored(Area::Local, None, 1.0);
        check(&[&here], None, None, &[&here]);
        check(&[&unknown], None, None, &[&unknown]);
        check(&[&unknown], Some(HERE), None, &[&unknown]);
    }

    #[test]
    fn of_two_pairs_the_newer_one_is_current_in_either_area() {
        for (newer, older) in [(Area::Session, Area::Local), (Area::Local, Area::Session)] {
            let newer = stored(newer, Some(HERE), 2.0);
            let older = stored(older, Some(HERE), 1.0);
            check(&[&newer, &older], Some(HERE), Some(&newer), &[&older]);
            check(&[&older, &newer], Some(HERE), Some(&newer), &[&older]);
        }
    }
}
