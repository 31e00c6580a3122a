//! Registering, and who may.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, NewAccount, Registration};
use password_auth_wire::v1::{RegisterAccount, RegistrationInfo, RegistrationMode};
use poem_openapi::OpenApi;

use super::docs::{RegisterRoute, RegistrationRoute};
use super::{Tag, views};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::route::{RouteResult, Success};

pub(crate) struct RegistrationApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::SignIn")]
impl RegistrationApi {
    /// Register
    ///
    /// If you give an e-mail address, a link to verify it is sent there. You cannot choose your role. With an invitation,
    /// you may register whatever `GET /auth/registration` says.
    #[oai(path = "/register", method = "post", operation_id = "v1_register")]
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

    /// See who may register
    ///
    /// For forms: do not offer what the server would refuse.
    #[oai(
        path = "/registration",
        method = "get",
        operation_id = "v1_registration"
    )]
    async fn registration(&self) -> RouteResult<RegistrationRoute> {
        let (registration, policy) = self.accounts.registration();
        Ok(Success(RegistrationInfo {
            mode: match registration {
                Registration::Open => RegistrationMode::Open,
                Registration::Invite => RegistrationMode::Invite,
                Registration::Closed => RegistrationMode::Closed,
            },
            password_min_score: policy.min_score(),
        }))
    }
}
