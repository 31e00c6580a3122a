//! The tree entries of a user, and replacing them.

use password_auth_model::User;

use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::trees::{Tree, email_password_prefix, email_prefix, role_key, unavailable};
use crate::{CreateUser, StoreError};

/// Replaces a user (`None`: there was none) by their new state (`None`: removed), with all index entries. Entries that
/// do not change are not written.
pub(super) fn replace(
    batch: &mut Batch,
    before: Option<&User>,
    after: Option<&User>,
) -> Result<(), StoreError> {
    let before = before.map_or(Ok(Vec::new()), entries)?;
    let after = after.map_or(Ok(Vec::new()), entries)?;
    for old in &before {
        if !after.iter().any(|new| new.is_where(old)) {
            batch.remove(old.tree, old.key.as_slice());
        }
    }
    for new in after {
        if !before.contains(&new) {
            batch.put(new.tree, new.key, new.value);
        }
    }
    Ok(())
}

/// Leaves the batch alone unless the user can be created.
pub(super) fn create(
    batch: &mut Batch,
    tables: &Tables,
    user: &User,
) -> Result<CreateUser, StoreError> {
    let name = user.username_key.as_str();
    if tables.contains(Tree::Usernames, name.as_bytes())? {
        return Ok(CreateUser::NameTaken);
    }
    if let Some(email) = &user.email
        && tables.verified_owner(&email.key())?.is_some()
    {
        return Ok(CreateUser::EmailTaken);
    }
    replace(batch, None, Some(user))?;
    Ok(CreateUser::Created)
}

/// An entry: a key with its value.
#[derive(PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) tree: Tree,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

impl Entry {
    fn is_where(&self, other: &Self) -> bool {
        (self.tree, &self.key) == (other.tree, &other.key)
    }
}

/// All tree entries of the user's own record.
pub(super) fn entries(user: &User) -> Result<Vec<Entry>, StoreError> {
    let id = user.id.as_bytes();
    let mut entries = vec![
        Entry {
            tree: Tree::Usernames,
            key: user.username_key.as_str().into(),
            value: id.to_vec(),
        },
        Entry {
            tree: Tree::Users,
            key: id.to_vec(),
            value: encode(user)?,
        },
    ];
    if let Some(email) = &user.email {
        let email = email.key();
        entries.push(Entry {
            tree: Tree::Emails,
            key: [&email_prefix(&email), &id[..]].concat(),
            value: Vec::new(),
        });
        if user.is_verified {
            entries.push(Entry {
                tree: Tree::VerifiedEmails,
                key: email.as_str().into(),
                value: id.to_vec(),
            });
        } else {
            entries.push(Entry {
                tree: Tree::EmailPasswords,
                key: [&email_password_prefix(&email, &user.password), &id[..]].concat(),
                value: Vec::new(),
            });
        }
    }
    entries.push(Entry {
        tree: Tree::Roles,
        key: role_key(user.role, user.id).to_vec(),
        value: Vec::new(),
    });
    if user.is_active_admin() {
        entries.push(Entry {
            tree: Tree::ActiveAdmins,
            key: id.to_vec(),
            value: Vec::new(),
        });
    }
    Ok(entries)
}

/// Whether the user is the only active admin.
pub(super) fn is_last_active_admin(tables: &Tables, user: &User) -> Result<bool, StoreError> {
    if !user.is_active_admin() {
        return Ok(false);
    }
    for admin in tables.tree(Tree::ActiveAdmins).iter().keys() {
        if admin.map_err(unavailable)? != user.id.as_bytes() {
            return Ok(false);
        }
    }
    Ok(true)
}
