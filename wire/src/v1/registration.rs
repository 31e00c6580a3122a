//! Registering, and how strong a password is.

use serde::{Deserialize, Serialize};

use crate::{PasswordHint, Secret};

/// Who may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
#[cfg_attr(feature = "openapi", oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Everybody.
    Open,
    /// Those who have an invitation.
    Invite,
    /// Nobody, except with an invitation that was made before or by an admin.
    Closed,
}

object! {
    /// What a registration form needs to know.
    RegistrationInfo {
        /// Who may register. Do not offer what the server would refuse.
        mode: RegistrationMode = RegistrationMode::Open,
        /// The lowest zxcvbn score of a new password, from 0 (any) to 4.
        password_min_score: u8 = 2,
    }

    /// The body of `POST /auth/register`.
    RegisterAccount {
        /// 1 to 64 characters, no `@`. Names keep their spelling and are compared case-insensitively.
        username: String = "alice".to_owned(),
        /// The e-mail address. A link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// At least 8 characters, at most 1,024 bytes.
        password: Secret = Secret::new("correct horse battery"),
        /// The user's full name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// The token of an invitation, which is used up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        invite: Option<Secret> = None,
    }

    /// The body of `POST /auth/password/strength`.
    AskStrength {
        /// The new password.
        password: Secret = Secret::new("correct horse battery"),
        /// The user name, which a password should not contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        username: Option<String> = Some("alice".to_owned()),
        /// The e-mail address, which a password should not contain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
    }

    /// How strong a new password is.
    PasswordStrength {
        /// zxcvbn's score: 0 (guessed at once) to 4 (very hard to guess).
        score: u8 = 4,
        /// Whether the server accepts it.
        enough: bool = true,
        /// What is weak, and what would help. In English.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        hint: Option<String> = None,
        /// The same for programs: what is weak, if that is known, and then what would help.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "openapi", oai(default, skip_serializing_if_is_empty))]
        hint_codes: Vec<PasswordHint> = Vec::new(),
    }
}
