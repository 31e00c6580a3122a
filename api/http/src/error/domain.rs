//! Maps the errors of use cases to failures. The causes of a 5xx are logged here, once.

use std::time::Duration;

use password_auth_core::accounts::{
    ChangePasswordError, ChangeUserError, ConfirmEmailError, CurrentPasswordError,
    DeleteAccountError, ExportError, FactorError, FactorKind, Invalid, InviteError,
    MailRequestError, ReadUserError, RegisterError, ResetPasswordError, SignInError, StrengthError,
};
use password_auth_core::passwords::{Busy, HashingError};
use password_auth_core::sessions::{AuthenticateError, RefreshError, SessionError};
use password_auth_model::Role;
use password_auth_store::StoreError;
use password_auth_wire::rules::Violation;
use poem::error::ReadBodyError;

use super::Failure;

/// When to retry after the store was busy.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// When a running export has most likely ended.
const EXPORT_RETRY: Duration = Duration::from_secs(1);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Unavailable(STORE_RETRY),
            StoreError::Unavailable(cause) => {
                tracing::error!(cause, "the store does not respond");
                Self::Unavailable(STORE_RETRY)
            }
            StoreError::Corrupt(cause) | StoreError::BrokeOff(cause) => Self::internal(cause),
        }
    }
}

impl From<HashingError> for Failure {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy(Busy) => Self::Unavailable(Busy::RETRY_AFTER),
            HashingError::Failed(cause) => Self::internal(cause),
            HashingError::Aborted => Self::internal(error),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Signing => Self::internal(error),
        }
    }
}

impl From<RegisterError> for Failure {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Unproved => Self::ProofRequired,
            RegisterError::Closed => Self::RegistrationClosed,
            RegisterError::Uninvited => Self::Uninvited,
            RegisterError::Empty => Self::CredentialsRequired,
            RegisterError::Invalid(invalid) => invalid.into(),
            RegisterError::NameTaken => Self::UserExists,
            RegisterError::EmailTaken => Self::EmailExists,
            RegisterError::TooMany(wait) => Self::TooManyAttempts(wait),
            RegisterError::Hashing(error) => error.into(),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<StrengthError> for Failure {
    fn from(error: StrengthError) -> Self {
        match error {
            StrengthError::TooMany(wait) => Self::TooManyAttempts(wait),
            StrengthError::Hashing(error) => error.into(),
        }
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Invalid(invalid) => invalid.into(),
            InviteError::Unproved => Self::ProofRequired,
            InviteError::NoAdmin => Self::PermissionDenied(&[Role::Admin]),
            InviteError::NoMail => Self::MailNotConfigured,
            InviteError::TooMany(wait) => Self::TooManyAttempts(wait),
            InviteError::Randomness(_) => Self::internal(error),
            InviteError::Store(error) => error.into(),
        }
    }
}

