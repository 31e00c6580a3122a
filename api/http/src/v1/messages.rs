//! Success messages.

use password_auth_wire::Secret;
use password_auth_wire::v1::Done;

pub(super) const LOGGED_OUT: &str =
    "Logged out successfully. Please delete tokens from client storage.";
pub(super) const PASSWORD_CHANGED: &str = "Password changed successfully";
pub(super) const PASSWORD_RESET: &str = "Password reset successful";
pub(super) const RESET_REQUESTED: &str = "If the email exists, a password reset link has been sent";
pub(super) const VERIFICATION_SENT: &str = "Verification email sent";
pub(super) const ALREADY_VERIFIED: &str = "Email already verified";
pub(super) const CHANGE_SENT: &str = "Confirmation email sent to the new address";
pub(super) const EMAIL_VERIFIED: &str = "Email verified successfully";
pub(super) const PROVED: &str = "Confirmed for 5 minutes";
pub(super) const DEACTIVATED: &str = "Account deactivated successfully";

/// The message. In development, responses include the mailed token.
pub(super) fn with_token(sentence: &str, token: Option<&Secret>) -> Done {
    match token {
        None => Done::with(sentence),
        Some(token) => Done::with(format!("{sentence} (DEV ONLY): {}", token.expose())),
    }
}
