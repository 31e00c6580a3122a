//! The account system under `/api/v1`. Fields that a request does not have are refused there; what an answer has no
//! value for is left out, never null.

use serde::{Deserialize, Serialize};

use crate::Secret;

#[cfg(feature = "openapi")]
const ID: &str = "019acf5a-3c1b-7d2e-9f04-5b6c7d8e9f00";
#[cfg(feature = "openapi")]
const MOMENT: &str = "2026-01-01T12:00:00.000Z";

/// Each type with the example that the OpenAPI document shows.
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
        username: String = "alice".to_owned(),
        /// Where mail goes; a link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// 8 characters or more, 1,024 bytes at most.
        password: Secret = Secret::new("correct horse battery"),
        /// What the person is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
    }

    /// The body of `POST /users`: an admin makes an account for somebody.
    CreateAccount {
        /// 1 to 64 characters, no `@`; the spelling is kept, the comparison ignores case.
        username: String = "alice".to_owned(),
        /// Where mail goes; a link to verify it is sent there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// 8 characters or more, 1,024 bytes at most.
        password: Secret = Secret::new("correct horse battery"),
        /// What the person is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What he may do; `user` if it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
    }

    /// The body of `POST /auth/login`.
    Login {
        /// The name, in any case, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
        /// `false`: the session lasts a day at most. `true`, the default: as long as the server allows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        stay_signed_in: Option<bool> = None,
    }

    /// A pair of tokens.
    TokenPair {
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque; good for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires, counted from now.
        expires_in: u32 = 900,
    }

    /// The password is changed, and this is the pair for the session that asked for it.
    PasswordChanged {
        /// The sentence.
        message: String = "Password changed successfully".to_owned(),
        /// Always `true`.
        success: bool = true,
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque; good for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires, counted from now.
        expires_in: u32 = 900,
    }

    /// The body of `POST /auth/reactivate`.
    Reactivate {
        /// The name, in any case, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
    }

    /// The body of `POST /auth/refresh`.
    RefreshPair {
        /// The refresh token that the last sign-in or refresh answered.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
    }

    /// A sentence for people, after something was done.
    Done {
        /// The sentence.
        message: String = "Done.".to_owned(),
        /// Always `true`.
        success: bool = true,
    }

    /// A person.
    #[cfg_attr(feature = "openapi", oai(rename = "User"))]
    UserInfo {
        /// A UUID of version 7.
        id: String = ID.to_owned(),
        /// As registered.
        username: String = "alice".to_owned(),
        /// To the person and to admins only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// What the person is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What he may do.
        role: Role = Role::User,
        /// Whether they may sign in. To the person and to admins only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = Some(true),
        /// Whether the address was shown to be read. To the person and to admins only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_verified: Option<bool> = Some(true),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// RFC 3339, UTC. To the person and to admins only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        last_login: Option<String> = Some(MOMENT.to_owned()),
    }

    /// The body of `PATCH /users/{id}`; what is left out stays.
    UpdateUser {
        /// What the person is called; empty: nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// For admins: what he may do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
        /// For admins: whether he may sign in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = None,
    }

    /// The body of `POST /auth/password/change`.
    ChangePassword {
        /// The password as it is.
        current_password: Secret = Secret::new("correct horse battery"),
        /// 8 characters or more, 1,024 bytes at most.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The body of `POST /auth/password/reset/request`.
    RequestReset {
        /// The address of the account.
        email: String = "alice@example.org".to_owned(),
    }

    /// The body of `POST /auth/password/reset/confirm`.
    ConfirmReset {
        /// The token that was mailed.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
        /// 8 characters or more, 1,024 bytes at most.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The body of `POST /auth/email/verification/confirm`.
    ConfirmEmail {
        /// The token that was mailed.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
    }

    /// The body of `POST /auth/email/change`.
    ChangeEmail {
        /// The password: an access token alone is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// Where a link is sent that completes the change.
        new_email: String = "alice@example.net".to_owned(),
    }

    /// The body of `DELETE /users/me`.
    DeleteAccount {
        /// The password: an access token alone is not enough.
        password: Secret = Secret::new("correct horse battery"),
    }

    /// A sign-in.
    SessionInfo {
        /// A UUID of version 7.
        id: String = ID.to_owned(),
        /// What the client called itself.
        device: String = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned(),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// When it was last refreshed: RFC 3339, UTC, to five minutes. What happened since the last full five minutes is
        /// not told yet.
        last_used: String = MOMENT.to_owned(),
        /// When a refresh token of it last came from another network or device than had it exchanged: RFC 3339, UTC. A
        /// lost answer on a changing network, or somebody else who has the tokens; the event `token_replayed_elsewhere`
        /// says from where. Not there: nothing such is remembered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        replayed_elsewhere: Option<String> = None,
        /// When it ends at the latest: RFC 3339, UTC.
        expires_at: String = MOMENT.to_owned(),
        /// Whether it is the one that asks.
        current: bool = true,
    }

    /// Whether the caller's account may be used.
    AccountStatus {
        /// Whether he may sign in.
        is_active: bool = true,
        /// Whether his address was shown to be read.
        is_verified: bool = true,
    }

    /// How many people there are.
    UserCount {
        /// All of them.
        total_users: u64 = 1,
    }

    /// Something that happened to an account.
    EventInfo {
        /// A UUID of version 7, in the order of time.
        id: String = ID.to_owned(),
        /// RFC 3339, UTC.
        at: String = MOMENT.to_owned(),
        /// Whose account.
        user_id: String = ID.to_owned(),
        /// The admin who did it, if it was somebody else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        by: Option<String> = None,
        /// What: `signed_in`, `password_changed`, ….
        what: String = "signed_in".to_owned(),
        /// The sign-in that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        session_id: Option<String> = Some(ID.to_owned()),
        /// The client's network address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        address: Option<String> = Some("192.0.2.7".to_owned()),
        /// What the client called itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        device: Option<String> = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned()),
    }

    /// Everything that is kept about a person.
    PersonalData {
        /// The account.
        user: UserInfo = <UserInfo as poem_openapi::types::Example>::example(),
        /// His sign-ins.
        sessions: Vec<SessionInfo> = vec![<SessionInfo as poem_openapi::types::Example>::example()],
        /// What happened, the latest first.
        events: Vec<EventInfo> = vec![<EventInfo as poem_openapi::types::Example>::example()],
    }

    /// Whether the server, or a part of it, works.
    Health {
        /// Always `healthy`.
        status: String = "healthy".to_owned(),
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
