//! Invitations.

use std::sync::Arc;

use async_trait::async_trait;
use password_auth_model::{
    EmailAddress, EmailKey, Invite, InviteId, Timestamp, TokenHash, User, UserId,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::error::DatabaseError;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use super::{PostgresStore, locks, users};
use crate::{CreateInvited, CreateUser, InviteStore, StoreError};

/// The columns that [`invite`] reads.
macro_rules! invite_columns {
    () => {
        "id, hashes, email, role, created_at, expires_at, invited_by"
    };
}

pub(super) use invite_columns;

/// [`Invite::is_valid`], in SQL.
macro_rules! is_valid {
    () => {
        "expires_at > (SELECT clock_ms()) AND (invited_by IS NULL OR EXISTS ( \
         SELECT FROM users WHERE users.id = invited_by AND users.role = 'admin' AND users.is_active))"
    };
}

/// Materialized: otherwise, PostgreSQL would rather go through all that have not expired, by the index of their end.
const OF_TOKEN: &str = concat!(
    "WITH found AS MATERIALIZED (SELECT * FROM invites WHERE hashes @> ARRAY[$1::bytea]) SELECT ",
    invite_columns!(),
    " FROM found WHERE ",
    is_valid!()
);

#[async_trait]
impl InviteStore for PostgresStore {
    async fn add_invite(&self, invite: Invite) -> Result<bool, StoreError> {
        self.durable(work!(invite; |t| add(t, &invite))).await
    }

    async fn invite(
        &self,
        token: &TokenHash,
        _now: Timestamp,
    ) -> Result<Option<Invite>, StoreError> {
        let found = self.reads.row(OF_TOKEN, &[&&token.as_bytes()[..]]).await?;
        found.map(|found| invite(&found)).transpose()
    }

    async fn invites(
        &self,
        by: Option<UserId>,
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        const ALL: &str = concat!(
            "SELECT ",
            invite_columns!(),
            " FROM invites WHERE id > $1 ORDER BY id LIMIT $2"
        );
        const THEIRS: &str = concat!(
            "SELECT ",
            invite_columns!(),
            " FROM invites WHERE id > $1 AND invited_by = $3 ORDER BY id LIMIT $2"
        );
        let reads = Arc::clone(&self.long_reads);
        let after = after.map_or(Uuid::nil(), |id| Uuid::from_bytes(*id.as_bytes()));
        let reading = async move {
            let limit = i64::from(limit);
            let rows = match by {
                None => reads.rows(ALL, &[&after, &limit]).await?,
                Some(by) => {
                    let by = row::user_id(by);
                    reads.rows(THEIRS, &[&after, &limit, &by]).await?
                }
            };
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
        by: get::<Option<Uuid>>(row, 6)?.map(|by| UserId::from_bytes(by.into_bytes())),
    })
}

/// Its hashes as they are stored.
pub(super) fn hashes(invite: &Invite) -> Vec<&[u8]> {
    let hashes = invite.hashes.iter();
    hashes.map(|hash| &hash.as_bytes()[..]).collect()
}

async fn add(transaction: &Transaction<'_>, invite: &Invite) -> Result<bool, DatabaseError> {
    const INSERT: &str = "INSERT INTO invites \
         (id, hashes, email, email_key, role, created_at, expires_at, invited_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let inviter = inviter(transaction, invite.by).await?;
    if !invite.is_valid(inviter.as_ref(), invite.created) {
        transaction.wait_for_what_was_read().await?;
        return Ok(false);
    }
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
                &invite.by.map(row::user_id),
            ],
        )
        .await?;
    Ok(true)
}

/// Who made the invitation. They stay as they are until the transaction ends. A transaction that locks both has this
/// lock before that of the invitation, as a deletion has.
async fn inviter(
    transaction: &Transaction<'_>,
    by: Option<UserId>,
) -> Result<Option<User>, DatabaseError> {
    match by {
        None => Ok(None),
        Some(by) => locks::shared_user(transaction, by).await,
    }
}

async fn add_token(
    transaction: &Transaction<'_>,
    email: &EmailKey,
    token: TokenHash,
) -> Result<Option<Invite>, DatabaseError> {
    const SELECT: &str = concat!(
        "SELECT ",
        invite_columns!(),
        " FROM invites WHERE email_key = $1 AND ",
        is_valid!(),
        " ORDER BY id DESC LIMIT 1 FOR UPDATE OF invites"
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

/// The invitation is locked, so that of two who use it at once the second finds it gone.
async fn create_user(
    transaction: &Transaction<'_>,
    user: &User,
    token: &TokenHash,
) -> Result<CreateInvited, DatabaseError> {
    const INVITER: &str = "SELECT invited_by FROM invites WHERE hashes @> ARRAY[$1::bytea]";
    const LOCK: &str = concat!(
        "SELECT ",
        invite_columns!(),
        ", clock_ms() FROM invites WHERE hashes @> ARRAY[$1::bytea] FOR UPDATE"
    );
    let token = &token.as_bytes()[..];
    // Who made an invitation does not change.
    let by = match transaction.row(INVITER, &[&token]).await? {
        Some(found) => get::<Option<Uuid>>(&found, 0)?,
        None => None,
    };
    let by = by.map(|by| UserId::from_bytes(by.into_bytes()));
    let inviter = inviter(transaction, by).await?;
    let valid = match transaction.row(LOCK, &[&token]).await? {
        Some(found) => {
            let (invite, now) = (invite(&found)?, moment(&found, 7)?);
            Some(invite).filter(|invite| invite.is_valid(inviter.as_ref(), now))
        }
        None => None,
    };
    let Some(invite) = valid else {
        transaction.wait_for_what_was_read().await?;
        return Ok(CreateInvited::Uninvited);
    };
    let created = users::create(transaction, user).await?;
    if created == CreateUser::Created {
        remove(transaction, invite.id).await?;
    }
    Ok(CreateInvited::Invited(created))
}

#[cfg(test)]
mod tests {
    use super::super::connect::Purpose;
    use super::super::plans::FilledDatabase;
    use super::OF_TOKEN;

    #[tokio::test]
    async fn the_invitation_of_a_token_is_found_by_its_index_and_nothing_is_compiled_for_it() {
        const MANY: &str = "INSERT INTO invites (id, hashes, role, created_at, expires_at) \
             SELECT gen_random_uuid(), ARRAY[sha256(number::text::bytea)], 'user', 0, 4000000000000 \
               FROM generate_series(1, 20000) number";
        let database = FilledDatabase::with(MANY).await;
        let plan = database
            .plan(Purpose::Reads.settings(), OF_TOKEN, "''")
            .await;
        assert!(plan.contains("invites_by_token"), "{plan}");
        for part in ["invites_by_expiry", "Seq Scan", "JIT"] {
            assert!(!plan.contains(part), "{part}: {plan}");
        }
    }
}
