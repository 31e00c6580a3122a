//! Why a command failed, in a sentence for the operator, who may know everything except secrets.

use password_auth_core::accounts::{
    ChangePasswordError, ChangeUserError, CurrentPasswordError, Invalid, InviteError, RegisterError,
};
use password_auth_core::passwords::HashingError;
use password_auth_core::token_keys::TokenKeyError;
use password_auth_model::{SessionId, UserId};
use password_auth_store::StoreError;
use password_auth_wire::rules::Violation;

use super::UserRef;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no such user.
    #[error("there is no user {0}")]
    Unknown(UserRef),
    /// Several users have the address.
    #[error(
        "several users gave the address {user_ref}, and nobody has verified it: name one of them by id \
         ({})",
        listed(ids)
    )]
    Several {
        /// The address.
        user_ref: UserRef,
        /// The users.
        ids: Vec<UserId>,
    },
    /// The user has no such session.
    #[error("{0} has no session {1}")]
    UnknownSession(UserRef, SessionId),
    /// The user is the last active admin.
    #[error("{0} is the last active admin: make another user an admin first")]
    LastAdmin(UserRef),
    /// Another user has the name.
    #[error("another user has that name")]
    NameTaken,
    /// Another user has verified the address.
    #[error("another user has that e-mail address")]
    EmailTaken,
    /// Something breaks a rule.
    #[error("{}", sentences(.0))]
    Invalid(Invalid),
    /// The name or the password is empty.
    #[error("{}", Violation::Empty.message())]
    Empty,
    /// The server is busy.
    #[error("the server is busy: try again soon")]
    Busy,
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl OperatorError {
    pub(super) fn of_change(error: ChangeUserError, user_ref: &UserRef) -> Self {
        match error {
            ChangeUserError::Unknown => Self::Unknown(user_ref.clone()),
            ChangeUserError::LastAdmin => Self::LastAdmin(user_ref.clone()),
            ChangeUserError::Store(error) => error.into(),
            ChangeUserError::Forbidden | ChangeUserError::Unproved => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::Unavailable(_) | StoreError::BrokeOff(_) | StoreError::Corrupt(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<InviteError> for OperatorError {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Invalid(invalid) => Self::Invalid(invalid),
            InviteError::Store(error) => error.into(),
            InviteError::Unproved
            | InviteError::NoAdmin
            | InviteError::NoMail
            | InviteError::TooMany(_)
            | InviteError::Randomness(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<TokenKeyError> for OperatorError {
    fn from(error: TokenKeyError) -> Self {
        match error {
            TokenKeyError::Store(error) => error.into(),
            TokenKeyError::NotInUse | TokenKeyError::Refused(_) | TokenKeyError::Randomness(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

impl From<HashingError> for OperatorError {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy(_) => Self::Busy,
            HashingError::Failed(_) | HashingError::Aborted => Self::Failed(error.to_string()),
        }
    }
}

impl From<RegisterError> for OperatorError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Empty => Self::Empty,
            RegisterError::Invalid(invalid) => Self::Invalid(invalid),
            RegisterError::NameTaken => Self::NameTaken,
            RegisterError::EmailTaken => Self::EmailTaken,
            RegisterError::Hashing(error) => error.into(),
            RegisterError::Store(error) => error.into(),
            RegisterError::Unproved
            | RegisterError::Closed
            | RegisterError::Uninvited
            | RegisterError::TooMany(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<ChangePasswordError> for OperatorError {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Invalid(invalid) => Self::Invalid(invalid),
            ChangePasswordError::Proof(CurrentPasswordError::Hashing(error)) => error.into(),
            ChangePasswordError::Proof(CurrentPasswordError::Store(error)) => error.into(),
            ChangePasswordError::Proof(
                CurrentPasswordError::Wrong | CurrentPasswordError::TooMany(_),
            )
            | ChangePasswordError::SignedOut
            | ChangePasswordError::Session(_) => Self::Failed(error.to_string()),
        }
    }
}

fn sentences(invalid: &Invalid) -> String {
    let Invalid {
        username,
        password,
        weak,
        email,
        full_name,
    } = invalid;
    let violations = [username, password, email, full_name];
    let broken = violations
        .into_iter()
        .flatten()
        .map(|violation| violation.message().to_owned());
    let sentences: Vec<_> = broken
        .chain(weak.as_ref().map(|weak| weak.sentence()))
        .collect();
    sentences.join(" ")
}

fn listed(ids: &[UserId]) -> String {
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}