impl From<CurrentPasswordError> for Failure {
    fn from(error: CurrentPasswordError) -> Self {
        match error {
            CurrentPasswordError::Wrong => Self::WrongPassword,
            CurrentPasswordError::TooMany(wait) => Self::TooManyAttempts(wait),
            CurrentPasswordError::Hashing(error) => error.into(),
            CurrentPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for Failure {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Invalid(invalid) => Self::from(invalid).in_field("new_password"),
            ChangePasswordError::Proof(error) => error.into(),
            ChangePasswordError::SignedOut => Self::InvalidToken,
            ChangePasswordError::Session(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for Failure {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::BadToken => Self::InvalidOneTimeToken,
            ResetPasswordError::Invalid(invalid) => Self::from(invalid).in_field("new_password"),
            ResetPasswordError::TooMany(wait) => Self::TooManyAttempts(wait),
            ResetPasswordError::Hashing(error) => error.into(),
            ResetPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<MailRequestError> for Failure {
    fn from(error: MailRequestError) -> Self {
        match error {
            MailRequestError::Invalid => Invalid {
                email: Some(Violation::EmailInvalid),
                ..Invalid::default()
            }
            .into(),
            MailRequestError::NotConfigured => Self::MailNotConfigured,
            MailRequestError::NothingToVerify => Self::NothingToVerify,
            MailRequestError::Taken => Self::EmailExists,
            MailRequestError::TooMany(wait) => Self::TooManyAttempts(wait),
            MailRequestError::Proof(error) => error.into(),
            MailRequestError::Randomness(cause) => Self::internal(cause),
            MailRequestError::Store(error) => error.into(),
        }
    }
}

impl From<ConfirmEmailError> for Failure {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::BadToken | ConfirmEmailError::AlreadyConfirmed => {
                Self::InvalidOneTimeToken
            }
            ConfirmEmailError::Taken => Self::EmailExists,
            ConfirmEmailError::TooMany(wait) => Self::TooManyAttempts(wait),
            ConfirmEmailError::Store(error) => error.into(),
        }
    }
}

impl From<ReadUserError> for Failure {
    fn from(error: ReadUserError) -> Self {
        match error {
            ReadUserError::Unknown => Self::NotFound,
            ReadUserError::Forbidden => Self::PermissionDenied(&Role::SEEING_OTHERS),
            ReadUserError::AdminsOnly => Self::PermissionDenied(&[Role::Admin]),
            ReadUserError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeUserError> for Failure {
    fn from(error: ChangeUserError) -> Self {
        match error {
            ChangeUserError::Unknown => Self::NotFound,
            ChangeUserError::Forbidden => Self::PermissionDenied(&[Role::Admin]),
            ChangeUserError::Unproved => Self::ProofRequired,
            ChangeUserError::LastAdmin => Self::LastAdmin,
            ChangeUserError::Store(error) => error.into(),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Unproved => Self::ProofRequired,
            ExportError::UnderWay => Self::TooManyAttempts(EXPORT_RETRY),
            ExportError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteAccountError> for Failure {
    fn from(error: DeleteAccountError) -> Self {
        match error {
            DeleteAccountError::Proof(error) => error.into(),
            DeleteAccountError::Remove(error) => error.into(),
        }
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Empty => Self::CredentialsRequired,
            SignInError::Refused => Self::InvalidCredentials,
            SignInError::SecondFactorRequired(step) => {
                let methods = step.methods.into_iter().map(name_of).collect();
                Self::SecondFactorRequired(step.challenge, methods)
            }
            SignInError::WrongFactor => Self::WrongSecondFactor,
            SignInError::ChallengeExpired => Self::ChallengeExpired,
            SignInError::WrongPasskey => Self::WrongPasskey,
            SignInError::Randomness(cause) => Self::internal(cause),
            SignInError::Disabled => Self::AccountDisabled,
            SignInError::TooMany(wait) => Self::TooManyAttempts(wait),
            SignInError::Hashing(error) => error.into(),
            SignInError::Session(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

const fn name_of(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp => "totp",
        FactorKind::RecoveryCode => "recovery_code",
        FactorKind::Passkey => "passkey",
    }
}

impl From<FactorError> for Failure {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Proof(error) => error.into(),
            FactorError::WrongCode => Self::InvalidCode,
            FactorError::AlreadyEnrolled => Self::FactorExists,
            FactorError::UnknownPasskey => Self::NotFound,
            FactorError::NoPasskeys => Self::PasskeysNotConfigured,
            FactorError::InvalidPasskey => Self::InvalidPasskey,
            FactorError::ChallengeExpired => Self::ChallengeExpired,
            FactorError::Unproved => Self::ProofRequired,
            FactorError::BadName => {
                let message = "The name must have 1 to 64 visible characters.";
                Self::of_field("name", "invalid", message)
            }
            FactorError::TooMany(wait) => Self::TooManyAttempts(wait),
            // The session ended with the password.
            FactorError::SignedOut => Self::InvalidToken,
            FactorError::Randomness(cause) => Self::internal(cause),
            FactorError::Sealing(error) => Self::internal(error),
            FactorError::Store(error) => error.into(),
        }
    }
}

impl From<AuthenticateError> for Failure {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Expired => Self::TokenExpired,
            AuthenticateError::Invalid => Self::InvalidToken,
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Failure {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::InvalidRefreshToken,
            RefreshError::Expired => Self::RefreshTokenExpired,
            RefreshError::Reused => Self::RefreshTokenReused,
            RefreshError::Session(error) => error.into(),
        }
    }
}

impl From<ReadBodyError> for Failure {
    fn from(error: ReadBodyError) -> Self {
        match error {
            ReadBodyError::PayloadTooLarge => Self::PayloadTooLarge,
            // The client disconnected, or its chunks are malformed.
            _ => Self::Unreadable,
        }
    }
}
