//! Writes about events.
//!
//! An account has few events (see [`forget_surplus`]), so reading its whole index costs little.

use async_trait::async_trait;
use password_auth_model::{Event, EventId, EventKind, UserId};

use super::SledStore;
use super::change::Change;
use super::codec::encode;
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, unavailable, user_key};
use crate::{EventStore, StoreError};

#[async_trait]
impl EventStore for SledStore {
    async fn add_event(&self, event: Event) -> Result<(), StoreError> {
        self.relaxed(move |tables| add(tables, &event)).await
    }

    async fn events(
        &self,
        user: Option<UserId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on_a_thread(move |tables| tables.events(user, before, limit))
            .await
    }
}

/// The most events that are removed when one is added.
const STEP: usize = 16;

/// Adds an event. If the user does not exist, only the event of their deletion is added.
pub(super) fn add(tables: &Tables, event: &Event) -> Result<(), StoreError> {
    let is_of_nobody = !tables.contains(Tree::Users, event.user.as_bytes())?;
    if is_of_nobody && event.what != EventKind::Deleted {
        return Ok(());
    }
    // Two single writes cost far less than a transaction. A crash in between leaves an index entry without its event,
    // which readers skip. An event without its index entry could not be found.
    let key = user_key(event.user, event.id.as_bytes());
    tables.apply(&[Change::Put {
        tree: Tree::UserEvents,
        key: &key,
        value: &[event.what.class().number()],
    }])?;
    tables.apply(&[Change::Put {
        tree: Tree::Events,
        key: event.id.as_bytes(),
        value: &encode(event)?,
    }])?;
    forget_surplus(tables, event)
}

/// Removes events over the limit after one was added: usually one, but several at a time if older versions have added
/// more.
fn forget_surplus(tables: &Tables, added: &Event) -> Result<(), StoreError> {
    let class = added.what.class();
    let mut found = 0;
    let mut surplus = Vec::new();
    for place in tables
        .tree(Tree::UserEvents)
        .scan_prefix(added.user.as_bytes())
        .rev()
    {
        let (place, of_class) = place.map_err(unavailable)?;
        if *of_class != [class.number()] {
            continue;
        }
        found += 1;
        if found > class.room() {
            surplus.push(place);
        }
        if surplus.len() == STEP {
            break;
        }
    }
    for place in surplus {
        let event = place.get(16..).unwrap_or_default();
        // In this order, for the same reason as above.
        for (tree, key) in [(Tree::Events, event), (Tree::UserEvents, &place[..])] {
            tables.apply(&[Change::Remove { tree, key }])?;
        }
    }
    Ok(())
}

/// The tree entries of an event.
pub(super) fn entries(event: &Event) -> Result<[IndexEntry; 2], StoreError> {
    let place = user_key(event.user, event.id.as_bytes()).to_vec();
    let class = vec![event.what.class().number()];
    Ok([
        (Tree::Events, event.id.as_bytes().to_vec(), encode(event)?),
        (Tree::UserEvents, place, class),
    ])
}
