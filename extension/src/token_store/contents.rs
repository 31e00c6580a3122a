//! Which of the stored pairs is the session's.

use crate::{browser::Area, server::Server, tokens::Pair};

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
    pub(super) fn sort(mut found: Vec<StoredTokens>, configured: Option<&Server>) -> Self {
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
