//! Removes a user and everything about them.
//!
//! One transaction removes the user, their name, address, sessions and one-time tokens, and records what is left to
//! remove, which could not be found without the user. The rest is removed afterwards, in steps if there is a lot. If a
//! crash or a cancelled call leaves something, the next start or the next sweep removes it.

use password_auth_model::{
    AccountPrefix, Attempt, EmailKey, QueuedEmail, SignInAttempt, User, UserId, UsernameKey,
};
use serde::{Deserialize, Serialize};

use super::change::{Batch, Change};
use super::codec::{Stored, decode, encode};
use super::opened::Tables;
use super::trees::{Tree, email_prefix, unavailable, user_key};
use super::{email_queue, factors, invites, sessions, tokens, user_entries};
use crate::{DeleteUser, StoreError};

/// The most events that one step removes.
const STEP: usize = 256;

/// What is left to remove of a user.
#[derive(Serialize, Deserialize)]
struct Deletion {
    /// The key of the user's attempt counters. Everything else is found by the id.
    username: UsernameKey,
    /// Queued mails to this address that name no user are removed.
    emails_to: Option<EmailKey>,
    /// The counters of mail to this address, and of sign-in attempts with it, are removed.
    counted_for: Option<EmailKey>,
}

impl Stored for Deletion {}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    /// There is more to remove.
    More,
}

/// Removes a user. Call [`proceed`] until it is done.
pub(super) fn delete(tables: &Tables, id: UserId) -> Result<(DeleteUser, Progress), StoreError> {
    let Some(user) = tables.user(id)? else {
        // A second call, after the first response was lost, is answered when nothing is left.
        return if tables.contains(Tree::Deletions, id.as_bytes())? {
            Ok((DeleteUser::Deleted, proceed(tables, id)?))
        } else {
            Ok((DeleteUser::Unknown, Progress::Done))
        };
    };
    if user_entries::is_last_active_admin(tables, &user)? {
        return Ok((DeleteUser::LastAdmin, Progress::Done));
    }
    let mut batch = Batch::default();
    let rest = encode(&what_is_left(tables, &user)?)?;
    batch.put(Tree::Deletions, id.as_bytes(), rest);
    user_entries::replace(&mut batch, Some(&user), None)?;
    sessions::remove_all(&mut batch, tables, id)?;
    tokens::void(&mut batch, tables, id)?;
    factors::remove(&mut batch, &tables.factors(id)?);
    batch.apply(tables)?;
    Ok((DeleteUser::Deleted, proceed(tables, id)?))
}

/// An address that the user never verified may belong to another user, whose queued mail stays. The counter of mail
/// stays too: otherwise, registering with a stranger's address and deleting the account, again and again, would get
/// around the limit.
fn what_is_left(tables: &Tables, user: &User) -> Result<Deletion, StoreError> {
    let email = user.email.as_ref().map(|email| email.key());
    let has_namesakes = match &email {
        Some(email) => {
            let given_by = tables.suffixes::<16>(Tree::Emails, &email_prefix(email));
            given_by.take(2).count() > 1
        }
        None => false,
    };
    Ok(Deletion {
        username: user.username_key.clone(),
        emails_to: email.clone().filter(|_| user.is_verified || !has_namesakes),
        counted_for: email.filter(|_| user.is_verified),
    })
}

/// Removes some more of what is left.
pub(super) fn proceed(tables: &Tables, id: UserId) -> Result<Progress, StoreError> {
    let Some(rest) = tables.record::<Deletion>(Tree::Deletions, id.as_bytes())? else {
        return Ok(Progress::Done);
    };
    remove_attempts(tables, &rest)?;
    remove_queued_emails(tables, id, &rest)?;
    let mut removed = vec![
        remove_events(tables, id)?,
        invites::remove_by(tables, id, STEP)?,
    ];
    if let Some(email) = &rest.counted_for {
        removed.push(invites::remove_to(tables, email, STEP)?);
    }
    if removed.contains(&STEP) {
        return Ok(Progress::More);
    }
    tables.apply(&[Change::Remove {
        tree: Tree::Deletions,
        key: id.as_bytes(),
    }])?;
    Ok(Progress::Done)
}

/// A user whose deletion is not finished.
pub(super) fn unfinished(tables: &Tables) -> Result<Option<UserId>, StoreError> {
    let first = tables.tree(Tree::Deletions).first().map_err(unavailable)?;
    first
        .map(|(id, _)| {
            let id = id.as_ref().try_into();
            id.map(UserId::from_bytes)
                .map_err(|_| StoreError::Corrupt("a key of deletions".to_owned()))
        })
        .transpose()
}

/// Finishes all deletions, at the start.
pub(super) fn finish(tables: &Tables) -> Result<(), StoreError> {
    while let Some(id) = unfinished(tables)? {
        proceed(tables, id)?;
    }
    Ok(())
}

/// Deletions that an older version began contain address keys of that version.
pub(super) fn compare_addresses_anew(tables: &Tables) -> Result<(), StoreError> {
    let anew = |key: EmailKey| EmailKey::of(key.as_str());
    for entry in tables.tree(Tree::Deletions) {
        let (id, rest) = entry.map_err(unavailable)?;
        let rest: Deletion = decode(&rest)?;
        let rest = Deletion {
            emails_to: rest.emails_to.map(anew),
            counted_for: rest.counted_for.map(anew),
            ..rest
        };
        let deletions = tables.tree(Tree::Deletions);
        deletions.insert(id, encode(&rest)?).map_err(unavailable)?;
    }
    Ok(())
}

fn remove_attempts(tables: &Tables, rest: &Deletion) -> Result<(), StoreError> {
    remove_attempts_at(tables, SignInAttempt::prefix(&rest.username))?;
    if let Some(email) = &rest.counted_for {
        remove_attempts_at(tables, SignInAttempt::address_prefix(email))?;
        for count in Attempt::of_mailbox(email) {
            remove_attempt(tables, count.key())?;
        }
    }
    Ok(())
}

fn remove_attempts_at(tables: &Tables, prefix: AccountPrefix) -> Result<(), StoreError> {
    for rest_of_key in tables.suffixes::<8>(Tree::Attempts, &prefix) {
        let key = [prefix, rest_of_key?].concat();
        remove_attempt(tables, &key)?;
    }
    Ok(())
}

fn remove_attempt(tables: &Tables, key: &[u8]) -> Result<(), StoreError> {
    let tree = Tree::Attempts;
    tables.apply(&[Change::Remove { tree, key }])
}

/// Reads the whole queue, which is short.
fn remove_queued_emails(tables: &Tables, id: UserId, rest: &Deletion) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for queued_email in tables.tree(Tree::QueuedEmails).iter().values() {
        let queued_email: QueuedEmail = decode(&queued_email.map_err(unavailable)?)?;
        let is_theirs = match queued_email.user {
            Some(user) => user == id,
            None => rest.emails_to.as_ref() == Some(&queued_email.to.key()),
        };
        if is_theirs {
            email_queue::remove(&mut batch, &queued_email);
        }
    }
    batch.apply(tables)
}

/// Removes some of the user's events. Returns how many.
fn remove_events(tables: &Tables, id: UserId) -> Result<usize, StoreError> {
    let mut batch = Batch::default();
    let mut removed = 0;
    for event in tables
        .suffixes::<16>(Tree::UserEvents, id.as_bytes())
        .take(STEP)
    {
        let event = event?;
        batch.remove(Tree::Events, &event);
        batch.remove(Tree::UserEvents, &user_key(id, &event));
        removed += 1;
    }
    batch.apply(tables)?;
    Ok(removed)
}

#[cfg(test)]
mod tests;
