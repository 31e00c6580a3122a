//! What the broker answers: `{ok: value}` or `{error: {code, message, retryAfter?, challenge?}}`.

use password_auth_wire::{Credentials, Secret};
use wasm_bindgen::JsValue;

use crate::{
    browser::BrowserError,
    json::{self, object},
    messages::{self, Action},
    response::{Failure, Refusal, Why},
    session::Error,
};

/// The version of the messages.
pub(super) const VERSION: u32 = 1;

/// A refusal, for the caller.
pub(super) struct Failed {
    code: String,
    message: String,
    retry_after: Option<u32>,
    challenge: Option<String>,
}

impl Failed {
    pub(super) fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_owned(),
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn not_allowed(message: &str) -> Self {
        Self::new("not_allowed", message)
    }

    fn refused(refusal: Refusal) -> Self {
        Self {
            code: refusal.details.code,
            message: refusal.message,
            retry_after: refusal.details.retry_after,
            challenge: refusal.details.challenge,
        }
    }

    pub(super) fn into_answer(self) -> JsValue {
        let mut fields = vec![
            ("code", JsValue::from(self.code)),
            ("message", self.message.into()),
        ];
        if let Some(seconds) = self.retry_after {
            fields.push(("retryAfter", seconds.into()));
        }
        if let Some(challenge) = self.challenge {
            fields.push(("challenge", challenge.into()));
        }
        object(&[("error", object(&fields).into())]).into()
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::RefreshRefused(refusal) | Error::Failed(Failure::Refused(refusal)) => {
                return Self::refused(*refusal);
            }
            Error::NotSignedIn => return Self::new("not_signed_in", "Nobody is signed in."),
            Error::Failed(Failure::NoAnswer(ref no_answer)) => match no_answer.why {
                Why::NoHostPermission => "no_host_permission",
                _ => "unreachable",
            },
            Error::InvalidAddress => "not_allowed",
            Error::Browser(_) => "internal_error",
        };
        Self::new(code, &messages::failure(Action::Login, &error))
    }
}

impl From<BrowserError> for Failed {
    fn from(error: BrowserError) -> Self {
        Error::Browser(error).into()
    }
}

pub(super) fn success(value: JsValue) -> JsValue {
    object(&[("ok", value)]).into()
}

/// The name and the password of a message.
///
/// # Errors
/// One is missing or not a text. Their rules are the server's.
pub(super) fn credentials(message: &JsValue) -> Result<Credentials, Failed> {
    let text = |name| json::text_field(message, name);
    let (Some(username), Some(password)) = (text("username"), text("password")) else {
        return Err(Failed::new(
            "validation_failed",
            "Username and password are required.",
        ));
    };
    Ok(Credentials {
        username,
        password: Secret::new(password),
    })
}
