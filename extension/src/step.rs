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

/// What the second step needs, as it is stored: it is read where it is needed, which is less code.
pub(crate) struct Step(JsValue);

impl Step {
    /// The step that a refusal with `details` asks for, if it does.
    pub(crate) fn of(
        server: &Server,
        details: &Details,
        name: &str,
        stay: bool,
        now_ms: f64,
    ) -> Option<Self> {
        let step = object(&[
            ("server", server.address().into()),
            ("challenge", details.challenge.as_deref()?.into()),
            ("name", name.into()),
            ("stay", stay.into()),
            ("methods", details.methods.as_str().into()),
            ("ends", (now_ms + LASTS_MS).into()),
        ]);
        Some(Self(step.into()))
    }

    /// The step that was begun at `server`, if it can still be done.
    pub(crate) async fn load(server: &Server, now_ms: f64) -> Result<Option<Self>, BrowserError> {
        let step = Self(Area::Session.read_one(STEP).await?);
        let ends_ms = json::field(&step.0, "ends").and_then(|ends| ends.as_f64());
        let is_open = is_open(ends_ms.unwrap_or_default(), now_ms);
        Ok((is_open && step.text("server") == server.address()).then_some(step))
    }

    /// Keeps it.
    pub(crate) async fn store(&self) -> Result<(), BrowserError> {
        Area::Session.hide_from_content_scripts().await;
        Area::Session.write(&[(STEP, self.0.clone())]).await
    }

    /// It is done, or begins anew.
    pub(crate) fn forget() -> impl Future<Output = Result<(), BrowserError>> {
        Area::Session.remove(&[STEP])
    }

    /// What the second step presents.
    pub(crate) fn challenge(&self) -> String {
        self.text("challenge")
    }

    /// Who signs in, as typed.
    pub(crate) fn name(&self) -> String {
        self.text("name")
    }

    /// Whether to stay signed in.
    pub(crate) fn stays(&self) -> bool {
        json::field(&self.0, "stay").is_some_and(|stay| stay.is_truthy())
    }

    /// Whether a code is one of the ways on, and whether a passkey is.
    pub(crate) fn ways(&self) -> (bool, bool) {
        ways(&self.text("methods"))
    }

    fn text(&self, name: &str) -> String {
        json::text_field(&self.0, name).unwrap_or_default()
    }
}

/// A step that lasts longer was begun before the clock was set back.
fn is_open(ends_ms: f64, now_ms: f64) -> bool {
    let left = ends_ms - now_ms;
    left > 0.0 && left <= LASTS_MS
}

/// By the names of the factors, with blanks between them.
fn ways(methods: &str) -> (bool, bool) {
    let has_passkey = methods.split(' ').any(|method| method == "passkey");
    (methods != "passkey", has_passkey)
}

#[cfg(test)]
mod tests {
    use super::{LASTS_MS, is_open, ways};

    const NOW_MS: f64 = 1_700_000_000_000.0;

    #[test]
    fn a_step_is_open_for_five_minutes_by_any_clock() {
        let ends_ms = NOW_MS + LASTS_MS;
        for (now_ms, expected) in [
            (NOW_MS, true),
            (ends_ms - 1.0, true),
            (ends_ms, false),
            (NOW_MS - 1.0, false),
        ] {
            assert_eq!(is_open(ends_ms, now_ms), expected, "{now_ms}");
        }
        assert!(!is_open(f64::NAN, NOW_MS));
    }

    #[test]
    fn the_methods_say_what_is_offered_and_a_code_is_taken_where_they_say_nothing() {
        for (methods, expected) in [
            ("totp recovery_code passkey", (true, true)),
            ("recovery_code", (true, false)),
            ("passkey", (false, true)),
            ("", (true, false)),
        ] {
            assert_eq!(ways(methods), expected, "{methods}");
        }
    }
}
