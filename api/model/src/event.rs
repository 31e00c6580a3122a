//! What a person, or an auditor, must be able to see later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::id::{EventId, SessionId, UserId};
use super::role::Role;

/// How long an event is kept.
pub const EVENTS_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Something that happened to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// In the order of time (UUIDv7).
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Whose account. Of one that was deleted, nothing else tells whose it was.
    pub user: UserId,
    /// Who did it, if it was somebody else: an admin.
    pub by: Option<UserId>,
    /// What.
    pub what: EventKind,
    /// The sign-in that it is about.
    pub session: Option<SessionId>,
    /// The client's address (IP), where there was a client.
    pub address: Option<String>,
    /// What the client calls itself.
    pub device: Option<String>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The account was made.
    Registered,
    /// Somebody signed in.
    SignedIn,
    /// A wrong password.
    SignInFailed,
    /// A sign-in was ended by its owner or, where there was no client, by an operator.
    SignedOut,
    /// All sign-ins but perhaps one were ended by their owner or, where there was no client, by an operator.
    SignedOutElsewhere,
    /// A superseded refresh token came back: the sign-in was ended.
    TokenReused,
    /// A refresh token is newer than the store: an old backup was restored.
    StoreWentBack,
    /// The password was changed by somebody who knew it.
    PasswordChanged,
    /// The password was changed by mail.
    PasswordReset,
    /// The password was set by an operator.
    PasswordSet,
    /// The address was shown to be read.
    EmailVerified,
    /// Another address was asked for.
    EmailChangeRequested,
    /// The address is another.
    EmailChanged,
    /// The name or the like was changed.
    ProfileChanged,
    /// The role is this now.
    RoleChanged(Role),
    /// The account was disabled.
    Deactivated,
    /// The account was enabled again.
    Activated,
    /// Everything about the person was handed out to him.
    Exported,
    /// The account is gone.
    Deleted,
    // What is new stands last: sled's records hold the number.
    /// A superseded refresh token came from another network or device than had it exchanged; it was answered.
    TokenReplayedElsewhere,
}

/// What an event shares its room with in the record of an account, so that what happens often, or at a stranger's or a
/// thief's will, never takes the place of what matters. Engines keep the number: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// What happens every day: one room for all of it.
    const ROUTINE: Self = Self(0);

    /// How many events of the class are kept of one account.
    #[must_use]
    pub const fn room(self) -> usize {
        match self {
            Self::ROUTINE => 1000,
            // Each kind that matters has a room of its own: nothing but a hundred thefts takes a theft's place.
            Self(_) => 100,
        }
    }

    /// As engines keep it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl EventKind {
    /// Which class of events it belongs to.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::SignedIn
            | Self::SignInFailed
            | Self::SignedOut
            | Self::SignedOutElsewhere
            | Self::ProfileChanged
            | Self::Exported => Class::ROUTINE,
            Self::Registered => Class(1),
            Self::TokenReused => Class(2),
            Self::StoreWentBack => Class(3),
            Self::PasswordChanged => Class(4),
            Self::PasswordReset => Class(5),
            Self::PasswordSet => Class(6),
            Self::EmailVerified => Class(7),
            Self::EmailChangeRequested => Class(8),
            Self::EmailChanged => Class(9),
            Self::RoleChanged(_) => Class(10),
            Self::Deactivated => Class(11),
            Self::Activated => Class(12),
            Self::Deleted => Class(13),
            Self::TokenReplayedElsewhere => Class(14),
        }
    }

    /// For the log.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed in",
            Self::SignInFailed => "a sign-in failed: the password was wrong",
            Self::SignedOut => "signed out",
            Self::SignedOutElsewhere => "signed out on other devices",
            Self::TokenReused => "a superseded refresh token came back: the session was ended",
            Self::TokenReplayedElsewhere => {
                "a superseded refresh token came from another network or device"
            }
            Self::StoreWentBack => {
                "a refresh token is newer than the store: was an old backup restored?"
            }
            Self::PasswordChanged => "the password was changed",
            Self::PasswordReset => "the password was reset by mail",
            Self::PasswordSet => "the password was set by an operator",
            Self::EmailVerified => "the e-mail address was verified",
            Self::EmailChangeRequested => "another e-mail address was asked for",
            Self::EmailChanged => "the e-mail address was changed",
            Self::ProfileChanged => "the profile was changed",
            Self::RoleChanged(Role::User) => "the role was changed to user",
            Self::RoleChanged(Role::Admin) => "the role was changed to admin",
            Self::RoleChanged(Role::Guest) => "the role was changed to guest",
            Self::Deactivated => "the account was deactivated",
            Self::Activated => "the account was activated",
            Self::Exported => "everything about the person was exported",
            Self::Deleted => "the account was deleted",
        }
    }
}
