//! Writes about users. Like all writes here, each is a whole intention and runs on the one writing thread: what it has
//! read stays true until it makes its changes (see `apply`).

use password_auth_model::{PasswordHash, SessionId, User, UserId};

use super::change::Batch;
use super::codec::encode;
use super::opened::Tables;
use super::trees::{Tree, unavailable};
use super::user_entries::replace;
use super::{sessions, tokens};
use crate::{ChangePassword, ChangeUser, CreateUser, StoreError, UserChange};

pub(super) fn create(tables: &Tables, user: &User) -> Result<CreateUser, StoreError> {
    let name = user.username_key.as_str();
    if tables.contains(Tree::Usernames, name.as_bytes())? {
        return Ok(CreateUser::NameTaken);
    }
    if let Some(email) = &user.email
        && tables.verified_owner(&email.key())?.is_some()
    {
        return Ok(CreateUser::EmailTaken);
    }
    write(tables, None, Some(user))?;
    Ok(CreateUser::Created)
}

pub(super) fn replace_password_hash(
    tables: &Tables,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, StoreError> {
    let found = tables.user(id)?.filter(|user| user.password == *old);
    let Some(before) = found else {
        return Ok(false);
    };
    let after = User {
        password: new.clone(),
        ..before.clone()
    };
    write(tables, Some(&before), Some(&after))?;
    Ok(true)
}

pub(super) fn change(
    tables: &Tables,
    id: UserId,
    change: &UserChange,
) -> Result<ChangeUser, StoreError> {
    let Some(before) = tables.user(id)? else {
        return Ok(ChangeUser::Unknown);
    };
    let after = change.apply(&before);
    if !after.is_active_admin() && is_last_active_admin(tables, &before)? {
        return Ok(ChangeUser::LastAdmin);
    }
    replace_changed(tables, &before, &after)?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

pub(super) fn reactivate(
    tables: &Tables,
    id: UserId,
    password_version: u32,
) -> Result<ChangeUser, StoreError> {
    let found = tables.user(id)?;
    let Some(before) = found.filter(|user| user.may_reactivate(password_version)) else {
        return Ok(ChangeUser::Unknown);
    };
    let after = before.reactivated();
    replace_changed(tables, &before, &after)?;
    Ok(ChangeUser::Changed {
        before: Box::new(before),
        after: Box::new(after),
    })
}

/// Replaces a user by their new state.
fn replace_changed(tables: &Tables, before: &User, after: &User) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    replace(&mut batch, Some(before), Some(after))?;
    // Also when a user is activated: older versions kept the sessions of deactivated users.
    if before.is_active != after.is_active {
        sessions::remove_all(&mut batch, tables, after.id)?;
        tokens::void(&mut batch, tables, after.id)?;
    }
    batch.apply(tables)
}

pub(super) fn change_password(
    tables: &Tables,
    id: UserId,
    version: u32,
    new: PasswordHash,
    keep: Option<SessionId>,
) -> Result<ChangePassword, StoreError> {
    let found = tables.user(id)?;
    let Some(before) = found.filter(|user| user.password_version == version) else {
        return Ok(ChangePassword::Outdated);
    };
    let kept = match keep {
        None => None,
        Some(keep) => match sessions::live_of(tables, keep, id)? {
            Some(session) => Some(session.renewed()),
            None => return Ok(ChangePassword::SessionOver),
        },
    };
    let mut batch = Batch::default();
    let after = before.clone().with_password(new);
    replace(&mut batch, Some(&before), Some(&after))?;
    sessions::end_all(&mut batch, tables, id, keep)?;
    if let Some(session) = &kept {
        batch.put(Tree::Sessions, session.id.as_bytes(), encode(session)?);
    }
    tokens::void(&mut batch, tables, id)?;
    batch.apply(tables)?;
    Ok(ChangePassword::Changed(kept))
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

fn write(tables: &Tables, before: Option<&User>, after: Option<&User>) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    replace(&mut batch, before, after)?;
    batch.apply(tables)
}
