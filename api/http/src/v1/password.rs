//! Changing your password, and resetting one that you forgot.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::v1::{
    AskStrength, ChangePassword, ConfirmReset, Done, PasswordStrength, RequestReset,
};
use poem_openapi::OpenApi;

use super::Tag;
use super::caller::SignedIn;
use super::docs::{ChangePasswordRoute, ConfirmResetRoute, RequestResetRoute, StrengthRoute};
use super::messages::{PASSWORD_RESET, RESET_REQUESTED, with_token};
use super::views;
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::route::{RouteResult, Success};

pub(crate) struct PasswordApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(prefix_path = "/api/v1/auth/password", tag = "Tag::Password")]
impl PasswordApi {
    /// Change your password
    ///
    /// Ends your other sessions and invalidates all mailed links. All earlier tokens, of this session too, are invalid:
    /// use the pair in the response, even if a refresh that was already in flight responds later. If you do not receive
    /// the response, sign in with the new password.
    #[oai(path = "/change", method = "post", operation_id = "v1_change_password")]
    async fn change(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<ChangePassword>,
    ) -> RouteResult<ChangePasswordRoute> {
        let ChangePassword {
            current_password,
            new_password,
        } = body.0;
        let issued = self
            .accounts
            .change_password(&caller.0, current_password, new_password, &client)
            .await?;
        Ok(Success(views::password_changed(issued)))
    }

    /// Ask how strong a new password is
    ///
    /// By the rule that decides when it is set. For forms, while somebody types: nothing is stored or logged. Never send
    /// a password that is in use. Requests are counted by client address.
    #[oai(
        path = "/strength",
        method = "post",
        operation_id = "v1_password_strength"
    )]
    async fn strength(
        &self,
        client: RequestClient,
        body: StrictBody<AskStrength>,
    ) -> RouteResult<StrengthRoute> {
        let AskStrength {
            password,
            username,
            email,
        } = body.0;
        let told = self
            .accounts
            .password_strength(password, [username, email], &client)
            .await?;
        Ok(Success(PasswordStrength {
            score: told.score,
            enough: told.enough,
            hint: told.hint,
            hint_codes: told.hint_codes,
        }))
    }

    /// Request a password reset link
    ///
    /// The response and its timing are the same whether or not an account has this address. If several accounts have
    /// the same unverified address, give the user name to get a mail about that account only.
    #[oai(
        path = "/reset/request",
        method = "post",
        operation_id = "v1_request_password_reset"
    )]
    async fn request_reset(
        &self,
        client: RequestClient,
        body: StrictBody<RequestReset>,
    ) -> RouteResult<RequestResetRoute> {
        let RequestReset { email, username } = body.0;
        let token = self
            .accounts
            .request_password_reset(&email, username.as_deref(), &client)
            .await?;
        Ok(Success(with_token(RESET_REQUESTED, token.as_ref())))
    }

    /// Set a new password with a mailed token
    ///
    /// Ends all sessions of the user.
    #[oai(
        path = "/reset/confirm",
        method = "post",
        operation_id = "v1_confirm_password_reset"
    )]
    async fn confirm_reset(
        &self,
        client: RequestClient,
        body: StrictBody<ConfirmReset>,
    ) -> RouteResult<ConfirmResetRoute> {
        let ConfirmReset {
            token,
            new_password,
        } = body.0;
        self.accounts
            .reset_password(&token, new_password, &client)
            .await?;
        Ok(Success(Done::with(PASSWORD_RESET)))
    }
}
