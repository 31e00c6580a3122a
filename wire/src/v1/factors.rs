//! Second factors.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::{ID, MOMENT};
use crate::Secret;

object! {
    /// Your second factors.
    FactorsInfo {
        /// Whether there is an authenticator app.
        totp: bool = true,
        /// How many recovery codes are left.
        recovery_codes_left: u32 = 10,
        /// Passkeys, the oldest first.
        passkeys: Vec<PasskeyInfo> = vec![<PasskeyInfo as poem_openapi::types::Example>::example()],
    }

    /// A passkey.
    PasskeyInfo {
        /// A UUID (version 7).
        id: String = ID.to_owned(),
        /// The name that you gave it.
        name: String = "Phone".to_owned(),
        /// RFC 3339, UTC.
        created_at: String = MOMENT.to_owned(),
        /// RFC 3339, UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", oai(skip_serializing_if_is_none))]
        last_used: Option<String> = Some(MOMENT.to_owned()),
    }

    /// The body of `POST /auth/totp/setup`.
    SetUpTotp {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
    }

    /// What the authenticator app needs.
    TotpSetup {
        /// The secret, to type: base32.
        secret: Secret = Secret::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        /// The same as a link for the app.
        otpauth_url: Secret = Secret::new("otpauth://totp/auth%2Eexample%2Eorg:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=auth%2Eexample%2Eorg&algorithm=SHA1&digits=6&period=30"),
        /// The same as a QR code: an SVG image.
        qr_svg: Secret = Secret::new("<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>"),
    }

    /// The body of `POST /auth/totp/confirm`.
    ConfirmTotp {
        /// The code that the app shows.
        code: Secret = Secret::new("123456"),
    }

    /// The body of `DELETE /auth/totp`.
    RemoveTotp {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// A code from the authenticator app, or a recovery code.
        code: Secret = Secret::new("123456"),
    }

    /// The body of `POST /auth/recovery-codes`.
    ReplaceRecoveryCodes {
        /// Your password: an access token is not enough.
        password: Secret = Secret::new("correct horse battery"),
        /// A code from the authenticator app, or a recovery code.
        code: Secret = Secret::new("123456"),
    }

    /// Recovery codes. They are not shown again.
    RecoveryCodes {
        /// Each works once, instead of a code from the authenticator app.
        recovery_codes: Vec<Secret> = vec![Secret::new("7kqm-x2ha-9cwe-4tnb")],
    }
}
