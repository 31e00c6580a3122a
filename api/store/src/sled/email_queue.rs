//! Writes about queued mail.

use async_trait::async_trait;
use password_auth_model::{QueuedEmail, QueuedEmailId, Timestamp};

use super::SledStore;
use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, read_moment, timed_key, unavailable};
use crate::{EmailQueue, StoreError};

#[async_trait]
impl EmailQueue for SledStore {
    async fn enqueue_email(&self, queued_email: QueuedEmail) -> Result<(), StoreError> {
        self.durable(move |tables| add(tables, &queued_email)).await
    }

    async fn claim_email(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<QueuedEmail>, StoreError> {
        self.relaxed(move |tables| claim(tables, now, until)).await
    }

    async fn next_email_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.tables()?.next_email_due()
    }

    async fn postpone_email(&self, id: QueuedEmailId, due: Timestamp) -> Result<(), StoreError> {
        self.relaxed(move |tables| postpone(tables, id, due)).await
    }

    async fn remove_email(&self, id: QueuedEmailId) -> Result<(), StoreError> {
        self.durable(move |tables| remove_one(tables, id)).await
    }
}

/// Adds a mail to the queue, unless the user that it is about does not exist.
pub(super) fn add(tables: &Tables, queued_email: &QueuedEmail) -> Result<(), StoreError> {
    if let Some(user) = queued_email.user
        && !tables.contains(Tree::Users, user.as_bytes())?
    {
        return Ok(());
    }
    let mut batch = Batch::default();
    for (tree, key, value) in entries(queued_email)? {
        batch.put(tree, key, value);
    }
    batch.apply(tables)
}

pub(super) fn claim(
    tables: &Tables,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<QueuedEmail>, StoreError> {
    let first = tables
        .tree(Tree::QueuedEmailsDue)
        .first()
        .map_err(unavailable)?;
    let Some((place, _)) = first else {
        return Ok(None);
    };
    let (due, id) = place.split_at_checked(8).unwrap_or_default();
    if read_moment(due).is_none_or(|due| due > now) {
        return Ok(None);
    }
    let Some(queued_email) = tables.record::<QueuedEmail>(Tree::QueuedEmails, id)? else {
        return Err(StoreError::Corrupt("a mail that is not there".to_owned()));
    };
    let claimed = QueuedEmail {
        due: until,
        tries: queued_email.tries.saturating_add(1),
        ..queued_email.clone()
    };
    replace(tables, &queued_email, &claimed)?;
    Ok(Some(claimed))
}

pub(super) fn postpone(
    tables: &Tables,
    id: QueuedEmailId,
    due: Timestamp,
) -> Result<(), StoreError> {
    match tables.record::<QueuedEmail>(Tree::QueuedEmails, id.as_bytes())? {
        Some(queued_email) => replace(
            tables,
            &queued_email,
            &QueuedEmail {
                due,
                ..queued_email.clone()
            },
        ),
        None => Ok(()),
    }
}

pub(super) fn remove_one(tables: &Tables, id: QueuedEmailId) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    if let Some(queued_email) = tables.record(Tree::QueuedEmails, id.as_bytes())? {
        remove(&mut batch, &queued_email);
    }
    batch.apply(tables)
}

fn replace(tables: &Tables, before: &QueuedEmail, after: &QueuedEmail) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    remove(&mut batch, before);
    for (tree, key, value) in entries(after)? {
        batch.put(tree, key, value);
    }
    batch.apply(tables)
}

pub(super) fn remove(batch: &mut Batch, queued_email: &QueuedEmail) {
    let id = queued_email.id.as_bytes();
    batch.remove(Tree::QueuedEmails, id);
    batch.remove(Tree::QueuedEmailsDue, &timed_key(queued_email.due, id));
}

/// The tree entries of a queued mail.
pub(super) fn entries(queued_email: &QueuedEmail) -> Result<[IndexEntry; 2], StoreError> {
    let id = queued_email.id.as_bytes();
    Ok([
        (Tree::QueuedEmails, id.to_vec(), encode(queued_email)?),
        (
            Tree::QueuedEmailsDue,
            timed_key(queued_email.due, id).to_vec(),
            Vec::new(),
        ),
    ])
}
