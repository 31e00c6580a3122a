//! The ways in that take two requests: a code or a passkey after the password, and a passkey alone.
//!
//! Interrupted anywhere, nobody is half signed in: either the pair was stored, or the step is still open, or the user
//! begins anew. What a step was used for is the server's to know.

use password_auth_wire::ErrorCode;
use wasm_bindgen::JsValue;

use super::{Error, Session, now_ms};
use crate::{
    client::Client,
    json,
    response::{Details, Failure, Refusal},
    server::Server,
    step::Step,
};

const SECOND_STEP: &str = "/login/second-factor";

impl Session {
    /// Completes the step that was begun, with a `code`.
    ///
    /// # Errors
    /// There is no such step any more, or the server refused or gave no usable answer.
    pub(crate) async fn sign_in_with_code(&self, code: &str) -> Result<(), Error> {
        let client = self.client().await?;
        let Some(step) = Step::load(client.server(), now_ms()).await? else {
            return Err(too_late(client.server().clone()));
        };
        let fields = [
            ("challenge", step.challenge().into()),
            ("code", code.into()),
        ];
        self.complete(&client, SECOND_STEP, &fields, step.stays())
            .await
    }

    /// What the browser is asked for, before a sign-in with a passkey.
    ///
    /// # Errors
    /// The server refused, or gave no usable answer.
    pub(crate) async fn passkey_options(&self) -> Result<JsValue, Error> {
        Ok(self.client().await?.passkey_options().await?)
    }

    /// Signs in with the passkey that the browser gave for `options`: completes the step that was begun, or else needs no
    /// other.
    ///
    /// # Errors
    /// The server refused or gave no usable answer.
    pub(crate) async fn sign_in_with_passkey(
        &self,
        options: &JsValue,
        passkey: JsValue,
        stay: bool,
    ) -> Result<(), Error> {
        let client = self.client().await?;
        let step = Step::load(client.server(), now_ms()).await?;
        let (route, challenge, name, stay) = match step {
            Some(step) => (
                SECOND_STEP,
                step.challenge().into(),
                "passkey",
                step.stays(),
            ),
            None => {
                let challenge = json::field(options, "challenge").unwrap_or_default();
                ("/passkeys/login", challenge, "credential", stay)
            }
        };
        // The second step keeps to what was chosen at the first, and takes no such field.
        let stay_signed_in = match route {
            SECOND_STEP => JsValue::UNDEFINED,
            _ => stay.into(),
        };
        let fields = [
            ("challenge", challenge),
            (name, passkey),
            ("stay_signed_in", stay_signed_in),
        ];
        self.complete(&client, route, &fields, stay).await
    }

    async fn complete(
        &self,
        client: &Client,
        route: &str,
        fields: &[(&str, JsValue)],
        stay: bool,
    ) -> Result<(), Error> {
        let asked_at_ms = now_ms();
        match client.sign_in_by(route, fields).await {
            Ok(tokens) => self.keep(client, tokens, asked_at_ms, stay).await,
            Err(failure) => {
                if let Failure::Refused(refusal) = &failure
                    && refusal.details.code == ErrorCode::ChallengeExpired.name()
                {
                    Step::forget().await?;
                }
                Err(failure.into())
            }
        }
    }
}

/// As the server would say it.
fn too_late(server: Server) -> Error {
    let code = ErrorCode::ChallengeExpired;
    let refusal = Refusal {
        server,
        status: 401,
        message: code.message().to_owned(),
        details: Details {
            code: code.name().to_owned(),
            ..Details::default()
        },
    };
    Error::Failed(Failure::Refused(Box::new(refusal)))
}
