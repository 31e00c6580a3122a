//! The account system under `/api/v1`. Unknown fields in a request are refused. A field without a value is left out of
//! a response, never null.

use serde::{Deserialize, Serialize};

use crate::{PasswordHint, Secret};

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

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
#[cfg_attr(feature = "openapi", oai(rename_all = "lowercase"))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees other users where the server allows it, without their e-mail addresses.
    User,
    /// Sees and changes all users.
    Admin,
    /// Sees only themselves.
    Guest,
}

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

    /// The body of `POST /invites`.
    CreateInvite {
        /// Mail the invitation to this address. The account gets it, unless its user gives another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// What the user may do. Default: `user`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
        /// How long the invitation is valid: minutes, hours or days, such as `30m`, `12h` or `7d` (the default).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        expires: Option<String> = Some("7d".to_owned()),
    }

    /// A new invitation.
    InviteCreated {
        /// Its id.
        id: String = ID.to_owned(),
        /// The page to register on. Hand it over, unless it is mailed.
        url: Secret = Secret::new("https://auth.example.org/join?token=Xb0v…"),
        /// The token, for `POST /auth/register`. It is not shown again.
        token: Secret = Secret::new("Xb0v…"),
    }

    /// An invitation that is out.
    InviteInfo {
        /// Its id.
        id: String = ID.to_owned(),
        /// Where it was mailed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// What the user will be allowed to do.
        role: Role = Role::User,
        /// When it was made. RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// When it expires. RFC 3339, UTC.
        expires_at: String = MOMENT.to_owned(),
    }

    /// The body of `POST /users`: an admin creates a user.
    CreateAccount {
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
        /// What the user may do. Default: `user`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
    }

    /// The body of `POST /auth/login`.
    Login {
        /// The user name, case-insensitive, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
        /// `true` (the default): the session lasts as long as the server allows. `false`: one day at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        stay_signed_in: Option<bool> = None,
        /// If the account has a second factor: a code from the authenticator app, or a recovery code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        code: Option<Secret> = None,
    }

    /// A pair of tokens.
    TokenPair {
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque. Use it for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires.
        expires_in: u32 = 900,
    }

    /// The password was changed. This is the session's new pair of tokens.
    PasswordChanged {
        /// A sentence for people.
        message: String = "Password changed successfully".to_owned(),
        /// Always `true`.
        success: bool = true,
        /// A JWT (RFC 9068) for the `Authorization` header.
        access_token: Secret = Secret::new("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTlh…"),
        /// Opaque. Use it for one refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
        /// Always `bearer`.
        token_type: String = "bearer".to_owned(),
        /// Seconds until the access token expires.
        expires_in: u32 = 900,
    }

    /// The body of `POST /auth/reactivate`.
    Reactivate {
        /// The user name, case-insensitive, or the e-mail address.
        username: String = "alice".to_owned(),
        /// The password.
        password: Secret = Secret::new("correct horse battery"),
        /// If the account has a second factor: a code from the authenticator app, or a recovery code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        code: Option<Secret> = None,
    }

    /// Your second factors.
    FactorsInfo {
        /// Whether there is an authenticator app.
        totp: bool = true,
        /// How many recovery codes are left.
        recovery_codes_left: u32 = 10,
        /// Passkeys, the oldest first.
        passkeys: Vec<PasskeyInfo> = vec![<PasskeyInfo as poem_openapi::types::Example>::example()],
    }

    /// A passkey.
    PasskeyInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The name that you gave it.
        name: String = "Phone".to_owned(),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// RFC 3339, UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        last_used: Option<String> = Some(MOMENT.to_owned()),
    }

    /// The body of `POST /auth/totp/setup`.
    SetUpTotp {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
    }

    /// What the authenticator app needs.
    TotpSetup {
        /// The secret, to type: base32.
        secret: Secret = Secret::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        /// The same as a link for the app.
        otpauth_url: Secret = Secret::new("otpauth://totp/auth%2Eexample%2Eorg:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=auth%2Eexample%2Eorg&algorithm=SHA1&digits=6&period=30"),
        /// The same as a QR code: an SVG image.
        qr_svg: Secret = Secret::new("<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>"),
    }

    /// The body of `POST /auth/totp/confirm`.
    ConfirmTotp {
        /// The code that the app shows.
        code: Secret = Secret::new("123456"),
    }

    /// The body of `DELETE /auth/totp`.
    RemoveTotp {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// A code from the authenticator app, or a recovery code.
        code: Secret = Secret::new("123456"),
    }

    /// The body of `POST /auth/recovery-codes`.
    ReplaceRecoveryCodes {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// A code from the authenticator app, or a recovery code.
        code: Secret = Secret::new("123456"),
    }

    /// Recovery codes. They are not shown again.
    RecoveryCodes {
        /// Each works once, instead of a code from the authenticator app.
        recovery_codes: Vec<Secret> = vec![Secret::new("7kqm-x2ha-9cwe-4tnb")],
    }

    /// The body of `POST /auth/refresh`.
    RefreshPair {
        /// The refresh token from the last sign-in or refresh.
        refresh_token: Secret = Secret::new("AQEjRWeJq83vAZqxUT8Rfq6gLqV0vFrAAAAAAm3u8Y1p"),
    }

    /// The request succeeded.
    Done {
        /// A sentence for people.
        message: String = "Done.".to_owned(),
        /// Always `true`.
        success: bool = true,
    }

    /// A user.
    #[cfg_attr(feature = "openapi", oai(rename = "User"))]
    UserInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The user name, as it was registered.
        username: String = "alice".to_owned(),
        /// The e-mail address. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        email: Option<String> = Some("alice@example.org".to_owned()),
        /// The user's full name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What the user may do.
        role: Role = Role::User,
        /// Whether the user may sign in. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = Some(true),
        /// Whether the e-mail address is verified. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_verified: Option<bool> = Some(true),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// RFC 3339, UTC. Shown only to the user and to admins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        last_login: Option<String> = Some(MOMENT.to_owned()),
    }

    /// The body of `PATCH /users/{id}`. Fields that are left out keep their value.
    UpdateUser {
        /// The user's full name. An empty string removes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        full_name: Option<String> = Some("Alice Liddell".to_owned()),
        /// What the user may do. Only admins may change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        role: Option<Role> = None,
        /// Whether the user may sign in. Only admins may change it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        is_active: Option<bool> = None,
    }

    /// The body of `POST /auth/password/change`.
    ChangePassword {
        /// The current password.
        current_password: Secret = Secret::new("correct horse battery"),
        /// At least 8 characters, at most 1,024 bytes.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The body of `POST /auth/password/reset/request`.
    RequestReset {
        /// The e-mail address of the account.
        email: String = "alice@example.org".to_owned(),
        /// The user name, to choose one of several accounts with the same unverified address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        username: Option<String> = None,
    }

    /// The body of `POST /auth/password/reset/confirm`.
    ConfirmReset {
        /// The token from the mailed link.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
        /// At least 8 characters, at most 1,024 bytes.
        new_password: Secret = Secret::new("staple of another kind"),
    }

    /// The body of `POST /auth/email/verification/confirm`.
    ConfirmEmail {
        /// The token from the mailed link.
        token: Secret = Secret::new("mJ2Yy0gkq0m7sBqz7m0gqkYy0J2mJ2Yy0gkq0m7sBqw"),
    }

    /// The body of `POST /auth/email/change`.
    ChangeEmail {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// The new e-mail address. A link that completes the change is sent there.
        new_email: String = "alice@example.net".to_owned(),
    }

    /// The body of `DELETE /users/me`.
    DeleteAccount {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
    }

    /// A session: one sign-in on one device.
    SessionInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The client's `User-Agent`.
        device: String = "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned(),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// When the session was last used: RFC 3339, UTC, in steps of five minutes. Use within the current five minutes
        /// is not shown yet.
        last_used: String = MOMENT.to_owned(),
        /// When a used refresh token of this session last came again, from another network or device: RFC 3339, UTC.
        /// Either a response was lost while the network changed, or somebody else has the tokens. The event
        /// `token_replayed_elsewhere` says from where. Absent if this did not happen lately.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        replayed_elsewhere: Option<String> = None,
        /// When the session expires: RFC 3339, UTC.
        expires_at: String = MOMENT.to_owned(),
        /// Whether this is the session that makes the request.
        current: bool = true,
    }

    /// The status of the signed-in user's account.
    AccountStatus {
        /// Whether the user may sign in.
        is_active: bool = true,
        /// Whether the e-mail address is verified.
        is_verified: bool = true,
    }

    /// The number of users.
    UserCount {
        /// All users.
        total_users: u64 = 1,
    }

    /// Something that happened to an account.
    EventInfo {
        /// A UUID (version 7). Ids are in the order of time.
        id: String = ID.to_owned(),
        /// RFC 3339, UTC.
        at: String = MOMENT.to_owned(),
        /// The id of the user whose account it is.
        user_id: String = ID.to_owned(),
        /// The id of the admin who did it, if it was not the user.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        by: Option<String> = None,
        /// What happened: `signed_in`, `password_changed`, ….
        what: String = "signed_in".to_owned(),
        /// The id of the session.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        session_id: Option<String> = Some(ID.to_owned()),
        /// The client's IP address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        address: Option<String> = Some("192.0.2.7".to_owned()),
        /// The client's `User-Agent`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        device: Option<String> = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0".to_owned()),
    }

    /// A set of public keys (RFC 7517 §5).
    JwkSet {
        /// The key that signs comes first.
        keys: Vec<Jwk> = vec![<Jwk as poem_openapi::types::Example>::example()],
    }

    /// A public key (RFC 7517 §4, RFC 8037 §2).
    Jwk {
        /// Always `OKP`.
        kty: String = "OKP".to_owned(),
        /// Always `Ed25519`.
        crv: String = "Ed25519".to_owned(),
        /// Always `sig`.
        #[serde(rename = "use")]
        #[cfg_attr(feature = "openapi", oai(rename = "use"))]
        usage: String = "sig".to_owned(),
        /// Always `EdDSA`.
        alg: String = "EdDSA".to_owned(),
        /// Its id, which tokens name in their header.
        kid: String = "a1b2c3d4e5f60718".to_owned(),
        /// The key, base64url.
        x: String = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
    }

    /// Everything that is stored about a user.
    PersonalData {
        /// The user.
        user: UserInfo = <UserInfo as poem_openapi::types::Example>::example(),
        /// The user's sessions.
        sessions: Vec<SessionInfo> = vec![<SessionInfo as poem_openapi::types::Example>::example()],
        /// The second factors.
        factors: FactorsInfo = <FactorsInfo as poem_openapi::types::Example>::example(),
        /// The invitations that the user made and that are out.
        invites: Vec<InviteInfo> = vec![<InviteInfo as poem_openapi::types::Example>::example()],
        /// The events of the account, the latest first.
        events: Vec<EventInfo> = vec![<EventInfo as poem_openapi::types::Example>::example()],
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
