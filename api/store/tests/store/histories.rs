//! Random concurrent histories, each of which must be linearizable.
//!
//! Time stands while calls overlap, and moves in between.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::{
    Generation, Party, Session, SessionId, Timestamp, User, UserId, UsernameKey,
};
use password_auth_store::{NewSession, Store};
use tokio::task::JoinSet;

use crate::engine::{Engine, allow, hash};
use crate::linear::sessions::{self, SessionRegister, State};
use crate::linear::users::{self, NameRegister};
use crate::linear::{Call, Events, Model, is_explained, render};
use crate::random::{Random, everyday_or_long};

each_engine! {
    every_history_of_a_session_is_explained_by_some_order,
    every_history_of_a_name_is_explained_by_some_order,
}

/// Everyday, and with `PASSWORD_AUTH_LONG=1`.
const HISTORIES: usize = 60;
const LONG_HISTORIES: usize = 1_000;

/// A history's: from one moment to the next, so many callers at once make so many calls each at most.
const MOMENTS: usize = 6;
const CALLERS: usize = 4;
const CALLS: usize = 3;

/// Short, so that histories see its end.
const SHORT_LIFETIME: Duration = Duration::from_secs(3600);

fn seeded() -> Random {
    let seed = Random::seed();
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these histories");
    Random::new(seed)
}

/// One moment: callers at once, each of whom makes its calls one after the other.
async fn moment<M, F, A>(
    engine: &Engine,
    events: &Arc<Events>,
    plans: Vec<Vec<M::Op>>,
    call: F,
) -> Vec<Call<M>>
where
    M: Model<Op: Clone, Answer: 'static> + 'static,
    F: Fn(Arc<dyn Store>, M::Op, Timestamp) -> A + Clone + Send + 'static,
    A: Future<Output = M::Answer> + Send,
{
    let (mut callers, now) = (JoinSet::new(), engine.now());
    for plan in plans {
        let (events, call) = (Arc::clone(events), call.clone());
        let plan: Vec<_> = plan.into_iter().map(|op| (op, engine.store())).collect();
        callers.spawn(async move {
            let mut made = Vec::new();
            for (op, store) in plan {
                let answer = call(store, op.clone(), now);
                made.push(events.record(op, answer).await);
            }
            made
        });
    }
    callers.join_all().await.into_iter().flatten().collect()
}

fn plans<Op>(random: &mut Random, mut op: impl FnMut(&mut Random) -> Op) -> Vec<Vec<Op>> {
    let callers = 2 + random.below(CALLERS - 1);
    let mut plan = |random: &mut Random| {
        let calls = 1 + random.below(CALLS);
        (0..calls).map(|_| op(random)).collect()
    };
    (0..callers).map(|_| plan(random)).collect()
}

async fn every_history_of_a_session_is_explained_by_some_order(engine: Engine) {
    let mut random = seeded();
    for number in 0..everyday_or_long(HISTORIES, LONG_HISTORIES) {
        let user = engine.register(&format!("user {number}")).await;
        let session = Session {
            expires: engine.now().plus(SHORT_LIFETIME),
            ..engine.session_of(&user)
        };
        let start = State {
            session: None,
            user,
            now: engine.now(),
            waiting: engine.waiting(),
        };
        let calls = history_of(&engine, &mut random.fork(), &start, session).await;
        assert!(
            is_explained(start.clone(), &calls),
            "no order explains history {number}, from {start:#?}:\n{}",
            render(&calls)
        );
    }
}

async fn history_of(
    engine: &Engine,
    random: &mut Random,
    start: &State,
    session: Session,
) -> Vec<Call<SessionRegister>> {
    let (id, user) = (session.id, start.user.id);
    let call = move |store: Arc<dyn Store>, op, now| async move {
        session_call(&*store, op, now, id, user).await
    };
    let events = Arc::new(Events::default());
    // Asked for once, first or at the same time as something else: an identifier is new.
    let first = plans(random, |random| session_op(random, 0));
    let first = first
        .into_iter()
        .chain([vec![sessions::Op::Start(session)]]);
    let mut calls = moment(engine, &events, first.collect(), call).await;
    for _ in 1..MOMENTS {
        // No sum of them is within five seconds of the window's length, nor the lifetime's: see
        // `Engine::may_be_arrival`.
        let by = [0, 1, 20, 40, 40, 40, 3_700, 31 * 86_400];
        let by = Duration::from_secs(by[random.below(by.len())]);
        let advance = async {
            engine.advance(by).await;
            sessions::Answer::Done
        };
        calls.push(events.record(sessions::Op::Advance(by), advance).await);
        let (found, _) = engine.session(id).await.unzip();
        let current = found.map_or(0, |session| session.generation.0);
        let plans = plans(random, |random| session_op(random, current));
        calls.extend(moment(engine, &events, plans, call).await);
    }
    calls
}

