//! Your passkeys, and signing in with one.

use std::sync::Arc;

use password_auth_core::accounts::{Accounts, PasskeyCreation};
use password_auth_core::sessions::SessionKind;
use password_auth_core::webauthn::{ALGORITHMS, RelyingParty};
use password_auth_model::{CHALLENGE_LIFETIME, OpaqueBytes, Passkey, PasskeyId, User};
use password_auth_wire::Secret;
use password_auth_wire::v1::SetUpTotp;
use poem_openapi::param::Path;
use poem_openapi::types::{Any, Example};
use poem_openapi::{Object, OpenApi};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Tag;
use super::caller::{SignedIn, Spending};
use super::docs::{
    AddPasskeyRoute, PasskeyCreationRoute, PasskeyLoginRoute, PasskeyRequestRoute,
    RemovePasskeyRoute, RenamePasskeyRoute,
};
use super::views;
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::error::Failure;
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

/// The body of `POST /auth/login/second-factor`: a code or a passkey.
#[derive(Object)]
#[oai(example = true)]
pub(super) struct SecondFactor {
    /// The `challenge` of the first step.
    pub(super) challenge: Secret,
    /// A code from the authenticator app, or a recovery code.
    #[oai(skip_serializing_if_is_none)]
    pub(super) code: Option<Secret>,
    /// What `navigator.credentials.get` returned for this challenge, as JSON (`AuthenticationResponseJSON`).
    #[oai(skip_serializing_if_is_none)]
    pub(super) passkey: Option<Any<Value>>,
}

/// The body of `POST /auth/proof`: the password or a passkey.
#[derive(Object)]
#[oai(example = true)]
pub(super) struct ProveIdentity {
    /// Your password.
    #[oai(skip_serializing_if_is_none)]
    pub(super) password: Option<Secret>,
    /// What `navigator.credentials.get` returned for the options of `/auth/passkeys/login/options`, as JSON.
    #[oai(skip_serializing_if_is_none)]
    pub(super) passkey: Option<Any<Value>>,
}

impl Example for SecondFactor {
    fn example() -> Self {
        Self {
            challenge: Secret::new("AQEBmuz1o8G30u-fBFtsfY6fAAAAAAAAAAGbQ…"),
            code: Some(Secret::new("123456")),
            passkey: None,
        }
    }
}

impl Example for ProveIdentity {
    fn example() -> Self {
        Self {
            password: Some(Secret::new("correct horse battery")),
            passkey: None,
        }
    }
}

/// Neither was given, or both.
pub(super) fn one_of(field: &str, other: &str) -> Failure {
    let message = format!("Either {field} or {other} is required.");
    Failure::of_field(field, "required", message)
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
        let id = passkey_id(&id.0)?;
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
        let id = passkey_id(&id.0)?;
        self.accounts.remove_passkey(&caller.0, id, &client).await?;
        Ok(Success(NoBody {}))
    }
}

/// A text that is not an id names no passkey.
fn passkey_id(text: &str) -> Result<PasskeyId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

/// A credential as the browser writes it.
pub(super) fn credential_of<T: DeserializeOwned>(credential: Any<Value>) -> Result<T, Failure> {
    serde_json::from_value(credential.0)
        .map_err(|_| Failure::of_field("credential", "invalid", "The credential is not valid."))
}

/// `PublicKeyCredentialCreationOptionsJSON` (Web Authentication Level 3, §5.4).
pub(super) fn creation_options(user: &User, creation: &PasskeyCreation) -> Value {
    let PasskeyCreation {
        challenge,
        party,
        site,
        existing,
    } = creation;
    let handle = OpaqueBytes::from(*user.id.as_bytes()).to_text();
    let name = user.username.as_str();
    let algorithm = |alg: &i64| json!({"type": "public-key", "alg": alg});
    let known =
        |passkey: &Passkey| json!({"type": "public-key", "id": passkey.credential.to_text()});
    json!({
        "rp": {"id": party.id, "name": site},
        "user": {"id": handle, "name": name, "displayName": name},
        "challenge": challenge.expose(),
        "pubKeyCredParams": ALGORITHMS.iter().map(algorithm).collect::<Vec<_>>(),
        "timeout": CHALLENGE_LIFETIME.as_secs() * 1000,
        "excludeCredentials": existing.iter().map(known).collect::<Vec<_>>(),
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// `PublicKeyCredentialRequestOptionsJSON` (Web Authentication Level 3, §5.5).
pub(super) fn request_options(challenge: &Secret, party: &RelyingParty) -> Value {
    json!({
        "challenge": challenge.expose(),
        "rpId": party.id,
        "timeout": CHALLENGE_LIFETIME.as_secs() * 1000,
        "allowCredentials": [],
        "userVerification": "required",
    })
}
