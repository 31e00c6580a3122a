//! Your passkeys, and signing in with one.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_core::sessions::SessionKind;
use password_auth_wire::Secret;
use password_auth_wire::v1::SetUpTotp;
use poem_openapi::param::Path;
use poem_openapi::types::{Any, Example};
use poem_openapi::{Object, OpenApi};
use serde_json::{Value, json};

use super::caller::{SignedIn, Spending};
use super::docs::{
    AddPasskeyRoute, PasskeyCreationRoute, PasskeyLoginRoute, PasskeyRequestRoute,
    RemovePasskeyRoute, RenamePasskeyRoute,
};
use super::webauthn::{creation_options, credential_of, request_options};
use super::{Tag, ids, views};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::route::{NoBody, RouteResult, Success};

pub(crate) struct PasskeysApi {
    pub(super) accounts: Arc<Accounts>,
}

/// The body of `POST /auth/passkeys`.
#[derive(Object)]
#[oai(example = true)]
struct AddPasskey {
    /// A name to know it by: at most 64 characters.
    name: String,
    /// What `navigator.credentials.create` returned, as JSON (`RegistrationResponseJSON`).
    credential: Any<Value>,
}

/// The body of `POST /auth/passkeys/login`.
#[derive(Object)]
#[oai(example = true)]
struct PasskeyLogin {
    /// The `challenge` of the options.
    challenge: Secret,
    /// What `navigator.credentials.get` returned, as JSON (`AuthenticationResponseJSON`).
    credential: Any<Value>,
    /// `true` (the default): the session lasts as long as the server allows. `false`: one day at most.
    #[oai(skip_serializing_if_is_none)]
    stay_signed_in: Option<bool>,
}

/// The body of `PATCH /auth/passkeys/{id}`.
#[derive(Object)]
#[oai(example = true)]
struct RenamePasskey {
    /// At most 64 characters.
    name: String,
}

fn example_credential() -> Any<Value> {
    Any(json!({"rawId": "AQID", "type": "public-key", "response": {"clientDataJSON": "e30"}}))
}

impl Example for AddPasskey {
    fn example() -> Self {
        Self {
            name: "Phone".to_owned(),
            credential: example_credential(),
        }
    }
}

impl Example for PasskeyLogin {
    fn example() -> Self {
        Self {
            challenge: Secret::new("AQUAAAAAAAAAAA…"),
            credential: example_credential(),
            stay_signed_in: None,
        }
    }
}

impl Example for RenamePasskey {
    fn example() -> Self {
        Self {
            name: "Phone".to_owned(),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::Factors")]
impl PasskeysApi {
    /// Begin to add a passkey
    ///
    /// Requires your password. Returns the options for `navigator.credentials.create`, as JSON.
    #[oai(
        path = "/passkeys/register/options",
        method = "post",
        operation_id = "v1_passkey_creation"
    )]
    async fn creation(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<SetUpTotp>,
    ) -> RouteResult<PasskeyCreationRoute> {
        let created = self
            .accounts
            .begin_passkey(&caller.0, body.0.password, &client)
            .await?;
        Ok(Success(Any(creation_options(&caller.0.user, &created))))
    }

    /// Add a passkey
    ///
    /// From now on, signing in with the password needs a second factor.
    #[oai(path = "/passkeys", method = "post", operation_id = "v1_add_passkey")]
    async fn add(
        &self,
        caller: Spending,
        client: RequestClient,
        body: StrictBody<AddPasskey>,
    ) -> RouteResult<AddPasskeyRoute> {
        let AddPasskey { name, credential } = body.0;
        let credential = credential_of(credential)?;
        let added = self
            .accounts
            .add_passkey(&caller.0, &name, &credential, &client)
            .await?;
        Ok(Success(views::passkey(&added)))
    }

    /// Begin to sign in with a passkey
    ///
    /// Returns the options for `navigator.credentials.get`, as JSON.
    #[oai(
        path = "/passkeys/login/options",
        method = "post",
        operation_id = "v1_passkey_request"
    )]
    async fn request(&self) -> RouteResult<PasskeyRequestRoute> {
        let (challenge, party) = self.accounts.passkey_challenge()?;
        Ok(Success(Any(request_options(&challenge, party))))
    }

    /// Sign in with a passkey
    ///
    /// Without a password: the authenticator must have verified the user.
    #[oai(
        path = "/passkeys/login",
        method = "post",
        operation_id = "v1_passkey_login"
    )]
    async fn login(
        &self,
        client: RequestClient,
        body: StrictBody<PasskeyLogin>,
    ) -> RouteResult<PasskeyLoginRoute> {
        let PasskeyLogin {
            challenge,
            credential,
            stay_signed_in,
        } = body.0;
        let assertion = credential_of(credential)?;
        let kind = SessionKind::wished(stay_signed_in);
        let issued = self
            .accounts
            .sign_in_with_passkey(&challenge, &assertion, kind, &client)
            .await?;
        Ok(Success(views::tokens(issued)))
    }

    /// Rename a passkey
    #[oai(
        path = "/passkeys/:id",
        method = "patch",
        operation_id = "v1_rename_passkey"
    )]
    async fn rename(
        &self,
        caller: Spending,
        id: Path<String>,
        body: StrictBody<RenamePasskey>,
    ) -> RouteResult<RenamePasskeyRoute> {
        let id = ids::named(&id.0)?;
        let renamed = self
            .accounts
            .rename_passkey(&caller.0, id, &body.0.name)
            .await?;
        Ok(Success(views::passkey(&renamed)))
    }

    /// Remove a passkey
    ///
    /// Call `/auth/proof` first.
    #[oai(
        path = "/passkeys/:id",
        method = "delete",
        operation_id = "v1_remove_passkey"
    )]
    async fn remove(
        &self,
        caller: Spending,
        client: RequestClient,
        id: Path<String>,
    ) -> RouteResult<RemovePasskeyRoute> {
        let id = ids::named(&id.0)?;
        self.accounts.remove_passkey(&caller.0, id, &client).await?;
        Ok(Success(NoBody {}))
    }
}
