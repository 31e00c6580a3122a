//! What people have beside a password: an authenticator app, and a device with passkeys (the browser's virtual one).

use password_auth_model::{Clock as _, SystemClock, totp_code, totp_step};
use serde_json::json;

use super::{Browser, Page};

/// An authenticator app that was given a key.
pub struct App(Vec<u8>);

impl App {
    /// `key` is base32, with or without blanks.
    pub fn of(key: &str) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digits = key.chars().filter_map(|digit| ALPHABET.find(digit));
        let bits: String = digits.map(|digit| format!("{digit:05b}")).collect();
        let bytes = bits.as_bytes().chunks_exact(8).map(|bits| {
            let bits = std::str::from_utf8(bits).expect("ASCII");
            u8::from_str_radix(bits, 2).expect("bits")
        });
        Self(bytes.collect())
    }

    /// The code that it shows.
    pub fn code(&self) -> String {
        self.code_after(0)
    }

    /// The one after it, which is accepted too: for whoever has used the first one.
    pub fn next_code(&self) -> String {
        self.code_after(1)
    }

    fn code_after(&self, steps: u64) -> String {
        let step = totp_step(SystemClock.now()) + steps;
        format!("{:06}", totp_code(&self.0, step))
    }
}

/// From now on this page has a device that keeps passkeys and knows its user at once.
pub async fn have_authenticator(browser: &Browser, page: &Page) {
    page.focus().await;
    let cdp = browser.driver.cdp();
    cdp.send_raw("WebAuthn.enable", json!({}))
        .await
        .expect("enabled");
    let options = json!({"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
        "isUserVerified": true, "automaticPresenceSimulation": true,
    }});
    cdp.send_raw("WebAuthn.addVirtualAuthenticator", options)
        .await
        .expect("added");
}
