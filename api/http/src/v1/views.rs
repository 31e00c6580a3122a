//! Which parts of records are shown, and to whom.

use password_auth_core::accounts::TotpSetup;
use password_auth_core::sessions::{Caller, Issued};
use password_auth_model::{Event, Factors, Invite, Passkey, Role, Session, Timestamp, User};
use password_auth_wire::Secret;
use password_auth_wire::v1::{
    EventInfo, FactorsInfo, InviteInfo, PasskeyInfo, PasswordChanged, Role as WireRole,
    SessionInfo, TokenPair, TotpSetup as WireTotpSetup, UserInfo,
};
use poem_openapi::Object;
use serde_json::Value;

use super::messages::PASSWORD_CHANGED;

/// Who asks, as headers of the response.
#[derive(Object)]
pub(super) struct AuthHeaders {
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) role: String,
}

/// A user as `caller` may see them: some fields are only for the user and for admins.
pub(super) fn user(user: &User, caller: &Caller) -> UserInfo {
    let whole = own_user(user);
    if caller.user.id == user.id || caller.user.role == Role::Admin {
        return whole;
    }
    UserInfo {
        email: None,
        is_active: None,
        is_verified: None,
        last_login: None,
        ..whole
    }
}

/// A user as they see themselves.
pub(super) fn own_user(user: &User) -> UserInfo {
    let email = user.email.as_ref();
    UserInfo {
        id: user.id.to_string(),
        username: user.username.as_str().to_owned(),
        email: email.map(|email| email.as_str().to_owned()),
        full_name: user.full_name.as_ref().map(ToString::to_string),
        role: wire_role(user.role),
        is_active: Some(user.is_active),
        is_verified: Some(user.is_verified),
        created_at: user.created_at.to_rfc3339(),
        last_login: user.last_login.map(Timestamp::to_rfc3339),
    }
}

pub(super) const fn wire_role(role: Role) -> WireRole {
    match role {
        Role::User => WireRole::User,
        Role::Admin => WireRole::Admin,
        Role::Guest => WireRole::Guest,
    }
}

pub(super) const fn role(role: WireRole) -> Role {
    match role {
        WireRole::User => Role::User,
        WireRole::Admin => Role::Admin,
        WireRole::Guest => Role::Guest,
    }
}

pub(super) fn tokens(issued: Issued) -> TokenPair {
    TokenPair {
        access_token: issued.access_token,
        refresh_token: issued.refresh_token,
        token_type: "bearer".to_owned(),
        expires_in: u32::try_from(issued.expires_in.as_secs()).unwrap_or(u32::MAX),
    }
}

pub(super) fn password_changed(issued: Issued) -> PasswordChanged {
    let TokenPair {
        access_token,
        refresh_token,
        token_type,
        expires_in,
    } = tokens(issued);
    PasswordChanged {
        message: PASSWORD_CHANGED.to_owned(),
        success: true,
        access_token,
        refresh_token,
        token_type,
        expires_in,
    }
}

pub(super) fn session(session: &Session, caller: &Caller) -> SessionInfo {
    SessionInfo {
        id: session.id.to_string(),
        device: session.device.clone(),
        created_at: session.created.to_rfc3339(),
        last_used: session.last_used.to_rfc3339(),
        replayed_elsewhere: session.replayed_elsewhere().map(Timestamp::to_rfc3339),
        expires_at: session.expires.to_rfc3339(),
        current: session.id == caller.session,
    }
}

pub(super) fn factors(factors: &Factors) -> FactorsInfo {
    FactorsInfo {
        totp: factors.totp.is_some(),
        recovery_codes_left: u32::try_from(factors.recovery_codes.len()).unwrap_or(u32::MAX),
        passkeys: factors.passkeys.iter().map(passkey).collect(),
    }
}

pub(super) fn passkey(passkey: &Passkey) -> PasskeyInfo {
    PasskeyInfo {
        id: passkey.id.to_string(),
        name: passkey.name.clone(),
        created_at: passkey.created.to_rfc3339(),
        last_used: passkey.last_used.map(Timestamp::to_rfc3339),
    }
}

pub(super) fn totp_setup(setup: TotpSetup, qr_svg: Secret) -> WireTotpSetup {
    WireTotpSetup {
        secret: setup.secret,
        otpauth_url: setup.otpauth_url,
        qr_svg,
    }
}

pub(super) fn invite(invite: &Invite) -> InviteInfo {
    InviteInfo {
        id: invite.id.to_string(),
        email: invite.email.as_ref().map(|email| email.as_str().to_owned()),
        role: wire_role(invite.role),
        created_at: invite.created.to_rfc3339(),
        expires_at: invite.expires.to_rfc3339(),
    }
}

pub(super) fn event(event: &Event) -> EventInfo {
    EventInfo {
        id: event.id.to_string(),
        at: event.at.to_rfc3339(),
        user_id: event.user.to_string(),
        by: event.by.map(|by| by.to_string()),
        what: what(event),
        session_id: event.session.map(|session| session.to_string()),
        address: event.address.clone(),
        device: event.device.clone(),
    }
}

/// `signed_in`; `role_changed: admin`.
fn what(event: &Event) -> String {
    match serde_json::to_value(event.what) {
        Ok(Value::String(name)) => name,
        Ok(Value::Object(named)) => named
            .into_iter()
            .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()))
            .collect(),
        _ => String::new(),
    }
}
