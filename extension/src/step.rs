//! A sign-in between its two steps: the password was right, and the second factor is asked for.
//!
//! It is kept in memory (`storage.session`, or the tab of a web page), so that a popup that closes goes on where it was.
//! The challenge is kept, and never the password. It goes to its own server alone.

use wasm_bindgen::JsValue;

use crate::{
    browser::{Area, BrowserError},
    json::{self, object},
    response::Details,
    server::Server,
};

/// The key of the step, in the session's area.
pub(crate) const STEP: &str = "auth_second_step";

/// How long the server accepts a challenge.
const LASTS_MS: f64 = 300_000.0;

/// What the second step needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    server: String,
    /// What the second step presents.
    pub(crate) challenge: String,
    /// Who signs in, as typed.
    pub(crate) name: String,
    /// Whether to stay signed in.
    pub(crate) stay: bool,
    /// The names of the factors, with blanks between them.
    methods: String,
    ends_ms: f64,
}

impl Step {
    /// The step that a refusal with `details` asks for, if it does.
    pub(crate) fn of(
        server: &Server,
        details: Details,
        name: String,
        stay: bool,
        now_ms: f64,
    ) -> Option<Self> {
        Some(Self {
            server: server.to_string(),
            challenge: details.challenge?,
            name,
            stay,
            methods: details.methods,
            ends_ms: now_ms + LASTS_MS,
        })
    }

    /// Whether a code is one of the ways on.
    pub(crate) fn takes_code(&self) -> bool {
        self.methods != "passkey"
    }

    /// Whether a passkey is one.
    pub(crate) fn takes_passkey(&self) -> bool {
        self.methods.split(' ').any(|method| method == "passkey")
    }

    /// Whether it can still be done at `server`. A step that lasts longer was begun before the clock was set back.
    fn is_open(&self, server: &Server, now_ms: f64) -> bool {
        let left = self.ends_ms - now_ms;
        self.server == server.to_string() && left > 0.0 && left <= LASTS_MS
    }

    /// The step that was begun at `server`, if it can still be done.
    pub(crate) async fn load(server: &Server, now_ms: f64) -> Result<Option<Self>, BrowserError> {
        let [stored] = Area::Session.read([STEP]).await?;
        let step = Self::read(&stored);
        Ok(step.filter(|step| step.is_open(server, now_ms)))
    }

    /// Keeps it.
    pub(crate) async fn store(&self) -> Result<(), BrowserError> {
        let fields: [(&str, JsValue); 6] = [
            ("server", self.server.as_str().into()),
            ("challenge", self.challenge.as_str().into()),
            ("name", self.name.as_str().into()),
            ("stay", self.stay.into()),
            ("methods", self.methods.as_str().into()),
            ("ends", self.ends_ms.into()),
        ];
        Area::Session.hide_from_content_scripts().await;
        Area::Session.write(&[(STEP, object(&fields).into())]).await
    }

    /// It is done, or begins anew.
    pub(crate) async fn forget() -> Result<(), BrowserError> {
        Area::Session.remove(&[STEP]).await
    }

    fn read(stored: &JsValue) -> Option<Self> {
        let text = |name| json::text_field(stored, name);
        Some(Self {
            server: text("server")?,
            challenge: text("challenge")?,
            name: text("name")?,
            stay: json::field(stored, "stay")?.as_bool()?,
            methods: text("methods")?,
            ends_ms: json::field(stored, "ends")?.as_f64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{LASTS_MS, Step};
    use crate::{response::Details, server::Server};

    const NOW_MS: f64 = 1_700_000_000_000.0;

    fn step(methods: &str) -> Step {
        let details = Details {
            challenge: Some("c1".to_owned()),
            methods: methods.to_owned(),
            ..Details::default()
        };
        let server = Server::at("https://auth.example");
        Step::of(&server, details, "alice".to_owned(), true, NOW_MS).expect("a step")
    }

    #[test]
    fn a_step_is_for_its_server_and_for_five_minutes_by_any_clock() {
        let (step, server) = (step("totp"), Server::at("https://auth.example"));
        for (now_ms, expected) in [
            (NOW_MS, true),
            (NOW_MS + LASTS_MS - 1.0, true),
            (NOW_MS + LASTS_MS, false),
            (NOW_MS - 1.0, false),
        ] {
            assert_eq!(step.is_open(&server, now_ms), expected, "{now_ms}");
        }
        for other in ["https://auth.example.org", "http://auth.example"] {
            assert!(!step.is_open(&Server::at(other), NOW_MS), "{other}");
        }
        assert!(!step.is_open(&server.with_path("/other"), NOW_MS));
    }

    #[test]
    fn the_methods_say_what_is_offered_and_a_code_is_taken_where_they_say_nothing() {
        for (methods, code, passkey) in [
            ("totp recovery_code passkey", true, true),
            ("recovery_code", true, false),
            ("passkey", false, true),
            ("", true, false),
        ] {
            let step = step(methods);
            assert_eq!(
                (step.takes_code(), step.takes_passkey()),
                (code, passkey),
                "{methods}"
            );
        }
    }

    #[test]
    fn without_a_challenge_there_is_no_step() {
        let server = Server::at("https://auth.example");
        assert_eq!(
            Step::of(&server, Details::default(), String::new(), true, NOW_MS),
            None
        );
    }
}
