//! Invitations. There are few, so a search by address reads all of them.

use std::ops::Bound;

use async_trait::async_trait;
use password_auth_model::{EmailKey, Invite, InviteId, Timestamp, TokenHash, User};

use super::change::Batch;
use super::codec::{decode, encode};
use super::opened::Tables;
use super::trees::{IndexEntry, Tree, unavailable};
use super::{SledStore, user_entries};
use crate::{CreateInvited, CreateUser, InviteStore, StoreError};

#[async_trait]
impl InviteStore for SledStore {
    async fn add_invite(&self, invite: Invite) -> Result<(), StoreError> {
        self.durable(move |tables| write(tables, &invite)).await
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
        after: Option<InviteId>,
        limit: u32,
    ) -> Result<Vec<Invite>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.on_a_thread(move |tables| {
            let from = after.map_or(Bound::Unbounded, |id| Bound::Excluded(*id.as_bytes()));
            let later = tables.tree(Tree::Invites).range((from, Bound::Unbounded));
            let invites = later.values().take(limit);
            invites
                .map(|value| decode(&value.map_err(unavailable)?))
                .collect()
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
            for invite in tables.tree(Tree::Invites).iter().values().rev() {
                let invite: Invite = decode(&invite.map_err(unavailable)?)?;
                if is_to(&invite, &email) && invite.is_valid(now) {
                    let mut batch = Batch::default();
                    remove(&mut batch, &invite);
                    let invite = invite.with_token(token);
                    put(&mut batch, &invite)?;
                    batch.apply(tables)?;
                    return Ok(Some(invite));
                }
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
    let Some(id) = tables.bytes(Tree::InviteTokens, token.as_bytes())? else {
        return Ok(None);
    };
    let invite: Option<Invite> = tables.record(Tree::Invites, &id)?;
    Ok(invite.filter(|invite| invite.is_valid(now)))
}

fn is_to(invite: &Invite, email: &EmailKey) -> bool {
    invite.email.as_ref().is_some_and(|to| to.key() == *email)
}

fn write(tables: &Tables, invite: &Invite) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    put(&mut batch, invite)?;
    batch.apply(tables)
}

fn put(batch: &mut Batch, invite: &Invite) -> Result<(), StoreError> {
    for (tree, key, value) in entries(invite)? {
        batch.put(tree, key, value);
    }
    Ok(())
}

pub(super) fn remove(batch: &mut Batch, invite: &Invite) {
    batch.remove(Tree::Invites, invite.id.as_bytes());
    for hash in &invite.hashes {
        batch.remove(Tree::InviteTokens, hash.as_bytes());
    }
}

/// Removes all invitations to this address.
pub(super) fn remove_to(tables: &Tables, email: &EmailKey) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for invite in tables.tree(Tree::Invites).iter().values() {
        let invite: Invite = decode(&invite.map_err(unavailable)?)?;
        if is_to(&invite, email) {
            remove(&mut batch, &invite);
        }
    }
    batch.apply(tables)
}

/// The tree entries of an invitation.
pub(super) fn entries(invite: &Invite) -> Result<Vec<IndexEntry>, StoreError> {
    let id = invite.id.as_bytes();
    let tokens = invite.hashes.iter();
    let tokens = tokens.map(|hash| (Tree::InviteTokens, hash.as_bytes().to_vec(), id.to_vec()));
    let mut entries: Vec<_> = tokens.collect();
    entries.push((Tree::Invites, id.to_vec(), encode(invite)?));
    Ok(entries)
}
