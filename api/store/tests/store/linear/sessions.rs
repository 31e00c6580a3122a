//! One session and its user, as a register: what each method may answer in each state.

use std::time::Duration;

use password_auth_model::{
    Decision, Generation, Identity, KEPT_AFTER_EXPIRY, Owner, Party, Rotation, Session, Timestamp,
    User, decide,
};
use password_auth_store::ChangePassword;

use super::Model;

pub struct SessionRegister;

/// What a store keeps of one sign-in, and what time it is.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub session: Option<Session>,
    pub user: User,
    pub now: Timestamp,
    /// How much earlier than `now` a request may be taken to have come.
    pub waiting: Duration,
}

#[derive(Clone, Debug)]
pub enum Op {
    Start(Session),
    Rotate(Generation, Party),
    Use(Generation, Party),
    /// Somebody changes the password by the session.
    ChangePassword(u32),
    End,
    Read,
    Identify,
    IdentifyWithUser,
    Allow(bool),
    Sweep,
    /// While nothing else happens.
    Advance(Duration),
}

#[derive(Clone, Debug)]
pub enum Answer {
    Done,
    Started(bool),
    Rotated(Option<Rotation>),
    PasswordChanged(ChangePassword),
    Found(Option<(Session, User)>),
    Identified(Option<Identity>),
    IdentifiedWithUser(Option<(Identity, User)>),
}

impl Model for SessionRegister {
    type State = State;
    type Op = Op;
    type Answer = Answer;

    fn step(state: &State, op: &Op, answer: &Answer) -> Vec<State> {
        let mut after = state.clone();
        let fits = match (op, answer) {
            (Op::Start(session), Answer::Started(started)) => {
                if *started {
                    after.session = Some(session.clone());
                    after.user.last_login = Some(session.created);
                }
                *started == (state.user.is_active && state.user.password_version == 0)
            }
            (Op::Rotate(presented, by), Answer::Rotated(rotation)) => {
                let expected = state.rotate(*presented, *by, rotation.as_ref());
                if let Some(rotation) = &expected {
                    after.session = Some(rotation.session.clone());
                }
                *rotation == expected
            }
            (Op::Use(generation, party), Answer::Done) => {
                let session = state.session.as_ref();
                let used = session.and_then(|session| session.after_use(*generation, Some(*party)));
                after.session = used.or(after.session);
                true
            }
            (Op::ChangePassword(version), Answer::PasswordChanged(changed)) => {
                let session = state.session.as_ref();
                let live = session.filter(|session| session.ended.is_none());
                let expected = if *version != state.user.password_version {
                    ChangePassword::Outdated
                } else if let Some(session) = live {
                    after.session = Some(session.renewed());
                    let hash = state.user.password.clone();
                    after.user = state.user.clone().with_password(hash);
                    ChangePassword::Changed(after.session.clone())
                } else {
                    ChangePassword::SessionOver
                };
                *changed == expected
            }
            (Op::End, Answer::Done) => {
                after.session.take_if(|session| session.ended.is_none());
                true
            }
            (Op::Read, Answer::Found(found)) => {
                let session = state.session.clone();
                *found == session.map(|session| (session, state.user.clone()))
            }
            (Op::Identify, Answer::Identified(found)) => *found == state.identity(),
            (Op::IdentifyWithUser, Answer::IdentifiedWithUser(found)) => {
                let identity = state.identity();
                *found == identity.map(|identity| (identity, state.user.clone()))
            }
            (Op::Allow(active), Answer::Done) => {
                // Whoever is deactivated loses them for good.
                after.session.take_if(|_| state.user.is_active != *active);
                after.user.is_active = *active;
                true
            }
            (Op::Sweep, Answer::Done) => {
                let gone =
                    |session: &mut Session| session.expires.plus(KEPT_AFTER_EXPIRY) <= state.now;
                after.session.take_if(gone);
                // What is in use is left for the next one.
                return vec![state.clone(), after];
            }
            (Op::Advance(by), Answer::Done) => {
                after.now = state.now.plus(*by);
                true
            }
            _ => false,
        };
        fits.then_some(after).into_iter().collect()
    }
}

impl State {
    fn identity(&self) -> Option<Identity> {
        let session = self.session.as_ref()?;
        Some(Identity::of(session, Owner::from(&self.user)))
    }

    fn rotate(
        &self,
        presented: Generation,
        by: Party,
        answer: Option<&Rotation>,
    ) -> Option<Rotation> {
        let session = self.session.as_ref().filter(|_| self.user.is_active)?;
        // What rotated, or was noted, says when; nothing else depends on it to the second.
        let earliest = self.now.minus(self.waiting);
        let arrival = answer
            .map(|rotation| match rotation.decision {
                Decision::ReplayElsewhere | Decision::ReplayElsewhereInNewEpoch => {
                    let noted = rotation.session.trail.elsewhere.last();
                    noted.expect("what was noted").at
                }
                _ => rotation.session.last_used,
            })
            .filter(|said| (earliest..=self.now).contains(said))
            .unwrap_or(self.now);
        let decision = decide(session, presented, by, arrival);
        let changed = decision.apply(session, presented, by, arrival);
        Some(Rotation {
            decision,
            session: changed.unwrap_or_else(|| session.clone()),
            owner: Owner::from(&self.user),
        })
    }
}
