//! Queued mail. Nodes that claim at the same time get different mails.

use async_trait::async_trait;
use password_auth_model::{EmailAddress, QueuedEmail, QueuedEmailId, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::error::DatabaseError;
use super::reads::Reads;
use super::row::{self, count, get, moment};
use super::transact::{Transaction, work};
use crate::{EmailQueue, StoreError};

/// The columns that [`queued_email`] reads.
macro_rules! email_columns {
    () => {
        "id, created_at, due_at, tries, recipient, user_id, about"
    };
}

pub(super) use email_columns;

#[async_trait]
impl EmailQueue for PostgresStore {
    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError> {
        self.durable(work!(queued_email; |t| add(t, &queued_email)))
            .await
    }

    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError> {
        let lease = i64::try_from(until.since(now).as_millis()).unwrap_or(i64::MAX);
        self.relaxed(work!(; |t| claim(t, lease))).await
    }

    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError> {
        next_due(&self.reads).await
    }

    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError> {
        self.relaxed(work!(; |t| postpone(t, id, due))).await
    }

    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError> {
        self.durable(work!(; |t| remove(t, id))).await
    }
}

pub(super) async fn add(
    transaction: &Transaction<'_>,
    queued_email: &QueuedEmail,
) -> Result<(), DatabaseError> {
    // Nothing is queued about a user who does not exist.
    const INSERT: &str = concat!(
        "INSERT INTO letters (",
        email_columns!(),
        ", recipient_key) SELECT $1::uuid, $2::bigint, $3::bigint, $4::bigint, $5::text, $6::uuid, \
         $7::jsonb, $8::text \
         WHERE $6::uuid IS NULL OR EXISTS (SELECT FROM users WHERE id = $6 FOR KEY SHARE)"
    );
    transaction
        .execute(
            INSERT,
            &[
                &id(queued_email.id),
                &row::millis(queued_email.created),
                &row::millis(queued_email.due),
                &i64::from(queued_email.tries),
                &queued_email.to.as_str(),
                &queued_email.user.map(row::user_id),
                &Json(queued_email.kind),
                &queued_email.to.key().as_str(),
            ],
        )
        .await?;
    Ok(())
}

/// Claims the mail that has been due longest, for `lease` milliseconds. Skips mails that another node is claiming.
pub(super) async fn claim(
    transaction: &Transaction<'_>,
    lease: i64,
) -> Result<Option<QueuedEmail>, DatabaseError> {
    const UPDATE: &str = concat!(
        "UPDATE letters SET due_at = clock_ms() + $1, tries = tries + 1 WHERE id = \
         (SELECT id FROM letters WHERE due_at <= clock_ms() ORDER BY due_at, id LIMIT 1 \
          FOR UPDATE SKIP LOCKED) RETURNING ",
        email_columns!()
    );
    let found = transaction.row(UPDATE, &[&lease]).await?;
    Ok(found.map(|found| queued_email(&found)).transpose()?)
}

pub(super) async fn next_due(reads: &Reads) -> Result<Option<Timestamp>, StoreError> {
    const SELECT: &str = "SELECT due_at FROM letters ORDER BY due_at LIMIT 1";
    let found = reads.row(SELECT, &[]).await?;
    found.map(|found| moment(&found, 0)).transpose()
}

pub(super) async fn postpone(
    transaction: &Transaction<'_>,
    queued_email: QueuedEmailId,
    due: Timestamp,
) -> Result<(), DatabaseError> {
    const UPDATE: &str = "UPDATE letters SET due_at = $2 WHERE id = $1";
    transaction
        .execute(UPDATE, &[&id(queued_email), &row::millis(due)])
        .await?;
    Ok(())
}

pub(super) async fn remove(
    transaction: &Transaction<'_>,
    queued_email: QueuedEmailId,
) -> Result<(), DatabaseError> {
    const DELETE: &str = "DELETE FROM letters WHERE id = $1";
    if transaction.execute(DELETE, &[&id(queued_email)]).await? == 0 {
        transaction.wait_for_what_was_read().await?;
    }
    Ok(())
}

pub(super) fn queued_email(row: &Row) -> Result<QueuedEmail, StoreError> {
    let Json(kind) = get(row, 6)?;
    Ok(QueuedEmail {
        id: QueuedEmailId::from_bytes(get::<Uuid>(row, 0)?.into_bytes()),
        created: moment(row, 1)?,
        due: moment(row, 2)?,
        tries: count(row, 3)?,
        to: EmailAddress::from_store(get(row, 4)?),
        user: get::<Option<Uuid>>(row, 5)?.map(|id| UserId::from_bytes(id.into_bytes())),
        kind,
    })
}

const fn id(id: QueuedEmailId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}
