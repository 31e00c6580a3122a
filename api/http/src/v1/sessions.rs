//! Your sessions: seeing and ending them.

use std::sync::Arc;

use password_auth_core::sessions::Sessions;
use password_auth_wire::v1::Done;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::caller::Minding;
use super::docs::{EndOtherSessionsRoute, EndSessionRoute, LogoutEverywhere, SessionsRoute};
use super::messages::LOGGED_OUT;
use super::{Tag, ids, views};
use crate::client::RequestClient;
use crate::error::Failure;
use crate::route::{NoBody, RouteResult, Success};

pub(crate) struct SessionsApi {
    pub(super) sessions: Arc<Sessions>,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::SignIn")]
impl SessionsApi {
    /// Sign out on all devices
    #[oai(path = "/logout/all", method = "post", operation_id = "v1_logout_all")]
    async fn logout_all(
        &self,
        caller: Minding,
        client: RequestClient,
    ) -> RouteResult<LogoutEverywhere> {
        self.sessions.end_all_of_caller(&caller.0, &client).await?;
        Ok(Success(Done::with(LOGGED_OUT)))
    }

    /// List your sessions
    ///
    /// If `replayed_elsewhere` is set and you cannot explain it, change your password: that invalidates every token.
    #[oai(path = "/sessions", method = "get", operation_id = "v1_sessions")]
    async fn sessions(&self, caller: Minding) -> RouteResult<SessionsRoute> {
        let sessions = self.sessions.of_caller(&caller.0).await?;
        let shown = sessions
            .iter()
            .map(|session| views::session(session, &caller.0));
        Ok(Success(shown.collect()))
    }

    /// End one of your sessions
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "v1_end_session"
    )]
    async fn end_session(
        &self,
        caller: Minding,
        client: RequestClient,
        id: Path<String>,
    ) -> RouteResult<EndSessionRoute> {
        let id = ids::named(&id.0)?;
        if self.sessions.end_of_caller(&caller.0, id, &client).await? {
            Ok(Success(NoBody {}))
        } else {
            Err(Failure::NotFound.into())
        }
    }

    /// End your other sessions
    ///
    /// All sessions except the current one.
    #[oai(
        path = "/sessions",
        method = "delete",
        operation_id = "v1_end_other_sessions"
    )]
    async fn end_other_sessions(
        &self,
        caller: Minding,
        client: RequestClient,
    ) -> RouteResult<EndOtherSessionsRoute> {
        self.sessions
            .end_others_of_caller(&caller.0, &client)
            .await?;
        Ok(Success(NoBody {}))
    }
}
