//! Who is found out, and who is not; what a changed password leaves; what is shown.

use std::time::Duration;

use super::MAX_ELSEWHERE;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::{Decision, End, Generation, Party, Session, decide};

/// A full five minutes.
const START: Timestamp = Timestamp::from_millis(1_700_000_100_000);
const QUARTER: Duration = Duration::from_secs(900);

const OWNER: Party = party(1, 1);
/// Somebody with the same User-Agent as the owner.
const COPY: Party = party(2, 1);
const STRANGER: Party = party(2, 2);

const fn party(network: u32, device: u32) -> Party {
    Party { network, device }
}

fn session() -> Session {
    Session::new(
        UserId::new(START),
        String::new(),
        START,
        START.plus(Duration::from_secs(180 * 86_400)),
    )
}

struct Shared {
    session: Session,
    now: Timestamp,
}

impl Shared {
    fn new() -> Self {
        let (session, now) = (session(), START);
        Self { session, now }
    }

    fn present(&mut self, token: Generation, by: Party) -> Decision {
        let decision = decide(&self.session, token, by, self.now);
        if let Some(after) = decision.apply(&self.session, token, by, self.now) {
            self.session = after;
        }
        decision
    }

    fn uses(&mut self, party: Party) {
        let used = self.session.after_use(self.session.generation, Some(party));
        self.session = used.unwrap_or_else(|| self.session.clone());
    }

    /// A quarter of an hour later, `first` has the token exchanged and uses what it gets; `second` presents it too.
    fn turn(&mut self, first: Party, second: Party) -> Decision {
        self.now = self.now.plus(QUARTER);
        let token = self.session.generation;
        assert_eq!(self.present(token, first), Decision::Rotate);
        self.uses(first);
        self.now = self.now.plus(Duration::from_secs(3));
        self.present(token, second)
    }
}

#[test]
fn a_thief_in_step_on_another_device_is_an_event_and_then_the_end() {
    for turns in [[STRANGER; 2], [STRANGER, party(7, 2)]] {
        let mut shared = Shared::new();
        assert_eq!(shared.turn(OWNER, turns[0]), Decision::ReplayElsewhere);
        assert_eq!(shared.session.replayed_elsewhere(), Some(shared.now));
        assert_eq!(shared.turn(party(5, 1), turns[1]), Decision::Theft);
        assert_eq!(shared.session.ended, Some(End::Theft));
    }
}

#[test]
fn it_is_the_same_whoever_of_the_two_comes_first() {
    let mut shared = Shared::new();
    assert_eq!(shared.turn(OWNER, STRANGER), Decision::ReplayElsewhere);
    assert_eq!(shared.turn(STRANGER, OWNER), Decision::Theft);
}

#[test]
fn a_thief_with_the_owner_s_user_agent_is_found_out_once_they_used_what_they_got() {
    let mut shared = Shared::new();
    assert_eq!(shared.turn(OWNER, COPY), Decision::ReplayElsewhere);
    // So far it may have been a request of a killed context, come late.
    assert_eq!(shared.turn(OWNER, COPY), Decision::ReplayElsewhere);
    shared.uses(COPY);
    assert_eq!(shared.turn(OWNER, COPY), Decision::Theft);
}

#[test]
fn a_second_try_with_one_token_is_no_repetition_and_no_second_event() {
    let mut shared = Shared::new();
    assert_eq!(shared.turn(OWNER, STRANGER), Decision::ReplayElsewhere);
    for _ in 0..3 {
        assert_eq!(shared.present(Generation(0), STRANGER), Decision::Replay);
    }
    assert_eq!(shared.session.trail.elsewhere.len(), 1);
}

#[test]
fn a_repetition_is_one_within_a_day_and_between_the_same_two() {
    let mut shared = Shared::new();
    assert_eq!(shared.turn(OWNER, STRANGER), Decision::ReplayElsewhere);
    assert_eq!(shared.turn(OWNER, party(2, 3)), Decision::ReplayElsewhere);
    shared.now = shared.now.plus(Duration::from_secs(86_400));
    assert_eq!(shared.turn(OWNER, STRANGER), Decision::ReplayElsewhere);
    assert_eq!(shared.turn(OWNER, STRANGER), Decision::Theft);
}

#[test]
fn a_client_whose_answers_are_lost_by_one_network_and_come_by_the_other_is_never_ended() {
    let mut shared = Shared::new();
    for _ in 0..50 {
        shared.now = shared.now.plus(QUARTER);
        let token = shared.session.generation;
        assert_eq!(shared.present(token, OWNER), Decision::Rotate);
        let again = shared.present(token, COPY);
        assert!(matches!(
            again,
            Decision::ReplayElsewhere | Decision::Replay
        ));
        shared.uses(COPY);
        // And a request of a killed context, late.
        assert!(!matches!(shared.present(token, OWNER), Decision::Theft));
        shared.uses(COPY);
    }
}

#[test]
fn so_many_replays_a_day_are_events_and_the_latest_count_all_the_same() {
    let mut shared = Shared::new();
    let mut events = 0;
    for device in 2..40 {
        let decision = shared.turn(OWNER, party(2, device));
        events += usize::from(decision == Decision::ReplayElsewhere);
    }
    assert_eq!(events, MAX_ELSEWHERE);
    assert_eq!(shared.turn(OWNER, party(2, 39)), Decision::Theft);
}

#[test]
fn a_session_of_an_older_version_knows_nobody_who_presented_a_token() {
    let mut shared = Shared::new();
    let token = shared.session.generation;
    shared.present(token, OWNER);
    shared.session.retired[0].by = None;
    assert_eq!(shared.present(token, STRANGER), Decision::Replay);
}

#[test]
fn a_changed_password_voids_every_older_token_inside_the_window_too() {
    let mut shared = Shared::new();
    for token in 0..3 {
        shared.present(Generation(token), OWNER);
    }
    for confirmed in [false, true] {
        let mut renewed = shared.session.renewed();
        renewed.confirmed = confirmed;
        assert_eq!(renewed.epoch, shared.session.epoch + 1);
        // Also such as the store does not know any more, since it went back.
        for token in [0, 1, 2, 3, 4, 40_000] {
            let token = Generation(token);
            let decision = decide(&renewed, token, OWNER, shared.now);
            assert_eq!(decision, Decision::Void);
            assert_eq!(decision.apply(&renewed, token, OWNER, shared.now), None);
        }
        let token = renewed.generation;
        let decision = decide(&renewed, token, OWNER, shared.now);
        assert_eq!(decision, Decision::Rotate);
    }
}

#[test]
fn what_was_issued_after_the_change_may_get_lost_as_ever() {
    let mut shared = Shared::new();
    shared.session = shared.session.renewed();
    let token = shared.session.generation;
    assert_eq!(shared.present(token, OWNER), Decision::Rotate);
    assert_eq!(shared.present(token, OWNER), Decision::Replay);
}

#[test]
fn when_it_was_last_used_moves_at_full_five_minutes_only() {
    let mut shared = Shared::new();
    let shown = |shared: &Shared, seconds: u64| {
        let now = START.plus(Duration::from_secs(seconds));
        shared.session.shown(now).last_used.since(START).as_secs()
    };
    assert_eq!(shown(&shared, 1000), 0);
    for (at, tells) in [(1201, 0), (1300, 0), (1499, 0), (1500, 1200)] {
        shared.now = START.plus(Duration::from_secs(at.min(1499)));
        if at < 1500 {
            let token = shared.session.generation;
            shared.present(token, OWNER);
        }
        assert_eq!(shown(&shared, at), tells, "at {at}");
    }
}
