//! Registering, signing in, refreshing, signing out; seeing and ending sessions.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, NewAccount};
use password_auth_core::sessions::{SessionKind, Sessions};
use password_auth_model::SessionId;
use password_auth_wire::Logout;
use password_auth_wire::v1::{Done, Login, Reactivate, RefreshPair, RegisterAccount};
use poem_openapi::param::Path;
use poem_openapi::{Object, OpenApi};

use super::Tag;
use super::caller::Minding;
use super::docs::{
    EndOtherSessionsRoute, EndSessionRoute, LoginFormRoute, LoginRoute, LogoutEverywhere,
    LogoutRoute, ReactivateRoute, RefreshRoute, RegisterRoute, SecondFactorRoute, SessionsRoute,
};
use super::messages::LOGGED_OUT;
use super::passkeys::{SecondFactor, credential_of, one_of};
use super::views;
use crate::body::{OptionalBody, StrictBody};
use crate::caller::MaybeBearer;
use crate::client::RequestClient;
use crate::error::Failure;
use crate::form::ApiForm;
use crate::route::{NoBody, RouteResult, Success};
use crate::sign_out::sign_out;

pub(crate) struct SessionApi {
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
    #[serde(default = "password_auth_wire::Secret::empty")]
    password: password_auth_wire::Secret,
    /// If the account has a second factor: a code from the authenticator app, or a recovery code.
    #[serde(default = "password_auth_wire::Secret::empty")]
    #[oai(default = "password_auth_wire::Secret::empty")]
    code: password_auth_wire::Secret,
}

#[OpenApi(prefix_path = "/api/v1/auth")]
impl SessionApi {
    /// Register
    ///
    /// If you give an e-mail address, a link to verify it is sent there. You cannot choose your role. With an invitation,
    /// you may register whatever `GET /auth/registration` says.
    #[oai(
        path = "/register",
        method = "post",
        operation_id = "v1_register",
        tag = "Tag::SignIn"
    )]
    async fn register(
        &self,
        client: RequestClient,
        body: StrictBody<RegisterAccount>,
    ) -> RouteResult<RegisterRoute> {
        let RegisterAccount {
            username,
            email,
            password,
            full_name,
            invite,
        } = body.0;
        let account = NewAccount {
            username,
            password,
            email,
            full_name,
        };
        let user = self
            .accounts
            .register(account, invite.as_ref(), &client)
            .await?;
        Ok(Success(views::own_user(&user)))
    }

    /// Sign in
    ///
    /// If the account has a second factor, send the code too, or complete the sign-in at `/auth/login/second-factor`.
    #[oai(
        path = "/login",
        method = "post",
        operation_id = "v1_login",
        tag = "Tag::SignIn"
    )]
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
        operation_id = "v1_login_second_factor",
        tag = "Tag::SignIn"
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
            (None, None) | (Some(_), Some(_)) => return Err(one_of("code", "passkey").into()),
        };
        Ok(Success(views::tokens(issued)))
    }

    /// Sign in with the OAuth2 password form
    ///
    /// This is what the Authorize button sends. Forms that a page of another site sends are refused.
    #[oai(
        path = "/login/form",
        method = "post",
        operation_id = "v1_login_form",
        tag = "Tag::SignIn"
    )]
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
    #[oai(
        path = "/reactivate",
        method = "post",
        operation_id = "v1_reactivate",
        tag = "Tag::SignIn"
    )]
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
    #[oai(
        path = "/refresh",
        method = "post",
        operation_id = "v1_refresh",
        tag = "Tag::SignIn"
    )]
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
    #[oai(
        path = "/logout",
        method = "post",
        operation_id = "v1_logout",
        tag = "Tag::SignIn"
    )]
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

    /// Sign out on all devices
    #[oai(
        path = "/logout/all",
        method = "post",
        operation_id = "v1_logout_all",
        tag = "Tag::SignIn"
    )]
    async fn logout_all(
        &self,
        caller: Minding,
        client: RequestClient,
    ) -> RouteResult<LogoutEverywhere> {
        self.sessions.end_all_of_caller(&caller.0, &client).await?;
        Ok(Success(Done::with(LOGGED_OUT)))
    }

    /// List your sessions
    ///
    /// If `replayed_elsewhere` is set and you cannot explain it, change your password: that invalidates every token.
    #[oai(
        path = "/sessions",
        method = "get",
        operation_id = "v1_sessions",
        tag = "Tag::SignIn"
    )]
    async fn sessions(&self, caller: Minding) -> RouteResult<SessionsRoute> {
        let sessions = self.sessions.of_caller(&caller.0).await?;
        let shown = sessions
            .iter()
            .map(|session| views::session(session, &caller.0));
        Ok(Success(shown.collect()))
    }

    /// End one of your sessions
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "v1_end_session",
        tag = "Tag::SignIn"
    )]
    async fn end_session(
        &self,
        caller: Minding,
        client: RequestClient,
        id: Path<String>,
    ) -> RouteResult<EndSessionRoute> {
        // A text that is not an id names no session.
        let id: SessionId = id.0.parse().map_err(|_| Failure::NotFound)?;
        if self.sessions.end_of_caller(&caller.0, id, &client).await? {
            Ok(Success(NoBody {}))
        } else {
            Err(Failure::NotFound.into())
        }
    }

    /// End your other sessions
    ///
    /// All sessions except the current one.
    #[oai(
        path = "/sessions",
        method = "delete",
        operation_id = "v1_end_other_sessions",
        tag = "Tag::SignIn"
    )]
    async fn end_other_sessions(
        &self,
        caller: Minding,
        client: RequestClient,
    ) -> RouteResult<EndOtherSessionsRoute> {
        self.sessions
            .end_others_of_caller(&caller.0, &client)
            .await?;
        Ok(Success(NoBody {}))
    }
}
