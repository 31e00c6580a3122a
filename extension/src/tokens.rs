//! The pair of tokens as the extension stores it, and what can be read from it.
//!
//! Nothing is verified here: the server does that. This module knows no storage and no network.

use password_auth_wire::{Secret, Tokens};
use wasm_bindgen::JsValue;

use crate::{
    base64,
    json::{self, object},
};

/// A pair is refreshed this long before its access token expires, so that it does not expire in transit.
pub(crate) const MARGIN_MS: f64 = 30_000.0;

/// The tokens of a session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    /// For the `Authorization` header.
    pub access_token: Secret,
    /// Valid for one refresh.
    pub refresh_token: Secret,
    /// Unix milliseconds, by this computer's clock.
    access_token_expiry: f64,
}

impl Pair {
    /// Reads a stored pair. An expiry that is absent, or not a number, is past. Without serde, which would take
    /// 2 KB more.
    pub(crate) fn read(object: &JsValue) -> Option<Self> {
        let expiry = json::field(object, "access_token_expiry");
        Some(Self {
            access_token: Secret::new(json::text_field(object, "access_token")?),
            refresh_token: Secret::new(json::text_field(object, "refresh_token")?),
            access_token_expiry: expiry.and_then(|expiry| expiry.as_f64()).unwrap_or(0.0),
        })
    }

    /// As an object, to store.
    pub(crate) fn value(&self) -> JsValue {
        let fields = [
            ("access_token", self.access_token.expose().into()),
            ("refresh_token", self.refresh_token.expose().into()),
            ("access_token_expiry", self.access_token_expiry.into()),
        ];
        object(&fields).into()
    }

    /// The pair that the server answered to a request sent at `asked_at_ms`.
    ///
    /// The expiry counts from the request and not from the answer, so it is never too late.
    pub(crate) fn answered(tokens: Tokens, asked_at_ms: f64) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            access_token_expiry: asked_at_ms + f64::from(tokens.expires_in) * 1000.0,
        }
    }

    /// Whether both tokens are visible ASCII, as all tokens of a server are.
    ///
    /// Other scripts can write storage, and a line break in a header would throw.
    pub(crate) fn is_well_formed(&self) -> bool {
        [&self.access_token, &self.refresh_token]
            .into_iter()
            .all(|token| {
                let token = token.expose();
                !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
            })
    }

    /// Whether the access token has expired at `now_ms`, or will within `margin_ms`.
    pub(crate) fn is_due(&self, now_ms: f64, margin_ms: f64) -> bool {
        // NaN compares false, and counts as due.
        let is_fresh = self.access_token_expiry - margin_ms > now_ms;
        !is_fresh
    }

    /// When the access token expires: Unix milliseconds.
    pub(crate) const fn expiry_ms(&self) -> f64 {
        self.access_token_expiry
    }

    /// Compares by age: the newer pair is greater.
    pub(crate) fn by_age(&self, other: &Self) -> core::cmp::Ordering {
        self.access_token_expiry
            .total_cmp(&other.access_token_expiry)
    }

    /// The JSON of the access token's claims, unverified. Use it for display only.
    pub(crate) fn claims(&self) -> Option<String> {
        let payload = self.access_token.expose().split('.').nth(1)?;
        String::from_utf8(base64::decode(payload)?).ok()
    }
}

#[cfg(test)]
impl Pair {
    /// A pair for tests, good until `expiry_ms`.
    pub(crate) fn sample(access: &str, refresh: &str, expiry_ms: f64) -> Self {
        Self {
            access_token: Secret::new(access),
            refresh_token: Secret::new(refresh),
            access_token_expiry: expiry_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use password_auth_wire::{Secret, Status, Tokens};

    use super::{MARGIN_MS, Pair};

    #[test]
    fn the_expiry_counts_from_the_request() {
        let tokens = Tokens {
            status: Status::Ok,
            access_token: Secret::new("a"),
            refresh_token: Secret::new("r"),
            token_type: "Bearer".into(),
            expires_in: 900,
        };
        assert_eq!(
            Pair::answered(tokens, 1_000.0),
            Pair::sample("a", "r", 901_000.0)
        );
    }

    #[test]
    fn a_pair_is_due_half_a_minute_before_it_expires() {
        let pair = Pair::sample("a", "r", 100_000.0);
        assert!(!pair.is_due(69_999.0, MARGIN_MS));
        assert!(pair.is_due(70_000.0, MARGIN_MS));
        assert!(pair.is_due(200_000.0, MARGIN_MS));
        assert!(Pair::sample("a", "r", f64::NAN).is_due(0.0, MARGIN_MS));
        assert!(Pair::sample("a", "r", 0.0).is_due(1_700_000_000_000.0, MARGIN_MS));
    }

    #[test]
    fn a_token_that_cannot_be_a_header_is_not_well_formed() {
        assert!(Pair::sample("a.b-c_d", "r", 0.0).is_well_formed());
        for broken in ["", "a b", "a\r\nb", "ä"] {
            assert!(
                !Pair::sample(broken, "r", 0.0).is_well_formed(),
                "{broken:?}"
            );
            assert!(
                !Pair::sample("a", broken, 0.0).is_well_formed(),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn the_claims_are_the_second_part_in_any_script() {
        // {"n":"Ünï 👩‍🚀"}
        let pair = Pair::sample("e30.eyJuIjoiw5xuw68g8J-RqeKAjfCfmoAifQ.x", "r", 0.0);
        assert_eq!(
            pair.claims().as_deref(),
            Some("{\"n\":\"Ünï 👩\u{200D}🚀\"}")
        );
        for opaque in ["opaque", "a.*.c", "a._w.c"] {
            assert_eq!(Pair::sample(opaque, "r", 0.0).claims(), None, "{opaque}");
        }
    }

    #[test]
    fn debug_hides_the_tokens() {
        let shown = format!("{:?}", Pair::sample("clear_status", "clear_status", 0.0));
        assert!(!shown.contains("clear_status"), "{shown}");
    }
}
