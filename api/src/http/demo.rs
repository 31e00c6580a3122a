//! The demo's contract, at the root: what clients of the "Password Auth Demo" rely on.

use std::sync::Arc;
use std::time::Duration;

use password_auth_wire::rules::Violation;
use password_auth_wire::{
    Authenticate, Credentials, Logout, Message, ProtectedData, Refresh, Status, Tokens,
};
use poem_openapi::types::Example;
use poem_openapi::{OpenApi, Tags};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::body::{Body, OptionalBody};
use super::caller::{Authenticated, MaybeBearer};
use super::error::Failure;
use super::route::{Answer, Outcome, Route};
use crate::accounts::{Accounts, Client, Invalid};
use crate::clock::{SharedClock, Timestamp};
use crate::sessions::{Issued, SessionKind, Sessions, SignOut};

pub(super) struct DemoApi {
    pub(super) accounts: Arc<Accounts>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) clock: SharedClock,
}

#[derive(Tags)]
enum Tag {
    /// Make an account, sign in, stay signed in, sign out.
    #[oai(rename = "sign-in")]
    SignIn,
    /// What only people who are signed in see.
    #[oai(rename = "protected")]
    Protected,
    /// Whether the server answers.
    #[oai(rename = "health")]
    Health,
}

#[OpenApi]
impl DemoApi {
    /// Make an account
    ///
    /// The name keeps its spelling and is compared without case.
    #[oai(
        path = "/register",
        method = "post",
        operation_id = "register",
        tag = "Tag::SignIn"
    )]
    async fn register(&self, client: Client, body: Body<Credentials>) -> Outcome<Register> {
        let Credentials { username, password } = body.0;
        self.accounts.register(&username, password, &client).await?;
        Ok(Answer(Register::example()))
    }

    /// Sign in
    #[oai(
        path = "/authenticate",
        method = "post",
        operation_id = "authenticate",
        tag = "Tag::SignIn"
    )]
    async fn authenticate(&self, client: Client, body: Body<Authenticate>) -> Outcome<SignIn> {
        let Authenticate {
            username,
            password,
            stay_signed_in,
        } = body.0;
        let kind = match stay_signed_in {
            None | Some(true) => SessionKind::Staying,
            Some(false) => SessionKind::Short,
        };
        let issued = self
            .accounts
            .sign_in(&username, password, kind, client)
            .await?;
        Ok(Answer(tokens(issued)))
    }

    /// Exchange a refresh token for a new pair
    ///
    /// Answered twice within 30 seconds, it gives the same refresh token twice: a lost answer, or a
    /// second tab, costs nobody the sign-in. Later, an old token ends the session.
    #[oai(
        path = "/refresh",
        method = "post",
        operation_id = "refresh",
        tag = "Tag::SignIn"
    )]
    async fn refresh(&self, body: Body<Refresh>) -> Outcome<RefreshTokens> {
        let issued = self.sessions.refresh(&body.0.refresh_token).await?;
        Ok(Answer(tokens(issued)))
    }

    /// Sign out
    ///
    /// By the bearer token, which may have expired, or by a refresh token of any generation. Doing it
    /// again is no error.
    #[oai(
        path = "/logout",
        method = "post",
        operation_id = "logout",
        tag = "Tag::SignIn"
    )]
    async fn logout(
        &self,
        bearer: MaybeBearer,
        body: OptionalBody<Logout>,
    ) -> Outcome<SignOutRoute> {
        let refresh_token = body.0.and_then(|logout| logout.refresh_token);
        if bearer.0.is_none() && refresh_token.is_none() {
            return Err(Failure::MissingToken.into());
        }
        if let Some(token) = refresh_token {
            let ended = self.sessions.sign_out(&SignOut::Refresh(token)).await;
            ended.map_err(|error| match Failure::from(error) {
                Failure::InvalidToken => Failure::InvalidRefreshToken,
                other => other,
            })?;
        }
        if let Some(token) = bearer.0 {
            self.sessions.sign_out(&SignOut::Access(token)).await?;
        }
        Ok(Answer(SignOutRoute::example()))
    }

    /// Greet the caller
    #[oai(
        path = "/protected",
        method = "get",
        operation_id = "protected",
        tag = "Tag::Protected"
    )]
    async fn protected(&self, caller: Authenticated) -> Outcome<Protected> {
        let name = &caller.0.user.username;
        Ok(Answer(Message::ok(format!("Hello, {name}!"))))
    }

    /// Some data of the caller's
    #[oai(
        path = "/protected-data",
        method = "get",
        operation_id = "protected_data",
        tag = "Tag::Protected"
    )]
    async fn protected_data(&self, caller: Authenticated) -> Outcome<ProtectedDataRoute> {
        Ok(Answer(protected_data(
            caller.0.user.username.as_str(),
            self.clock.now(),
        )))
    }

    /// Whether the server answers
    #[oai(
        path = "/ping",
        method = "get",
        operation_id = "ping",
        tag = "Tag::Health"
    )]
    async fn ping(&self) -> Outcome<Ping> {
        Ok(Answer(Ping::example()))
    }
}

