//! Tests of the rotation: its table row by row, and its promises against random interleavings.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Decision, End, Generation, REPLAY_WINDOW, Retired, Session, decide};
use crate::Party;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::trail::MAX_ELSEWHERE;

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The owner's browser, and somebody else.
const OFFICE: Party = party(1, 1);
const THIEF: Party = party(3, 9);

const fn party(network: u32, device: u32) -> Party {
    Party { network, device }
}

const LIFETIME: Duration = Duration::from_secs(180 * 86_400);

fn fresh() -> Session {
    Session::new(
        UserId::new(START),
        String::new(),
        START,
        START.plus(LIFETIME),
    )
}

/// At generation 5, which superseded 4 at [`START`].
fn at_five(confirmed: bool) -> Session {
    Session {
        generation: Generation(5),
        confirmed,
        retired: vec![Retired {
            generation: Generation(4),
            at: START,
            by: Some(OFFICE),
        }],
        ..fresh()
    }
}

fn after(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

#[test]
fn the_table_of_decisions_holds_row_by_row() {
    let (inside, outside) = (after(30), after(31));
    for (confirmed, presented, arrival, expected) in [
        (true, 5, inside, Decision::Rotate),
        (false, 5, outside, Decision::Rotate),
        (true, 4, inside, Decision::Replay),
        (false, 4, inside, Decision::Replay),
        (false, 4, outside, Decision::ReplayInNewEpoch),
        (true, 4, outside, Decision::Theft),
        (true, 3, inside, Decision::Theft),
        (false, 3, outside, Decision::Theft),
        (true, 6, inside, Decision::Adopt),
        (false, 99, outside, Decision::Adopt),
    ] {
        let decision = decide(&at_five(confirmed), Generation(presented), OFFICE, arrival);
        assert_eq!(
            decision, expected,
            "{presented} at {arrival:?}, confirmed: {confirmed}"
        );
    }
}

#[test]
fn the_window_is_open_on_both_sides_since_arrivals_overtake_each_other() {
    let session = Session {
        retired: vec![Retired {
            generation: Generation(4),
            at: after(20),
            by: Some(OFFICE),
        }],
        ..at_five(true)
    };
    assert_eq!(
        decide(&session, Generation(4), OFFICE, START),
        Decision::Replay
    );
}

#[test]
fn a_session_that_is_over_stays_over_whatever_is_presented() {
    let ended = Session {
        ended: Some(End::Theft),
        ..at_five(true)
    };
    for presented in [3, 4, 5, 6] {
        let presented = Generation(presented);
        assert_eq!(
            decide(&ended, presented, OFFICE, START),
            Decision::Over(End::Theft)
        );
        assert_eq!(
            decide(&at_five(true), presented, OFFICE, START.plus(LIFETIME)),
            Decision::Expired
        );
    }
    assert_eq!(
        Decision::Over(End::Theft).apply(&ended, Generation(5), OFFICE, START),
        None
    );
}

#[test]
fn adopting_a_newer_generation_continues_after_it() {
    let adopted = Decision::Adopt
        .apply(&at_five(true), Generation(9), OFFICE, START)
        .expect("a change");
    assert_eq!(adopted.generation, Generation(10));
    assert_eq!(
        decide(&adopted, Generation(9), OFFICE, after(5)),
        Decision::Replay
    );
}

/// What may happen to somebody whose contexts share one storage, as the extension's do. A number is the network by which
/// a context goes.
#[derive(Clone, Debug)]
enum Step {
    /// A context takes the lock and sends the stored token; the answer is stored.
    Refresh(u32),
    /// A context sends the stored token and is killed; the request arrives at once, the answer is lost.
    Lose(u32),
    /// A context sends the stored token and is killed; the request arrives after some other steps.
    Delay(u32),
    /// A delayed request arrives, if one is under way.
    Arrive,
    /// Contexts that know no lock send the stored token at once. Each uses what it is answered, and the last answer
    /// stays stored.
    Race(Vec<u32>),
    /// The stored access token is used.
    Use,
    /// The browser is updated, and calls itself something else from now on.
    Update,
    /// Time passes.
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let network = 0_u32..3;
    let step = prop_oneof![
        4 => network.clone().prop_map(Step::Refresh),
        3 => network.clone().prop_map(Step::Lose),
        2 => network.clone().prop_map(Step::Delay),
        2 => Just(Step::Arrive),
        1 => vec(network, 2..6).prop_map(Step::Race),
        3 => Just(Step::Use),
        1 => Just(Step::Update),
        2 => (0_u64..20).prop_map(Step::Wait),
        1 => (20_u64..100_000).prop_map(Step::Wait),
    ];
    vec(step, 1..120)
}

/// A session with its server, and its owner's storage.
struct World {
    session: Session,
    now: Timestamp,
    stored: Generation,
    stored_epoch: u32,
    /// To whom the stored access token was issued.
    stored_by: Party,
    /// What the browser calls itself.
    device: u32,
    /// Tokens under way, by whom, and when they arrive at the latest.
    delayed: Vec<(Generation, Party, Timestamp)>,
}

/// Honest requests are under way for 20 s at most (the client's time-out and the store's queue), and one
/// that repeats a token whose answer was lost arrives before that token's window ends. A request that a
/// killed context sent just before that end, and that the network holds back until its successor was
/// used, is beyond the promise: it looks like a thief's.
///
/// That a session is never ended for replays from elsewhere rests on none of that: of contexts that take the lock, only
/// on their storing an answer before they give it away; of those that know no lock, on their asking at once; and of
/// what the browser calls itself, on its not going back to an older name within a day.
const LONGEST_UNDER_WAY: Duration = Duration::from_secs(20);

impl World {
    fn new() -> Self {
        Self {
            session: fresh(),
            now: START,
            stored: Generation(0),
            stored_epoch: 0,
            stored_by: OFFICE,
            device: OFFICE.device,
            delayed: Vec::new(),
        }
    }

    fn present(&mut self, token: Generation, by: Party) -> Decision {
        let decision = decide(&self.session, token, by, self.now);
        if let Some(changed) = decision.apply(&self.session, token, by, self.now) {
            self.session = changed;
        }
        decision
    }

    fn use_access_token(&mut self, generation: Generation, epoch: u32, party: Party) -> bool {
        let accepted = self.session.is_live(self.now) && epoch >= self.session.epoch;
        if accepted && let Some(after) = self.session.after_use(generation, Some(party)) {
            self.session = after;
        }
        accepted
    }

    /// Contexts refresh when a token is due or refused, never in bursts: with four seconds between them
    /// no more than `MAX_RETIRED` fit into the window.
    fn breathe(&mut self) {
        self.wait(4);
    }

    /// Time passes; what is under way for too long has arrived before.
    fn wait(&mut self, seconds: u64) {
        let later = self.now.plus(Duration::from_secs(seconds));
        let mut delayed = std::mem::take(&mut self.delayed);
        delayed.sort_by_key(|(.., latest)| *latest);
        for (token, by, latest) in delayed {
            if latest <= later {
                self.now = self.now.max(latest);
                assert_kept(self.present(token, by));
            } else {
                self.delayed.push((token, by, latest));
            }
        }
        self.now = later;
    }

    fn here(&self, network: u32) -> Party {
        party(network, self.device)
    }

    /// The answer to a token that is presented by `by` reaches the storage.
    fn refresh(&mut self, by: Party) {
        assert_kept(self.present(self.stored, by));
        self.stored = self.session.generation;
        self.stored_epoch = self.session.epoch;
        self.stored_by = by;
    }

    fn use_stored(&mut self) -> bool {
        self.use_access_token(self.stored, self.stored_epoch, self.stored_by)
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Refresh(network) => {
                self.breathe();
                self.refresh(self.here(*network));
            }
            Step::Lose(network) => {
                self.breathe();
                assert_kept(self.present(self.stored, self.here(*network)));
            }
            Step::Delay(network) => {
                self.breathe();
                let retired = self.session.retired.iter();
                let window_ends = retired
                    .filter(|retired| retired.generation == self.stored)
                    .map(|retired| retired.at.plus(REPLAY_WINDOW));
                let latest = self.now.plus(LONGEST_UNDER_WAY);
                let latest = window_ends.fold(latest, Timestamp::min).max(self.now);
                self.delayed
                    .push((self.stored, self.here(*network), latest));
            }
            Step::Arrive => {
                if let Some((token, by, _)) = self.delayed.pop() {
                    assert_kept(self.present(token, by));
                }
            }
            Step::Race(networks) => {
                self.breathe();
                let token = self.stored;
                for network in networks {
                    self.stored = token;
                    self.refresh(self.here(*network));
                }
                for network in networks {
                    let by = self.here(*network);
                    self.use_access_token(self.stored, self.stored_epoch, by);
                }
            }
            Step::Use => {
                self.use_stored();
            }
            Step::Update => self.device += 1,
            Step::Wait(seconds) => self.wait(*seconds),
        }
    }
}

