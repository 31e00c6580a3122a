//! The names in a file: every version that was ever written must be readable.

use password_auth_model::{EmailKind, EventKind, Role};
use serde_json::{Value, json};

/// A new name is unknown to older readers of this version, so it needs a new version.
fn event_kind(what: EventKind) -> Value {
    match what {
        EventKind::Registered => json!("registered"),
        EventKind::SignedIn => json!("signed_in"),
        EventKind::SignInFailed => json!("sign_in_failed"),
        EventKind::SignedOut => json!("signed_out"),
        EventKind::SignedOutElsewhere => json!("signed_out_elsewhere"),
        EventKind::TokenReused => json!("token_reused"),
        EventKind::TokenReplayedElsewhere => json!("token_replayed_elsewhere"),
        EventKind::StoreWentBack => json!("store_went_back"),
        EventKind::PasswordChanged => json!("password_changed"),
        EventKind::PasswordReset => json!("password_reset"),
        EventKind::PasswordSet => json!("password_set"),
        EventKind::EmailVerified => json!("email_verified"),
        EventKind::EmailChangeRequested => json!("email_change_requested"),
        EventKind::EmailChanged => json!("email_changed"),
        EventKind::ProfileChanged => json!("profile_changed"),
        EventKind::RoleChanged(role) => json!({"role_changed": role_name(role)}),
        EventKind::Deactivated => json!("deactivated"),
        EventKind::Activated => json!("activated"),
        EventKind::Exported => json!("exported"),
        EventKind::Deleted => json!("deleted"),
        EventKind::TotpEnabled => json!("totp_enabled"),
        EventKind::TotpDisabled => json!("totp_disabled"),
        EventKind::RecoveryCodesReplaced => json!("recovery_codes_replaced"),
        EventKind::RecoveryCodeUsed => json!("recovery_code_used"),
        EventKind::SecondFactorFailed => json!("second_factor_failed"),
        EventKind::PasskeyAdded => json!("passkey_added"),
        EventKind::PasskeyRemoved => json!("passkey_removed"),
        EventKind::FactorsReset => json!("factors_reset"),
        EventKind::SecondFactorAsked => json!("second_factor_asked"),
        EventKind::ProofFailed => json!("proof_failed"),
    }
}

/// Like [`event_kind`].
fn about(about: EmailKind) -> Value {
    match about {
        EmailKind::ResetPassword => json!("reset_password"),
        EmailKind::VerifyEmail => json!("verify_email"),
        EmailKind::ChangeEmail => json!("change_email"),
        EmailKind::EmailChangeRequested => json!("email_change_requested"),
        EmailKind::EmailChanged => json!("email_changed"),
        EmailKind::PasswordChanged => json!("password_changed"),
        EmailKind::Deactivated => json!("deactivated"),
        EmailKind::TokenReused => json!("token_reused"),
        EmailKind::FactorAdded => json!("factor_added"),
        EmailKind::FactorRemoved => json!("factor_removed"),
        EmailKind::RecoveryCodesReplaced => json!("recovery_codes_replaced"),
        EmailKind::RecoveryCodeUsed => json!("recovery_code_used"),
        EmailKind::Invitation => json!("invitation"),
    }
}

/// Like [`event_kind`].
const fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Admin => "admin",
        Role::Guest => "guest",
    }
}

#[test]
fn what_happened_and_what_mails_say_is_written_by_names_that_never_change() {
    let kinds = [
        EventKind::Registered,
        EventKind::SignedIn,
        EventKind::SignInFailed,
        EventKind::SignedOut,
        EventKind::SignedOutElsewhere,
        EventKind::TokenReused,
        EventKind::TokenReplayedElsewhere,
        EventKind::StoreWentBack,
        EventKind::PasswordChanged,
        EventKind::PasswordReset,
        EventKind::PasswordSet,
        EventKind::EmailVerified,
        EventKind::EmailChangeRequested,
        EventKind::EmailChanged,
        EventKind::ProfileChanged,
        EventKind::Deactivated,
        EventKind::Activated,
        EventKind::Exported,
        EventKind::Deleted,
        EventKind::TotpEnabled,
        EventKind::TotpDisabled,
        EventKind::RecoveryCodesReplaced,
        EventKind::RecoveryCodeUsed,
        EventKind::SecondFactorFailed,
        EventKind::PasskeyAdded,
        EventKind::PasskeyRemoved,
        EventKind::FactorsReset,
        EventKind::SecondFactorAsked,
        EventKind::ProofFailed,
    ];
    let roles = Role::ALL.map(EventKind::RoleChanged);
    for what in kinds.into_iter().chain(roles) {
        let written = serde_json::to_value(what).expect("JSON");
        assert_eq!(written, event_kind(what));
        let read: EventKind = serde_json::from_value(written).expect("read again");
        assert_eq!(read, what);
    }
    for kind in EmailKind::ALL {
        let written = serde_json::to_value(kind).expect("JSON");
        assert_eq!(written, about(kind));
        let read: EmailKind = serde_json::from_value(written).expect("read again");
        assert_eq!(read, kind);
    }
    for role in Role::ALL {
        assert_eq!(
            serde_json::to_value(role).expect("JSON"),
            json!(role_name(role))
        );
    }
}
