//! Removes what has expired, in steps small enough that nobody waits long. Each step reads and removes on the writing
//! thread, so that nothing changes in between.

mod attempts;

use std::time::Duration;

use password_auth_model::{
    EVENTS_KEPT, Event, Factors, Invite, KEPT_AFTER_EXPIRY, OneTimeToken, Session, Timestamp,
};
use sled::IVec;

pub(super) use self::attempts::SweptTo;
use super::change::Batch;
use super::codec::{Stored, decode};
use super::deletion::{self, Progress};
use super::opened::Tables;
use super::trees::{Tree, unavailable, user_key};
use super::{SledStore, factors, invites, sessions, token_keys, tokens};
use crate::StoreError;

/// The most sessions or events that one step removes.
const REMOVED: usize = 64;
/// The most one-time tokens that one step reads.
const LOOKED_AT: usize = 512;

pub(super) async fn sweep(store: &SledStore, now: Timestamp) -> Result<usize, StoreError> {
    while store.relaxed(finish_deletion).await? == Progress::More {}
    let mut removed = 0;
    if let Some(before) = earlier(now, KEPT_AFTER_EXPIRY) {
        removed += all(store, move |tables| sweep_sessions(tables, before)).await?;
    }
    if let Some(before) = earlier(now, EVENTS_KEPT) {
        removed += all(store, move |tables| sweep_events(tables, before)).await?;
    }
    removed += all(store, move |tables| sweep_factors(tables, now)).await?;
    removed += attempts::sweep_all(store, now).await?;
    removed += through(store, Tree::Invites, move |batch, _, value| {
        let invite = readable::<Invite>(value).filter(|invite| invite.has_expired(now));
        if let Some(invite) = &invite {
            invites::remove(batch, invite);
        }
        invite.is_some()
    })
    .await?;
    removed += store
        .relaxed(move |tables| token_keys::sweep(tables, now))
        .await?;
    removed += through(store, Tree::Tokens, move |batch, _, value| {
        let token = readable::<OneTimeToken>(value).filter(|token| token.expires <= now);
        if let Some(token) = &token {
            tokens::remove(batch, token);
        }
        token.is_some()
    })
    .await?;
    Ok(removed)
}

/// `minus` stops at the epoch, and nothing happened before that.
fn earlier(now: Timestamp, by: Duration) -> Option<Timestamp> {
    (now.since(Timestamp::from_millis(0)) >= by).then(|| now.minus(by))
}

/// Repeats a step until there is nothing more to remove. Returns how many records were removed.
async fn all(
    store: &SledStore,
    step: impl Fn(&Tables) -> Result<usize, StoreError> + Copy + Send + 'static,
) -> Result<usize, StoreError> {
    let mut removed = 0;
    loop {
        match store.relaxed(step).await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}

/// Reads a whole tree, some records per step: there are few tokens, and an index by expiry would cost more than it
/// saves. Returns how many were removed.
async fn through(
    store: &SledStore,
    tree: Tree,
    remove: impl Fn(&mut Batch, &IVec, &IVec) -> bool + Copy + Send + 'static,
) -> Result<usize, StoreError> {
    let (mut removed, mut from) = (0, Some(IVec::default()));
    while let Some(start) = from {
        let step = move |tables: &Tables| {
            let mut removed = 0;
            let some = tables.tree(tree).range::<&[u8], _>(start.as_ref()..);
            for (looked_at, entry) in some.enumerate() {
                let (key, value) = entry.map_err(unavailable)?;
                if looked_at == LOOKED_AT {
                    return Ok((removed, Some(key)));
                }
                let mut batch = Batch::default();
                if remove(&mut batch, &key, &value) {
                    batch.apply(tables)?;
                    removed += 1;
                }
            }
            Ok((removed, None))
        };
        let (some, next) = store.relaxed(step).await?;
        removed += some;
        from = next;
    }
    Ok(removed)
}

fn finish_deletion(tables: &Tables) -> Result<Progress, StoreError> {
    match deletion::unfinished(tables)? {
        Some(user) => deletion::proceed(tables, user).map(|_| Progress::More),
        None => Ok(Progress::Done),
    }
}

/// Removes sessions that expired at or before `before`, from the start of the index. Returns how many were removed.
fn sweep_sessions(tables: &Tables, before: Timestamp) -> Result<usize, StoreError> {
    let end = (before.as_millis() + 1).to_be_bytes();
    let mut batch = Batch::default();
    let mut removed = 0;
    let expired = tables.tree(Tree::SessionExpiry).range(..&end[..]);
    for place in expired.keys().take(REMOVED) {
        let place = place.map_err(unavailable)?;
        let id = place.get(8..).unwrap_or_default();
        let session = tables.bytes(Tree::Sessions, id)?;
        match session.as_ref().and_then(readable::<Session>) {
            Some(session) => sessions::remove(&mut batch, &session),
            None => batch.remove(Tree::Sessions, id),
        }
        batch.remove(Tree::SessionExpiry, place);
        removed += 1;
    }
    batch.apply(tables)?;
    Ok(removed)
}

/// Removes what factors remembered for some minutes, from the start of the index. Returns how many users' it was.
fn sweep_factors(tables: &Tables, now: Timestamp) -> Result<usize, StoreError> {
    let end = (now.as_millis() + 1).to_be_bytes();
    let mut batch = Batch::default();
    let mut removed = 0;
    let expired = tables.tree(Tree::FactorExpiry).range(..&end[..]);
    for place in expired.keys().take(REMOVED) {
        let place = place.map_err(unavailable)?;
        let record = tables.bytes(Tree::Factors, place.get(8..).unwrap_or_default())?;
        // A record that cannot be read stays for the operator to see: without it, the password would be enough.
        batch.remove(Tree::FactorExpiry, place);
        if let Some(before) = record.as_ref().and_then(readable::<Factors>) {
            factors::replace(&mut batch, &before, &before.clone().swept(now))?;
        }
        removed += 1;
    }
    batch.apply(tables)?;
    Ok(removed)
}

/// Removes events that happened at or before `before`. Their ids are in the order of time. Returns how many were
/// removed.
fn sweep_events(tables: &Tables, before: Timestamp) -> Result<usize, StoreError> {
    let mut batch = Batch::default();
    let mut removed = 0;
    for entry in tables.tree(Tree::Events).iter().take(REMOVED) {
        let (id, event) = entry.map_err(unavailable)?;
        match readable::<Event>(&event) {
            Some(event) if event.at > before => break,
            Some(event) => {
                let place = user_key(event.user, event.id.as_bytes());
                batch.remove(Tree::UserEvents, &place);
            }
            None => {}
        }
        batch.remove(Tree::Events, id);
        removed += 1;
    }
    batch.apply(tables)?;
    Ok(removed)
}

/// A record that cannot be read counts as removed.
fn readable<T: Stored>(bytes: &IVec) -> Option<T> {
    decode(bytes).ok()
}
