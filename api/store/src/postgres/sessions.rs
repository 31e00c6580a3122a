//! Sessions.

use async_trait::async_trait;
use password_auth_model::{
    Generation, Identity, MAX_SESSIONS, Owner, Party, Rotation, Session, SessionId, Timestamp,
    User, UserId, decide,
};
use tokio_postgres::types::Json;

use super::PostgresStore;
use super::error::DatabaseError;
use super::lookups::{REST, select_sessions};
use super::reads::Reads;
use super::row::{self, identity_columns, session_columns, user_columns};
use super::transact::{Transaction, work};
use crate::{NewSession, SessionStore, StoreError};

/// What [`identity`](SessionStore::identity) reads.
pub(super) const IDENTITIES: &str = select_sessions!(identity_columns!());
/// What [`identity_and_user`](SessionStore::identity_and_user) reads.
pub(super) const IDENTITIES_AND_USERS: &str =
    select_sessions!(concat!(identity_columns!(), ", ", user_columns!()));

#[async_trait]
impl SessionStore for PostgresStore {
    async fn create_session(
        &self,
        session: Session,
        password_version: u32,
    ) -> Result<NewSession, StoreError> {
        self.durable(work!(session; |t| create(t, &session, password_version)))
            .await
    }

    async fn session(&self, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
        by_id(&self.reads, id).await
    }

    async fn identity(&self, id: SessionId) -> Result<Option<Identity>, StoreError> {
        let found = self.identities.row(id).await?;
        found.map(|found| row::identity(&found, REST)).transpose()
    }

    async fn identity_and_user(
        &self,
        id: SessionId,
    ) -> Result<Option<(Identity, User)>, StoreError> {
        const USER: usize = REST + row::IDENTITY_COLUMNS;
        let found = self.identities_and_users.row(id).await?;
        found
            .map(|found| Ok((row::identity(&found, REST)?, row::user(&found, USER)?)))
            .transpose()
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        of_user(&self.reads, user).await
    }

    async fn rotate_session(
        &self,
        id: SessionId,
        presented: Generation,
        by: Party,
        _arrival: Timestamp,
    ) -> Result<Option<Rotation>, StoreError> {
        self.durable(work!(; |t| rotate(t, id, presented, by)))
            .await
    }

    async fn note_use(
        &self,
        id: SessionId,
        generation: Generation,
        party: Option<Party>,
    ) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| note_use(t, id, generation, party)))
            .await
    }

    async fn end_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.durable(work!(; |t| end(t, id))).await
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        self.durable(work!(; |t| end_of(t, user, id))).await
    }

    async fn end_sessions_of(
        &self,
        user: UserId,
        keep: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        self.durable(work!(; |t| end_all(t, user, keep))).await
    }
}

pub(super) async fn create(
    transaction: &Transaction<'_>,
    session: &Session,
    password_version: u32,
) -> Result<NewSession, DatabaseError> {
    // Locks the user's row, so that deactivating the user or changing the password comes before or after.
    const SIGNED_IN: &str = "UPDATE users SET last_login = $3 \
         WHERE id = $1 AND is_active AND password_version = $2";
    const IS_ACTIVE: &str = "SELECT 1 FROM users WHERE id = $1 AND is_active";
    const INSERT: &str = "INSERT INTO sessions \
         (id, user_id, device, created_at, last_used, expires_at, generation, confirmed, epoch, retired, ended, \
         trail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    const REMOVE_OLDEST: &str = "DELETE FROM sessions WHERE id IN \
         (SELECT id FROM sessions WHERE user_id = $1 AND id <> $3 ORDER BY id DESC OFFSET $2)";
    let user = row::user_id(session.user);
    let noted = transaction
        .execute(
            SIGNED_IN,
            &[
                &user,
                &i64::from(password_version),
                &row::millis(session.created),
            ],
        )
        .await?;
    if noted == 0 {
        let is_active = transaction.row(IS_ACTIVE, &[&user]).await?.is_some();
        transaction.wait_for_what_was_read().await?;
        return Ok(if is_active {
            NewSession::PasswordChanged
        } else {
            NewSession::NoUser
        });
    }
    transaction
        .execute(
            INSERT,
            &[
                &row::session_id(session.id),
                &user,
                &session.device,
                &row::millis(session.created),
                &row::millis(session.last_used),
                &row::millis(session.expires),
                &i64::from(session.generation.0),
                &session.confirmed,
                &i64::from(session.epoch),
                &Json(&session.retired),
                &session.ended.map(row::end_code),
                &Json(&session.trail),
            ],
        )
        .await?;
    // The new session always stays, whatever its id.
    let others = i64::try_from(MAX_SESSIONS - 1).unwrap_or(i64::MAX);
    transaction
        .execute(
            REMOVE_OLDEST,
            &[&user, &others, &row::session_id(session.id)],
        )
        .await?;
    Ok(NewSession::Added)
}

async fn by_id(reads: &Reads, id: SessionId) -> Result<Option<(Session, User)>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        user_columns!(),
        ", ",
        session_columns!(),
        " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1"
    );
    let found = reads.row(SELECT, &[&row::session_id(id)]).await?;
    found
        .map(|found| {
            Ok((
                row::session(&found, row::USER_COLUMNS)?,
                row::user(&found, 0)?,
            ))
        })
        .transpose()
}

