//! What a server offers to whoever is not signed in: who may register, and whether it knows passkeys.
//!
//! It is kept, so that the form is painted without waiting for the network, and asked for anew while it is shown.

use wasm_bindgen::JsValue;

use crate::{
    browser::{self, Area, BrowserError},
    client::Client,
    json::{self, object},
    server::Server,
};

/// The key of what the server last said, in the settings: nothing of it is secret.
const OFFERS: &str = "auth_offers";

/// What a form shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Who may register: `open`, `invite` or `closed`.
    pub(crate) registration: String,
    /// Whether passkeys can be used here.
    pub(crate) passkeys: bool,
}

impl Offers {
    /// What is offered until the server has said it.
    pub(crate) fn unknown() -> Self {
        Self {
            registration: "open".to_owned(),
            passkeys: false,
        }
    }

    /// What `server` said last.
    pub(crate) async fn load(server: &Server) -> Result<Option<Self>, BrowserError> {
        let [stored] = Area::Settings.read([OFFERS]).await?;
        let text = |name| json::text_field(&stored, name);
        let of_server = text("server").is_some_and(|known| known == server.to_string());
        let passkeys = json::field(&stored, "passkeys").and_then(|known| known.as_bool());
        let offers = text("registration").zip(passkeys).filter(|_| of_server);
        Ok(offers.map(|(registration, passkeys)| Self {
            registration,
            passkeys,
        }))
    }

    /// Asks the server. `None` if it does not say: then what is known stays.
    pub(crate) async fn ask(server: &Server) -> Option<Self> {
        let client = Client::new(server.clone());
        let registration = client.registration().await.ok()?;
        let options = client.passkey_options().await.ok();
        let domain = options.and_then(|options| json::text_field(&options, "rpId"));
        Some(Self {
            registration,
            passkeys: domain.is_some_and(|domain| browser::can_use_passkeys(&domain)),
        })
    }

    /// Keeps what `server` said.
    pub(crate) async fn store(&self, server: &Server) -> Result<(), BrowserError> {
        let fields: [(&str, JsValue); 3] = [
            ("server", server.to_string().into()),
            ("registration", self.registration.as_str().into()),
            ("passkeys", self.passkeys.into()),
        ];
        let stored = object(&fields).into();
        Area::Settings.write(&[(OFFERS, stored)]).await
    }
}
