//! The account system under `/api/v1`. Fields that a request does not have are refused there.

use serde::{Deserialize, Serialize};

use crate::Secret;

macro_rules! object {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $ty,)+
            }
        )+
    };
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
#[cfg_attr(feature = "openapi", oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees other people, without their addresses.
    User,
    /// Sees and changes everybody.
    Admin,
    /// Sees himself alone.
    Guest,
}

object! {
    /// The body of `POST /auth/register`.
    RegisterAccount {
        /// 1 to 64 characters, no `@`; the spelling is kept, the comparison ignores case.
        username: String,
        /// Where mail goes; a link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// 8 characters or more, 1,024 bytes at most.
        password: Secret,
        /// What the person is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
    }

    /// The body of `POST /users`: an admin makes an account for somebody.
    CreateAccount {
        /// 1 to 64 characters, no `@`; the spelling is kept, the comparison ignores case.
        username: String,
        /// Where mail goes; a link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// 8 characters or more, 1,024 bytes at most.
        password: Secret,
        /// What the person is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// What he may do; `user` if it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    }

    /// The body of `POST /auth/login`.
    Login {
        /// The name, in any case, or the e-mail address.
        username: String,
        /// The password.
        password: Secret,
        /// `false`: the session lasts a day at most. `true`, the default: as long as the server allows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stay_signed_in: Option<bool>,
    }

    /// A pair of tokens.
    TokenPair {
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret,
        /// Opaque; good for one refresh.
        refresh_token: Secret,
        /// Always `bearer`.
        token_type: String,
        /// Seconds until the access token expires, counted from now.
        expires_in: u32,
    }

    /// The body of `POST /auth/refresh`.
    RefreshPair {
        /// The refresh token that the last sign-in or refresh answered.
        refresh_token: Secret,
    }

    /// A sentence for people, after something was done.
    Done {
        /// The sentence.
        message: String,
        /// Always `true`.
        success: bool,
    }

    /// A person.
    Person {
        /// A UUID of version 7.
        id: String,
        /// As registered.
        username: String,
        /// To the person and to admins only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// What the person is called.
        full_name: Option<String>,
        /// What he may do.
        role: Role,
        /// Whether he may sign in.
        is_active: bool,
        /// Whether the address was shown to be read.
        is_verified: bool,
        /// RFC 3339, UTC.
        created_at: String,
        /// RFC 3339, UTC.
        last_login: Option<String>,
    }

    /// The body of `PATCH /users/{id}`; what is left out stays.
    ChangePerson {
        /// What the person is called; empty: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        /// For admins: what he may do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// For admins: whether he may sign in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        is_active: Option<bool>,
    }

    /// The body of `POST /auth/password/change`.
    ChangePassword {
        /// The password as it is.
        current_password: Secret,
        /// 8 characters or more, 1,024 bytes at most.
        new_password: Secret,
    }

    /// The body of `POST /auth/password/reset/request`.
    RequestReset {
        /// The address of the account.
        email: String,
    }

    /// The body of `POST /auth/password/reset/confirm`.
    ConfirmReset {
        /// The token that was mailed.
        token: Secret,
        /// 8 characters or more, 1,024 bytes at most.
        new_password: Secret,
    }

    /// The body of `POST /auth/email/verification/confirm`.
    ConfirmEmail {
        /// The token that was mailed.
        token: Secret,
    }

    /// The body of `POST /auth/email/change`.
    ChangeEmail {
        /// The password: an access token alone is not enough.
        password: Secret,
        /// Where a link is sent that completes the change.
        new_email: String,
    }

    /// The body of `DELETE /users/me`.
    Leave {
        /// The password: an access token alone is not enough.
        password: Secret,
    }

    /// A sign-in.
    SignInInfo {
        /// A UUID of version 7.
        id: String,
        /// What the client called itself.
        device: String,
        /// RFC 3339, UTC.
        created_at: String,
        /// When it was last refreshed: RFC 3339, UTC.
        last_used: String,
        /// When it ends at the latest: RFC 3339, UTC.
        expires_at: String,
        /// Whether it is the one that asks.
        current: bool,
    }

    /// Whether the caller's account may be used.
    AccountStatus {
        /// Whether he may sign in.
        is_active: bool,
        /// Whether his address was shown to be read.
        is_verified: bool,
    }

    /// How many people there are.
    PeopleCount {
        /// All of them.
        total_users: u64,
    }

    /// Something that happened to an account.
    EventInfo {
        /// A UUID of version 7, in the order of time.
        id: String,
        /// RFC 3339, UTC.
        at: String,
        /// Whose account.
        user_id: String,
        /// The admin who did it, if it was somebody else.
        by: Option<String>,
        /// What: `signed_in`, `password_changed`, ….
        what: String,
        /// The sign-in that it is about.
        session_id: Option<String>,
        /// The client's network address.
        address: Option<String>,
        /// What the client called itself.
        device: Option<String>,
    }

    /// Everything that is kept about a person.
    PersonalData {
        /// The account.
        user: Person,
        /// His sign-ins.
        sessions: Vec<SignInInfo>,
        /// What happened, the latest first.
        events: Vec<EventInfo>,
    }

    /// Whether the server, or a part of it, works.
    Health {
        /// Always `healthy`.
        status: String,
    }
}

impl Done {
    /// A success with its sentence.
    pub fn with(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            success: true,
        }
    }
}
