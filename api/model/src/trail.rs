//! By what it is found out that two hold the tokens of one session.
//!
//! What is looked for is what one client alone cannot do, whatever its networks are and whatever it loses: see
//! [`Session::is_repetition`]. `rotation/tests.rs` holds it to that.

use std::time::Duration;

use super::clock::Timestamp;
use super::elsewhere::{Elsewhere, Trail};
use super::generation::Generation;
use super::party::Party;
use super::session::Session;

/// Within what time a second replay from elsewhere is a repetition.
pub const REPEATED_WITHIN: Duration = Duration::from_secs(86_400);

/// How many replays from elsewhere a session remembers; more than that within a day are no events.
pub const MAX_ELSEWHERE: usize = 8;

/// When a session was last used is shown at this grain, and moves at its boundaries only: whoever watches it must not
/// learn that the window for a replay has just opened.
pub const LAST_USED_SHOWN: Duration = Duration::from_secs(300);

/// By how much a changed password moves the generation on: further than a session rotates in its life, so that a store
/// that went back to a time after the change takes none of the older tokens for a newer one.
const STEP_OF_A_CHANGE: u32 = 1 << 16;

impl Session {
    /// What is to be noted if `by` presents the superseded `presented`; `None` if nobody else had it rotated, or it
    /// stands there already.
    pub(super) fn elsewhere(
        &self,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Option<Elsewhere> {
        let retired = self.retired.iter().find(|r| r.generation == presented)?;
        let rotated_by = retired.by.filter(|rotated_by| *rotated_by != by)?;
        let after_use = presented.next() == self.generation
            && self.confirmed
            && self.trail.confirmed_by.is_some_and(|first| first != by);
        let new = Elsewhere {
            generation: presented,
            at: arrival,
            rotated_by,
            replayed_by: by,
            after_use,
            used: false,
        };
        let is_known = self.trail.elsewhere.iter().any(|known| {
            known.generation == presented
                && known.is_another_device() == new.is_another_device()
                && known.parties() == new.parties()
        });
        (!is_known).then_some(new)
    }

    /// Whether there was another such within a day, between the same two, which one client alone cannot bring about:
    ///
    /// - Between two devices: a client that changes what it calls itself (an update) sends what is stored then before
    ///   and after that, and nothing else, so that both names come with one generation at most.
    /// - Between two networks of one device: of the answers to one token a client receives one. It stores that one
    ///   before it gives the lock away, and nobody presents the old token from then on; what killed contexts have sent
    ///   still arrives, and its answers reach nobody. So access tokens out of two answers are never both used.
    pub(super) fn is_repetition(&self, new: &Elsewhere) -> bool {
        self.trail.elsewhere.iter().any(|before| {
            before.counts()
                && before.generation != new.generation
                && before.at.distance(new.at) <= REPEATED_WITHIN
                && before.is_another_device() == new.is_another_device()
                && before.parties() == new.parties()
        })
    }

    /// Whether another such is an event: so many a day and no more, since nothing else holds them up.
    pub(super) fn has_room_for_an_event(&self, now: Timestamp) -> bool {
        let recent = self.trail.elsewhere.iter();
        recent
            .filter(|e| e.at.distance(now) <= REPEATED_WITHIN)
            .count()
            < MAX_ELSEWHERE
    }

    /// This session with that noted.
    pub(super) fn noting(&self, new: Elsewhere) -> Self {
        let mut session = self.clone();
        let noted = &mut session.trail.elsewhere;
        noted.retain(|e| e.at.distance(new.at) <= REPEATED_WITHIN);
        if noted.len() >= MAX_ELSEWHERE {
            let least = noted.iter().position(|e| !e.counts()).unwrap_or_default();
            noted.remove(least);
        }
        noted.push(new);
        session
    }

    /// This session after an access token of `generation`, issued to `party`, was accepted; `None` if that tells nothing
    /// new.
    #[must_use]
    pub fn after_use(&self, generation: Generation, party: Party) -> Option<Self> {
        let confirms = generation == self.generation && !self.confirmed;
        let both_are_used = |e: &Elsewhere| {
            e.after_use && !e.used && e.generation.next() == generation && e.replayed_by == party
        };
        if !confirms && !self.trail.elsewhere.iter().any(both_are_used) {
            return None;
        }
        let mut after = self.clone();
        if confirms {
            after.confirmed = true;
            after.trail.confirmed_by = Some(party);
        }
        for e in &mut after.trail.elsewhere {
            e.used |= both_are_used(e);
        }
        Some(after)
    }

    /// This session for whoever has just changed the password by it: every token that was issued so far is void, and
    /// the current one is new.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let generation = Generation(self.generation.0.saturating_add(STEP_OF_A_CHANGE));
        Self {
            generation,
            confirmed: false,
            epoch: self.epoch.saturating_add(1),
            retired: Vec::new(),
            trail: Trail {
                void_below: generation,
                confirmed_by: None,
                ..self.trail.clone()
            },
            ..self.clone()
        }
    }

    /// As it is shown at `now`, to whomever: when it was last used is coarse, and of the running grain of time nothing is
    /// told before its end.
    #[must_use]
    pub fn shown(&self, now: Timestamp) -> Self {
        let mut last_used = grain(self.last_used);
        if last_used >= grain(now) {
            last_used = grain(self.trail.used_before.unwrap_or(self.created));
        }
        Self {
            last_used,
            ..self.clone()
        }
    }

    /// When a token of it was last replayed from elsewhere, as far as it is remembered.
    #[must_use]
    pub fn replayed_elsewhere(&self) -> Option<Timestamp> {
        self.trail.elsewhere.iter().map(|e| e.at).max()
    }

    /// What [`Trail::used_before`] is once it is used at `arrival`.
    pub(super) fn used_before(&self, arrival: Timestamp) -> Option<Timestamp> {
        if grain(self.last_used) < grain(arrival) {
            Some(self.last_used)
        } else {
            self.trail.used_before
        }
    }
}

/// The boundary at or before it.
fn grain(at: Timestamp) -> Timestamp {
    let millis = u64::try_from(LAST_USED_SHOWN.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(at.as_millis() / millis * millis)
}

#[cfg(test)]
mod tests;
