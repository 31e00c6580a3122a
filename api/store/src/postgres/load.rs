//! Loads a dump into an empty database, in one transaction.

use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;

use super::connect::{Connection, Connector, Purpose};
use super::copy::{CopyTarget, write};
use super::error::{DatabaseError, describe};
use crate::{LoadError, Loaded, Records, StoreError};

/// All tables. The table that others reference comes first.
macro_rules! tables {
    () => {
        "users, sessions, sign_in_attempts, one_time_tokens, events, letters, factors, token_keys, invites"
    };
}

pub(super) async fn load(connector: &Connector, records: Records) -> Result<Loaded, LoadError> {
    const ALONE: &str = concat!(
        "BEGIN; SET LOCAL lock_timeout = '5s'; LOCK TABLE ",
        tables!(),
        " IN ACCESS EXCLUSIVE MODE"
    );
    const IS_EMPTY: &str = "SELECT NOT EXISTS (SELECT FROM users) AND NOT EXISTS (SELECT FROM sessions) \
         AND NOT EXISTS (SELECT FROM sign_in_attempts) AND NOT EXISTS (SELECT FROM one_time_tokens) \
         AND NOT EXISTS (SELECT FROM events) AND NOT EXISTS (SELECT FROM letters) \
         AND NOT EXISTS (SELECT FROM factors) AND NOT EXISTS (SELECT FROM token_keys) \
         AND NOT EXISTS (SELECT FROM invites)";
    const ANALYZE: &str = concat!("ANALYZE ", tables!());
    // If anything fails, the transaction ends with its connection.
    let connection = connector
        .connect(Purpose::Bulk)
        .await
        .map_err(|why| StoreError::from(DatabaseError::Unreachable(why)))?;
    connection
        .client
        .batch_execute(ALONE)
        .await
        .map_err(failed)?;
    let is_empty = connection.row(IS_EMPTY, &[]).await.map_err(failed)?;
    if !is_empty.is_some_and(|row| row.get(0)) {
        return Err(LoadError::NotEmpty);
    }
    let loaded = copy_all(&connection, records).await?;
    connection.take_warning();
    connection
        .client
        .batch_execute("COMMIT")
        .await
        .map_err(failed)?;
    if connection.take_warning() {
        return Err(LoadError::Store(StoreError::Unavailable(
            "the commit was not confirmed by the standby".to_owned(),
        )));
    }
    // Update the planner's statistics for the first queries.
    connection
        .client
        .batch_execute(ANALYZE)
        .await
        .map_err(failed)?;
    Ok(loaded)
}

type Copy = Pin<Box<BinaryCopyInWriter>>;

/// One COPY per table.
async fn copy_all(connection: &Connection, mut records: Records) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    let mut under_way: Option<(CopyTarget, Copy)> = None;
    while let Some(batch) = records.try_next().await.map_err(LoadError::Records)? {
        for record in &batch {
            let table = CopyTarget::of(record);
            let mut copy = match under_way.take() {
                Some((same, copy)) if same == table => copy,
                other => {
                    finish(other).await?;
                    begin(connection, table).await.map_err(failed)?
                }
            };
            write(copy.as_mut(), record).await.map_err(failed)?;
            loaded.count(record);
            under_way = Some((table, copy));
        }
    }
    finish(under_way).await?;
    Ok(loaded)
}

async fn begin(connection: &Connection, table: CopyTarget) -> Result<Copy, tokio_postgres::Error> {
    let (sql, types) = table.copy();
    let sink = connection.client.copy_in(sql).await?;
    Ok(Box::pin(BinaryCopyInWriter::new(sink, types)))
}

async fn finish(copy: Option<(CopyTarget, Copy)>) -> Result<(), LoadError> {
    if let Some((_, mut copy)) = copy {
        copy.as_mut().finish().await.map_err(failed)?;
    }
    Ok(())
}

/// The records may violate a constraint of the schema, such as a unique name or the user of a session.
fn failed(error: tokio_postgres::Error) -> LoadError {
    let contradicts = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::FOREIGN_KEY_VIOLATION,
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
    ];
    if error.code().is_some_and(|code| contradicts.contains(code)) {
        return LoadError::Contradiction(describe(&error));
    }
    LoadError::Store(DatabaseError::Database(error).into())
}