fn tokens(issued: Issued) -> Tokens {
    Tokens {
        status: Status::Ok,
        access_token: issued.access_token,
        refresh_token: issued.refresh_token,
        token_type: "Bearer".to_owned(),
        expires_in: u32::try_from(issued.expires_in.as_secs()).unwrap_or(u32::MAX),
    }
}

fn protected_data(name: &str, now: Timestamp) -> ProtectedData {
    let nanos = i128::from(now.as_millis()) * 1_000_000;
    let access_timestamp = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default();
    ProtectedData {
        message: format!("Hello {name}! You have successfully accessed a protected resource."),
        user: name.to_owned(),
        access_timestamp,
    }
}

fn body_failures() -> Vec<Failure> {
    let missing = Failure::Invalid(vec![password_auth_wire::FieldError {
        field: "refresh_token".to_owned(),
        code: "required".to_owned(),
        message: "The field refresh_token is required.".to_owned(),
    }]);
    vec![Failure::Malformed, Failure::UnsupportedMediaType, missing]
}

fn password_failures() -> Vec<Failure> {
    let short = Invalid {
        username: None,
        password: Some(Violation::PasswordTooShort),
    };
    vec![
        Failure::CredentialsRequired,
        Failure::Malformed,
        Failure::UnsupportedMediaType,
        short.into(),
        Failure::TooManyAttempts(Duration::from_secs(12)),
    ]
}

fn caller_failures() -> Vec<Failure> {
    vec![
        Failure::MissingToken,
        Failure::TokenExpired,
        Failure::InvalidToken,
    ]
}

struct Register;
impl Route for Register {
    type Body = Message;
    const ANSWER: &'static str = "The account is made.";
    fn example() -> Message {
        Message::ok("User registered successfully.")
    }
    fn refusals() -> Vec<Failure> {
        [vec![Failure::UserExists], password_failures()].concat()
    }
}

struct SignIn;
impl Route for SignIn {
    type Body = Tokens;
    const ANSWER: &'static str = "A session began.";
    fn example() -> Tokens {
        Tokens::example()
    }
    fn refusals() -> Vec<Failure> {
        let own = vec![Failure::InvalidCredentials, Failure::AccountDisabled];
        [own, password_failures()].concat()
    }
}

struct RefreshTokens;
impl Route for RefreshTokens {
    type Body = Tokens;
    const ANSWER: &'static str = "The session's current refresh token, and a new access token.";
    fn example() -> Tokens {
        Tokens::example()
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

struct SignOutRoute;
impl Route for SignOutRoute {
    type Body = Message;
    const ANSWER: &'static str = "The session is over.";
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

struct Protected;
impl Route for Protected {
    type Body = Message;
    const ANSWER: &'static str = "A greeting.";
    fn example() -> Message {
        Message::ok("Hello, alice!")
    }
    fn refusals() -> Vec<Failure> {
        caller_failures()
    }
}

struct ProtectedDataRoute;
impl Route for ProtectedDataRoute {
    type Body = ProtectedData;
    const ANSWER: &'static str = "The data.";
    fn example() -> ProtectedData {
        protected_data("alice", Timestamp::from_millis(1_767_225_600_000))
    }
    fn refusals() -> Vec<Failure> {
        caller_failures()
    }
}

struct Ping;
impl Route for Ping {
    type Body = Message;
    const ANSWER: &'static str = "It does.";
    fn example() -> Message {
        Message::ok("pong")
    }
    fn refusals() -> Vec<Failure> {
        Vec::new()
    }
}
