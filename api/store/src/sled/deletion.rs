//! Removing a person and everything that is about him.
//!
//! One transaction removes him, his name, his addresses, sessions and one-time tokens, and notes what is left to
//! remove: with him goes everything by which it could be found. The rest follows, most often before anything else
//! is written, and in steps where there is a lot. What a crash, or a caller that gave up, has left of it is removed
//! at the next start, or by the next sweep.

use password_auth_model::{
    AccountPrefix, Attempt, EmailKey, QueuedEmail, SignInAttempt, User, UserId, UsernameKey,
};
use serde::{Deserialize, Serialize};

use super::change::{Batch, Change};
use super::codec::{Stored, decode, encode};
use super::opened::Tables;
use super::trees::{Tree, email_prefix, unavailable, user_key};
use super::{email_queue, sessions, tokens, user_entries};
use crate::{DeleteUser, StoreError};

/// Events that one step removes.
const STEP: usize = 256;

/// What is left to remove of somebody.
#[derive(Serialize, Deserialize)]
struct Deletion {
    /// Beside what is found by his id: counts of tries at his account.
    username: UsernameKey,
    /// Letters to this address that are about nobody yet.
    letters_to: Option<EmailKey>,
    /// The counts of letters to this address, and of tries to sign in by it.
    counted_for: Option<EmailKey>,
}

impl Stored for Deletion {}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    /// There is more to remove.
    More,
}

/// Removes somebody; [`proceed`] until it is done.
pub(super) fn delete(tables: &Tables, id: UserId) -> Result<(DeleteUser, Progress), StoreError> {
    let Some(user) = tables.user(id)? else {
        // Whoever asks again since a first answer was lost is told when nothing is left.
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
    batch.apply(tables)?;
    Ok((DeleteUser::Deleted, proceed(tables, id)?))
}

/// An address that he never verified may be another's. What waits for that other one stays; and so does the count
/// of letters, lest whoever gives a stranger's address, and deletes his account, again and again, has as many letters
/// sent there as he likes.
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
        letters_to: email.clone().filter(|_| user.is_verified || !has_namesakes),
        counted_for: email.filter(|_| user.is_verified),
    })
}

/// Removes more of what is left, if anything is.
pub(super) fn proceed(tables: &Tables, id: UserId) -> Result<Progress, StoreError> {
    let Some(rest) = tables.record::<Deletion>(Tree::Deletions, id.as_bytes())? else {
        return Ok(Progress::Done);
    };
    remove_attempts(tables, &rest)?;
    remove_queued_emails(tables, id, &rest)?;
    if remove_events(tables, id)? == STEP {
        return Ok(Progress::More);
    }
    tables.apply(&[Change::Remove {
        tree: Tree::Deletions,
        key: id.as_bytes(),
    }])?;
    Ok(Progress::Done)
}

/// Whose deletion was not finished.
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

/// Finishes all deletions, at a start.
pub(super) fn finish(tables: &Tables) -> Result<(), StoreError> {
    while let Some(id) = unfinished(tables)? {
        proceed(tables, id)?;
    }
    Ok(())
}

/// Deletions that an older version began hold addresses as it compared them.
pub(super) fn compare_addresses_anew(tables: &Tables) -> Result<(), StoreError> {
    let anew = |key: EmailKey| EmailKey::of(key.as_str());
    for entry in tables.tree(Tree::Deletions) {
        let (id, rest) = entry.map_err(unavailable)?;
        let rest: Deletion = decode(&rest)?;
        let rest = Deletion {
            letters_to: rest.letters_to.map(anew),
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

/// Looks at the whole queue, which is short.
fn remove_queued_emails(tables: &Tables, id: UserId, rest: &Deletion) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    for queued_email in tables.tree(Tree::QueuedEmails).iter().values() {
        let queued_email: QueuedEmail = decode(&queued_email.map_err(unavailable)?)?;
        let is_his = match queued_email.user {
            Some(user) => user == id,
            None => rest.letters_to.as_ref() == Some(&queued_email.to.key()),
        };
        if is_his {
            email_queue::remove(&mut batch, &queued_email);
        }
    }
    batch.apply(tables)
}

/// Removes some of his events; how many.
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
