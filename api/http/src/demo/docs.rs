//! What the OpenAPI document says about each route of the demo: an example of the response, and the errors.

use std::time::Duration;

use password_auth_core::accounts::Invalid;
use password_auth_model::Timestamp;
use password_auth_wire::rules::Violation;
use password_auth_wire::{Message, ProtectedData, Tokens};
use poem_openapi::types::Example;

use super::protected_data;
use crate::error::Failure;
use crate::route::{Route, by_serde, refusals_of_callers, second_factor_required};

pub(super) struct Register;
impl Route for Register {
    type Body = Message;
    const DESCRIPTION: &'static str = "The account was created.";
    fn example() -> Message {
        Message::ok("User registered successfully.")
    }
    fn refusals() -> Vec<Failure> {
        let own = vec![Failure::UserExists, Failure::RegistrationClosed];
        [own, password_failures()].concat()
    }
}

pub(super) struct SignIn;
impl Route for SignIn {
    type Body = Tokens;
    const DESCRIPTION: &'static str = "Signed in: a new session with its tokens.";
    fn example() -> Tokens {
        Tokens::example()
    }
    fn refusals() -> Vec<Failure> {
        let own = vec![
            Failure::InvalidCredentials,
            second_factor_required(),
            Failure::WrongSecondFactor,
            Failure::AccountDisabled,
        ];
        [own, password_failures()].concat()
    }
}

pub(super) struct RefreshTokens;
impl Route for RefreshTokens {
    type Body = Tokens;
    const DESCRIPTION: &'static str = "The session's current refresh token and a new access token.";
    fn example() -> Tokens {
        Tokens::example()
    }
    fn json(body: &Tokens) -> Vec<u8> {
        by_serde(body)
    }
    fn refusals() -> Vec<Failure> {
        let own = vec![
            Failure::InvalidRefreshToken,
            Failure::RefreshTokenExpired,
            Failure::RefreshTokenReused,
        ];
        [own, body_failures()].concat()
    }
}

pub(super) struct SignOutRoute;
impl Route for SignOutRoute {
    type Body = Message;
    const DESCRIPTION: &'static str = "The session has ended.";
    fn example() -> Message {
        Message::ok("Logged out successfully.")
    }
    fn refusals() -> Vec<Failure> {
        let own = vec![
            Failure::MissingToken,
            Failure::InvalidToken,
            Failure::InvalidRefreshToken,
        ];
        [own, body_failures()].concat()
    }
}

pub(super) struct Protected;
impl Route for Protected {
    type Body = Message;
    const DESCRIPTION: &'static str = "A greeting with the user's name.";
    fn example() -> Message {
        Message::ok("Hello, alice!")
    }
    fn json(body: &Message) -> Vec<u8> {
        by_serde(body)
    }
    fn refusals() -> Vec<Failure> {
        refusals_of_callers()
    }
}

pub(super) struct ProtectedDataRoute;
impl Route for ProtectedDataRoute {
    type Body = ProtectedData;
    const DESCRIPTION: &'static str = "The protected data.";
    fn example() -> ProtectedData {
        protected_data("alice", Timestamp::from_millis(1_767_225_600_000))
    }
    fn json(body: &ProtectedData) -> Vec<u8> {
        by_serde(body)
    }
    fn refusals() -> Vec<Failure> {
        refusals_of_callers()
    }
}

pub(super) struct Ping;
impl Route for Ping {
    type Body = Message;
    const DESCRIPTION: &'static str = "The server responds.";
    fn example() -> Message {
        Message::ok("pong")
    }
    fn refusals() -> Vec<Failure> {
        Vec::new()
    }
}

fn body_failures() -> Vec<Failure> {
    let message = "The field refresh_token is required.";
    let missing = Failure::of_field("refresh_token", "required", message);
    vec![Failure::Malformed, Failure::UnsupportedMediaType, missing]
}

fn password_failures() -> Vec<Failure> {
    let short = Invalid {
        password: Some(Violation::PasswordTooShort),
        ..Invalid::default()
    };
    vec![
        Failure::CredentialsRequired,
        Failure::Malformed,
        Failure::UnsupportedMediaType,
        short.into(),
        Failure::TooManyAttempts(Duration::from_secs(12)),
    ]
}
