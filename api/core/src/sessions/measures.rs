//! Counts of what happened to sessions.

use password_auth_model::measure::Count;
use password_auth_model::{Decision, End};

/// What happened to sessions on this node.
#[derive(Debug, Default)]
pub struct Measures {
    pub(super) started: Count,
    pub(super) refreshed: Count,
    pub(super) replayed: Count,
    pub(super) stolen: Count,
    pub(super) refused: Count,
    pub(super) signed_out: Count,
}

impl Measures {
    pub(super) fn record(&self, decision: Decision) {
        let count = match decision {
            Decision::Rotate | Decision::Adopt => &self.refreshed,
            Decision::Replay
            | Decision::ReplayElsewhere
            | Decision::ReplayInNewEpoch
            | Decision::ReplayElsewhereInNewEpoch => &self.replayed,
            Decision::Theft => &self.stolen,
            Decision::Void | Decision::Over(End::Theft) | Decision::Expired => &self.refused,
        };
        count.add_one();
    }

    /// Each event with its count.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 6] {
        [
            ("started", self.started.total()),
            ("refreshed", self.refreshed.total()),
            ("replayed", self.replayed.total()),
            ("stolen", self.stolen.total()),
            ("refused", self.refused.total()),
            ("signed_out", self.signed_out.total()),
        ]
    }
}
