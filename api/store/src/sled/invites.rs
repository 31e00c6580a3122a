//! Invitations.

use std::ops::Bound;

use async_trait::async_trait;
use password_auth_model::{EmailKey, Invite, InviteId, Timestamp, TokenHash, User, UserId};

use super::change::Batch;
use super::codec::{decode, encode};
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, email_prefix, unavailable, user_key};
use super::{SledStore, user_entries};
use crate::{CreateInvited, CreateUser, InviteStore, StoreError};

#[async_trait]
impl InviteStore for SledStore {
    async fn add_invite(&self, invite: Invite) -> Result<bool, StoreError> {
        self.durable(move |tables| {
            let inviter = inviter(tables, &invite)?;
            if !invite.is_valid(inviter.as_ref(), invite.created) {
                return Ok(false);
            }
            let mut batch = Batch::default();
            put(&mut batch, &invite)?;
            batch.apply(tables)?;
            Ok(true)
        })
        .await
    }

    async fn invite(
        &self,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<Invite>, StoreError> {
        valid(self.tables()?, token, now)
    }

    async fn invites(
        &self,
        by: Option<UserId>,
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on_a_thread(move |tables| {
            let after = after.map(|id| *id.as_bytes());
            let Some(by) = by else {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                let later = tables.tree(Tree::Invites).range((from, Bound::Unbounded));
                let invites = later.values().take(limit);
                return invites
                    .map(|value| decode(&value.map_err(unavailable)?))
                    .collect();
            };
            let ids = tables.suffixes::<16>(Tree::InvitesBy, by.as_bytes());
            let is_later = |id: &Result<[u8; 16], StoreError>| {
                id.as_ref()
                    .map_or(true, |id| after.is_none_or(|after| *id > after))
            };
            let mut invites = Vec::new();
            for id in ids.filter(is_later).take(limit) {
                // It may be gone since.
                invites.extend(tables.record(Tree::Invites, &id?)?);
            }
            Ok(invites)
        })
        .await
    }

    async fn add_invite_token(
        &self,
        email: &EmailKey,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Invite>, StoreError> {
        let email = email.clone();
        self.durable(move |tables| {
            // The newest first.
            for id in tables
                .suffixes::<16>(Tree::InvitesTo, &email_prefix(&email))
                .rev()
            {
                let Some(invite) = usable(tables, &id?, now)? else {
                    continue;
                };
                let mut batch = Batch::default();
                remove(&mut batch, &invite);
                let invite = invite.with_token(token);
                put(&mut batch, &invite)?;
                batch.apply(tables)?;
                return Ok(Some(invite));
            }
            Ok(None)
        })
        .await
    }

    async fn remove_invite(&self, id: InviteId) -> Result<bool, StoreError> {
        self.durable(move |tables| {
            let Some(invite) = tables.record::<Invite>(Tree::Invites, id.as_bytes())? else {
                return Ok(false);
            };
            let mut batch = Batch::default();
            remove(&mut batch, &invite);
            batch.apply(tables)?;
            Ok(true)
        })
        .await
    }

    async fn create_invited_user(
        &self,
        user: User,
        token: &TokenHash,
        now: Timestamp,
    ) -> Result<CreateInvited, StoreError> {
        let token = *token;
        self.durable(move |tables| {
            let Some(invite) = valid(tables, &token, now)? else {
                return Ok(CreateInvited::Uninvited);
            };
            let mut batch = Batch::default();
            let created = user_entries::create(&mut batch, tables, &user)?;
            if created == CreateUser::Created {
                remove(&mut batch, &invite);
                batch.apply(tables)?;
            }
            Ok(CreateInvited::Invited(created))
        })
        .await
    }
}

fn valid(tables: &Tables, token: &TokenHash, now: Timestamp) -> Result<Option<Invite>, StoreError> {
    match tables.bytes(Tree::InviteTokens, token.as_bytes())? {
        Some(id) => usable(tables, &id, now),
        None => Ok(None),
    }
}

fn usable(tables: &Tables, id: &[u8], now: Timestamp) -> Result<Option<Invite>, StoreError> {
    let Some(invite) = tables.record::<Invite>(Tree::Invites, id)? else {
        return Ok(None);
    };
    let inviter = inviter(tables, &invite)?;
    Ok(Some(invite).filter(|invite| invite.is_valid(inviter.as_ref(), now)))
}

fn inviter(tables: &Tables, invite: &Invite) -> Result<Option<User>, StoreError> {
    let by = invite.by.map(|by| tables.user(by)).transpose()?;
    Ok(by.flatten())
}

fn put(batch: &mut Batch, invite: &Invite) -> Result<(), StoreError> {
    for (tree, key, value) in entries(invite)? {
        batch.put(tree, key, value);
    }
    Ok(())
}

pub(super) fn remove(batch: &mut Batch, invite: &Invite) {
    for (tree, key) in places(invite) {
        batch.remove(tree, key);
    }
}

/// Removes up to `most` invitations to this address. Returns how many.
pub(super) fn remove_to(
    tables: &Tables,
    email: &EmailKey,
    most: usize,
) -> Result<usize, StoreError> {
    remove_indexed(tables, Tree::InvitesTo, &email_prefix(email), most)
}

/// Removes up to `most` invitations that this user made. Returns how many.
pub(super) fn remove_by(tables: &Tables, user: UserId, most: usize) -> Result<usize, StoreError> {
    remove_indexed(tables, Tree::InvitesBy, user.as_bytes(), most)
}

fn remove_indexed(
    tables: &Tables,
    index: Tree,
    prefix: &[u8],
    most: usize,
) -> Result<usize, StoreError> {
    let mut batch = Batch::default();
    let mut removed = 0;
    for id in tables.suffixes::<16>(index, prefix).take(most) {
        let id = id?;
        if let Some(invite) = tables.record(Tree::Invites, &id)? {
            remove(&mut batch, &invite);
        }
        batch.remove(index, [prefix, &id[..]].concat());
        removed += 1;
    }
    batch.apply(tables)?;
    Ok(removed)
}

/// Where an invitation is found.
fn places(invite: &Invite) -> Vec<(Tree, Vec<u8>)> {
    let id = invite.id.as_bytes();
    let tokens = invite.hashes.iter();
    let mut places: Vec<_> = tokens
        .map(|hash| (Tree::InviteTokens, hash.as_bytes().to_vec()))
        .collect();
    if let Some(email) = &invite.email {
        let place = [&email_prefix(&email.key()), &id[..]].concat();
        places.push((Tree::InvitesTo, place));
    }
    if let Some(by) = invite.by {
        places.push((Tree::InvitesBy, user_key(by, id).to_vec()));
    }
    places.push((Tree::Invites, id.to_vec()));
    places
}

/// The tree entries of an invitation.
pub(super) fn entries(invite: &Invite) -> Result<Vec<IndexEntry>, StoreError> {
    let entry = |(tree, key)| {
        let value = match tree {
            Tree::Invites => encode(invite)?,
            Tree::InviteTokens => invite.id.as_bytes().to_vec(),
            _ => Vec::new(),
        };
        Ok((tree, key, value))
    };
    places(invite).into_iter().map(entry).collect()
}