pub(super) async fn of_user(reads: &Reads, user: UserId) -> Result<Vec<Session>, StoreError> {
    const SELECT: &str = concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions s WHERE s.user_id = $1 ORDER BY s.id"
    );
    let found = reads.rows(SELECT, &[&row::user_id(user)]).await?;
    found.iter().map(|found| row::session(found, 0)).collect()
}

/// The lock is held until the transaction ends.
const LOCK: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.id = $1 FOR UPDATE"
);

/// The columns of a session that change.
const WRITE: &str = "UPDATE sessions SET last_used = $2, generation = $3, confirmed = $4, epoch = $5, \
     retired = $6, ended = $7, trail = $8 WHERE id = $1";

/// The session's row is locked from the read to the commit. The user and the time are read after the lock, in separate
/// statements, so that they are not older than what the lock waited for.
pub(super) async fn rotate(
    transaction: &Transaction<'_>,
    id: SessionId,
    presented: Generation,
    by: Party,
) -> Result<Option<Rotation>, DatabaseError> {
    const USER_AND_TIME: &str = concat!(
        "SELECT ",
        user_columns!(),
        ", clock_ms() FROM users u \
         WHERE u.id = (SELECT user_id FROM sessions WHERE id = $1)"
    );

    let key = row::session_id(id);
    let found = transaction
        .rows_of_both((LOCK, &[&key]), (USER_AND_TIME, &[&key]))
        .await?;
    let waited = transaction.waited()?;
    let (Some(locked), Some(user_row)) = found else {
        transaction.wait_for_what_was_read().await?;
        return Ok(None);
    };
    let session = row::session(&locked, 0)?;
    let user = row::user(&user_row, 0)?;
    if !user.is_active {
        transaction.wait_for_what_was_read().await?;
        return Ok(None);
    }
    let arrival = row::moment(&user_row, row::USER_COLUMNS)?.minus(waited);
    let decision = decide(&session, presented, by, arrival);
    let session = match decision.apply(&session, presented, by, arrival) {
        Some(changed) => {
            transaction
                .execute_and_commit(
                    WRITE,
                    &[
                        &key,
                        &row::millis(changed.last_used),
                        &i64::from(changed.generation.0),
                        &changed.confirmed,
                        &i64::from(changed.epoch),
                        &Json(&changed.retired),
                        &changed.ended.map(row::end_code),
                        &Json(&changed.trail),
                    ],
                )
                .await?;
            changed
        }
        None => {
            transaction.wait_for_what_was_read().await?;
            session
        }
    };
    Ok(Some(Rotation {
        decision,
        session,
        owner: Owner::from(&user),
    }))
}

pub(super) async fn note_use(
    transaction: &Transaction<'_>,
    id: SessionId,
    generation: Generation,
    party: Option<Party>,
) -> Result<(), DatabaseError> {
    let found = locked(transaction, id).await?;
    match found.and_then(|session| session.after_use(generation, party)) {
        Some(after) => write(transaction, &after).await,
        None => Ok(()),
    }
}

/// The session, locked until the transaction ends.
async fn locked(
    transaction: &Transaction<'_>,
    id: SessionId,
) -> Result<Option<Session>, DatabaseError> {
    let found = transaction.row(LOCK, &[&row::session_id(id)]).await?;
    Ok(found.map(|found| row::session(&found, 0)).transpose()?)
}

async fn write(transaction: &Transaction<'_>, session: &Session) -> Result<(), DatabaseError> {
    transaction
        .execute(
            WRITE,
            &[
                &row::session_id(session.id),
                &row::millis(session.last_used),
                &i64::from(session.generation.0),
                &session.confirmed,
                &i64::from(session.epoch),
                &Json(&session.retired),
                &session.ended.map(row::end_code),
                &Json(&session.trail),
            ],
        )
        .await?;
    Ok(())
}

/// Renews a session of this user that has not ended. `None` if there is no such session.
pub(super) async fn renew(
    transaction: &Transaction<'_>,
    id: SessionId,
    user: UserId,
) -> Result<Option<Session>, DatabaseError> {
    let found = locked(transaction, id).await?;
    let Some(session) = found.filter(|s| s.user == user && s.ended.is_none()) else {
        return Ok(None);
    };
    let renewed = session.renewed();
    write(transaction, &renewed).await?;
    Ok(Some(renewed))
}

pub(super) async fn end(transaction: &Transaction<'_>, id: SessionId) -> Result<(), DatabaseError> {
    const DELETE: &str = "DELETE FROM sessions WHERE id = $1 AND ended IS NULL";
    let removed = transaction.execute(DELETE, &[&row::session_id(id)]).await?;
    if removed == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(())
}

pub(super) async fn end_of(
    transaction: &Transaction<'_>,
    user: UserId,
    id: SessionId,
) -> Result<bool, DatabaseError> {
    const DELETE: &str = "DELETE FROM sessions \
         WHERE id = $1 AND user_id = $2 AND ended IS NULL";
    let removed = transaction
        .execute(DELETE, &[&row::session_id(id), &row::user_id(user)])
        .await?;
    if removed == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(removed == 1)
}

pub(super) async fn end_all(
    transaction: &Transaction<'_>,
    user: UserId,
    keep: Option<SessionId>,
) -> Result<u64, DatabaseError> {
    const DELETE: &str = "DELETE FROM sessions \
         WHERE user_id = $1 AND ended IS NULL AND id IS DISTINCT FROM $2";
    let removed = transaction
        .execute(DELETE, &[&row::user_id(user), &keep.map(row::session_id)])
        .await?;
    if removed == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(removed)
}
