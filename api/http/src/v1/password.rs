//! Passwords: changing one's own, and resetting one that was forgotten.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::v1::{ChangePassword, ConfirmReset, Done, RequestReset};
use poem_openapi::OpenApi;

use super::Tag;
use super::caller::SignedIn;
use super::docs::{ChangePasswordRoute, ConfirmResetRoute, RequestResetRoute};
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
    /// Change one's password
    ///
    /// Ends the caller's other sign-ins, and voids every mailed link. Every token that was issued before is void, of the
    /// sign-in that asks too: the answer holds its new pair. Keep that one, also if a refresh that was under way answers
    /// later; and where the answer is lost, sign in with the new password.
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

    /// Ask for a link to a new password
    ///
    /// The answer is always the same, and takes the same time, whether anybody has the address or not.
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
        let token = self
            .accounts
            .request_password_reset(&body.0.email, &client)
            .await?;
        Ok(Success(with_token(RESET_REQUESTED, token.as_ref())))
    }

    /// Choose a new password by a mailed token
    ///
    /// Ends every sign-in of the person.
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
