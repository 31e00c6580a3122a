//! Your second factors: authenticator app and recovery codes.

use std::sync::Arc;

use password_auth_core::accounts::Accounts;
use password_auth_wire::Secret;
use password_auth_wire::v1::{
    ConfirmTotp, Done, RecoveryCodes, RemoveTotp, ReplaceRecoveryCodes, SetUpTotp,
};
use poem_openapi::types::{Any, Example};
use poem_openapi::{Object, OpenApi};
use serde_json::Value;

use super::caller::{Minding, SignedIn};
use super::docs::{
    ConfirmTotpRoute, FactorsRoute, ProofRoute, RemoveTotpRoute, ReplaceRecoveryCodesRoute,
    SetUpTotpRoute,
};
use super::messages::PROVED;
use super::webauthn::credential_of;
use super::{Tag, qr, views};
use crate::body::StrictBody;
use crate::client::RequestClient;
use crate::error::Failure;
use crate::route::{NoBody, RouteResult, Success};

pub(crate) struct FactorsApi {
    pub(super) accounts: Arc<Accounts>,
}

/// The body of `POST /auth/proof`: the password or a passkey.
#[derive(Object)]
#[oai(example = true)]
struct ProveIdentity {
    /// Your password.
    #[oai(skip_serializing_if_is_none)]
    password: Option<Secret>,
    /// What `navigator.credentials.get` returned for the options of `/auth/passkeys/login/options`, as JSON.
    #[oai(skip_serializing_if_is_none)]
    passkey: Option<Any<Value>>,
}

impl Example for ProveIdentity {
    fn example() -> Self {
        Self {
            password: Some(Secret::new("correct horse battery")),
            passkey: None,
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Tag::Factors")]
impl FactorsApi {
    /// See your second factors
    #[oai(path = "/factors", method = "get", operation_id = "v1_factors")]
    async fn factors(&self, caller: SignedIn) -> RouteResult<FactorsRoute> {
        let factors = self.accounts.factors(caller.0.user.id).await?;
        Ok(Success(views::factors(&factors)))
    }

    /// Prove that it is you
    ///
    /// For 5 minutes, this session may do what an access token alone is not enough for: exporting your data, removing a
    /// passkey and, as an admin, making another one. Without it, these answer 403 `proof_required`.
    #[oai(path = "/proof", method = "post", operation_id = "v1_prove")]
    async fn prove(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<ProveIdentity>,
    ) -> RouteResult<ProofRoute> {
        let ProveIdentity { password, passkey } = body.0;
        match (password, passkey) {
            (Some(password), None) => self.accounts.prove(&caller.0, password, &client).await?,
            (None, Some(passkey)) => {
                let assertion = credential_of(passkey)?;
                self.accounts
                    .prove_by_passkey(&caller.0, &assertion, &client)
                    .await?;
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(Failure::not_one_of("password", "passkey").into());
            }
        }
        Ok(Success(Done::with(PROVED)))
    }

    /// Set up an authenticator app
    ///
    /// Requires your password. The app is enrolled once you confirm a code that it shows, within 10 minutes.
    #[oai(path = "/totp/setup", method = "post", operation_id = "v1_set_up_totp")]
    async fn set_up_totp(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<SetUpTotp>,
    ) -> RouteResult<SetUpTotpRoute> {
        let setup = self
            .accounts
            .set_up_totp(&caller.0, body.0.password, &client)
            .await?;
        let qr_svg = qr::svg(&setup.otpauth_url)?;
        Ok(Success(views::totp_setup(setup, qr_svg)))
    }

    /// Confirm the authenticator app
    ///
    /// From now on, signing in needs a code from the app, or one of the recovery codes in the response. They are not
    /// shown again.
    #[oai(
        path = "/totp/confirm",
        method = "post",
        operation_id = "v1_confirm_totp"
    )]
    async fn confirm_totp(
        &self,
        caller: Minding,
        client: RequestClient,
        body: StrictBody<ConfirmTotp>,
    ) -> RouteResult<ConfirmTotpRoute> {
        let recovery_codes = self
            .accounts
            .confirm_totp(&caller.0, &body.0.code, &client)
            .await?;
        Ok(Success(RecoveryCodes { recovery_codes }))
    }

    /// Remove the authenticator app
    ///
    /// Requires your password and a code. Unless you have passkeys, the recovery codes are void.
    #[oai(path = "/totp", method = "delete", operation_id = "v1_remove_totp")]
    async fn remove_totp(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<RemoveTotp>,
    ) -> RouteResult<RemoveTotpRoute> {
        let RemoveTotp { password, code } = body.0;
        self.accounts
            .remove_totp(&caller.0, password, &code, &client)
            .await?;
        Ok(Success(NoBody {}))
    }

    /// Make new recovery codes
    ///
    /// Requires your password and a code. The old ones are void.
    #[oai(
        path = "/recovery-codes",
        method = "post",
        operation_id = "v1_replace_recovery_codes"
    )]
    async fn replace_recovery_codes(
        &self,
        caller: SignedIn,
        client: RequestClient,
        body: StrictBody<ReplaceRecoveryCodes>,
    ) -> RouteResult<ReplaceRecoveryCodesRoute> {
        let ReplaceRecoveryCodes { password, code } = body.0;
        let recovery_codes = self
            .accounts
            .replace_recovery_codes(&caller.0, password, &code, &client)
            .await?;
        Ok(Success(RecoveryCodes { recovery_codes }))
    }
}
