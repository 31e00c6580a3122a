//! The writes: a compare-and-swap where one record changes, a transaction where several do.
//!
//! They all run on the one writing thread (see `writer`), so that what one of them has read stays true
//! until it writes. A transaction rolls sled's write buffer twice, which takes longer than everything else
//! here together, and keeps every reader waiting meanwhile; a compare-and-swap does neither.
//!
//! A transaction's closure may run more than once and holds a lock of the whole process: it computes
//! nothing slow, and reaches the trees only through its own handles, since `tree.get()` inside deadlocks.

use sled::transaction::{
    ConflictableTransactionError, TransactionError, TransactionResult, Transactional,
    TransactionalTree,
};
use sled::{IVec, Tree};

use super::codec::{decode, encode};
use super::tables::{Tables, expiry_key, unavailable};
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Rotation, Session, decide};
use crate::store::{CreateUser, StoreError, User};
use crate::throttle::{Rate, SignInAttempt, Verdict};

type Step<T> = Result<T, ConflictableTransactionError<StoreError>>;

pub(super) fn create_user(tables: &Tables, user: &User) -> Result<CreateUser, StoreError> {
    let record = encode(user)?;
    let name = user.username_key.as_str();
    transact(tables, || {
        (&tables.users, &tables.usernames).transaction(|(users, usernames)| {
            if usernames.get(name)?.is_some() {
                return Ok(CreateUser::NameTaken);
            }
            usernames.insert(name, user.id.as_bytes())?;
            users.insert(user.id.as_bytes(), &*record)?;
            Ok(CreateUser::Created)
        })
    })
}

