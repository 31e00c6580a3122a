//! The users.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, Invalid, NewAccount, Page};
use password_auth_core::audit::EventContext;
use password_auth_model::{FullName, Role};
use password_auth_store::UserChange;
use password_auth_wire::v1::{CreateAccount, Role as WireRole, UpdateUser, UserCount};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::caller::{Admin, SignedIn, Spending};
use super::docs::{
    CountRoute, CreateUserRoute, DeleteUserRoute, UpdateUserRoute, UserRoute, UsersRoute,
};
use super::{Tag, ids, views};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::route::{NoBody, RouteResult, Success};

pub(crate) struct UsersApi {
    pub(super) accounts: Arc<Accounts>,
}

const fn default_limit() -> u32 {
    10
}

#[OpenApi(prefix_path = "/api/v1/users", tag = "Tag::Users")]
impl UsersApi {
    /// List users
    ///
    /// In the order in which they registered. Only admins may call this, unless `USER_DIRECTORY` is `members`. Guests
    /// see only themselves. E-mail addresses and who is active are shown only to admins.
    #[oai(path = "/", method = "get", operation_id = "v1_users")]
    async fn list(
        &self,
        caller: Spending,
        /// Only users after the user with this id: the last one you saw.
        after: Query<Option<String>>,
        /// How many users to skip. For more than a few, use `after`.
        #[oai(default, validator(maximum(value = "10000")))]
        skip: Query<u32>,
        /// The maximum number of results.
        #[oai(
            default = "default_limit",
            validator(minimum(value = "1"), maximum(value = "100"))
        )]
        limit: Query<u32>,
        /// Only users with this role.
        role: Query<Option<WireRole>>,
    ) -> RouteResult<UsersRoute> {
        let page = Page {
            after: ids::parameter("after", after.0.as_deref())?,
            skip: skip.0,
            limit: limit.0,
        };
        let users = self
            .accounts
            .users(&caller.0, role.0.map(views::role), page)
            .await?;
        let shown = users.iter().map(|user| views::user(user, &caller.0));
        Ok(Success(shown.collect()))
    }

    /// Create a user
    ///
    /// To create an admin, sign in or call `/auth/proof` within 5 minutes before.
    #[oai(path = "/", method = "post", operation_id = "v1_create_user")]
    async fn create(
        &self,
        caller: Admin,
        client: RequestClient,
        body: StrictBody<CreateAccount>,
    ) -> RouteResult<CreateUserRoute> {
        let CreateAccount {
            username,
            email,
            password,
            full_name,
            role,
        } = body.0;
        let account = NewAccount {
            username,
            password,
            email,
            full_name,
        };
        let role = role.map_or(Role::User, views::role);
        let user = self
            .accounts
            .create(account, role, Some(&caller.0), Some(&client))
            .await?;
        Ok(Success(views::user(&user, &caller.0)))
    }

    /// Count users
    #[oai(path = "/stats/count", method = "get", operation_id = "v1_count_users")]
    async fn count(&self, _caller: Admin) -> RouteResult<CountRoute> {
        let total_users = self.accounts.count_users().await?;
        Ok(Success(UserCount { total_users }))
    }

    /// Get a user
    #[oai(path = "/:id", method = "get", operation_id = "v1_user")]
    async fn show(&self, caller: SignedIn, id: Path<String>) -> RouteResult<UserRoute> {
        let user = self.accounts.user(&caller.0, ids::named(&id.0)?).await?;
        Ok(Success(views::user(&user, &caller.0)))
    }

    /// Change a user
    ///
    /// Users may change their own full name. Only admins may change `role` and `is_active`. To make somebody an
    /// admin, or activate an admin again, sign in or call `/auth/proof` within 5 minutes before. To change the e-mail address, use
    /// `/auth/email/change`.
    #[oai(path = "/:id", method = "patch", operation_id = "v1_change_user")]
    async fn change(
        &self,
        caller: Spending,
        client: RequestClient,
        id: Path<String>,
        body: StrictBody<UpdateUser>,
    ) -> RouteResult<UpdateUserRoute> {
        let UpdateUser {
            full_name,
            role,
            is_active,
        } = body.0;
        let change = UserChange {
            full_name: full_name
                .map(|name| FullName::parse(&name))
                .transpose()
                .map_err(Invalid::full_name)?,
            role: role.map(views::role),
            is_active,
            ..UserChange::default()
        };
        let user = self
            .accounts
            .change_user(&caller.0, ids::named(&id.0)?, change, &client)
            .await?;
        Ok(Success(views::user(&user, &caller.0)))
    }

    /// Delete a user
    ///
    /// All data about the user is deleted.
    #[oai(path = "/:id", method = "delete", operation_id = "v1_delete_user")]
    async fn remove(
        &self,
        caller: Admin,
        client: RequestClient,
        id: Path<String>,
    ) -> RouteResult<DeleteUserRoute> {
        let context = EventContext {
            by: Some(caller.0.user.id),
            client: Some(&client),
            session: None,
        };
        self.accounts.remove(ids::named(&id.0)?, context).await?;
        Ok(Success(NoBody {}))
    }
}
