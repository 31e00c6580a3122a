//! Reads everything in one snapshot: `REPEATABLE READ` shows the moment of its first statement, whatever is written
//! meanwhile.

use std::pin::pin;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_postgres::Row;

use super::connect::{Connection, Connector, Purpose};
use super::email_queue::{self, email_columns};
use super::error::DatabaseError;
use super::events::{self, event_columns};
use super::factors;
use super::invites::{self, invite_columns};
use super::row::{self, get, moment, session_columns, user_columns};
use super::token_keys::{self, token_key_columns};
use super::tokens::{self, token_columns};
use super::{PostgresStore, load};
use crate::{Backup, LoadError, Loaded, Record, Records, StoreError};

#[async_trait]
impl Backup for PostgresStore {
    async fn dump(&self) -> Result<Records, StoreError> {
        dump(self.reads.connector()?).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self.reads.connector()?, records).await
    }
}

/// Records per batch.
const BATCH: usize = 1024;
/// Batches that are read ahead.
const AHEAD: usize = 2;

/// A number that no other program in the database is likely to use for an advisory lock.
const LOCK: i64 = 0x7061_7373_6475_6d70;

const USERS: &str = concat!("SELECT ", user_columns!(), " FROM users u ORDER BY u.id");
const SESSIONS: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s ORDER BY s.id"
);
const ATTEMPTS: &str = "SELECT key, until FROM sign_in_attempts ORDER BY key";

const TOKENS: &str = concat!(
    "SELECT ",
    token_columns!(),
    " FROM one_time_tokens t ORDER BY t.hash"
);
const EVENTS: &str = concat!("SELECT ", event_columns!(), " FROM events ORDER BY id");
const EMAILS: &str = concat!("SELECT ", email_columns!(), " FROM letters ORDER BY id");
const FACTORS: &str = "SELECT body FROM factors ORDER BY user_id";
const INVITES: &str = concat!("SELECT ", invite_columns!(), " FROM invites ORDER BY id");
const TOKEN_KEYS: &str = concat!(
    "SELECT ",
    token_key_columns!(),
    " FROM token_keys ORDER BY salt"
);

type Batches = mpsc::Sender<Result<Vec<Record>, StoreError>>;

pub(super) async fn dump(connector: &Connector) -> Result<Records, StoreError> {
    // The lock ends with the connection, if not before.
    const ONE_AT_A_TIME: &str = "SELECT pg_try_advisory_lock($1)";
    const UNLOCK: &str = "SELECT pg_advisory_unlock($1)";
    const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let connection = connector
        .connect(Purpose::Bulk)
        .await
        .map_err(DatabaseError::Unreachable)?;
    let begun = async {
        let locked = connection.row(ONE_AT_A_TIME, &[&LOCK]).await?;
        connection.client.batch_execute(SNAPSHOT).await?;
        Ok::<_, DatabaseError>(locked.is_some_and(|row| row.get(0)))
    };
    if !begun.await? {
        return Err(StoreError::Busy);
    }
    let (batches, received) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let read = async {
            read_all(&connection, &batches).await?;
            // Before the reader learns that this was all: the server may see later that the connection has ended.
            connection.row(UNLOCK, &[&LOCK]).await?;
            Ok::<_, DatabaseError>(())
        };
        let ended = tokio::select! {
            // The reader has gone.
            () = batches.closed() => return connection.hang_up(),
            ended = read => ended,
        };
        if let Err(failure) = ended {
            batches.send(Err(failure.into())).await.ok();
        }
    });
    Ok(Box::pin(stream::unfold(received, |mut received| async {
        Some((received.recv().await?, received))
    })))
}

async fn read_all(connection: &Connection, batches: &Batches) -> Result<(), DatabaseError> {
    read(connection, batches, USERS, |found| {
        row::user(found, 0).map(Record::User)
    })
    .await?;
    read(connection, batches, SESSIONS, |found| {
        row::session(found, 0).map(Record::Session)
    })
    .await?;
    read(connection, batches, ATTEMPTS, |found| {
        let key = get::<&[u8]>(found, 0)?.try_into();
        Ok(Record::Attempt {
            key: key.map_err(|_| StoreError::Corrupt("a key of another length".to_owned()))?,
            until: moment(found, 1)?,
        })
    })
    .await?;
    read(connection, batches, TOKENS, |found| {
        tokens::one_time_token(found, 0).map(Record::OneTimeToken)
    })
    .await?;
    read(connection, batches, EVENTS, |found| {
        events::event(found).map(Record::Event)
    })
    .await?;
    read(connection, batches, EMAILS, |found| {
        email_queue::queued_email(found).map(Record::QueuedEmail)
    })
    .await?;
    read(connection, batches, FACTORS, |found| {
        factors::factors(found).map(Record::Factors)
    })
    .await?;
    read(connection, batches, TOKEN_KEYS, |found| {
        token_keys::token_key(found).map(Record::TokenKey)
    })
    .await?;
    read(connection, batches, INVITES, |found| {
        invites::invite(found).map(Record::Invite)
    })
    .await
}

async fn read(
    connection: &Connection,
    batches: &Batches,
    sql: &'static str,
    record: impl Fn(&Row) -> Result<Record, StoreError>,
) -> Result<(), DatabaseError> {
    let rows = connection
        .client
        .query_raw(sql, Vec::<i64>::new())
        .await?
        .map_err(DatabaseError::from)
        .map(|found| Ok::<_, DatabaseError>(record(&found?)?))
        .try_chunks(BATCH)
        .map_err(|error| error.1);
    let mut rows = pin!(rows);
    while let Some(batch) = rows.try_next().await? {
        batches.send(Ok(batch)).await.ok();
    }
    Ok(())
}
