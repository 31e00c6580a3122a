//! Upgrades a folder to the current format.

use std::fs::File;
use std::io;

use password_auth_model::{Event, Invite, Session, User};

use super::codec::{decode, encode};
use super::opened::Tables;
use super::trees::{Tree, role_key, unavailable, user_key};
use super::{deletion, invites, user_entries};
use crate::StoreError;

/// Records between two flushes: what is not flushed stays in memory.
const STEP: usize = 4096;

/// Nothing to do for format 4, except that older versions cannot read the current records. When this returns,
/// everything is on disk. Only then the format is raised; until then, the next start begins again.
pub(super) fn from(format: u8, tables: &Tables, disk: &File) -> Result<(), StoreError> {
    if format < 2 {
        index_sessions(tables)?;
    }
    if format < 3 {
        index_roles(tables)?;
    }
    if format < 4 {
        compare_addresses_anew(tables)?;
    }
    if format < 6 {
        class_events(tables)?;
    }
    if format < 7 {
        index_invites(tables)?;
    }
    sync(tables, disk)
}

/// Format 1 had names, passwords and sessions, but no index of a user's sessions. The users themselves need no change.
fn index_sessions(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Tree::UserSessions);
    index.clear().map_err(unavailable)?;
    for session in tables.tree(Tree::Sessions).iter().values() {
        let session: Session = decode(&session.map_err(unavailable)?)?;
        let place = user_key(session.user, session.id.as_bytes());
        index.insert(place, b"").map_err(unavailable)?;
    }
    Ok(())
}

/// The indexes with keys that begin with an address.
const BY_ADDRESS: [Tree; 3] = [Tree::Emails, Tree::VerifiedEmails, Tree::EmailPasswords];

/// Formats before 4 compared addresses with another function. If two accounts have verified what is now the same
/// address, both stay, but it is unverified for the later one.
fn compare_addresses_anew(tables: &Tables) -> Result<(), StoreError> {
    for tree in BY_ADDRESS {
        tables.tree(tree).clear().map_err(unavailable)?;
    }
    // In the order of ids, which is the order of registration.
    for (number, user) in tables.tree(Tree::Users).iter().values().enumerate() {
        let mut user: User = decode(&user.map_err(unavailable)?)?;
        let verified = user.email.as_ref().filter(|_| user.is_verified);
        let owner = verified.map(|address| tables.verified_owner(&address.key()));
        if let Some(owner) = owner.transpose()?.flatten() {
            tracing::warn!(user.id = %user.id, first.id = %owner, "{}", crate::SAME_ADDRESS);
            user.is_verified = false;
            let (id, record) = (user.id, encode(&user)?);
            let users = tables.tree(Tree::Users);
            users.insert(id.as_bytes(), record).map_err(unavailable)?;
        }
        write_addresses(tables, &user)?;
        if number % STEP == STEP - 1 {
            tables.db.flush().map_err(unavailable)?;
        }
    }
    deletion::compare_addresses_anew(tables)
}

fn write_addresses(tables: &Tables, user: &User) -> Result<(), StoreError> {
    for entry in user_entries::entries(user)? {
        if BY_ADDRESS.contains(&entry.tree) {
            let tree = tables.tree(entry.tree);
            tree.insert(entry.key, entry.value).map_err(unavailable)?;
        }
    }
    Ok(())
}

/// Up to format 3 there was no index of roles.
fn index_roles(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Tree::Roles);
    index.clear().map_err(unavailable)?;
    for user in tables.tree(Tree::Users).iter().values() {
        let user: User = decode(&user.map_err(unavailable)?)?;
        let place = role_key(user.role, user.id);
        index.insert(place, b"").map_err(unavailable)?;
    }
    Ok(())
}

/// Up to format 3 the index of a user's events did not contain their class; up to format 5 all routine events had one.
fn class_events(tables: &Tables) -> Result<(), StoreError> {
    let index = tables.tree(Tree::UserEvents);
    for (number, event) in tables.tree(Tree::Events).iter().values().enumerate() {
        let event: Event = decode(&event.map_err(unavailable)?)?;
        let place = user_key(event.user, event.id.as_bytes());
        let class = [event.what.class().number()];
        index.insert(place, &class).map_err(unavailable)?;
        if number % STEP == STEP - 1 {
            tables.db.flush().map_err(unavailable)?;
        }
    }
    Ok(())
}

/// Up to format 6 invitations were found by their tokens alone.
fn index_invites(tables: &Tables) -> Result<(), StoreError> {
    for invite in tables.tree(Tree::Invites).iter().values() {
        let invite: Invite = decode(&invite.map_err(unavailable)?)?;
        for (tree, key, value) in invites::entries(&invite)? {
            tables.tree(tree).insert(key, value).map_err(unavailable)?;
        }
    }
    Ok(())
}

/// Waits until everything written is on disk.
pub(super) fn sync(tables: &Tables, disk: &File) -> Result<(), StoreError> {
    tables.db.flush().map_err(unavailable)?;
    let synced: io::Result<()> = disk.sync_data();
    synced.map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests;
