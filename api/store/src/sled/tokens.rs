//! Writes about one-time tokens and what they change: passwords and addresses.

use async_trait::async_trait;
use password_auth_model::{
    Confirmation, EmailAddress, OneTimeToken, PasswordHash, Timestamp, TokenHash, User, UserId,
    confirms_email, resets_password, with_reset_password,
};

use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::trees::{IndexEntry, Tree};
use super::{SledStore, sessions, user_entries};
use crate::{ConfirmEmail, OneTimeTokenStore, StoreError};

#[async_trait]
impl OneTimeTokenStore for SledStore {
    async fn add_one_time_token(&self, token: OneTimeToken) -> Result<bool, StoreError> {
        self.durable(move |tables| add(tables, &token)).await
    }

    async fn one_time_token(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<(OneTimeToken, User)>, StoreError> {
        self.tables()?.token_and_user(hash, now)
    }

    async fn reset_password(
        &self,
        hash: &TokenHash,
        new: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let hash = *hash;
        self.durable(move |tables| reset_password(tables, &hash, new, now))
            .await
    }

    async fn confirm_email(
        &self,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<ConfirmEmail, StoreError> {
        let hash = *hash;
        self.durable(move |tables| confirm_email(tables, &hash, now))
            .await
    }
}

pub(super) fn add(tables: &Tables, token: &OneTimeToken) -> Result<bool, StoreError> {
    let user = tables.user(token.user)?;
    if !user.is_some_and(|user| user.may_have_token(&token.purpose)) {
        return Ok(false);
    }
    let mut batch = Batch::default();
    for (tree, key, value) in entries(token)? {
        batch.put(tree, key, value);
    }
    batch.apply(tables)?;
    Ok(true)
}

pub(super) fn reset_password(
    tables: &Tables,
    hash: &TokenHash,
    new: PasswordHash,
    now: Timestamp,
) -> Result<Option<User>, StoreError> {
    let Some((token, before)) = tables.token_and_user(hash, now)? else {
        return Ok(None);
    };
    let Some(address) = resets_password(&token.purpose, &before) else {
        return Ok(None);
    };
    let may_be_verified = !is_verified_by_another(tables, address, before.id)?;
    let after = with_reset_password(before.clone(), new, may_be_verified);
    let mut batch = Batch::default();
    user_entries::replace(&mut batch, Some(&before), Some(&after))?;
    sessions::end_all(&mut batch, tables, after.id, None)?;
    void(&mut batch, tables, after.id)?;
    batch.apply(tables)?;
    Ok(Some(after))
}

pub(super) fn confirm_email(
    tables: &Tables,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<ConfirmEmail, StoreError> {
    let Some((token, before)) = tables.token_and_user(hash, now)? else {
        return Ok(ConfirmEmail::Invalid);
    };
    let confirmed = match confirms_email(&token.purpose, &before) {
        Confirmation::Confirms(confirmed) => confirmed,
        Confirmation::AlreadyDone => {
            return Ok(ConfirmEmail::AlreadyConfirmed(Box::new(before)));
        }
        Confirmation::Invalid => return Ok(ConfirmEmail::Invalid),
    };
    if is_verified_by_another(tables, &confirmed.address, before.id)? {
        return Ok(ConfirmEmail::Taken);
    }
    let after = confirmed.user(&before);
    let mut batch = Batch::default();
    user_entries::replace(&mut batch, Some(&before), Some(&after))?;
    if confirmed.voids_others {
        void(&mut batch, tables, after.id)?;
    }
    let used = OneTimeToken {
        purpose: confirmed.used(),
        ..token
    };
    for (tree, key, value) in entries(&used)? {
        batch.put(tree, key, value);
    }
    batch.apply(tables)?;
    Ok(ConfirmEmail::Confirmed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

fn is_verified_by_another(
    tables: &Tables,
    address: &EmailAddress,
    user: UserId,
) -> Result<bool, StoreError> {
    let owner = tables.verified_owner(&address.key())?;
    Ok(owner.is_some_and(|owner| owner != user))
}

/// Removes all tokens of a user.
pub(super) fn void(batch: &mut Batch, tables: &Tables, user: UserId) -> Result<(), StoreError> {
    for hash in tables.suffixes::<32>(Tree::UserTokens, user.as_bytes()) {
        let hash = hash?;
        batch.remove(Tree::Tokens, &hash);
        batch.remove(Tree::UserTokens, user_token_key(user, &hash));
    }
    Ok(())
}

pub(super) fn remove(batch: &mut Batch, token: &OneTimeToken) {
    let hash = token.hash.as_bytes();
    batch.remove(Tree::Tokens, hash);
    batch.remove(Tree::UserTokens, user_token_key(token.user, hash));
}

/// The tree entries of a token.
pub(super) fn entries(token: &OneTimeToken) -> Result<[IndexEntry; 2], StoreError> {
    let hash = token.hash.as_bytes();
    Ok([
        (Tree::Tokens, hash.to_vec(), encode(token)?),
        (
            Tree::UserTokens,
            user_token_key(token.user, hash),
            Vec::new(),
        ),
    ])
}

fn user_token_key(user: UserId, hash: &[u8; 32]) -> Vec<u8> {
    [&user.as_bytes()[..], hash].concat()
}
