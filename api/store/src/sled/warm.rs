//! Reads sessions into memory after a start, the newest first: one after the other, which costs a fraction of reading
//! each when it is asked for.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};

use password_auth_model::{Identity, Owner, Session, Timestamp, User};

use super::codec::decode;
use super::opened::Tables;
use super::trees::{Tree, unavailable};
use crate::StoreError;

/// How many sessions are read at once. If one of them changes meanwhile, some of them are not kept.
const CHUNK: usize = 256;

/// Reads until there is no room, or the store is closed.
pub(super) fn warm(tables: &Tables, now: Timestamp, closed: &AtomicBool) -> Result<(), StoreError> {
    let is_closed = || closed.load(Ordering::Acquire);
    // Before the users are read: who has changed since is read again when somebody asks.
    let stamps = tables.sessions.stamps();
    let mut owners = HashMap::new();
    let users = tables.tree(Tree::Users).iter().values().rev();
    for user in users.take(tables.sessions.capacity()) {
        if is_closed() {
            return Ok(());
        }
        let user: User = decode(&user.map_err(unavailable)?)?;
        owners.insert(user.id, Owner::from(&user));
    }
    let mut before = Bound::Unbounded;
    loop {
        // Before a new iterator: an old one may hold a page as it was.
        let began = tables.sessions.moment();
        let older = tables
            .tree(Tree::Sessions)
            .range((Bound::Unbounded, before));
        before = Bound::Unbounded;
        for session in older.values().rev().take(CHUNK) {
            let session: Session = decode(&session.map_err(unavailable)?)?;
            let id = *session.id.as_bytes();
            before = Bound::Excluded(id);
            let owner = owners.get(&session.user).filter(|_| session.is_live(now));
            let Some(owner) = owner else {
                continue;
            };
            let stamp = stamps.of(session.user.as_bytes());
            let identity = Identity::of(&session, owner.clone());
            if !tables.sessions.add(&id, (identity, stamp), &began) {
                return Ok(());
            }
        }
        if before == Bound::Unbounded || is_closed() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
