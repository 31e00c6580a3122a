//! Whether the server works: for whoever watches it. At the root and under `/api/v1`.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::v1::Health;
use poem_openapi::OpenApi;
use poem_openapi::types::Example as _;

use super::Tag;
use super::docs::{HealthRoute, LiveRoute};
use crate::route::{RouteResult, Success};

pub(crate) struct HealthApi {
    pub(super) accounts: Arc<Accounts>,
}

#[OpenApi(tag = "Tag::Health")]
impl HealthApi {
    /// Whether the server can do its work
    #[oai(path = "/health", method = "get", operation_id = "health")]
    async fn health(&self) -> RouteResult<HealthRoute> {
        self.database().await
    }

    /// Whether the server runs
    #[oai(path = "/health/live", method = "get", operation_id = "health_live")]
    async fn live(&self) -> RouteResult<LiveRoute> {
        Ok(Success(Health::example()))
    }

    /// Whether the store answers
    #[oai(
        path = "/health/database",
        method = "get",
        operation_id = "health_database"
    )]
    async fn database(&self) -> RouteResult<HealthRoute> {
        self.accounts.check_store().await?;
        Ok(Success(Health::example()))
    }

    /// Whether the server can do its work
    #[oai(path = "/api/v1/health", method = "get", operation_id = "v1_health")]
    async fn v1_health(&self) -> RouteResult<HealthRoute> {
        self.database().await
    }

    /// Whether the server runs
    #[oai(
        path = "/api/v1/health/live",
        method = "get",
        operation_id = "v1_health_live"
    )]
    async fn v1_live(&self) -> RouteResult<LiveRoute> {
        self.live().await
    }

    /// Whether the store answers
    #[oai(
        path = "/api/v1/health/database",
        method = "get",
        operation_id = "v1_health_database"
    )]
    async fn v1_database(&self) -> RouteResult<HealthRoute> {
        self.database().await
    }
}
