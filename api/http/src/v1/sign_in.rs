//! Signing in, refreshing, signing out.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_core::sessions::{SessionKind, Sessions};
use password_auth_wire::v1::{Done, Login, Reactivate, RefreshPair};
use password_auth_wire::{Logout, Secret};
use poem_openapi::types::{Any, Example};
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::docs::{
    LoginFormRoute, LoginRoute, LogoutRoute, ReactivateRoute, RefreshRoute, SecondFactorRoute,
};
use super::messages::LOGGED_OUT;
use super::webauthn::credential_of;
use super::{Tag, views};
use crate::body::{OptionalBody, StrictBody};
use crate::caller::MaybeBearer;
use crate::client::RequestClient;
use crate::error::Failure;
use crate::form::ApiForm;
use crate::route::{RouteResult, Success};
use crate::sign_out::sign_out;

pub(crate) struct SignInApi {
    pub(super) accounts: Arc<Accounts>,
    pub(super) sessions: Arc<Sessions>,
}

/// The OAuth2 password form (RFC 6749 §4.3.2). Its other fields are ignored.
#[derive(Object, serde::Deserialize)]
struct PasswordForm {
    /// The user name, case-insensitive, or the e-mail address.
    // In a form, a missing field is the same as an empty one.
    #[serde(default)]
    username: String,
    /// The password.
    #[serde(default = "Secret::empty")]
    password: Secret,
    /// If the account has a second factor: a code from the authenticator app, or a recovery code.
    #[serde(default = "Secret::empty")]
    #[oai(default = "Secret::empty")]
    code: Secret,
}

/// The body of `POST /auth/login/second-factor`: a code or a passkey.
#[derive(Object)]
#[oai(example = true)]
struct SecondFactor {
    /// The `challenge` of the first step.
    challenge: Secret,
    /// A code from the authenticator app, or a recovery code.
    #[oai(skip_serializing_if_is_none)]
    code: Option<Secret>,
    /// What `navigator.credentials.get` returned for this challenge, as JSON (`AuthenticationResponseJSON`).
    #[oai(skip_serializing_if_is_none)]
    passkey: Option<Any<Value>>,
}

impl Example for SecondFactor {
    fn example() -> Self {
        Self {
            challenge: Secret::new("AQEBmuz1o8G30u-fBFtsfY6fAAAAAAAAAAGbQ…"),
            code: Some(Secret::new("123456")),
            passkey: None,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::SignIn")]
impl SignInApi {
    /// Sign in
    ///
    /// If the account has a second factor, send the code too, or complete the sign-in at `/auth/login/second-factor`.
    #[oai(path = "/login", method = "post", operation_id = "v1_login")]
    async fn login(
        &self,
        client: RequestClient,
        body: StrictBody<Login>,
    ) -> RouteResult<LoginRoute> {
        let Login {
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
        Ok(Success(views::tokens(issued)))
    }

    /// Complete a sign-in with the second factor
    ///
    /// A wrong code leaves the challenge valid. Attempts are counted by account.
    #[oai(
        path = "/login/second-factor",
        method = "post",
        operation_id = "v1_login_second_factor"
    )]
    async fn second_factor(
        &self,
        client: RequestClient,
        body: StrictBody<SecondFactor>,
    ) -> RouteResult<SecondFactorRoute> {
        let SecondFactor {
            challenge,
            code,
            passkey,
        } = body.0;
        let issued = match (code, passkey) {
            (Some(code), None) => {
                self.accounts
                    .sign_in_with_code(&challenge, &code, &client)
                    .await?
            }
            (None, Some(passkey)) => {
                let assertion = credential_of(passkey)?;
                self.accounts
                    .sign_in_with_second_passkey(&challenge, &assertion, &client)
                    .await?
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(Failure::not_one_of("code", "passkey").into());
            }
        };
        Ok(Success(views::tokens(issued)))
    }

    /// Sign in with the OAuth2 password form
    ///
    /// This is what the Authorize button sends. Forms that a page of another site sends are refused.
    #[oai(path = "/login/form", method = "post", operation_id = "v1_login_form")]
    async fn login_form(
        &self,
        client: RequestClient,
        form: ApiForm<PasswordForm>,
    ) -> RouteResult<LoginFormRoute> {
        let PasswordForm {
            username,
            password,
            code,
        } = form.0;
        let issued = self
            .accounts
            .sign_in(
                &username,
                password,
                Some(&code),
                SessionKind::Staying,
                &client,
            )
            .await?;
        Ok(Success(views::tokens(issued)))
    }

    /// Reactivate your account
    ///
    /// Signs in to an account that you deactivated, and activates it. An account that an admin deactivated can only be
    /// activated by an admin.
    #[oai(path = "/reactivate", method = "post", operation_id = "v1_reactivate")]
    async fn reactivate(
        &self,
        client: RequestClient,
        body: StrictBody<Reactivate>,
    ) -> RouteResult<ReactivateRoute> {
        let Reactivate {
            username,
            password,
            code,
        } = body.0;
        let issued = self
            .accounts
            .reactivate(&username, password, code.as_ref(), &client)
            .await?;
        Ok(Success(views::tokens(issued)))
    }

    /// Refresh the tokens
    ///
    /// Exchanges a refresh token for a new pair. A token that you send again within 30 seconds returns the same new
    /// refresh token, so that a lost response or a second tab does not end the session. Sent again later, an old token
    /// ends the session.
    #[oai(path = "/refresh", method = "post", operation_id = "v1_refresh")]
    async fn refresh(
        &self,
        client: RequestClient,
        body: StrictBody<RefreshPair>,
    ) -> RouteResult<RefreshRoute> {
        let issued = self
            .sessions
            .refresh(&body.0.refresh_token, &client)
            .await?;
        Ok(Success(views::tokens(issued)))
    }

    /// Sign out
    ///
    /// Ends the session of the bearer token, which may have expired, or of the refresh token in the body, which may be
    /// an old one. Calling it again is not an error.
    #[oai(path = "/logout", method = "post", operation_id = "v1_logout")]
    async fn logout(
        &self,
        client: RequestClient,
        bearer: MaybeBearer,
        body: OptionalBody<Logout>,
    ) -> RouteResult<LogoutRoute> {
        let refresh_token = body.0.and_then(|logout| logout.refresh_token);
        sign_out(&self.sessions, bearer, refresh_token, &client).await?;
        Ok(Success(Done::with(LOGGED_OUT)))
    }
}
