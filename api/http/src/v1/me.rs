//! The signed-in user's own account.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::v1::{AccountStatus, DeleteAccount, Done};
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::caller::{Minding, SignedIn, Spending};
use super::docs::{
    DeactivateRoute, DeleteAccountRoute, EventList, ExportRoute, OwnUserRoute, StatusRoute,
};
use super::events::{default_events, page};
use super::messages::DEACTIVATED;
use super::views;
use super::{Tag, export};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::route::{NoBody, RouteResult, Streamed, StreamedResult, Success};

pub(crate) struct MeApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Me")]
impl MeApi {
    /// Get your account
    #[oai(path = "/auth/me", method = "get", operation_id = "v1_auth_me")]
    async fn auth_me(&self, caller: SignedIn) -> RouteResult<OwnUserRoute> {
        Ok(Success(views::own_user(&caller.0.user)))
    }

    /// Get your account
    #[oai(path = "/users/me", method = "get", operation_id = "v1_me")]
    async fn me(&self, caller: SignedIn) -> RouteResult<OwnUserRoute> {
        Ok(Success(views::own_user(&caller.0.user)))
    }

    /// Get the status of your account
    #[oai(
        path = "/users/me/status",
        method = "get",
        operation_id = "v1_my_status"
    )]
    async fn status(&self, caller: SignedIn) -> RouteResult<StatusRoute> {
        Ok(Success(AccountStatus {
            is_active: caller.0.user.is_active,
            is_verified: caller.0.user.is_verified,
        }))
    }

    /// Deactivate your account
    ///
    /// All its tokens are invalid from the next request on. To undo it, call `/auth/reactivate` with your name and
    /// password, or ask an admin.
    #[oai(
        path = "/users/me/deactivate",
        method = "put",
        operation_id = "v1_deactivate_me"
    )]
    async fn deactivate(
        &self,
        caller: Minding,
        client: RequestClient,
    ) -> RouteResult<DeactivateRoute> {
        self.accounts.deactivate(&caller.0, &client).await?;
        Ok(Success(Done::with(DEACTIVATED)))
    }

    /// Export your data
    ///
    /// Everything that is stored about you. One export at a time. Call `/auth/proof` first: an access token is not enough.
    #[oai(
        path = "/users/me/export",
        method = "get",
        operation_id = "v1_export_me"
    )]
    async fn export(&self, caller: Spending, client: RequestClient) -> StreamedResult<ExportRoute> {
        let caller = caller.0;
        let export = self.accounts.export(&caller, &client).await?;
        Ok(Streamed::new(export::body(export, caller)))
    }

    /// Delete your account
    ///
    /// Requires your password. All data about you is deleted.
    #[oai(path = "/users/me", method = "delete", operation_id = "v1_delete_me")]
    async fn delete_account(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<DeleteAccount>,
    ) -> RouteResult<DeleteAccountRoute> {
        self.accounts
            .delete_account(&caller.0, body.0.password, &client)
            .await?;
        Ok(Success(NoBody {}))
    }

    /// List events of your account
    ///
    /// The latest first. To page, pass the id of the last event you saw as `before`.
    #[oai(
        path = "/users/me/events",
        method = "get",
        operation_id = "v1_my_events"
    )]
    async fn events(
        &self,
        caller: Spending,
        /// Only events older than the event with this id.
        before: Query<Option<String>>,
        /// The maximum number of results.
        #[oai(
            default = "default_events",
            validator(minimum(value = "1"), maximum(value = "100"))
        )]
        limit: Query<u32>,
    ) -> RouteResult<EventList> {
        let user = Some(caller.0.user.id);
        Ok(Success(
            page(&self.accounts, user, before.0.as_deref(), limit.0).await?,
        ))
    }
}