pub(super) fn replace_password_hash(
    tables: &Tables,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, StoreError> {
    let changed = change_user(tables, id, |user| {
        let fits = user.password == *old;
        if fits {
            user.password = new.clone();
        }
        fits
    })?;
    Ok(changed.unwrap_or(false))
}

pub(super) fn set_user_active(
    tables: &Tables,
    id: UserId,
    active: bool,
) -> Result<Option<()>, StoreError> {
    let changed = change_user(tables, id, |user| {
        let differs = user.is_active != active;
        user.is_active = active;
        differs
    })?;
    Ok(changed.map(|_| ()))
}

/// Writes the user back if `change` says so; `None` if there is no such user.
fn change_user(
    tables: &Tables,
    id: UserId,
    change: impl FnOnce(&mut User) -> bool,
) -> Result<Option<bool>, StoreError> {
    let Some((bytes, mut user)) = look_up::<User>(&tables.users, id.as_bytes())? else {
        return Ok(None);
    };
    let changed = change(&mut user);
    if changed {
        swap(&tables.users, id.as_bytes(), Some(bytes), encode(&user)?)?;
    }
    Ok(Some(changed))
}

pub(super) fn create_session(tables: &Tables, session: &Session) -> Result<bool, StoreError> {
    let record = encode(session)?;
    let expiry = expiry_key(session.expires, session.id);
    let trees = (&tables.users, &tables.sessions, &tables.session_expiry);
    transact(tables, || {
        trees.transaction(|(users, sessions, by_expiry)| {
            let user = read::<User>(users, session.user.as_bytes())?;
            if !user.is_some_and(|user| user.is_active) {
                return Ok(false);
            }
            sessions.insert(session.id.as_bytes(), &*record)?;
            by_expiry.insert(&expiry, b"")?;
            Ok(true)
        })
    })
}

pub(super) fn rotate_session(
    tables: &Tables,
    id: SessionId,
    presented: Generation,
    arrival: Timestamp,
) -> Result<Option<Rotation>, StoreError> {
    let Some((bytes, session)) = look_up::<Session>(&tables.sessions, id.as_bytes())? else {
        return Ok(None);
    };
    let user = look_up::<User>(&tables.users, session.user.as_bytes())?;
    let Some((_, user)) = user.filter(|(_, user)| user.is_active) else {
        return Ok(None);
    };
    let decision = decide(&session, presented, arrival);
    let session = match decision.apply(&session, presented, arrival) {
        Some(changed) => {
            let record = encode(&changed)?;
            swap(&tables.sessions, id.as_bytes(), Some(bytes), record)?;
            changed
        }
        None => session,
    };
    Ok(Some(Rotation {
        decision,
        session,
        user,
    }))
}

pub(super) fn confirm_generation(
    tables: &Tables,
    id: SessionId,
    generation: Generation,
) -> Result<(), StoreError> {
    let Some((bytes, mut session)) = look_up::<Session>(&tables.sessions, id.as_bytes())? else {
        return Ok(());
    };
    if session.generation == generation && !session.confirmed {
        session.confirmed = true;
        let record = encode(&session)?;
        swap(&tables.sessions, id.as_bytes(), Some(bytes), record)?;
    }
    Ok(())
}

/// Removes a session. One that was ended for a theft stays: its thief must not take away what its owner
/// is to be told.
pub(super) fn end_session(tables: &Tables, id: SessionId) -> Result<(), StoreError> {
    let Some((_, session)) = look_up::<Session>(&tables.sessions, id.as_bytes())? else {
        return Ok(());
    };
    if session.ended.is_some() {
        return Ok(());
    }
    remove_sessions(tables, &[expiry_key(session.expires, id)])
}

/// Counts a try, unless it comes from a network from which somebody signed in to the account lately.
pub(super) fn count_attempt(
    tables: &Tables,
    attempt: SignInAttempt,
    rate: Rate,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let remembered = tables
        .attempts
        .get(attempt.network())
        .map_err(unavailable)?;
    if remembered
        .as_deref()
        .and_then(read_moment)
        .is_some_and(|until| until > now)
    {
        return Ok(Verdict::Allowed);
    }
    let key = attempt.account();
    let bytes = tables.attempts.get(key).map_err(unavailable)?;
    let paid_off = bytes
        .as_deref()
        .and_then(read_moment)
        .unwrap_or(Timestamp::from_millis(0));
    let (verdict, next) = rate.decide(paid_off, now);
    if next != paid_off {
        swap(&tables.attempts, key, bytes, moment(next))?;
    }
    Ok(verdict)
}

pub(super) fn remember_network(
    tables: &Tables,
    attempt: SignInAttempt,
    until: Timestamp,
) -> Result<(), StoreError> {
    tables
        .attempts
        .insert(attempt.network(), moment(until))
        .map_err(unavailable)?;
    Ok(())
}

/// Removes the sessions with these places in the index of expiry, and the places.
pub(super) fn remove_sessions(tables: &Tables, keys: &[[u8; 24]]) -> Result<(), StoreError> {
    transact(tables, || {
        (&tables.sessions, &tables.session_expiry).transaction(|(sessions, by_expiry)| {
            for key in keys {
                sessions.remove(&key[8..])?;
                by_expiry.remove(key)?;
            }
            Ok(())
        })
    })
}

fn moment(at: Timestamp) -> Vec<u8> {
    at.as_millis().to_be_bytes().to_vec()
}

pub(super) fn read_moment(bytes: &[u8]) -> Option<Timestamp> {
    let bytes = bytes.try_into().ok()?;
    Some(Timestamp::from_millis(u64::from_be_bytes(bytes)))
}

/// A record outside of a transaction, also as the bytes that [`swap`] wants to find again.
fn look_up<T: serde::de::DeserializeOwned>(
    tree: &Tree,
    key: &[u8],
) -> Result<Option<(IVec, T)>, StoreError> {
    let bytes = tree.get(key).map_err(unavailable)?;
    bytes
        .map(|bytes| decode(&bytes).map(|record| (bytes, record)))
        .transpose()
}

/// Writes `new` if `old` still stands there, which nothing but another writing thread could change.
fn swap(tree: &Tree, key: &[u8], old: Option<IVec>, new: Vec<u8>) -> Result<(), StoreError> {
    tree.compare_and_swap(key, old, Some(new))
        .map_err(unavailable)?
        .map_err(|_| StoreError::Busy)
}

fn read<T: serde::de::DeserializeOwned>(tree: &TransactionalTree, key: &[u8]) -> Step<Option<T>> {
    tree.get(key)?
        .map(|bytes| decode(&bytes))
        .transpose()
        .map_err(ConflictableTransactionError::Abort)
}

/// Runs a transaction while no flush is under way: see [`Tables::between_flushes`].
fn transact<T>(
    tables: &Tables,
    transaction: impl FnOnce() -> TransactionResult<T, StoreError>,
) -> Result<T, StoreError> {
    let _gate = tables.between_flushes();
    transaction().map_err(|error| match error {
        TransactionError::Abort(error) => error,
        TransactionError::Storage(error) => unavailable(error),
    })
}
