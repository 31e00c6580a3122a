//! Invitations.

use std::sync::Arc;

use async_trait::async_trait;
use password_auth_model::{EmailAddress, EmailKey, Invite, InviteId, Timestamp, TokenHash, User};
use tokio_postgres::Row;
use uuid::Uuid;

use super::error::DatabaseError;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use super::{PostgresStore, users};
use crate::{CreateInvited, CreateUser, InviteStore, StoreError};

/// The columns that [`invite`] reads.
macro_rules! invite_columns {
    () => {
        "id, hashes, email, role, created_at, expires_at"
    };
}

pub(super) use invite_columns;

#[async_trait]
impl InviteStore for PostgresStore {
    async fn add_invite(&self, invite: Invite) -> Result<(), StoreError> {
        self.durable(work!(invite; |t| add(t, &invite))).await
    }

    async fn invite(
        &self,
        token: &TokenHash,
        _now: Timestamp,
    ) -> Result<Option<Invite>, StoreError> {
        const SELECT: &str = concat!(
            "SELECT ",
            invite_columns!(),
            " FROM invites WHERE hashes @> ARRAY[$1::bytea] AND expires_at > (SELECT clock_ms())"
        );
        let found = self.reads.row(SELECT, &[&&token.as_bytes()[..]]).await?;
        found.map(|found| invite(&found)).transpose()
    }

    async fn invites(
        &self,
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        const SELECT: &str = concat!(
            "SELECT ",
            invite_columns!(),
            " FROM invites WHERE id > $1 ORDER BY id LIMIT $2"
        );
        let reads = Arc::clone(&self.long_reads);
        let after = after.map_or(Uuid::nil(), |id| Uuid::from_bytes(*id.as_bytes()));
        let reading = async move {
            let rows = reads.rows(SELECT, &[&after, &i64::from(limit)]).await?;
            rows.iter().map(invite).collect()
        };
        self.gate.run(reading).await
    }

    async fn add_invite_token(
        &self,
        email: &EmailKey,
        token: TokenHash,
        _now: Timestamp,
    ) -> Result<Option<Invite>, StoreError> {
        let email = email.clone();
        self.durable(work!(email; |t| add_token(t, &email, token)))
            .await
    }

    async fn remove_invite(&self, id: InviteId) -> Result<bool, StoreError> {
        self.durable(work!(; |t| remove(t, id))).await
    }

    async fn create_invited_user(
        &self,
        user: User,
        token: &TokenHash,
        _now: Timestamp,
    ) -> Result<CreateInvited, StoreError> {
        let token = *token;
        self.durable(work!(user; |t| create_user(t, &user, &token)))
            .await
    }
}

pub(super) fn invite(row: &Row) -> Result<Invite, StoreError> {
    let hashes: Vec<&[u8]> = get(row, 1)?;
    let hashes = hashes.into_iter().map(|hash| {
        let hash = hash.try_into().map(TokenHash::from_bytes);
        hash.map_err(|_| StoreError::Corrupt("a hash of another length".to_owned()))
    });
    let role: &str = get(row, 3)?;
    Ok(Invite {
        id: InviteId::from_bytes(get::<Uuid>(row, 0)?.into_bytes()),
        hashes: hashes.collect::<Result<_, _>>()?,
        email: get::<Option<String>>(row, 2)?.map(EmailAddress::from_store),
        role: role
            .parse()
            .map_err(|_| StoreError::Corrupt("an unknown role".to_owned()))?,
        created: moment(row, 4)?,
        expires: moment(row, 5)?,
    })
}

/// Its hashes as they are stored.
pub(super) fn hashes(invite: &Invite) -> Vec<&[u8]> {
    let hashes = invite.hashes.iter();
    hashes.map(|hash| &hash.as_bytes()[..]).collect()
}

async fn add(transaction: &Transaction<'_>, invite: &Invite) -> Result<(), DatabaseError> {
    const INSERT: &str = "INSERT INTO invites \
         (id, hashes, email, email_key, role, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let key = invite.email.as_ref().map(EmailAddress::key);
    transaction
        .execute(
            INSERT,
            &[
                &Uuid::from_bytes(*invite.id.as_bytes()),
                &hashes(invite),
                &invite.email.as_ref().map(EmailAddress::as_str),
                &key.as_ref().map(EmailKey::as_str),
                &invite.role.as_str(),
                &row::millis(invite.created),
                &row::millis(invite.expires),
            ],
        )
        .await?;
    Ok(())
}

async fn add_token(
    transaction: &Transaction<'_>,
    email: &EmailKey,
    token: TokenHash,
) -> Result<Option<Invite>, DatabaseError> {
    const SELECT: &str = concat!(
        "SELECT ",
        invite_columns!(),
        " FROM invites WHERE email_key = $1 AND expires_at > (SELECT clock_ms()) \
         ORDER BY id DESC LIMIT 1 FOR UPDATE"
    );
    const UPDATE: &str = "UPDATE invites SET hashes = $2 WHERE id = $1";
    let Some(found) = transaction.row(SELECT, &[&email.as_str()]).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(None);
    };
    let invite = invite(&found)?.with_token(token);
    let id = Uuid::from_bytes(*invite.id.as_bytes());
    transaction
        .execute(UPDATE, &[&id, &hashes(&invite)])
        .await?;
    Ok(Some(invite))
}

async fn remove(transaction: &Transaction<'_>, id: InviteId) -> Result<bool, DatabaseError> {
    const DELETE: &str = "DELETE FROM invites WHERE id = $1";
    let id = Uuid::from_bytes(*id.as_bytes());
    let removed = transaction.execute(DELETE, &[&id]).await?;
    if removed == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(removed == 1)
}

/// The invitation is locked first, so that of two who use it at once the second finds it gone.
async fn create_user(
    transaction: &Transaction<'_>,
    user: &User,
    token: &TokenHash,
) -> Result<CreateInvited, DatabaseError> {
    const LOCK: &str = "SELECT id FROM invites \
         WHERE hashes @> ARRAY[$1::bytea] AND expires_at > (SELECT clock_ms()) FOR UPDATE";
    let token = &token.as_bytes()[..];
    let Some(found) = transaction.row(LOCK, &[&token]).await? else {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateInvited::Uninvited);
    };
    let created = users::create(transaction, user).await?;
    if created == CreateUser::Created {
        let id = InviteId::from_bytes(get::<Uuid>(&found, 0)?.into_bytes());
        remove(transaction, id).await?;
    }
    Ok(CreateInvited::Invited(created))
}
