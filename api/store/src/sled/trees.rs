//! The trees, by name, and what their keys are made of.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `users` | user id | `User` |
//! | `usernames` | username key | user id |
//! | `verified_emails` | e-mail key | id of the user who has verified it |
//! | `emails` | e-mail key ++ 0 ++ user id, verified or not | empty |
//! | `email_passwords` | e-mail key ++ 0 ++ digest of a password's hash ++ user id: unverified | empty |
//! | `active_admins` | user id | empty |
//! | `roles` | role ++ user id | empty |
//! | `deletions` | user id | `Deletion`: what is left to remove of a deleted user |
//! | `sessions` | session id | `Session` |
//! | `session_expiry` | expiry (ms, big-endian) ++ session id | empty |
//! | `user_sessions` | user id ++ session id | empty |
//! | `attempts` | key of an account, of a network of an account, or of an address | until when it is valid (ms, big-endian) |
//! | `tokens` | hash | `OneTimeToken` |
//! | `user_tokens` | user id ++ hash | empty |
//! | `events` | event id | `Event` |
//! | `user_events` | user id ++ event id; sometimes without its event | the event's class |
//! | `email_queue` | mail id | `QueuedEmail` |
//! | `invites` | id | `Invite` |
//! | `invite_tokens` | hash | id of the invitation |
//! | `invites_to` | e-mail key ++ 0 ++ id of the invitation | empty |
//! | `invites_by` | id of the user who made it ++ id of the invitation | empty |
//! | `token_keys` | salt | `TokenKey` |
//! | `letters_due` | due (ms, big-endian) ++ mail id | empty |
//! | `factors` | user id | `Factors` |
//! | `factor_expiry` | next expiry (ms, big-endian) ++ user id | empty |

use password_auth_model::{EmailKey, PasswordHash, Role, Timestamp, UserId};
use sha2::{Digest as _, Sha256};
use sled::Db;

use crate::StoreError;

/// A tree, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tree {
    Users,
    Usernames,
    VerifiedEmails,
    Emails,
    EmailPasswords,
    ActiveAdmins,
    Roles,
    Deletions,
    Sessions,
    SessionExpiry,
    UserSessions,
    Attempts,
    Tokens,
    UserTokens,
    Events,
    UserEvents,
    QueuedEmails,
    QueuedEmailsDue,
    Factors,
    FactorExpiry,
    TokenKeys,
    Invites,
    InviteTokens,
    InvitesTo,
    InvitesBy,
}

impl Tree {
    /// In the order of their declaration.
    pub(super) const ALL: [Self; 25] = [
        Self::Users,
        Self::Usernames,
        Self::VerifiedEmails,
        Self::Emails,
        Self::EmailPasswords,
        Self::ActiveAdmins,
        Self::Roles,
        Self::Deletions,
        Self::Sessions,
        Self::SessionExpiry,
        Self::UserSessions,
        Self::Attempts,
        Self::Tokens,
        Self::UserTokens,
        Self::Events,
        Self::UserEvents,
        Self::QueuedEmails,
        Self::QueuedEmailsDue,
        Self::Factors,
        Self::FactorExpiry,
        Self::TokenKeys,
        Self::Invites,
        Self::InviteTokens,
        Self::InvitesTo,
        Self::InvitesBy,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Usernames => "usernames",
            Self::VerifiedEmails => "verified_emails",
            Self::Emails => "emails",
            Self::EmailPasswords => "email_passwords",
            Self::ActiveAdmins => "active_admins",
            Self::Roles => "roles",
            Self::Deletions => "deletions",
            Self::Sessions => "sessions",
            Self::SessionExpiry => "session_expiry",
            Self::UserSessions => "user_sessions",
            Self::Attempts => "attempts",
            Self::Tokens => "tokens",
            Self::UserTokens => "user_tokens",
            Self::Events => "events",
            Self::UserEvents => "user_events",
            Self::QueuedEmails => "letters",
            Self::QueuedEmailsDue => "letters_due",
            Self::Factors => "factors",
            Self::FactorExpiry => "factor_expiry",
            Self::TokenKeys => "token_keys",
            Self::Invites => "invites",
            Self::InviteTokens => "invite_tokens",
            Self::InvitesTo => "invites_to",
            Self::InvitesBy => "invites_by",
        }
    }
}

/// All trees, in the order of [`Tree::ALL`].
pub(super) struct Trees(Vec<sled::Tree>);

impl Trees {
    pub(super) fn open(db: &Db) -> sled::Result<Self> {
        let trees = Tree::ALL.iter().map(|tree| db.open_tree(tree.name()));
        trees.collect::<sled::Result<_>>().map(Self)
    }

    pub(super) fn of(&self, tree: Tree) -> &sled::Tree {
        &self.0[tree as usize]
    }
}

/// An entry: table, key and value.
pub(super) type IndexEntry = (Tree, Vec<u8>, Vec<u8>);

/// A time ++ an id: the key of an index in the order of time.
pub(super) fn timed_key(at: Timestamp, id: &[u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&moment(at));
    key[8..].copy_from_slice(id);
    key
}

/// A user id ++ another id: the key of an index of what belongs to a user.
pub(super) fn user_key(user: UserId, id: &[u8; 16]) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(user.as_bytes());
    key[16..].copy_from_slice(id);
    key
}

/// The key of a user in the index of roles.
pub(super) fn role_key(role: Role, user: UserId) -> [u8; 17] {
    let mut key = [0; 17];
    key[0] = role_number(role);
    key[1..].copy_from_slice(user.as_bytes());
    key
}

/// The prefix of keys in `roles`.
pub(super) const fn role_number(role: Role) -> u8 {
    match role {
        Role::User => 0,
        Role::Admin => 1,
        Role::Guest => 2,
    }
}

/// The prefix of keys in `emails` and `invites_to` for one address. It is followed by 16 bytes, so a longer address with the same
/// beginning has longer keys.
pub(super) fn email_prefix(email: &EmailKey) -> Vec<u8> {
    [email.as_str().as_bytes(), &[0]].concat()
}

/// The prefix of keys in `email_passwords` for one address and one hash. It is followed by 16 bytes.
pub(super) fn email_password_prefix(email: &EmailKey, password: &PasswordHash) -> Vec<u8> {
    let digest = Sha256::digest(password.as_str());
    [&email_prefix(email), &digest[..16]].concat()
}

pub(super) const fn moment(at: Timestamp) -> [u8; 8] {
    at.as_millis().to_be_bytes()
}

pub(super) fn read_moment(bytes: &[u8]) -> Option<Timestamp> {
    let bytes = bytes.try_into().ok()?;
    Some(Timestamp::from_millis(u64::from_be_bytes(bytes)))
}

/// What the operator should do about an unreadable page.
const DAMAGED: &str = "the data file is damaged: check the disk, restore a backup into an empty \
                       folder, and keep this one for analysis";

pub(super) fn unavailable(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Corruption { .. } => StoreError::Corrupt(DAMAGED.to_owned()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn tables_are_listed_in_the_order_in_which_they_are_numbered() {
        for (number, tree) in Tree::ALL.into_iter().enumerate() {
            assert_eq!(tree as usize, number);
        }
    }
}
