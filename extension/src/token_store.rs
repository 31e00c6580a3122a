//! Where tokens are stored: keys, areas, and which server they belong to.
//!
//! Functions that change tokens take the lock as an argument, so that no code path writes without it.
//! `session` decides when to write, and what.

use crate::{
    browser::{Area, BrowserError, Lock, StorageListener},
    json,
    server::{self, InvalidAddress, Server},
    tokens::Pair,
};

/// The key of the pair: a [`Pair`] as an object.
const TOKENS: &str = "auth_tokens";
/// The key of the address of the server that issued the pair. If absent, it is the configured one.
const ISSUER: &str = "auth_origin";
/// The key of the configured server's address, in the local area only.
const SERVER: &str = "server_url";

const LOCK: &str = "password-auth.session";

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
    let [address] = Area::Local.read([SERVER]).await?;
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
        let pair: Option<Pair> = json::read(pair);
        if let Some(pair) = pair.filter(Pair::is_well_formed) {
            found.push(StoredTokens { area, issuer, pair });
        }
    }
    Ok(StoreContents::sort(found, configured))
}

/// Stores `pair` of `server` in `area`, and empties the other area.
pub(crate) async fn store(
    area: Area,
    server: &Server,
    pair: &Pair,
    lock: &WriteLock,
) -> Result<(), BrowserError> {
    area.hide_from_content_scripts().await;
    area.write(&[
        (TOKENS, json::value(pair)),
        (ISSUER, server.to_string().into()),
    ])
    .await?;
    // In this order: a popup that closes in between leaves two pairs, which can be told apart, and not none.
    let other = match area {
        Area::Local => Area::Session,
        Area::Session => Area::Local,
    };
    remove(other, lock).await
}

/// Removes the tokens of `area`.
pub(crate) async fn remove(area: Area, _: &WriteLock) -> Result<(), BrowserError> {
    area.remove(&[TOKENS, ISSUER]).await
}

/// Removes all tokens.
pub(crate) async fn clear(lock: &WriteLock) -> Result<(), BrowserError> {
    remove(Area::Session, lock).await?;
    remove(Area::Local, lock).await
}

/// Calls `changed` whenever any context changes the tokens or the server.
pub(crate) fn watch(mut changed: impl FnMut() + 'static) -> StorageListener {
    StorageListener::new(move |keys| {
        if keys
            .iter()
            .any(|key| matches!(key.as_str(), TOKENS | ISSUER | SERVER))
        {
            changed();
        }
    })
}

/// The user name of `pair`, in the registered spelling, if the access token contains it.
pub(crate) fn name(pair: &Pair) -> Option<String> {
    json::field(&json::parse(&pair.claims()?)?, "preferred_username")?.as_string()
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
