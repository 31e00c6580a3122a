//! Imports users with their password hashes.

use std::collections::HashSet;
use std::io;

use futures_util::future::join_all;
use password_auth_model::{Role, User};
use password_auth_store::{CreateUser, Store, StoreError};
use serde::Serialize;

/// How many users are written at once, so that they share a flush.
const AT_ONCE: usize = 128;

/// How often in a row the store may be busy before the import stops.
const PATIENCE: usize = 10;

/// A line of a user file.
#[derive(Debug)]
pub struct Line {
    /// The number of the line, from 1.
    pub number: u64,
    /// The user, or what is wrong.
    pub user: Result<User, String>,
}

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Users that were added.
    pub taken: u64,
    /// Of these, admins.
    pub admins: u64,
    /// Of these, users who cannot sign in before they reset their password.
    pub without_password: u64,
    /// Lines with a name or a verified address that an existing user has. That user is left unchanged.
    pub already_there: u64,
    /// Bad lines, which were skipped.
    pub bad: u64,
}

impl Imported {
    /// All lines.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.taken + self.already_there + self.bad
    }
}

/// Why the import stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    File(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Progress reports.
#[derive(Debug)]
pub enum Notice<'a> {
    /// This line was skipped, and why.
    LeftOut(u64, &'a str),
    /// The counts so far.
    Progress(Imported),
}

/// Adds the user of each line to the store; with `dry_run`, only checks whether it could. If several lines have the
/// same name, the first wins. A dry run does not compare lines with each other, which would need memory for all of
/// them.
///
/// # Errors
/// As [`ImportError`] lists. Users that were already added stay; the same file can be imported again.
pub async fn import(
    store: &dyn Store,
    lines: impl Iterator<Item = io::Result<Line>>,
    dry_run: bool,
    mut notice: impl FnMut(Notice<'_>),
) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let mut batch = Batch::default();
    for line in lines {
        let Line { number, user } = line?;
        match user {
            Ok(user) => {
                if !batch.has_room_for(&user) {
                    batch
                        .carry_out(store, dry_run, &mut imported, &mut notice)
                        .await?;
                }
                batch.add(number, user);
            }
            Err(reason) => {
                imported.bad += 1;
                notice(Notice::LeftOut(number, &reason));
            }
        }
    }
    batch
        .carry_out(store, dry_run, &mut imported, &mut notice)
        .await?;
    Ok(imported)
}

/// A batch of users that cannot conflict with each other.
#[derive(Default)]
struct Batch {
    users: Vec<(u64, User)>,
    keys: HashSet<String>,
}

impl Batch {
    fn has_room_for(&self, user: &User) -> bool {
        self.users.len() < AT_ONCE && keys(user).all(|key| !self.keys.contains(&key))
    }

    fn add(&mut self, number: u64, user: User) {
        self.keys.extend(keys(&user));
        self.users.push((number, user));
    }

    async fn carry_out(
        &mut self,
        store: &dyn Store,
        dry_run: bool,
        imported: &mut Imported,
        notice: &mut impl FnMut(Notice<'_>),
    ) -> Result<(), StoreError> {
        self.keys.clear();
        let users = std::mem::take(&mut self.users);
        let outcomes = join_all(users.iter().map(|(_, user)| async {
            if dry_run {
                look(store, user).await
            } else {
                add(store, user).await
            }
        }));
        for ((number, user), outcome) in users.iter().zip(outcomes.await) {
            match outcome? {
                CreateUser::Created => {
                    imported.taken += 1;
                    imported.admins += u64::from(user.role == Role::Admin);
                    imported.without_password += u64::from(!user.password.is_some());
                }
                CreateUser::NameTaken => {
                    imported.already_there += 1;
                    notice(Notice::LeftOut(*number, "another user has this name"));
                }
                CreateUser::EmailTaken => {
                    imported.already_there += 1;
                    notice(Notice::LeftOut(
                        *number,
                        "another user has verified this e-mail address",
                    ));
                }
            }
        }
        notice(Notice::Progress(*imported));
        Ok(())
    }
}

/// The unique keys of a user. A name contains no `@`, so it never equals an address.
fn keys(user: &User) -> impl Iterator<Item = String> + use<> {
    let address = user
        .email
        .as_ref()
        .map(|email| email.key().as_str().to_owned());
    [Some(user.username_key.as_str().to_owned()), address]
        .into_iter()
        .flatten()
}

async fn add(store: &dyn Store, user: &User) -> Result<CreateUser, StoreError> {
    for _ in 0..PATIENCE {
        match store.create_user(user.clone()).await {
            Err(StoreError::Busy) => {}
            outcome => return outcome,
        }
    }
    Err(StoreError::Busy)
}

async fn look(store: &dyn Store, user: &User) -> Result<CreateUser, StoreError> {
    if store.name_is_taken(&user.username_key).await? {
        return Ok(CreateUser::NameTaken);
    }
    if let Some(email) = &user.email {
        let owners = store.users_by_email(&email.key()).await?;
        if owners.iter().any(|owner| owner.is_verified) {
            return Ok(CreateUser::EmailTaken);
        }
    }
    Ok(CreateUser::Created)
}
