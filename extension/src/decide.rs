//! The two decisions that a sign-in hangs on, as pure functions.
//!
//! They know no storage, no lock and no network: `session` asks them, with the lock held or not.

use password_auth_wire::{ErrorCode, Secret};

use crate::tokens::Pair;

/// What to do with the pair that storage holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Nobody is signed in.
    SignIn,
    /// Its access token is good, as far as is known.
    Use(Secret),
    /// It is due, or it was refused: refresh it.
    Refresh,
}

/// Decides for the pair that is `kept` at `now_ms`, after the server has `refused` an access token, or none.
///
/// If storage meanwhile holds another token than the refused one, somebody else has refreshed, and what
/// is there is used as it is.
pub(crate) fn next(kept: Option<&Pair>, refused: Option<&Secret>, now_ms: f64) -> Next {
    match kept {
        None => Next::SignIn,
        Some(pair) if refused == Some(&pair.access_token) || pair.is_due(now_ms) => Next::Refresh,
        Some(pair) => Next::Use(pair.access_token.clone()),
    }
}

/// Whether a refusal of `POST /refresh` is the server's definite no, after which the pair is worthless.
///
/// Every other code, also one that a newer server invents, keeps the sign-in: a server that does not want
/// it says so again, but nobody gets back what was thrown away. `account_disabled` is such a code: it is
/// no word on the token, and an account that was disabled can be enabled again.
pub(crate) const fn ends_sign_in(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidRefreshToken
            | ErrorCode::RefreshTokenExpired
            | ErrorCode::RefreshTokenReused
    )
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{ErrorCode, Secret};

    use super::{Next, ends_sign_in, next};
    use crate::tokens::Pair;

    const NOW_MS: f64 = 1_000_000.0;
    const LATER_MS: f64 = NOW_MS + 900_000.0;

    fn check(kept: Option<Pair>, refused: Option<&str>, expected: Next) {
        let refused = refused.map(Secret::new);
        assert_eq!(next(kept.as_ref(), refused.as_ref(), NOW_MS), expected);
    }

    #[test]
    fn nothing_kept_is_signed_out_whatever_was_refused() {
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
    fn the_refused_token_is_refreshed_although_its_time_is_not_over() {
        check(
            Some(Pair::sample("a1", "r1", LATER_MS)),
            Some("a1"),
            Next::Refresh,
        );
    }

    #[test]
    fn whoever_lost_the_race_takes_what_the_winner_wrote() {
        let winner = Pair::sample("a2", "r2", LATER_MS);
        check(Some(winner), Some("a1"), Next::Use(Secret::new("a2")));
        check(
            Some(Pair::sample("a2", "r2", NOW_MS)),
            Some("a1"),
            Next::Refresh,
        );
    }

    #[test]
    fn three_codes_end_a_sign_in_and_no_other() {
        let ending: Vec<_> = ErrorCode::ALL
            .iter()
            .copied()
            .filter(|c| ends_sign_in(*c))
            .collect();
        let expected = [
            ErrorCode::InvalidRefreshToken,
            ErrorCode::RefreshTokenExpired,
            ErrorCode::RefreshTokenReused,
        ];
        assert_eq!(ending, expected);
        assert!(!ends_sign_in(ErrorCode::Unknown));
    }
}
