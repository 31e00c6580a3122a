//! One's own account.

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
    /// Who the caller is
    #[oai(path = "/auth/me", method = "get", operation_id = "v1_auth_me")]
    async fn auth_me(&self, caller: SignedIn) -> RouteResult<OwnUserRoute> {
        Ok(Success(views::own_user(&caller.0.user)))
    }

    /// Who the caller is
    #[oai(path = "/users/me", method = "get", operation_id = "v1_me")]
    async fn me(&self, caller: SignedIn) -> RouteResult<OwnUserRoute> {
        Ok(Success(views::own_user(&caller.0.user)))
    }

    /// Whether one's account may be used
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

    /// Disable one's account
    ///
    /// From the next request on its tokens count for nothing. `/auth/reactivate` undoes it, with name and password; an
    /// admin can, too.
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

    /// Everything that is kept about oneself
    ///
    /// One at a time.
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

    /// Delete one's account
    ///
    /// Takes the password. Nothing that is about the person is left.
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

    /// What happened to one's account
    ///
    /// The latest first. For older ones, `before` is the id of the last one seen.
    #[oai(
        path = "/users/me/events",
        method = "get",
        operation_id = "v1_my_events"
    )]
    async fn events(
        &self,
        caller: Spending,
        /// Only events older than the one with this id.
        before: Query<Option<String>>,
        /// How many at most.
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
