//! What a presented refresh token means: the table of refresh-token rotation, as one pure function.
//!
//! Every engine calls [`decide`] and [`Decision::apply`] inside its own transaction, so that deciding and writing are
//! one step. The idea is from RFC 9700 §4.14.2 (rotation and reuse detection). In addition, a client that loses a
//! response at any moment never loses its session.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::clock::Timestamp;
use super::elsewhere::Trail;
use super::generation::Generation;
use super::identity::Owner;
use super::party::Party;
use super::session::{End, Retired, Session};

/// How long a superseded token is still answered with its successor. Longer than any client's time-out.
pub const REPLAY_WINDOW: Duration = Duration::from_secs(30);

/// How many superseded generations a session remembers.
pub const MAX_RETIRED: usize = 8;

/// What to do with a refresh token whose MAC is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The current token: it retires, and the next generation begins.
    Rotate,
    /// A token that was superseded a moment ago (a lost response, a second tab): return the current token again.
    Replay,
    /// The predecessor of the current token, late, and the current one was never used: the response was lost. Return
    /// the current token again, and refuse all access tokens issued so far, so that a thief who rotated first has
    /// nothing.
    ReplayInNewEpoch,
    /// Like [`Replay`](Self::Replay), from another network or device than the rotation.
    ReplayElsewhere,
    /// Like [`ReplayInNewEpoch`](Self::ReplayInNewEpoch), from another network or device than the rotation.
    ReplayElsewhereInNewEpoch,
    /// A token from before a password change: it is invalid.
    Void,
    /// A superseded token outside the window, after its successor was used, or a repeated replay between the same two
    /// clients: somebody else has it.
    Theft,
    /// A token newer than the store: the store went back in time. Adopt it and rotate.
    Adopt,
    /// The session has ended.
    Over(End),
    /// The session has expired.
    Expired,
}

/// The result of presenting a refresh token, as an engine returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// What was decided.
    pub decision: Decision,
    /// The session after it.
    pub session: Session,
    /// Of its user, what a refresh needs.
    pub owner: Owner,
}

/// Decides what to do when `by` presents generation `presented` of `session` at `arrival`.
#[must_use]
pub fn decide(session: &Session, presented: Generation, by: Party, arrival: Timestamp) -> Decision {
    if let Some(end) = session.ended {
        return Decision::Over(end);
    }
    if arrival >= session.expires {
        return Decision::Expired;
    }
    let current = session.generation;
    if presented < session.trail.void_below {
        return Decision::Void;
    }
    if presented >= current {
        return if presented == current {
            Decision::Rotate
        } else {
            Decision::Adopt
        };
    }
    let is_in_time = session.retired_inside_window(presented, arrival);
    if !is_in_time && (presented.next() != current || session.confirmed) {
        return Decision::Theft;
    }
    let elsewhere = session.elsewhere(presented, by, arrival);
    let is_event = match elsewhere {
        Some(new) if session.is_repetition(&new) => return Decision::Theft,
        new => new.is_some() && session.has_room_for_an_event(arrival),
    };
    match (is_in_time, is_event) {
        (true, false) => Decision::Replay,
        (true, true) => Decision::ReplayElsewhere,
        (false, false) => Decision::ReplayInNewEpoch,
        (false, true) => Decision::ReplayElsewhereInNewEpoch,
    }
}

impl Decision {
    /// The session after this decision. `None` if nothing changes.
    #[must_use]
    pub fn apply(
        self,
        session: &Session,
        presented: Generation,
        by: Party,
        arrival: Timestamp,
    ) -> Option<Session> {
        let elsewhere = || session.elsewhere(presented, by, arrival);
        match self {
            Self::Rotate => Some(session.rotated(session.generation, by, arrival)),
            Self::Adopt => Some(session.rotated(presented, by, arrival)),
            Self::Replay | Self::ReplayElsewhere => elsewhere().map(|new| session.noting(new)),
            Self::ReplayInNewEpoch | Self::ReplayElsewhereInNewEpoch => {
                let noted = elsewhere().map(|new| session.noting(new));
                let noted = noted.unwrap_or_else(|| session.clone());
                Some(Session {
                    epoch: noted.epoch.saturating_add(1),
                    ..noted
                })
            }
            Self::Theft => Some(Session {
                ended: Some(End::Theft),
                retired: Vec::new(),
                ..session.clone()
            }),
            Self::Void | Self::Over(_) | Self::Expired => None,
        }
    }
}

impl Session {
    fn retired_inside_window(&self, generation: Generation, arrival: Timestamp) -> bool {
        self.retired
            .iter()
            .any(|r| r.generation == generation && r.at.distance(arrival) <= REPLAY_WINDOW)
    }

    /// This session after `retiring` was rotated.
    fn rotated(&self, retiring: Generation, by: Party, arrival: Timestamp) -> Self {
        let mut retired: Vec<Retired> = self
            .retired
            .iter()
            .filter(|r| r.at.distance(arrival) <= REPLAY_WINDOW)
            .copied()
            .collect();
        retired.push(Retired {
            generation: retiring,
            at: arrival,
            by: Some(by),
        });
        let surplus = retired.len().saturating_sub(MAX_RETIRED);
        retired.drain(..surplus);
        Self {
            generation: retiring.next(),
            confirmed: false,
            last_used: arrival,
            retired,
            trail: Trail {
                used_before: self.used_before(arrival),
                confirmed_by: None,
                ..self.trail.clone()
            },
            ..self.clone()
        }
    }
}
