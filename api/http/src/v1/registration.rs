//! Who may register.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, Registration};
use password_auth_wire::v1::{RegistrationInfo, RegistrationMode};
use poem_openapi::OpenApi;

use super::Tag;
use super::docs::RegistrationRoute;
use crate::route::{RouteResult, Success};

pub(crate) struct RegistrationApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(prefix_path = "/api/v1/auth")]
impl RegistrationApi {
    /// See who may register
    ///
    /// For forms: do not offer what the server would refuse.
    #[oai(
        path = "/registration",
        method = "get",
        operation_id = "v1_registration",
        tag = "Tag::SignIn"
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
