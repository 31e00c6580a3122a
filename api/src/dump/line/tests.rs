//! The names in a file: every version that was ever written must be readable.

use password_auth_model::{About, Happening, Role};
use serde_json::{Value, json};

/// A new name is unknown to older readers of this version, so it needs a new version.
fn happening(what: Happening) -> Value {
    match what {
        Happening::Registered => json!("registered"),
        Happening::SignedIn => json!("signed_in"),
        Happening::SignInFailed => json!("sign_in_failed"),
        Happening::SignedOut => json!("signed_out"),
        Happening::SignedOutElsewhere => json!("signed_out_elsewhere"),
        Happening::TokenReused => json!("token_reused"),
        Happening::TokenReplayedElsewhere => json!("token_replayed_elsewhere"),
        Happening::StoreWentBack => json!("store_went_back"),
        Happening::PasswordChanged => json!("password_changed"),
        Happening::PasswordReset => json!("password_reset"),
        Happening::PasswordSet => json!("password_set"),
        Happening::EmailVerified => json!("email_verified"),
        Happening::EmailChangeRequested => json!("email_change_requested"),
        Happening::EmailChanged => json!("email_changed"),
        Happening::ProfileChanged => json!("profile_changed"),
        Happening::RoleChanged(role) => json!({"role_changed": role_name(role)}),
        Happening::Deactivated => json!("deactivated"),
        Happening::Activated => json!("activated"),
        Happening::Exported => json!("exported"),
        Happening::Deleted => json!("deleted"),
    }
}

/// Like [`happening`].
fn about(about: About) -> Value {
    match about {
        About::ResetPassword => json!("reset_password"),
        About::VerifyEmail => json!("verify_email"),
        About::ChangeEmail => json!("change_email"),
        About::EmailChangeRequested => json!("email_change_requested"),
        About::EmailChanged => json!("email_changed"),
        About::PasswordChanged => json!("password_changed"),
        About::TokenReused => json!("token_reused"),
    }
}

/// Like [`happening`].
const fn role_name(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Admin => "admin",
        Role::Guest => "guest",
    }
}

#[test]
fn what_happened_and_what_letters_say_is_written_by_names_that_never_change() {
    let happenings = [
        Happening::Registered,
        Happening::SignedIn,
        Happening::SignInFailed,
        Happening::SignedOut,
        Happening::SignedOutElsewhere,
        Happening::TokenReused,
        Happening::TokenReplayedElsewhere,
        Happening::StoreWentBack,
        Happening::PasswordChanged,
        Happening::PasswordReset,
        Happening::PasswordSet,
        Happening::EmailVerified,
        Happening::EmailChangeRequested,
        Happening::EmailChanged,
        Happening::ProfileChanged,
        Happening::Deactivated,
        Happening::Activated,
        Happening::Exported,
        Happening::Deleted,
    ];
    let roles = Role::ALL.map(Happening::RoleChanged);
    for what in happenings.into_iter().chain(roles) {
        let written = serde_json::to_value(what).expect("JSON");
        assert_eq!(written, happening(what));
        let read: Happening = serde_json::from_value(written).expect("read again");
        assert_eq!(read, what);
    }
    for letter in [
        About::ResetPassword,
        About::VerifyEmail,
        About::ChangeEmail,
        About::EmailChangeRequested,
        About::EmailChanged,
        About::PasswordChanged,
        About::TokenReused,
    ] {
        let written = serde_json::to_value(letter).expect("JSON");
        assert_eq!(written, about(letter));
        let read: About = serde_json::from_value(written).expect("read again");
        assert_eq!(read, letter);
    }
    for role in Role::ALL {
        assert_eq!(
            serde_json::to_value(role).expect("JSON"),
            json!(role_name(role))
        );
    }
}
