//! The account system under `/api/v1`: one file per resource. It calls the same use cases as the demo's routes.

mod caller;
mod check;
mod docs;
mod email;
mod events;
mod export;
mod factors;
mod health;
mod ids;
mod invites;
mod me;
mod messages;
mod passkeys;
mod password;
mod qr;
mod registration;
mod sessions;
mod sign_in;
mod users;
mod views;
mod webauthn;

use std::sync::Arc;

use password_auth_core::app::App;
use poem_openapi::Tags;

use self::check::CheckApi;
use self::email::EmailApi;
use self::events::EventsApi;
use self::factors::FactorsApi;
use self::health::HealthApi;
use self::invites::InvitesApi;
use self::me::MeApi;
use self::passkeys::PasskeysApi;
use self::password::PasswordApi;
use self::registration::RegistrationApi;
use self::sessions::SessionsApi;
use self::sign_in::SignInApi;
use self::users::UsersApi;

/// Every resource.
pub(super) type Apis = (
    RegistrationApi,
    SignInApi,
    SessionsApi,
    CheckApi,
    PasswordApi,
    EmailApi,
    FactorsApi,
    PasskeysApi,
    MeApi,
    UsersApi,
    InvitesApi,
    EventsApi,
    HealthApi,
);

pub(super) fn apis(app: &App) -> Apis {
    let accounts = || Arc::clone(&app.accounts);
    let sessions = || Arc::clone(&app.sessions);
    (
        RegistrationApi {
            accounts: accounts(),
        },
        SignInApi {
            accounts: accounts(),
            sessions: sessions(),
        },
        SessionsApi {
            sessions: sessions(),
        },
        CheckApi {
            token_keys: Arc::clone(&app.token_keys),
        },
        PasswordApi {
            accounts: accounts(),
        },
        EmailApi {
            accounts: accounts(),
        },
        FactorsApi {
            accounts: accounts(),
        },
        PasskeysApi {
            accounts: accounts(),
        },
        MeApi {
            accounts: accounts(),
        },
        UsersApi {
            accounts: accounts(),
        },
        InvitesApi {
            accounts: accounts(),
            public_url: app.public_url.clone(),
        },
        EventsApi {
            accounts: accounts(),
        },
        HealthApi {
            accounts: accounts(),
        },
    )
}

#[derive(Tags)]
enum Tag {
    /// Register, sign in, refresh tokens and sign out. See and end your sessions.
    #[oai(rename = "v1: sign-in")]
    SignIn,
    /// Change and reset passwords.
    #[oai(rename = "v1: password")]
    Password,
    /// Verify and change e-mail addresses.
    #[oai(rename = "v1: e-mail")]
    Email,
    /// Second factors: authenticator app, recovery codes and passkeys.
    #[oai(rename = "v1: factors")]
    Factors,
    /// Your own account.
    #[oai(rename = "v1: me")]
    Me,
    /// See and manage users.
    #[oai(rename = "v1: users")]
    Users,
    /// What happened to accounts.
    #[oai(rename = "v1: events")]
    Events,
    /// For other services: check a token, or get the keys to verify it.
    #[oai(rename = "v1: guard")]
    Guard,
    /// Whether the server works. For monitoring.
    #[oai(rename = "v1: health")]
    Health,
}
