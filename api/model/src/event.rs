//! Events: what users and auditors can look up later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::id::{EventId, SessionId, UserId};
use super::role::Role;

/// How long events are kept.
pub const EVENTS_KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Something that happened to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// UUIDv7, so ids are in the order of time.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// The user whose account it is. Of a deleted user, only this id is left.
    pub user: UserId,
    /// The admin who did it, if it was not the user.
    pub by: Option<UserId>,
    /// What.
    pub what: EventKind,
    /// The session that it is about.
    pub session: Option<SessionId>,
    /// The client's address (IP), where there was a client.
    pub address: Option<String>,
    /// The client's User-Agent.
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
    /// A session was ended by its user or, if there is no client, by an operator.
    SignedOut,
    /// All sessions, or all but one, were ended by their user or, if there is no client, by an operator.
    SignedOutElsewhere,
    /// A superseded refresh token came back: the session was ended.
    TokenReused,
    /// A refresh token is newer than the store: an old backup was restored.
    StoreWentBack,
    /// The password was changed by a user who knew it.
    PasswordChanged,
    /// The password was changed by mail.
    PasswordReset,
    /// The password was set by an operator.
    PasswordSet,
    /// The e-mail address was verified.
    EmailVerified,
    /// A new e-mail address was requested.
    EmailChangeRequested,
    /// The e-mail address was changed.
    EmailChanged,
    /// The profile, such as the full name, was changed.
    ProfileChanged,
    /// The role was changed to this one.
    RoleChanged(Role),
    /// The account was disabled.
    Deactivated,
    /// The account was enabled again.
    Activated,
    /// The user exported their data.
    Exported,
    /// The account was deleted.
    Deleted,
    // Add new variants at the end: sled's records contain the number of the variant.
    /// A superseded refresh token came again, from another network or device than the first time. It was answered.
    TokenReplayedElsewhere,
    /// An authenticator app was enrolled.
    TotpEnabled,
    /// The authenticator app was removed.
    TotpDisabled,
    /// New recovery codes were made.
    RecoveryCodesReplaced,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The right password, and a wrong second factor.
    SecondFactorFailed,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey was removed.
    PasskeyRemoved,
    /// An operator removed all second factors.
    FactorsReset,
    /// The right password, and no second factor yet. Noted once an hour for each network.
    SecondFactorAsked,
    /// In a session, what must prove who uses it was wrong: the password, or a passkey.
    ProofFailed,
}

/// Events of one class share a limit per account: each kind has its own. So events that are frequent, or that a stranger
/// or thief can cause, never displace others. Engines store the number of a class: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    /// Older versions gave this number to all routine events.
    const SIGNED_IN: Self = Self(0);

    /// How many events of the class are kept of one account.
    #[must_use]
    pub const fn room(self) -> usize {
        match self {
            // Frequent, and only with the password.
            Self::SIGNED_IN => 500,
            Self(_) => 100,
        }
    }

    /// The number that engines store.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl EventKind {
    /// The class of the event.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::SignedIn => Class::SIGNED_IN,
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
            Self::TotpEnabled => Class(20),
            Self::TotpDisabled => Class(21),
            Self::RecoveryCodesReplaced => Class(22),
            Self::RecoveryCodeUsed => Class(23),
            Self::SecondFactorFailed => Class(24),
            Self::PasskeyAdded => Class(25),
            Self::PasskeyRemoved => Class(26),
            Self::FactorsReset => Class(27),
            Self::SecondFactorAsked => Class(28),
            Self::ProofFailed => Class(29),
            Self::SignInFailed => Class(15),
            Self::ProfileChanged => Class(16),
            Self::Exported => Class(17),
            Self::SignedOut => Class(18),
            Self::SignedOutElsewhere => Class(19),
        }
    }

    /// For the log.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::SignedIn => "signed in",
            Self::SignInFailed => "a sign-in failed: wrong password",
            Self::SignedOut => "signed out",
            Self::SignedOutElsewhere => "signed out on other devices",
            Self::TokenReused => "a used refresh token came again: the session was ended",
            Self::TokenReplayedElsewhere => {
                "a used refresh token came again from another network or device"
            }
            Self::StoreWentBack => {
                "a refresh token is newer than the store: was an old backup restored?"
            }
            Self::PasswordChanged => "the password was changed",
            Self::PasswordReset => "the password was reset by mail",
            Self::PasswordSet => "the password was set by an operator",
            Self::EmailVerified => "the e-mail address was verified",
            Self::EmailChangeRequested => "a new e-mail address was requested",
            Self::EmailChanged => "the e-mail address was changed",
            Self::ProfileChanged => "the profile was changed",
            Self::RoleChanged(Role::User) => "the role was changed to user",
            Self::RoleChanged(Role::Admin) => "the role was changed to admin",
            Self::RoleChanged(Role::Guest) => "the role was changed to guest",
            Self::Deactivated => "the account was deactivated",
            Self::Activated => "the account was activated",
            Self::Exported => "all data about the user was exported",
            Self::Deleted => "the account was deleted",
            Self::TotpEnabled => "an authenticator app was enrolled",
            Self::TotpDisabled => "the authenticator app was removed",
            Self::RecoveryCodesReplaced => "new recovery codes were made",
            Self::RecoveryCodeUsed => "a recovery code was used",
            Self::SecondFactorFailed => {
                "a sign-in failed: wrong second factor after the right password"
            }
            Self::PasskeyAdded => "a passkey was added",
            Self::PasskeyRemoved => "a passkey was removed",
            Self::FactorsReset => "all second factors were removed by an operator",
            Self::SecondFactorAsked => "a second factor was asked for after the right password",
            Self::ProofFailed => "a wrong password or passkey was given in a session",
        }
    }
}
