//! The writes about letters that wait to be sent.

use async_trait::async_trait;
use password_auth_model::{Letter, LetterId, Timestamp};

use super::SledStore;
use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::tables::{Placed, Table, read_moment, timed_key, unavailable};
use crate::{EmailQueue, StoreError};

#[async_trait]
impl EmailQueue for SledStore {
    async fn add_letter(&self, letter: Letter) -> Result<(), StoreError> {
        self.durable(move |tables| add(tables, &letter)).await
    }

    async fn claim_letter(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Letter>, StoreError> {
        self.relaxed(move |tables| claim(tables, now, until)).await
    }

    async fn next_letter_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.tables()?.next_letter_due()
    }

    async fn postpone_letter(&self, id: LetterId, due: Timestamp) -> Result<(), StoreError> {
        self.relaxed(move |tables| postpone(tables, id, due)).await
    }

    async fn remove_letter(&self, id: LetterId) -> Result<(), StoreError> {
        self.durable(move |tables| remove_one(tables, id)).await
    }
}

/// Puts a letter into the queue, unless the person whom it is about is gone.
pub(super) fn add(tables: &Tables, letter: &Letter) -> Result<(), StoreError> {
    if let Some(user) = letter.user
        && !tables.contains(Table::Users, user.as_bytes())?
    {
        return Ok(());
    }
    let mut batch = Batch::default();
    for (table, key, value) in entries(letter)? {
        batch.put(table, key, value);
    }
    batch.apply(tables)
}

pub(super) fn claim(
    tables: &Tables,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Letter>, StoreError> {
    let first = tables
        .tree(Table::LettersDue)
        .first()
        .map_err(unavailable)?;
    let Some((place, _)) = first else {
        return Ok(None);
    };
    let (due, id) = place.split_at_checked(8).unwrap_or_default();
    if read_moment(due).is_none_or(|due| due > now) {
        return Ok(None);
    }
    let Some(letter) = tables.record::<Letter>(Table::Letters, id)? else {
        return Err(StoreError::Corrupt("a letter that is not there".to_owned()));
    };
    let claimed = Letter {
        due: until,
        tries: letter.tries.saturating_add(1),
        ..letter.clone()
    };
    replace(tables, &letter, &claimed)?;
    Ok(Some(claimed))
}

pub(super) fn postpone(tables: &Tables, id: LetterId, due: Timestamp) -> Result<(), StoreError> {
    match tables.record::<Letter>(Table::Letters, id.as_bytes())? {
        Some(letter) => replace(
            tables,
            &letter,
            &Letter {
                due,
                ..letter.clone()
            },
        ),
        None => Ok(()),
    }
}

pub(super) fn remove_one(tables: &Tables, id: LetterId) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    if let Some(letter) = tables.record(Table::Letters, id.as_bytes())? {
        remove(&mut batch, &letter);
    }
    batch.apply(tables)
}

fn replace(tables: &Tables, before: &Letter, after: &Letter) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    remove(&mut batch, before);
    for (table, key, value) in entries(after)? {
        batch.put(table, key, value);
    }
    batch.apply(tables)
}

pub(super) fn remove(batch: &mut Batch, letter: &Letter) {
    let id = letter.id.as_bytes();
    batch.remove(Table::Letters, id);
    batch.remove(Table::LettersDue, &timed_key(letter.due, id));
}

/// What stands somewhere because of a letter.
pub(super) fn entries(letter: &Letter) -> Result<[Placed; 2], StoreError> {
    let id = letter.id.as_bytes();
    Ok([
        (Table::Letters, id.to_vec(), encode(letter)?),
        (
            Table::LettersDue,
            timed_key(letter.due, id).to_vec(),
            Vec::new(),
        ),
    ])
}
