//! Invitations to register.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, NewInvite};
use password_auth_core::mail::invitation_link;
use password_auth_model::{InviteId, InviteLifetime, Role};
use password_auth_wire::Secret;
use password_auth_wire::v1::{CreateInvite, InviteCreated};
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::caller::Admin;
use super::docs::{DeleteInviteRoute, InviteRoute, InvitesRoute};
use super::{Tag, ids, views};
use crate::body::StrictBody;
use crate::error::Failure;
use crate::route::{NoBody, RouteResult, Success};

pub(crate) struct InvitesApi {
    pub(super) accounts: Arc<Accounts>,
    pub(super) public_url: String,
}

const fn default_limit() -> u32 {
    100
}

#[OpenApi(prefix_path = "/api/v1/invites", tag = "Tag::Users")]
impl InvitesApi {
    /// Invite somebody
    ///
    /// Whoever has the token may register, once, whoever may register otherwise. With an address, the invitation is
    /// mailed; without one, hand over the URL. It counts while you are an admin. To invite an admin, sign in or call
    /// `/auth/proof` within 5 minutes before.
    #[oai(path = "/", method = "post", operation_id = "v1_invite")]
    async fn invite(
        &self,
        caller: Admin,
        body: StrictBody<CreateInvite>,
    ) -> RouteResult<InviteRoute> {
        let CreateInvite {
            email,
            role,
            expires,
        } = body.0;
        let lifetime = match expires {
            None => InviteLifetime::DEFAULT,
            Some(text) => text
                .parse::<InviteLifetime>()
                .map_err(|error| Failure::of_field("expires", "invalid", error.to_string()))?,
        };
        let new = NewInvite {
            email,
            role: role.map_or(Role::User, views::role),
            lifetime,
        };
        let (invite, token) = self.accounts.invite(new, Some(&caller.0)).await?;
        Ok(Success(InviteCreated {
            id: invite.id.to_string(),
            url: Secret::new(invitation_link(&self.public_url, &token)),
            token,
        }))
    }

    /// List the invitations that are out
    ///
    /// In the order in which they were made. Those that were used are gone, those that expired soon are.
    #[oai(path = "/", method = "get", operation_id = "v1_invites")]
    async fn list(
        &self,
        _caller: Admin,
        /// Only invitations after the one with this id: the last one you saw.
        after: Query<Option<String>>,
        /// The maximum number of results.
        #[oai(
            default = "default_limit",
            validator(minimum(value = "1"), maximum(value = "100"))
        )]
        limit: Query<u32>,
    ) -> RouteResult<InvitesRoute> {
        let after = after.0.map(|id| {
            let id = id.parse::<InviteId>();
            id.map_err(|_| {
                Failure::of_field("after", "invalid", "The parameter after is not an id.")
            })
        });
        let invites = self.accounts.invites(after.transpose()?, limit.0).await?;
        Ok(Success(invites.iter().map(views::invite).collect()))
    }

    /// Take an invitation back
    #[oai(path = "/:id", method = "delete", operation_id = "v1_delete_invite")]
    async fn delete(&self, _caller: Admin, id: Path<String>) -> RouteResult<DeleteInviteRoute> {
        if self.accounts.remove_invite(ids::named(&id.0)?).await? {
            Ok(Success(NoBody {}))
        } else {
            Err(Failure::NotFound.into())
        }
    }
}
