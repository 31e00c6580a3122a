//! E-mail addresses: verifying and changing one's own.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, VerificationRequest};
use password_auth_wire::v1::{ChangeEmail, ConfirmEmail, Done};
use poem_openapi::OpenApi;

use super::Tag;
use super::caller::{SignedIn, Spending};
use super::docs::{ChangeEmailRoute, ConfirmEmailRoute, RequestVerificationRoute};
use super::messages::{
    ALREADY_VERIFIED, CHANGE_SENT, EMAIL_VERIFIED, VERIFICATION_SENT, with_token,
};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::error::Failure;
use crate::route::{RouteResult, Success};

pub(crate) struct EmailApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(prefix_path = "/api/v1/auth/email", tag = "Tag::Email")]
impl EmailApi {
    /// Ask for a link that verifies one's address
    #[oai(
        path = "/verification/request",
        method = "post",
        operation_id = "v1_request_verification"
    )]
    async fn request_verification(
        &self,
        caller: Spending,
        client: RequestClient,
    ) -> RouteResult<RequestVerificationRoute> {
        let asked = self.accounts.request_verification(&caller.0, &client);
        Ok(Success(match asked.await? {
            VerificationRequest::Sent(token) => with_token(VERIFICATION_SENT, token.as_ref()),
            VerificationRequest::AlreadyVerified => Done::with(ALREADY_VERIFIED),
        }))
    }

    /// Verify an address, or complete a change, by a mailed token
    #[oai(
        path = "/verification/confirm",
        method = "post",
        operation_id = "v1_confirm_email"
    )]
    async fn confirm(
        &self,
        client: RequestClient,
        body: StrictBody<ConfirmEmail>,
    ) -> RouteResult<ConfirmEmailRoute> {
        self.accounts.confirm_email(&body.0.token, &client).await?;
        Ok(Success(Done::with(EMAIL_VERIFIED)))
    }

    /// Change one's address
    ///
    /// Takes the password. A link to the new address completes it; the old one, if it was verified, is told.
    #[oai(path = "/change", method = "post", operation_id = "v1_change_email")]
    async fn change(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<ChangeEmail>,
    ) -> RouteResult<ChangeEmailRoute> {
        let ChangeEmail {
            password,
            new_email,
        } = body.0;
        let token = self
            .accounts
            .request_email_change(&caller.0, password, &new_email, &client)
            .await
            .map_err(|error| Failure::from(error).in_field("new_email"))?;
        Ok(Success(with_token(CHANGE_SENT, token.as_ref())))
    }
}
