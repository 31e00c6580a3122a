//! The account system under `/api/v1`. Unknown fields in a request are refused. A field without a value is left out of
//! a response, never null.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
const ID: &str = "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00";
#[cfg(feature = "openapi")]
const MOMENT: &str = "2026-01-01T12:00:00.000Z";

/// Defines each type together with the example that the OpenAPI document shows.
macro_rules! object {
    ($($(#[$meta:meta])* $name:ident {
        $($(#[$field_meta:meta])* $field:ident: $ty:ty = $example:expr,)+
    })+) => {
        $(
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(example = true))]
            $(#[$meta])*
            pub struct $name {
                $($(#[$field_meta])* pub $field: $ty,)+
            }

            #[cfg(feature = "openapi")]
            impl poem_openapi::types::Example for $name {
                fn example() -> Self {
                    Self { $($field: $example,)+ }
                }
            }
        )+
    };
}

mod account;
mod export;
mod factors;
mod invites;
mod keys;
mod registration;
mod role;
mod sessions;
mod users;

pub use account::{
    AccountStatus, ChangeEmail, ChangePassword, ConfirmEmail, ConfirmReset, DeleteAccount,
    PasswordChanged, RequestReset,
};
pub use export::PersonalData;
pub use factors::{
    ConfirmTotp, FactorsInfo, PasskeyInfo, RecoveryCodes, RemoveTotp, ReplaceRecoveryCodes,
    SetUpTotp, TotpSetup,
};
pub use invites::{CreateInvite, InviteCreated, InviteInfo};
pub use keys::{Jwk, JwkSet};
pub use registration::{
    AskStrength, PasswordStrength, RegisterAccount, RegistrationInfo, RegistrationMode,
};
pub use role::Role;
pub use sessions::{Login, Reactivate, RefreshPair, SessionInfo, TokenPair};
pub use users::{CreateAccount, EventInfo, UpdateUser, UserCount, UserInfo};

object! {
    /// The request succeeded.
    Done {
        /// A sentence for people.
        message: String = "Done.".to_owned(),
        /// Always `true`.
        success: bool = true,
    }

    /// The server, or the part that was asked for, works.
    Health {
        /// Always `healthy`.
        status: String = "healthy".to_owned(),
    }
}

impl Done {
    /// A success with this sentence.
    pub fn with(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            success: true,
        }
    }
}
