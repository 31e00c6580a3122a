//! Every text that Rust shows, in English, and how it is found in another language.
//!
//! English is built in, so it costs no request. The starter loads `_locales/LANGUAGE/messages.json` for another language
//! and hands it over before the surface starts. The broker, which other people's extensions use too, stays English.
//! What the English ones say is fixed by CONTRACT.md where it speaks of them.

use core::cell::RefCell;

use wasm_bindgen::JsValue;

use crate::json;

thread_local! {
    /// What `messages.json` holds: an object of `{message}` by key.
    static TRANSLATIONS: RefCell<Option<JsValue>> = const { RefCell::new(None) };
}

/// From now on texts are taken from `messages`, if that is an object.
pub(crate) fn translate_by(messages: JsValue) {
    TRANSLATIONS.replace(Some(messages).filter(JsValue::is_object));
}

/// The text of `key` in the user's language, unless that is English.
pub(crate) fn translated(key: &str) -> Option<String> {
    TRANSLATIONS.with_borrow(|messages| {
        let entry = json::field(messages.as_ref()?, key)?;
        json::text_field(&entry, "message")
    })
}

/// A text with places for values: `$1`, `$2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    key: &'static str,
    english: &'static str,
}

impl Text {
    /// The text in the user's language.
    pub(crate) fn plain(self) -> String {
        self.with(&[])
    }

    /// The text in the user's language, with `values` in their places.
    pub(crate) fn with(self, values: &[&str]) -> String {
        match translated(self.key) {
            Some(text) => fill(&text, values),
            None => fill(self.english, values),
        }
    }
}

/// No pattern and no formatting: what they bring along weighs 1 KB.
fn fill(text: &str, values: &[&str]) -> String {
    let mut filled = String::new();
    for (at, part) in text.split('$').enumerate() {
        let place = part.bytes().next().unwrap_or_default().wrapping_sub(b'1');
        match (values.get(usize::from(place)), part.get(1..)) {
            (Some(value), Some(rest)) if at > 0 => {
                filled.push_str(value);
                filled.push_str(rest);
            }
            _ => {
                if at > 0 {
                    filled.push('$');
                }
                filled.push_str(part);
            }
        }
    }
    filled
}

macro_rules! texts {
    ($( $name:ident = $key:literal, $english:literal; )+) => {
        $( pub(crate) const $name: Text = Text { key: $key, english: $english }; )+

        #[cfg(test)]
        const ALL: &[Text] = &[$( $name ),+];
    };
}

texts! {
    REGISTERED = "registered", "Registration successful.";
    LOGGED_IN = "loggedIn", "Authentication successful.";
    LOGGED_OUT = "loggedOut", "Logged out successfully.";
    LOGGED_OUT_HERE = "loggedOutHere",
        "Logged out here. The server could not be told and will be when it can be reached.";
    CODE_REQUIRED = "codeRequired", "Please enter the code of your second factor.";
    PASSKEY_REQUIRED = "passkeyRequired", "Please confirm with your passkey.";
    NO_PASSKEY = "noPasskey", "No passkey was used. You can try again, or sign in with your password.";
    PASSKEY_NOT_ALLOWED = "passkeyNotAllowed", "The browser does not allow passkeys of this server here.";
    INVITE_REQUIRED = "inviteRequired", "Please enter your invitation.";
    EMPTY_AT_REGISTER = "emptyAtRegister", "Please enter a username and password.";
    EMPTY_AT_LOGIN = "emptyAtLogin", "Please enter your username and password.";
    PASSWORD_TOO_SHORT = "passwordTooShort", "Password must be at least 8 characters long.";
    PASSWORD_TOO_LONG = "passwordTooLong", "Password must be at most 1024 bytes long.";
    NOT_SIGNED_IN = "notSignedIn", "No tokens found. Please login.";
    SESSION_EXPIRED = "sessionExpired", "Session expired. Please log in again.";
    REGISTER_FAILED = "registerFailed", "Registration failed: $1";
    LOGIN_FAILED = "loginFailed", "Authentication failed: $1";
    ACCESS_FAILED = "accessFailed", "Failed to access protected resource: $1";
    LOGOUT_FAILED = "logoutFailed", "Logout failed: $1";
    REFRESH_FAILED = "refreshFailed", "Failed to refresh token: $1";
    RETRY_AFTER = "retryAfter", "$1 You can try again in $2 s.";
    UNREACHABLE = "unreachable", "Cannot reach the server at $1. Is it running?";
    TIMED_OUT = "timedOut", "The server at $1 did not answer in time. Please try again.";
    SERVER_ERROR = "serverError", "The server at $1 had a problem (HTTP $2). Please try again.";
    SERVER_ERROR_SAID = "serverErrorSaid", "The server at $1 had a problem (HTTP $2): $3";
    UNEXPECTED = "unexpected",
        "The server at $1 did not answer as expected (HTTP $2). Is it a Password Auth server?";
    NO_HOST_PERMISSION = "noHostPermission",
        "This extension has no permission to reach $1. Allow it in the browser's settings for this extension.";
    INVALID_ADDRESS = "invalidAddress",
        "The server's address in the settings cannot be used. It must start with https://, or with http://127.0.0.1 or http://localhost.";
    STORAGE_FAILED = "storageFailed", "The browser could not read or write its storage: $1";
    REGISTERING = "registering", "Registering…";
    SIGNING_IN = "signingIn", "Signing in…";
    LOADING = "loading", "Loading…";
    SIGNING_OUT = "signingOut", "Signing out…";
    SERVER = "server", "Server $1";
    WELCOME = "welcome", "Welcome, $1!";
}

#[cfg(test)]
mod tests;
