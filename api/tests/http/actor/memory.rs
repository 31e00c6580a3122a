//! What an actor remembers.

use std::time::Instant;

use password_auth_wire::Tokens;

use crate::support::Reply;

/// What was acknowledged so far, and what was cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub registered: usize,
    pub contended: usize,
    pub signed_in: usize,
    pub refreshed: usize,
    pub refreshed_twice_at_once: usize,
    pub replayed: usize,
    pub signed_out: usize,
    pub cut_registrations: usize,
    pub cut_refreshes: usize,
    pub cut_sign_outs: usize,
    /// Answers 503.
    pub unavailable: usize,
}

impl Tally {
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            registered: self.registered + other.registered,
            contended: self.contended + other.contended,
            signed_in: self.signed_in + other.signed_in,
            refreshed: self.refreshed + other.refreshed,
            refreshed_twice_at_once: self.refreshed_twice_at_once + other.refreshed_twice_at_once,
            replayed: self.replayed + other.replayed,
            signed_out: self.signed_out + other.signed_out,
            cut_registrations: self.cut_registrations + other.cut_registrations,
            cut_refreshes: self.cut_refreshes + other.cut_refreshes,
            cut_sign_outs: self.cut_sign_outs + other.cut_sign_outs,
            unavailable: self.unavailable + other.unavailable,
        }
    }
}

/// Somebody whose registration was acknowledged, or found to have happened.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) password: String,
    /// Passwords of those who wanted the name too.
    pub(super) losers: Vec<String>,
    pub(super) checked: bool,
}

/// A name whose registration was cut.
pub(super) struct Claim {
    pub(super) name: String,
    pub(super) passwords: Vec<String>,
    /// Somebody was told that the name is taken.
    pub(super) somebody_has_it: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Live,
    RefreshCut,
    SignOutCut,
    SignedOut,
}

pub(super) struct Session {
    pub(super) person: String,
    /// The newest acknowledged pair.
    pub(super) tokens: Tokens,
    /// What that pair superseded, and since when.
    pub(super) superseded: Option<(String, Instant)>,
    pub(super) state: State,
    /// Refreshes that were cut since the newest acknowledged pair.
    pub(super) cuts: usize,
    pub(super) checked: bool,
}

impl Person {
    pub(super) const fn new(name: String, password: String, losers: Vec<String>) -> Self {
        Self {
            name,
            password,
            losers,
            checked: false,
        }
    }
}

impl Session {
    pub(super) fn token(&self) -> String {
        self.tokens.refresh_token.expose().to_owned()
    }

    /// Whether its token counts, as far as anybody was told.
    pub(super) fn is_usable(&self) -> bool {
        matches!(self.state, State::Live | State::RefreshCut)
    }

    pub(super) fn changed(&mut self, tokens: Tokens, state: State) {
        self.superseded = Some((self.token(), Instant::now()));
        self.tokens = tokens;
        self.cuts = 0;
        self.state = state;
        self.checked = false;
    }

    #[track_caller]
    pub(super) fn expect_greeting(&self, reply: &Reply) {
        let expected = format!("Hello, {}!", self.person);
        assert_eq!(reply.json()["message"], expected);
    }
}
