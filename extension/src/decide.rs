//! The two decisions that keep a session alive, as pure functions.
//!
//! They know no storage, no lock and no network.

use password_auth_wire::{ErrorCode, Secret};

use crate::tokens::Pair;

/// What to do with the stored pair.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Nobody is signed in.
    SignIn,
    /// The access token is valid, as far as the client knows.
    Use(Secret),
    /// The access token is about to expire, or was refused: refresh the pair.
    Refresh,
}

/// Decides what to do with the `stored` pair at `now_ms`. `refused` is the access token that the server has
/// just refused, if any.
///
/// If storage holds another token than the refused one, another context has refreshed, and the stored token
/// is used.
///
/// An access token that expires within `margin_ms` is due.
pub(crate) fn next(
    stored: Option<&Pair>,
    refused: Option<&Secret>,
    now_ms: f64,
    margin_ms: f64,
) -> Next {
    match stored {
        None => Next::SignIn,
        Some(pair) if refused == Some(&pair.access_token) || pair.is_due(now_ms, margin_ms) => {
            Next::Refresh
        }
        Some(pair) => Next::Use(pair.access_token.clone()),
    }
}

/// Whether a refusal of `POST /refresh` ends the session for good, so that the pair can be deleted.
///
/// Every other code keeps the pair, including codes of newer servers: a server can refuse again, but a
/// deleted pair cannot be restored. `account_disabled` is such a code: the token is still valid, and the
/// account can be enabled again.
pub(crate) fn ends_session(code: &str) -> bool {
    // Constant, so that the other codes' names are not shipped.
    const ENDING: [&str; 3] = [
        ErrorCode::InvalidRefreshToken.name(),
        ErrorCode::RefreshTokenExpired.name(),
        ErrorCode::RefreshTokenReused.name(),
    ];
    ENDING.contains(&code)
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorCode, Secret};

    use super::{Next, ends_session, next};
    use crate::tokens::{MARGIN_MS, Pair};

    const NOW_MS: f64 = 1_000_000.0;
    const LATER_MS: f64 = NOW_MS + 900_000.0;

    fn check(stored: Option<Pair>, refused: Option<&str>, expected: Next) {
        let refused = refused.map(Secret::new);
        assert_eq!(
            next(stored.as_ref(), refused.as_ref(), NOW_MS, MARGIN_MS),
            expected
        );
    }

    #[test]
    fn without_a_stored_pair_nobody_is_signed_in() {
        check(None, None, Next::SignIn);
        check(None, Some("a1"), Next::SignIn);
    }

    #[test]
    fn a_fresh_pair_is_used_and_a_due_one_is_refreshed() {
        let fresh = Pair::sample("a1", "r1", LATER_MS);
        check(Some(fresh), None, Next::Use(Secret::new("a1")));
        check(Some(Pair::sample("a1", "r1", NOW_MS)), None, Next::Refresh);
    }

    #[test]
    fn a_refused_token_is_refreshed_even_before_it_expires() {
        check(
            Some(Pair::sample("a1", "r1", LATER_MS)),
            Some("a1"),
            Next::Refresh,
        );
    }

    #[test]
    fn the_loser_of_a_race_uses_the_token_that_the_winner_stored() {
        let winner = Pair::sample("a2", "r2", LATER_MS);
        check(Some(winner), Some("a1"), Next::Use(Secret::new("a2")));
        check(
            Some(Pair::sample("a2", "r2", NOW_MS)),
            Some("a1"),
            Next::Refresh,
        );
    }

    #[test]
    fn three_codes_end_a_session_and_no_others() {
        let ending: Vec<_> = ErrorCode::ALL
            .iter()
            .copied()
            .filter(|code| ends_session(code.name()))
            .collect();
        let expected = [
            ErrorCode::InvalidRefreshToken,
            ErrorCode::RefreshTokenExpired,
            ErrorCode::RefreshTokenReused,
        ];
        assert_eq!(ending, expected);
        assert!(!ends_session("of_a_newer_server"));
    }
}
