//! Events.

use std::sync::Arc;

use async_trait::async_trait;
use password_auth_model::{Event, EventId, EventKind, SessionId, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::error::DatabaseError;
use super::reads::Reads;
use super::row::{self, get, moment};
use super::transact::{Transaction, work};
use crate::{EventStore, StoreError};

/// The columns that [`event`] reads.
macro_rules! event_columns {
    () => {
        "id, at, user_id, by_user, what, session_id, address, device"
    };
}

pub(super) use event_columns;

#[async_trait]
impl EventStore for PostgresStore {
    async fn add_event(&self, event: Event) -> Result<(), StoreError> {
        self.relaxed(work!(event; |t| add(t, &event))).await
    }

    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let reads = Arc::clone(&self.long_reads);
        let reading = async move { latest(&reads, user, before, limit).await };
        self.gate.run(reading).await
    }
}

/// Removes events of class `$9` of user `$3` after the latest `$10`: usually one, but several at a time if older
/// versions have added more. Skips rows that another node is removing.
macro_rules! forget_surplus {
    () => {
        "DELETE FROM events WHERE id = ANY (ARRAY( \
             SELECT id FROM events WHERE id = ANY (ARRAY( \
                 SELECT id FROM events WHERE user_id = $3 AND class = $9 \
                  ORDER BY id DESC OFFSET $10 LIMIT 16)) \
              FOR UPDATE SKIP LOCKED))"
    };
}

pub(super) async fn add(transaction: &Transaction<'_>, event: &Event) -> Result<(), DatabaseError> {
    // For a deleted user, only the event of the deletion is added. The user's row is locked for share, so that a
    // deletion comes before or after.
    const INSERT: &str = concat!(
        "WITH added AS (INSERT INTO events (",
        event_columns!(),
        ", class) SELECT $1::uuid, $2::bigint, u.id, $4::uuid, $5::jsonb, $6::uuid, $7::text, $8::text, $9::smallint \
         FROM users u WHERE u.id = $3 FOR KEY SHARE) ",
        forget_surplus!()
    );
    const LAST: &str = concat!(
        "WITH added AS (INSERT INTO events (",
        event_columns!(),
        ", class) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)) ",
        forget_surplus!()
    );
    let class = event.what.class();
    // Together with the added event, which the same statement does not see.
    let others = i64::try_from(class.room()).unwrap_or(i64::MAX) - 1;
    let insert = match event.what {
        EventKind::Deleted => LAST,
        _ => INSERT,
    };
    transaction
        .execute(
            insert,
            &[
                &Uuid::from_bytes(*event.id.as_bytes()),
                &row::millis(event.at),
                &row::user_id(event.user),
                &event.by.map(row::user_id),
                &Json(event.what),
                &event.session.map(row::session_id),
                &event.address,
                &event.device,
                &i16::from(class.number()),
                &others,
            ],
        )
        .await?;
    Ok(())
}

pub(super) async fn latest(
    reads: &Reads,
    user: Option<UserId>,
    before: Option<EventId>,
    limit: u32,
) -> Result<Vec<Event>, StoreError> {
    const ALL: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE id < $1 ORDER BY id DESC LIMIT $2"
    );
    const OF_USER: &str = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events WHERE id < $1 AND user_id = $3 ORDER BY id DESC LIMIT $2"
    );
    let before = before.map_or(Uuid::max(), |id| Uuid::from_bytes(*id.as_bytes()));
    let limit = i64::from(limit);
    let found = match user {
        None => reads.rows(ALL, &[&before, &limit]).await?,
        Some(user) => {
            reads
                .rows(OF_USER, &[&before, &limit, &row::user_id(user)])
                .await?
        }
    };
    found.iter().map(event).collect()
}

pub(super) fn event(row: &Row) -> Result<Event, StoreError> {
    let Json(what) = get(row, 4)?;
    Ok(Event {
        id: EventId::from_bytes(get::<Uuid>(row, 0)?.into_bytes()),
        at: moment(row, 1)?,
        user: UserId::from_bytes(get::<Uuid>(row, 2)?.into_bytes()),
        by: get::<Option<Uuid>>(row, 3)?.map(|id| UserId::from_bytes(id.into_bytes())),
        what,
        session: get::<Option<Uuid>>(row, 5)?.map(|id| SessionId::from_bytes(id.into_bytes())),
        address: get(row, 6)?,
        device: get(row, 7)?,
    })
}
