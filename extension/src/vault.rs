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
/// The address of the server that issued the pair. Absent, as when a script wrote the pair, it is the
/// configured one.
const ISSUER: &str = "auth_origin";
/// The server's address; in the local area only.
const SERVER: &str = "server_url";

const LOCK: &str = "password-auth.session";

/// The right to change what is kept: one context at a time has it.
pub(crate) struct Exclusive(
    #[expect(dead_code, reason = "held, not used: dropping it lets go")] Lock,
);

/// A pair, where it lies, and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// The area that holds it; a renewed pair goes there too.
    pub(crate) area: Area,
    /// The only server that may see it. `None`: nobody knows, or it is none that tokens may be sent to.
    pub(crate) issuer: Option<Server>,
    /// The pair.
    pub(crate) pair: Pair,
}

/// All that is kept.
#[derive(Debug, PartialEq)]
pub(crate) struct Contents {
    /// The sign-in at the configured server.
    pub(crate) kept: Option<Kept>,
    /// What nobody uses any more: pairs of a server that was configured before, and one that a newer sign-in
    /// replaced, when that was cut off before it had cleaned up.
    pub(crate) strays: Vec<Kept>,
}

impl Contents {
    /// Tells the sign-in at `configured` from the rest of what was `found`.
    fn sort(mut found: Vec<Kept>, configured: Option<&Server>) -> Self {
        let is_ours = |kept: &Kept| configured.is_some() && kept.issuer.as_ref() == configured;
        let newest = (0..found.len())
            .filter(|&at| is_ours(&found[at]))
            .max_by(|&a, &b| found[a].pair.by_age(&found[b].pair));
        let kept = newest.map(|at| found.remove(at));
        Self {
            kept,
            strays: found,
        }
    }
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

/// What is kept, with `configured` as the server.
pub(crate) async fn read(configured: Option<&Server>) -> Result<Contents, Fault> {
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
            found.push(Kept { area, issuer, pair });
        }
    }
    Ok(Contents::sort(found, configured))
}

/// Keeps `pair` of `server` in `area`, and nothing in the other one.
pub(crate) async fn keep(
    area: Area,
    server: &Server,
    pair: &Pair,
    lock: &Exclusive,
) -> Result<(), Fault> {
    area.hide_from_content_scripts().await;
    area.write(&[
        (TOKENS, json::value(pair)),
        (ISSUER, server.to_string().into()),
    ])
    .await?;
    // Only now: cut off in between, a popup leaves two sign-ins, which can be told apart, and not none.
    let other = match area {
        Area::Local => Area::Session,
        Area::Session => Area::Local,
    };
    remove(other, lock).await
}

/// Forgets what `area` holds.
pub(crate) async fn remove(area: Area, _: &Exclusive) -> Result<(), Fault> {
    area.remove(&[TOKENS, ISSUER]).await
}

/// Forgets every pair.
pub(crate) async fn forget(lock: &Exclusive) -> Result<(), Fault> {
    remove(Area::Session, lock).await?;
    remove(Area::Local, lock).await
}

/// Calls `changed` whenever any context changed who is signed in, or where.
pub(crate) fn watch(mut changed: impl FnMut() + 'static) -> Watch {
    Watch::new(move |keys| {
        if keys
            .iter()
            .any(|key| matches!(key.as_str(), TOKENS | ISSUER | SERVER))
        {
            changed();
        }
    })
}

/// The name that `pair` was issued to, in the registered spelling, if the token tells.
pub(crate) fn name(pair: &Pair) -> Option<String> {
    json::field(&json::parse(&pair.claims()?)?, "preferred_username")?.as_string()
}

#[cfg(test)]
mod tests {
    use super::{Contents, Kept};
    use crate::{browser::Area, server::Server, tokens::Pair};

    const HERE: &str = "http://127.0.0.1:8000";
    const THERE: &str = "https://auth.example";

    fn kept(area: Area, issuer: Option<&str>, expiry_ms: f64) -> Kept {
        Kept {
            area,
            issuer: issuer.map(Server::at),
            pair: Pair::sample("a", "r", expiry_ms),
        }
    }

    fn check(found: &[&Kept], configured: Option<&str>, ours: Option<&Kept>, strays: &[&Kept]) {
        let expected = Contents {
            kept: ours.cloned(),
            strays: strays.iter().copied().cloned().collect(),
        };
        let found = found.iter().copied().cloned().collect();
        let configured = configured.map(Server::at);
        assert_eq!(Contents::sort(found, configured.as_ref()), expected);
    }

    #[test]
    fn only_the_configured_servers_pair_is_a_sign_in() {
        let here = kept(Area::Local, Some(HERE), 1.0);
        let there = kept(Area::Session, Some(THERE), 2.0);
        check(&[], Some(HERE), None, &[]);
        check(&[&here], Some(HERE), Some(&here), &[]);
        check(&[&here], Some(THERE), None, &[&here]);
        check(&[&there, &here], Some(HERE), Some(&here), &[&there]);
        check(&[&there, &here], Some(THERE), Some(&there), &[&here]);
    }

    #[test]
    fn without_a_server_or_an_issuer_there_is_no_sign_in() {
        let here = kept(Area::Local, Some(HERE), 1.0);
        let nobodys = kept(Area::Local, None, 1.0);
        check(&[&here], None, None, &[&here]);
        check(&[&nobodys], None, None, &[&nobodys]);
        check(&[&nobodys], Some(HERE), None, &[&nobodys]);
    }

    #[test]
    fn of_two_sign_ins_the_newer_one_counts_wherever_it_lies() {
        for (newer, older) in [(Area::Session, Area::Local), (Area::Local, Area::Session)] {
            let newer = kept(newer, Some(HERE), 2.0);
            let older = kept(older, Some(HERE), 1.0);
            check(&[&newer, &older], Some(HERE), Some(&newer), &[&older]);
            check(&[&older, &newer], Some(HERE), Some(&newer), &[&older]);
        }
    }
}
