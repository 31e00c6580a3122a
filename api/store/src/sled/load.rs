//! Loads a dump into an empty store. There are too many records for one transaction: meanwhile a mark replaces the
//! format, so that an incomplete folder is not served (see `open`).

use futures_util::StreamExt as _;
use password_auth_model::UserId;

use super::opened::Tables;
use super::trees::{IndexEntry, Tree, moment, unavailable};
use super::{
    SledStore, email_queue, events, factors, invites, open, sessions, token_keys, tokens,
    user_entries,
};
use crate::{LoadError, Loaded, Record, Records, StoreError};

/// Records that one step removes.
const STEP: usize = 4096;

pub(super) async fn load(store: &SledStore, records: Records) -> Result<Loaded, LoadError> {
    if !store.durable(begin).await? {
        return Err(LoadError::NotEmpty);
    }
    match fill(store, records).await {
        Ok(loaded) => {
            store.durable(open::set_format).await?;
            Ok(loaded)
        }
        Err(error) => {
            // If the store cannot be emptied, the mark stays, and the next start reports it.
            if let Err(undo) = empty(store).await {
                tracing::warn!(%undo, "what was loaded could not be removed again");
            }
            Err(error)
        }
    }
}

/// Sets the mark if the store is empty.
fn begin(tables: &Tables) -> Result<bool, StoreError> {
    if Tree::ALL.iter().any(|tree| !tables.tree(*tree).is_empty()) {
        return Ok(false);
    }
    open::set_restoring(tables)?;
    Ok(true)
}

async fn fill(store: &SledStore, mut records: Records) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded::default();
    while let Some(batch) = records.next().await {
        let batch = batch.map_err(LoadError::Records)?;
        batch.iter().for_each(|record| loaded.count(record));
        // Flush each batch: what is not flushed stays in memory.
        store
            .durable(move |tables| Ok(batch.iter().try_for_each(|record| add(tables, record))))
            .await??;
    }
    Ok(loaded)
}

fn add(tables: &Tables, record: &Record) -> Result<(), LoadError> {
    match record {
        Record::User(user) => {
            let entries = user_entries::entries(user)?;
            let entries = entries.into_iter().map(|e| (e.tree, e.key, e.value));
            holds(insert(tables, entries)?, || {
                format!(
                    "user {}, the user name or the verified e-mail address occurs twice",
                    user.id
                )
            })
        }
        Record::Session(session) => {
            is_there(tables, session.user, || format!("session {}", session.id))?;
            holds(insert(tables, sessions::entries(session)?)?, || {
                format!("session {} occurs twice", session.id)
            })
        }
        Record::Attempt { key, until } => {
            let entry = (Tree::Attempts, key.to_vec(), moment(*until).to_vec());
            holds(insert(tables, [entry])?, || {
                "an attempt counter occurs twice".to_owned()
            })
        }
        Record::OneTimeToken(token) => {
            is_there(tables, token.user, || "a one-time token".to_owned())?;
            holds(insert(tables, tokens::entries(token)?)?, || {
                "a one-time token occurs twice".to_owned()
            })
        }
        Record::Event(event) => holds(insert(tables, events::entries(event)?)?, || {
            format!("event {} occurs twice", event.id)
        }),
        Record::QueuedEmail(queued_email) => {
            if let Some(user) = queued_email.user {
                is_there(tables, user, || format!("mail {}", queued_email.id))?;
            }
            holds(insert(tables, email_queue::entries(queued_email)?)?, || {
                format!("queued mail {} occurs twice", queued_email.id)
            })
        }
        Record::Factors(of_user) => {
            is_there(tables, of_user.user, || "a second factor".to_owned())?;
            holds(insert(tables, factors::entries(of_user)?)?, || {
                format!("second factors of user {} occur twice", of_user.user)
            })
        }
        Record::TokenKey(key) => holds(insert(tables, [token_keys::entry(key)?])?, || {
            format!("the public key {} occurs twice", key.id())
        }),
        Record::Invite(invite) => {
            if let Some(by) = invite.by {
                is_there(tables, by, || format!("invitation {}", invite.id))?;
            }
            holds(insert(tables, invites::entries(invite)?)?, || {
                format!("invitation {} occurs twice", invite.id)
            })
        }
    }
}

/// Returns whether none of the keys existed. Does not use `Tables::apply`: there is no snapshot of an incomplete store.
fn insert(
    tables: &Tables,
    entries: impl IntoIterator<Item = IndexEntry>,
) -> Result<bool, StoreError> {
    let mut alone = true;
    for (tree, key, value) in entries {
        let before = tables.tree(tree).insert(key, value).map_err(unavailable)?;
        alone &= before.is_none();
    }
    Ok(alone)
}

fn is_there(tables: &Tables, user: UserId, what: impl FnOnce() -> String) -> Result<(), LoadError> {
    let is_there = tables.contains(Tree::Users, user.as_bytes())?;
    holds(is_there, || format!("{} belongs to no user", what()))
}

fn holds(fits: bool, sentence: impl FnOnce() -> String) -> Result<(), LoadError> {
    if fits {
        Ok(())
    } else {
        Err(LoadError::Contradiction(sentence()))
    }
}

/// Removes everything, then the mark.
async fn empty(store: &SledStore) -> Result<(), StoreError> {
    for tree in Tree::ALL {
        let step = move |tables: &Tables| {
            let tree = tables.tree(tree);
            let mut removed = 0;
            for key in tree.iter().keys().take(STEP) {
                tree.remove(key.map_err(unavailable)?)
                    .map_err(unavailable)?;
                removed += 1;
            }
            Ok(removed)
        };
        while store.durable(step).await? > 0 {}
    }
    store.durable(open::set_format).await
}
