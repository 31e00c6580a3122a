//! How strong a new password is, told while it is typed: by the rule that decides when it is set.

use std::time::Duration;

use password_auth_model::Client;
use password_auth_wire::rules::Violation;
use password_auth_wire::{PasswordHint, Secret};

use super::Accounts;
use crate::passwords::{HashingError, Weak, check_new_password};

/// A client may ask so many times for each registration that it may make: a form asks whenever the user pauses.
pub(super) const QUESTIONS: u32 = 6;

/// The strength of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// zxcvbn's score, from 0 to 4.
    pub score: u8,
    /// Whether it may be set.
    pub enough: bool,
    /// What is weak, and what would help. Never quotes the password.
    pub hint: Option<String>,
    /// The same for programs.
    pub hint_codes: Vec<PasswordHint>,
}

/// Why no strength was told.
#[derive(Debug, thiserror::Error)]
pub enum StrengthError {
    /// Too many questions from this address. The next one is allowed after this time.
    #[error("too many questions")]
    TooMany(Duration),
    /// The pool did not answer.
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

impl Accounts {
    /// How strong a new password is for a user with these names. Stores and logs nothing. Counted by the client's address,
    /// and estimated in the pool, where one client has a share.
    ///
    /// # Errors
    /// As [`StrengthError`] lists.
    pub async fn password_strength(
        &self,
        password: Secret,
        about: [Option<String>; 2],
        client: &Client,
    ) -> Result<Told, StrengthError> {
        // The rules that cost nothing first.
        if let Err(broken) = check_new_password(&password) {
            return Ok(Told {
                score: 0,
                enough: false,
                hint: Some(broken.message().to_owned()),
                hint_codes: match broken {
                    Violation::PasswordTooShort => vec![PasswordHint::TooShort],
                    Violation::PasswordTooLong => vec![PasswordHint::TooLong],
                    _ => Vec::new(),
                },
            });
        }
        let counted = self
            .strengths
            .count(client.address, self.clock.now())
            .map_err(StrengthError::TooMany)?;
        let about = about.into_iter().flatten().collect();
        let strength = self.hasher.strength(&counted, password, about).await?;
        Ok(Told {
            score: strength.score,
            enough: self.hasher.policy().allows(strength.score),
            hint: strength.weak.map(Weak::hint),
            hint_codes: strength.weak.into_iter().flat_map(Weak::hints).collect(),
        })
    }
}
