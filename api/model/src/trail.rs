//! How the server finds out that two clients have the tokens of one session.
//!
//! It looks for what a single client cannot do, whatever networks it uses and whatever responses it loses: see
//! [`Session::is_repetition`]. The tests in `rotation/tests.rs` check this.

use std::time::Duration;

use super::clock::Timestamp;
use super::elsewhere::{Elsewhere, Trail};
use super::generation::Generation;
use super::party::Party;
use super::session::Session;

/// A second replay from elsewhere within this time is a repetition.
pub const REPEATED_WITHIN: Duration = Duration::from_secs(86_400);

/// How many replays from elsewhere a session remembers. More than that within a day are not recorded as events.
pub const MAX_ELSEWHERE: usize = 8;

/// The step in which the last use of a session is shown. It only changes at the end of a step, so that an observer
/// cannot learn when the replay window opens.
pub const LAST_USED_SHOWN: Duration = Duration::from_secs(300);

/// How far a password change advances the generation: further than a session rotates in its life. So a store that is
/// restored to a time after the change does not take an older token for a newer one.
const STEP_OF_A_CHANGE: u32 = 1 << 16;

impl Session {
    /// What to record if `by` presents the superseded generation `presented`. `None` if `by` rotated it, or if it is
    /// already recorded.
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

    /// Whether there was another such replay within a day, between the same two clients, which a single client cannot
    /// cause:
    ///
    /// - Between two devices: a client whose User-Agent changes (an update) sends the stored token before and after,
    ///   and nothing else. So both names occur with one generation at most.
    /// - Between two networks of one device: a client receives one of the responses to a token. It stores it before it
    ///   releases the lock, and the old token is not sent again. Requests from killed contexts may still arrive, but
    ///   nobody receives their responses. So access tokens from two responses are never both used.
    pub(super) fn is_repetition(&self, new: &Elsewhere) -> bool {
        self.trail.elsewhere.iter().any(|before| {
            before.counts()
                && before.generation != new.generation
                && before.at.distance(new.at) <= REPEATED_WITHIN
                && before.is_another_device() == new.is_another_device()
                && before.parties() == new.parties()
        })
    }

    /// Whether another replay is recorded as an event. The number per day is limited, since nothing else limits
    /// replays.
    pub(super) fn has_room_for_an_event(&self, now: Timestamp) -> bool {
        let recent = self.trail.elsewhere.iter();
        recent
            .filter(|e| e.at.distance(now) <= REPEATED_WITHIN)
            .count()
            < MAX_ELSEWHERE
    }

    /// This session, with the replay recorded.
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

    /// This session after an access token of `generation`, issued to `party`, was accepted. `None` if nothing changes.
    /// A token of an older version does not say to whom it was issued. It only confirms its generation.
    #[must_use]
    pub fn after_use(&self, generation: Generation, party: Option<Party>) -> Option<Self> {
        let confirms = generation == self.generation && !self.confirmed;
        let both_are_used = |e: &Elsewhere| {
            e.after_use
                && !e.used
                && e.generation.next() == generation
                && Some(e.replayed_by) == party
        };
        if !confirms && !self.trail.elsewhere.iter().any(both_are_used) {
            return None;
        }
        let mut after = self.clone();
        if confirms {
            after.confirmed = true;
            after.trail.confirmed_by = party;
        }
        for e in &mut after.trail.elsewhere {
            e.used |= both_are_used(e);
        }
        Some(after)
    }

    /// This session after its user changed the password in it: all tokens so far are invalid, and there is a new
    /// current one.
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

    /// As it is shown at `now`: the last use is rounded to steps, and the current step is not shown before its end.
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

    /// When a token of it was last replayed from elsewhere, if that is still remembered.
    #[must_use]
    pub fn replayed_elsewhere(&self) -> Option<Timestamp> {
        self.trail.elsewhere.iter().map(|e| e.at).max()
    }

    /// The value of [`Trail::used_before`] after a use at `arrival`.
    pub(super) fn used_before(&self, arrival: Timestamp) -> Option<Timestamp> {
        if grain(self.last_used) < grain(arrival) {
            Some(self.last_used)
        } else {
            self.trail.used_before
        }
    }
}

/// The start of the step that contains `at`.
fn grain(at: Timestamp) -> Timestamp {
    let millis = u64::try_from(LAST_USED_SHOWN.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(at.as_millis() / millis * millis)
}

#[cfg(test)]
mod tests;
