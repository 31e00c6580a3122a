//! The account system under `/api/v1`: one file a resource. The use cases are the same as the demo's routes call.

mod caller;
mod docs;
mod email;
mod events;
mod export;
mod health;
mod me;
mod messages;
mod password;
mod session;
mod users;
mod views;

use std::sync::Arc;

use password_auth_core::app::App;
use poem_openapi::Tags;

use self::email::EmailApi;
use self::events::EventsApi;
use self::health::HealthApi;
use self::me::MeApi;
use self::password::PasswordApi;
use self::session::SessionApi;
use self::users::UsersApi;

/// Every resource.
pub(super) type Apis = (
    SessionApi,
    PasswordApi,
    EmailApi,
    MeApi,
    UsersApi,
    EventsApi,
    HealthApi,
);

pub(super) fn apis(app: &App) -> Apis {
    let accounts = || Arc::clone(&app.accounts);
    let sessions = || Arc::clone(&app.sessions);
    (
        SessionApi {
            accounts: accounts(),
            sessions: sessions(),
        },
        PasswordApi {
            accounts: accounts(),
        },
        EmailApi {
            accounts: accounts(),
        },
        MeApi {
            accounts: accounts(),
        },
        UsersApi {
            accounts: accounts(),
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
    /// Make an account, sign in, refresh, sign out, on several devices.
    #[oai(rename = "v1: sign-in")]
    SignIn,
    /// Change and reset passwords.
    #[oai(rename = "v1: password")]
    Password,
    /// Verify and change e-mail addresses.
    #[oai(rename = "v1: e-mail")]
    Email,
    /// One's own account.
    #[oai(rename = "v1: me")]
    Me,
    /// People.
    #[oai(rename = "v1: users")]
    Users,
    /// What happened.
    #[oai(rename = "v1: events")]
    Events,
    /// Whether the server works.
    #[oai(rename = "v1: health")]
    Health,
}
