//! The store's snapshot (see `snapshot`) as a stream of records. Each step is read on the writing thread and decoded
//! outside of it. The next step is read when the stream is polled, so that a slow reader delays nobody.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use password_auth_model::UserId;
use sled::IVec;

use super::codec::decode;
use super::opened::Tables;
use super::snapshot::{Chunk, Reader, STEP, Section};
use super::trees::read_moment;
use super::writer::{Durability, Writer};
use super::{SledStore, deletion, load};
use crate::{Backup, LoadError, Loaded, Record, Records, StoreError};

#[async_trait]
impl Backup for SledStore {
    async fn dump(&self) -> Result<Records, StoreError> {
        dump(self).await
    }

    async fn load(&self, records: Records) -> Result<Loaded, LoadError> {
        load::load(self, records).await
    }
}

/// The pause before the next attempt while the write queue is full. There is no event for when there is room.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn dump(store: &SledStore) -> Result<Records, StoreError> {
    let reader = Arc::new(Reader::new(Arc::clone(&store.tables.snapshot)));
    // The backup does not contain unfinished deletions, so they are finished first.
    while let Some(user) = take(store, &reader).await? {
        store
            .durable(move |tables| deletion::proceed(tables, user))
            .await?;
    }
    let start = Some((Arc::clone(&store.writer), reader));
    Ok(Box::pin(stream::try_unfold(start, async |state| {
        let Some((writer, reader)) = state else {
            return Ok(None);
        };
        let part = next(&writer).await?;
        let records = part
            .records
            .into_iter()
            .filter_map(|(section, key, value)| record(section, &key, &value).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Some((records, (!part.last).then_some((writer, reader)))))
    })))
}

/// Takes the snapshot. If the deletion of a user is not finished, returns that user instead.
async fn take(store: &SledStore, reader: &Arc<Reader>) -> Result<Option<UserId>, StoreError> {
    let held_by = Arc::downgrade(reader);
    let look = move |tables: &Tables| {
        let unfinished = deletion::unfinished(tables)?;
        if unfinished.is_none() {
            tables.snapshot.take(held_by)?;
        }
        Ok(unfinished)
    };
    store.writer.run(Durability::Unchanged, look).await
}

async fn next(writer: &Writer) -> Result<Chunk, StoreError> {
    loop {
        let step = |tables: &Tables| tables.snapshot.next(&tables.trees, STEP);
        match writer.run(Durability::Unchanged, step).await {
            Err(StoreError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            part => return part,
        }
    }
}

/// `None` for an attempt counter that cannot be read. It has no effect, and the next sweep removes it.
fn record(section: Section, key: &[u8], value: &IVec) -> Result<Option<Record>, StoreError> {
    let record = match section {
        Section::Users => Record::User(decode(value)?),
        Section::Sessions => Record::Session(decode(value)?),
        Section::Attempts => {
            let (Ok(key), Some(until)) = (key.try_into(), read_moment(value)) else {
                return Ok(None);
            };
            Record::Attempt { key, until }
        }
        Section::Tokens => Record::OneTimeToken(decode(value)?),
        Section::Events => Record::Event(decode(value)?),
        Section::QueuedEmails => Record::QueuedEmail(decode(value)?),
        Section::Factors => Record::Factors(decode(value)?),
        Section::TokenKeys => Record::TokenKey(decode(value)?),
        Section::Invites => Record::Invite(decode(value)?),
    };
    Ok(Some(record))
}
