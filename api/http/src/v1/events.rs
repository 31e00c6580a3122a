//! The events of all users, for admins.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_model::UserId;
use password_auth_wire::v1::EventInfo;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::caller::Admin;
use super::docs::AllEvents;
use super::{Tag, ids, views};
use crate::error::Failure;
use crate::route::{RouteResult, Success};

pub(crate) struct EventsApi {
    pub(super) accounts: Arc<Accounts>,
}

pub(super) const fn default_events() -> u32 {
    20
}

#[OpenApi(prefix_path = "/api/v1", tag = "Tag::Events")]
impl EventsApi {
    /// List events of all users
    ///
    /// The latest first, of one user or of all. To page, pass the id of the last event you saw as `before`.
    #[oai(path = "/events", method = "get", operation_id = "v1_events")]
    async fn events(
        &self,
        _caller: Admin,
        /// Only events of this user.
        user: Query<Option<String>>,
        /// Only events older than the event with this id.
        before: Query<Option<String>>,
        /// The maximum number of results.
        #[oai(
            default = "default_events",
            validator(minimum(value = "1"), maximum(value = "100"))
        )]
        limit: Query<u32>,
    ) -> RouteResult<AllEvents> {
        let user = ids::parameter("user", user.0.as_deref())?;
        Ok(Success(
            page(&self.accounts, user, before.0.as_deref(), limit.0).await?,
        ))
    }
}

/// One page of events.
pub(super) async fn page(
    accounts: &Accounts,
    user: Option<UserId>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<EventInfo>, Failure> {
    let before = ids::parameter("before", before)?;
    let events = accounts.events(user, before, limit).await?;
    Ok(events.iter().map(views::event).collect())
}
