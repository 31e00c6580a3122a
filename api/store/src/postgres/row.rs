//! Records as rows. Times are `bigint` milliseconds.

use std::str::FromStr;

use password_auth_model::{
    CompactName, Elsewhere, EmailAddress, End, FullName, Generation, Identity, Owner, PasswordHash,
    Retired, Session, SessionId, Standing, Timestamp, Trail, User, UserId, Username, UsernameKey,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Json};
use uuid::Uuid;

use crate::StoreError;

/// The columns that [`user`] reads, from `users u`.
macro_rules! user_columns {
    () => {
        "u.id, u.username, u.username_key, u.password_hash, u.password_version, u.email, \
         u.is_verified, u.full_name, u.role, u.is_active, u.created_at, u.last_login, \
         u.deactivated_by_self"
    };
}

/// The columns that [`session`] reads, from `sessions s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.device, s.created_at, s.last_used, s.expires_at, s.generation, \
         s.confirmed, s.epoch, s.retired, s.ended, s.trail"
    };
}

/// The columns that [`identity`] reads, from `sessions s` and `users u`.
macro_rules! identity_columns {
    () => {
        "s.user_id, s.generation, s.epoch, s.expires_at, s.ended, s.confirmed, \
         s.trail -> 'elsewhere', u.username, u.role, u.is_active"
    };
}

pub(super) use {identity_columns, session_columns, user_columns};

/// Reads the user from the columns from `first` on.
pub(super) fn user(row: &Row, first: usize) -> Result<User, StoreError> {
    Ok(User {
        id: UserId::from_bytes(get::<Uuid>(row, first)?.into_bytes()),
        username: Username::from_store(get(row, first + 1)?),
        username_key: UsernameKey::from_store(get(row, first + 2)?),
        password: PasswordHash::from_text(get(row, first + 3)?),
        password_version: count(row, first + 4)?,
        email: get::<Option<String>>(row, first + 5)?.map(EmailAddress::from_store),
        is_verified: get(row, first + 6)?,
        full_name: get::<Option<String>>(row, first + 7)?.and_then(FullName::from_store),
        role: named(get(row, first + 8)?)?,
        is_active: get(row, first + 9)?,
        created_at: moment(row, first + 10)?,
        last_login: optional_moment(row, first + 11)?,
        deactivated_by_self: get(row, first + 12)?,
    })
}

/// How many columns [`user`] reads.
pub(super) const USER_COLUMNS: usize = 13;

/// Reads the session from the columns from `first` on.
pub(super) fn session(row: &Row, first: usize) -> Result<Session, StoreError> {
    let Json(retired): Json<Vec<Retired>> = get(row, first + 9)?;
    let Json(trail): Json<Trail> = get(row, first + 11)?;
    Ok(Session {
        id: SessionId::from_bytes(get::<Uuid>(row, first)?.into_bytes()),
        user: UserId::from_bytes(get::<Uuid>(row, first + 1)?.into_bytes()),
        device: get(row, first + 2)?,
        created: moment(row, first + 3)?,
        last_used: moment(row, first + 4)?,
        expires: moment(row, first + 5)?,
        generation: Generation(count(row, first + 6)?),
        confirmed: get(row, first + 7)?,
        epoch: count(row, first + 8)?,
        retired,
        ended: end(row, first + 10)?,
        trail,
    })
}

/// Reads what a request needs to know, from the columns from `first` on.
pub(super) fn identity(row: &Row, first: usize) -> Result<Identity, StoreError> {
    let elsewhere: Option<Json<Vec<Elsewhere>>> = get(row, first + 6)?;
    let session = Standing {
        user: UserId::from_bytes(get::<Uuid>(row, first)?.into_bytes()),
        generation: Generation(count(row, first + 1)?),
        epoch: count(row, first + 2)?,
        expires: moment(row, first + 3)?,
        ended: end(row, first + 4)?.is_some(),
        confirmed: get(row, first + 5)?,
        is_watched: elsewhere.is_some_and(|Json(all)| all.iter().any(Elsewhere::is_watched)),
    };
    let owner = Owner {
        username: CompactName::from_store(get(row, first + 7)?),
        role: named(get(row, first + 8)?)?,
        is_active: get(row, first + 9)?,
    };
    Ok(Identity::of(session, owner))
}

/// How many columns [`identity`] reads.
pub(super) const IDENTITY_COLUMNS: usize = 10;

fn end(row: &Row, column: usize) -> Result<Option<End>, StoreError> {
    match get::<Option<i16>>(row, column)? {
        None => Ok(None),
        Some(END_BY_THEFT) => Ok(Some(End::Theft)),
        Some(other) => Err(StoreError::Corrupt(format!(
            "a session that ended in a way ({other}) that is newer than this program"
        ))),
    }
}

const END_BY_THEFT: i16 = 1;

pub(super) const fn end_code(end: End) -> i16 {
    match end {
        End::Theft => END_BY_THEFT,
    }
}

pub(super) const fn user_id(id: UserId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(super) const fn session_id(id: SessionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// Every time fits into a `bigint`: see [`Timestamp::from_millis`].
pub(super) const fn millis(at: Timestamp) -> i64 {
    at.as_millis().cast_signed()
}

pub(super) fn moment(row: &Row, column: usize) -> Result<Timestamp, StoreError> {
    let millis: i64 = get(row, column)?;
    u64::try_from(millis)
        .map(Timestamp::from_millis)
        .map_err(|_| StoreError::Corrupt("a moment before 1970".to_owned()))
}

fn optional_moment(row: &Row, column: usize) -> Result<Option<Timestamp>, StoreError> {
    get::<Option<i64>>(row, column)?
        .map(|_| moment(row, column))
        .transpose()
}

/// A value that is stored by its name.
fn named<T: FromStr>(name: &str) -> Result<T, StoreError> {
    name.parse()
        .map_err(|_| StoreError::Corrupt("a name that is newer than this program".to_owned()))
}

pub(super) fn count(row: &Row, column: usize) -> Result<u32, StoreError> {
    u32::try_from(get::<i64>(row, column)?)
        .map_err(|_| StoreError::Corrupt("a count that is too large".to_owned()))
}

pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, StoreError> {
    row.try_get(column)
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// `None` if the text contains a NUL: PostgreSQL cannot store it, so no user has such a name or address.
pub(super) fn searchable(text: &str) -> Option<&str> {
    (!text.contains('\0')).then_some(text)
}
