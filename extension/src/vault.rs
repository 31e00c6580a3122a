//! Where a sign-in is kept: keys, areas, and which server it belongs to.
//!
//! What changes the tokens takes the lock as an argument, so that no code path can write without it.
//! When to write, and what, is `session`'s.

use crate::{
    browser::{Area, Fault, Lock, Watch},
    json,
    server::{self, InvalidAddress, Server},
    tokens::Pair,
};

/// The pair; a [`Pair`] as an object.
const TOKENS: &str = "auth_tokens";
/// The origin that issued the pair. Absent, as when a script wrote the pair, it is the configured server's.
const ORIGIN: &str = "auth_origin";
/// The server's address; in the local area only.
const SERVER: &str = "server_url";

const LOCK: &str = "password-auth.session";

/// The right to change what is kept: one context at a time has it.
pub(crate) struct Exclusive(
    #[expect(dead_code, reason = "held, not used: dropping it lets go")] Lock,
);

/// A pair of the configured server, and where it lies.
pub(crate) struct Kept {
    /// The area that holds it; a renewed pair goes there too.
    pub area: Area,
    /// The pair.
    pub pair: Pair,
}

/// Waits for the right to change what is kept. What was read before is stale: read again.
pub(crate) async fn lock() -> Result<Exclusive, Fault> {
    Lock::acquire(LOCK).await.map(Exclusive)
}

/// The server that is configured.
pub(crate) async fn server() -> Result<Result<Server, InvalidAddress>, Fault> {
    let [address] = Area::Local.read([SERVER]).await?;
    if address.is_undefined() || address.is_null() {
        return Ok(Server::parse(server::DEFAULT));
    }
    Ok(address
        .as_string()
        .ok_or(InvalidAddress)
        .and_then(|text| Server::parse(&text)))
}

/// What is kept for `server`. A pair that another origin issued is none: it must not travel there.
pub(crate) async fn load(server: &Server) -> Result<Option<Kept>, Fault> {
    for area in [Area::Session, Area::Local] {
        let [pair, origin] = area.read([TOKENS, ORIGIN]).await?;
        let is_foreign =
            !origin.is_undefined() && origin.as_string().as_deref() != Some(server.origin());
        let pair: Option<Pair> = json::read(pair);
        if let Some(pair) = pair.filter(|pair| !is_foreign && pair.is_well_formed()) {
            return Ok(Some(Kept { area, pair }));
        }
    }
    Ok(None)
}

/// Keeps `pair` of `server` in `area`, and nothing in the other one.
pub(crate) async fn keep(
    area: Area,
    server: &Server,
    pair: &Pair,
    _: &Exclusive,
) -> Result<(), Fault> {
    let other = match area {
        Area::Local => Area::Session,
        Area::Session => Area::Local,
    };
    // First, so that no moment has two sign-ins; there is something to remove only at a new sign-in.
    other.remove(&[TOKENS, ORIGIN]).await?;
    area.hide_from_content_scripts().await;
    area.write(&[
        (TOKENS, json::value(pair)),
        (ORIGIN, server.origin().into()),
    ])
    .await
}

/// Forgets every pair.
pub(crate) async fn forget(_: &Exclusive) -> Result<(), Fault> {
    Area::Session.remove(&[TOKENS, ORIGIN]).await?;
    Area::Local.remove(&[TOKENS, ORIGIN]).await
}

/// Calls `changed` whenever any context changed who is signed in, or where.
pub(crate) fn watch(mut changed: impl FnMut() + 'static) -> Watch {
    Watch::new(move |keys| {
        if keys
            .iter()
            .any(|key| matches!(key.as_str(), TOKENS | ORIGIN | SERVER))
        {
            changed();
        }
    })
}

/// The name that `pair` was issued to, in the registered spelling, if the token tells.
pub(crate) fn name(pair: &Pair) -> Option<String> {
    json::field(&json::parse(&pair.claims()?)?, "preferred_username")?.as_string()
}
