//! The writes, each a whole intention: it reads, decides, and makes its changes (see `change`).
//!
//! They all run on the one writing thread (see `writer`), so that what one of them has read stays true
//! until it writes.

use sled::{IVec, Tree};

use super::change::Change;
use super::codec::{decode, encode};
use super::tables::{Table, Tables, expiry_key, unavailable};
use crate::clock::Timestamp;
use crate::id::{SessionId, UserId};
use crate::passwords::PasswordHash;
use crate::sessions::{Generation, Rotation, Session, decide};
use crate::store::{CreateUser, StoreError, User};
use crate::throttle::{Rate, SignInAttempt, Verdict};

pub(super) fn create_user(tables: &Tables, user: &User) -> Result<CreateUser, StoreError> {
    let name = user.username_key.as_str();
    if tables.usernames.contains_key(name).map_err(unavailable)? {
        return Ok(CreateUser::NameTaken);
    }
    tables.apply(&[
        Change::Put {
            table: Table::Usernames,
            key: name.as_bytes(),
            value: user.id.as_bytes(),
        },
        Change::Put {
            table: Table::Users,
            key: user.id.as_bytes(),
            value: &encode(user)?,
        },
    ])?;
    Ok(CreateUser::Created)
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
        swap(
            tables,
            Table::Users,
            id.as_bytes(),
            Some(bytes),
            &encode(&user)?,
        )?;
    }
    Ok(Some(changed))
}

pub(super) fn create_session(tables: &Tables, session: &Session) -> Result<bool, StoreError> {
    let user = look_up::<User>(&tables.users, session.user.as_bytes())?;
    if !user.is_some_and(|(_, user)| user.is_active) {
        return Ok(false);
    }
    tables.apply(&[
        Change::Put {
            table: Table::Sessions,
            key: session.id.as_bytes(),
            value: &encode(session)?,
        },
        Change::Put {
            table: Table::SessionExpiry,
            key: &expiry_key(session.expires, session.id),
            value: b"",
        },
    ])?;
    Ok(true)
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
            swap(tables, Table::Sessions, id.as_bytes(), Some(bytes), &record)?;
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
        swap(tables, Table::Sessions, id.as_bytes(), Some(bytes), &record)?;
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
        swap(tables, Table::Attempts, key, bytes, &moment(next))?;
    }
    Ok(verdict)
}

pub(super) fn remember_network(
    tables: &Tables,
    attempt: SignInAttempt,
    until: Timestamp,
) -> Result<(), StoreError> {
    tables.apply(&[Change::Put {
        table: Table::Attempts,
        key: attempt.network(),
        value: &moment(until),
    }])
}

/// Removes the sessions with these places in the index of expiry, and the places.
pub(super) fn remove_sessions(tables: &Tables, keys: &[[u8; 24]]) -> Result<(), StoreError> {
    let mut changes = Vec::with_capacity(2 * keys.len());
    for key in keys {
        let session = &key[8..];
        changes.push(remove(Table::Sessions, session));
        changes.push(remove(Table::SessionExpiry, key));
    }
    tables.apply(&changes)
}

pub(super) const fn moment(at: Timestamp) -> [u8; 8] {
    at.as_millis().to_be_bytes()
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

fn swap(
    tables: &Tables,
    table: Table,
    key: &[u8],
    old: Option<IVec>,
    new: &[u8],
) -> Result<(), StoreError> {
    tables.apply(&[Change::Swap {
        table,
        key,
        old,
        new,
    }])
}

const fn remove(table: Table, key: &[u8]) -> Change<'_> {
    Change::Remove { table, key }
}