/// What an owner, a thief and an operator may do next.
fn session_op(random: &mut Random, current: u32) -> sessions::Op {
    let generation = match random.below(20) {
        0 => current + 2,
        1..4 => current + 1,
        4..14 => current,
        14..18 => current.saturating_sub(1),
        _ => current.saturating_sub(2),
    };
    // Two networks of one device, and another device.
    let (network, device) = [(1, 1), (2, 1), (1, 2)][random.below(3)];
    let party = Party { network, device };
    match random.below(100) {
        0..45 => sessions::Op::Rotate(Generation(generation), party),
        45..60 => sessions::Op::Use(Generation(generation), party),
        60..63 => sessions::Op::ChangePassword(u32::from(random.percent(20))),
        63..70 => sessions::Op::Read,
        70..78 => sessions::Op::Identify,
        78..85 => sessions::Op::IdentifyWithUser,
        85..88 => sessions::Op::End,
        88..91 => sessions::Op::Allow(false),
        91..97 => sessions::Op::Allow(true),
        _ => sessions::Op::Sweep,
    }
}

async fn session_call(
    store: &dyn Store,
    op: sessions::Op,
    now: Timestamp,
    id: SessionId,
    user: UserId,
) -> sessions::Answer {
    use sessions::{Answer, Op};
    let answer = match op {
        Op::Start(session) => {
            let started = store.create_session(session, 0).await;
            started.map(|started| Answer::Started(started == NewSession::Added))
        }
        Op::Rotate(presented, by) => {
            let rotated = store.rotate_session(id, presented, by, now).await;
            rotated.map(Answer::Rotated)
        }
        Op::Use(generation, party) => {
            let noted = store.note_use(id, generation, Some(party)).await;
            noted.map(|()| Answer::Done)
        }
        Op::ChangePassword(version) => {
            let changed = store.change_password(user, version, hash("at first"), Some(id));
            changed.await.map(Answer::PasswordChanged)
        }
        Op::End => store.end_session(id).await.map(|()| Answer::Done),
        Op::Read => store.session(id).await.map(Answer::Found),
        Op::Identify => store.identity(id).await.map(Answer::Identified),
        Op::IdentifyWithUser => {
            let found = store.identity_and_user(id).await;
            found.map(Answer::IdentifiedWithUser)
        }
        Op::Allow(active) => {
            allow(store, user, active).await;
            Ok(Answer::Done)
        }
        Op::Sweep => store.sweep(now).await.map(|_| Answer::Done),
        Op::Advance(_) => panic!("time stands while calls overlap"),
    };
    answer.expect("an answer")
}

async fn every_history_of_a_name_is_explained_by_some_order(engine: Engine) {
    let mut random = seeded();
    for number in 0..everyday_or_long(HISTORIES, LONG_HISTORIES) {
        let name = format!("name {number}");
        let people: Vec<User> = (0..CALLERS).map(|_| engine.user(&name)).collect();
        let events = Arc::new(Events::default());
        let mut calls = Vec::new();
        for _ in 0..MOMENTS / 2 {
            let key = people[0].username_key.clone();
            let call = move |store: Arc<dyn Store>, op, _| {
                let key = key.clone();
                async move { name_call(&*store, op, &key).await }
            };
            let plans = plans(&mut random, |random| name_op(random, &people));
            calls.extend(moment::<NameRegister, _, _>(&engine, &events, plans, call).await);
        }
        assert!(
            is_explained(None, &calls),
            "no order explains history {number}:\n{}",
            render(&calls)
        );
    }
}

fn name_op(random: &mut Random, people: &[User]) -> users::Op {
    let person = &people[random.below(people.len())];
    let hashes = ["at first", "second", "third"];
    let mut any_hash = || hash(hashes[random.below(hashes.len())]);
    let (old, new) = (any_hash(), any_hash());
    match random.below(100) {
        0..20 => users::Op::Create(person.clone()),
        20..50 => users::Op::Read,
        50..60 => users::Op::IsTaken,
        60..85 => users::Op::Replace(person.id, old, new),
        _ => users::Op::Allow(person.id, random.percent(50)),
    }
}

async fn name_call(store: &dyn Store, op: users::Op, name: &UsernameKey) -> users::Answer {
    use users::{Answer, Op};
    let answer = match op {
        Op::Create(user) => store.create_user(user).await.map(Answer::Created),
        Op::Read => store.user_by_name(name).await.map(Answer::Found),
        Op::IsTaken => store.name_is_taken(name).await.map(Answer::Said),
        Op::Replace(user, old, new) => {
            let replaced = store.replace_password_hash(user, &old, new).await;
            replaced.map(Answer::Said)
        }
        Op::Allow(user, active) => Ok(Answer::Allowed(allow(store, user, active).await)),
    };
    answer.expect("an answer")
}
