//! The demo's API, at the root: what clients of the "Password Auth Demo" rely on.

mod docs;

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, NewAccount};
use password_auth_core::sessions::{Issued, SessionKind, Sessions};
use password_auth_model::{SharedClock, Timestamp};
use password_auth_wire::{
    Authenticate, Credentials, Logout, Message, ProtectedData, Refresh, Status, Tokens,
};
use poem_openapi::{OpenApi, Tags};

use self::docs::{
    Ping, Protected, ProtectedDataRoute, RefreshTokens, Register, SignIn, SignOutRoute,
};
use super::body::{Body, OptionalBody};
use super::caller::{Authenticated, MaybeBearer};
use super::client::RequestClient;
use super::route::{Route as _, RouteResult, Success};
use super::sign_out::sign_out;

pub(super) struct DemoApi {
    pub(super) accounts: Arc<Accounts>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) clock: SharedClock,
}

#[derive(Tags)]
enum Tag {
    /// Register, sign in, refresh tokens and sign out.
    #[oai(rename = "sign-in")]
    SignIn,
    /// Resources that require an access token.
    #[oai(rename = "protected")]
    Protected,
    /// Whether the server responds.
    #[oai(rename = "health")]
    Health,
}

#[OpenApi]
impl DemoApi {
    /// Register
    ///
    /// User names keep their spelling and are compared case-insensitively.
    #[oai(
        path = "/register",
        method = "post",
        operation_id = "register",
        tag = "Tag::SignIn"
    )]
    async fn register(
        &self,
        client: RequestClient,
        body: Body<Credentials>,
    ) -> RouteResult<Register> {
        let Credentials { username, password } = body.0;
        let account = NewAccount {
            username,
            password,
            email: None,
            full_name: None,
        };
        self.accounts.register(account, None, &client).await?;
        Ok(Success(Register::example()))
    }

    /// Sign in
    ///
    /// If the account has a second factor, send the code too.
    #[oai(
        path = "/authenticate",
        method = "post",
        operation_id = "authenticate",
        tag = "Tag::SignIn"
    )]
    async fn authenticate(
        &self,
        client: RequestClient,
        body: Body<Authenticate>,
    ) -> RouteResult<SignIn> {
        let Authenticate {
            username,
            password,
            stay_signed_in,
            code,
        } = body.0;
        let kind = SessionKind::wished(stay_signed_in);
        let issued = self
            .accounts
            .sign_in(&username, password, code.as_ref(), kind, &client)
            .await?;
        Ok(Success(tokens(issued)))
    }

    /// Refresh the tokens
    ///
    /// Exchanges a refresh token for a new pair. A token that you send again within 30 seconds returns the same new
    /// refresh token, so that a lost response or a second tab does not end the session. Sent again later, an old token
    /// ends the session.
    #[oai(
        path = "/refresh",
        method = "post",
        operation_id = "refresh",
        tag = "Tag::SignIn"
    )]
    async fn refresh(
        &self,
        client: RequestClient,
        body: Body<Refresh>,
    ) -> RouteResult<RefreshTokens> {
        let issued = self
            .sessions
            .refresh(&body.0.refresh_token, &client)
            .await?;
        Ok(Success(tokens(issued)))
    }

    /// Sign out
    ///
    /// Ends the session of the bearer token, which may have expired, or of the refresh token in the body, which may be
    /// an old one. Calling it again is not an error.
    #[oai(
        path = "/logout",
        method = "post",
        operation_id = "logout",
        tag = "Tag::SignIn"
    )]
    async fn logout(
        &self,
        client: RequestClient,
        bearer: MaybeBearer,
        body: OptionalBody<Logout>,
    ) -> RouteResult<SignOutRoute> {
        let refresh_token = body.0.and_then(|logout| logout.refresh_token);
        sign_out(&self.sessions, bearer, refresh_token, &client).await?;
        Ok(Success(SignOutRoute::example()))
    }

    /// Get a greeting
    #[oai(
        path = "/protected",
        method = "get",
        operation_id = "protected",
        tag = "Tag::Protected"
    )]
    async fn protected(&self, caller: Authenticated) -> RouteResult<Protected> {
        let name = &caller.0.username;
        Ok(Success(Message::ok(format!("Hello, {name}!"))))
    }

    /// Get protected data
    #[oai(
        path = "/protected-data",
        method = "get",
        operation_id = "protected_data",
        tag = "Tag::Protected"
    )]
    async fn protected_data(&self, caller: Authenticated) -> RouteResult<ProtectedDataRoute> {
        Ok(Success(protected_data(
            caller.0.username.as_str(),
            self.clock.now(),
        )))
    }

    /// Check that the server responds
    #[oai(
        path = "/ping",
        method = "get",
        operation_id = "ping",
        tag = "Tag::Health"
    )]
    async fn ping(&self) -> RouteResult<Ping> {
        Ok(Success(Ping::example()))
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
    ProtectedData {
        message: format!("Hello {name}! You have successfully accessed a protected resource."),
        user: name.to_owned(),
        access_timestamp: now.to_rfc3339(),
    }
}