#[track_caller]
fn assert_kept(decision: Decision) {
    assert!(
        matches!(
            decision,
            Decision::Rotate
                | Decision::Replay
                | Decision::ReplayElsewhere
                | Decision::ReplayInNewEpoch
                | Decision::ReplayElsewhereInNewEpoch
        ),
        "the owner lost their session: {decision:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_or_delayed_the_owner_keeps_their_session(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        // And the token that the owner has at the end works.
        world.take(&Step::Refresh(0));
        prop_assert_eq!(world.stored, world.session.generation);
        prop_assert!(world.use_stored());
    }

    #[test]
    fn contexts_that_refresh_at_once_all_end_with_the_same_token(
        steps in steps(),
        contexts in vec((0_u64..=30, 0_u32..3), 1..64),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.take(&Step::Refresh(0));
        let (token, start) = (world.stored, world.now);
        for (delay, network) in contexts {
            world.now = start.plus(Duration::from_secs(delay));
            assert_kept(world.present(token, world.here(network)));
            prop_assert_eq!(world.session.generation, token.next());
        }
    }

    #[test]
    fn a_superseded_token_outside_the_window_ends_the_session_once_its_successor_was_used(
        steps in steps(),
        late in 31_u64..100_000,
    ) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        let stolen = world.session.generation;
        world.take(&Step::Refresh(0));
        world.take(&Step::Refresh(0));
        world.take(&Step::Use);
        world.wait(late);
        prop_assert_eq!(world.present(stolen, OFFICE), Decision::Theft);
        prop_assert!(!world.session.is_live(world.now));
        let current = world.session.generation;
        prop_assert_eq!(world.present(current, OFFICE), Decision::Over(End::Theft));
    }

    #[test]
    fn a_thief_who_rotated_first_and_kept_silent_holds_nothing(late in 31_u64..100_000) {
        let mut world = World::new();
        // The thief rotates with the stolen token and keeps the result.
        assert_eq!(world.present(Generation(0), THIEF), Decision::Rotate);
        let (thief, thief_epoch) = (world.session.generation, world.session.epoch);
        world.wait(late);
        prop_assert_eq!(world.present(world.stored, OFFICE), Decision::ReplayElsewhereInNewEpoch);
        prop_assert!(!world.use_access_token(thief, thief_epoch, THIEF));
        prop_assert!(world.use_access_token(world.session.generation, world.session.epoch, OFFICE));
    }

    #[test]
    fn what_is_remembered_stays_small(presented in vec((0_u32..12, 0_u64..10, 0_u32..20, 0_u32..20), 1..200)) {
        let mut world = World::new();
        for (back, seconds, network, device) in presented {
            let current = world.session.generation;
            world.wait(seconds);
            world.present(Generation(current.0.saturating_sub(back)), party(network, device));
            prop_assert!(world.session.trail.elsewhere.len() <= MAX_ELSEWHERE);
            prop_assert!(world.session.retired.len() <= super::MAX_RETIRED);
            prop_assert!(world.session.generation >= current, "generations only grow");
            for retired in &world.session.retired {
                prop_assert!(retired.generation < world.session.generation);
            }
        }
        prop_assert!(REPLAY_WINDOW > LONGEST_UNDER_WAY);
    }
}
