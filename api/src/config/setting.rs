//! All settings: name, default and help of each. The environment, the `.env` file, the flags, `check-config` and the
//! help texts all use this list.

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name in the environment and in `.env`. `DATA_DIR` is the flag `--data-dir`.
    pub name: &'static str,
    /// The default as text. Empty if it is computed or off.
    pub default: &'static str,
    /// For the help text.
    pub help: &'static str,
    /// Whether the value is secret. It is never shown, and there is no flag, since other users of the machine can see
    /// arguments.
    pub secret: bool,
}

const fn setting(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting {
        name,
        default,
        help,
        secret: false,
    }
}

/// `build.sh` sets the variable to the name in `brand.toml`.
const SITE_NAME: &str = match option_env!("BRAND_NAME") {
    Some(name) => name,
    None => "Password Auth",
};

/// Every setting, in the order in which `check-config` prints them.
pub const SETTINGS: &[Setting] = &[
    setting("HOST", "127.0.0.1", "IP address to listen on"),
    setting("PORT", "8000", "Port to listen on; 0 picks a free port"),
    setting(
        "DATA_DIR",
        "./data",
        "Folder for the embedded store and the generated signing key",
    ),
    setting(
        "STORE_CACHE_MB",
        "256",
        "Cache of the embedded store, in MiB (16 to 65536)",
    ),
    Setting {
        name: "DATABASE_URL",
        default: "",
        help: "Use PostgreSQL instead of the embedded store: postgres://USER:PASSWORD@HOST:PORT/DATABASE; separate several HOST:PORT by commas",
        secret: true,
    },
    setting(
        "DATABASE_REQUIRE_STANDBY",
        "off",
        "Start only if PostgreSQL commits to a synchronous standby: on or off",
    ),
    setting(
        "PUBLIC_URL",
        "",
        "URL at which users reach the server, such as https://auth.example.org [default: \
         http://HOST:PORT]",
    ),
    setting(
        "ALLOWED_ORIGINS",
        "",
        "Origins that may call the API from a browser, separated by commas, such as \
         chrome-extension://ID [default: only the server's own]",
    ),
    setting(
        "TRUSTED_PROXIES",
        "",
        "Proxies whose X-Forwarded-For header is trusted: addresses or networks, separated by \
         commas [default: none]",
    ),
    Setting {
        name: "JWT_SECRET",
        default: "",
        help: "Secret that signs the tokens, at least 32 bytes [default: a generated key in the data folder]",
        secret: true,
    },
    setting(
        "SITE_NAME",
        SITE_NAME,
        "What the site calls itself in mails and pages: 1 to 64 characters",
    ),
    setting(
        "ISSUER",
        "password-auth",
        "Issuer and audience of the access tokens",
    ),
    setting(
        "SIGNING_ALG",
        "HS256",
        "Algorithm that signs access tokens: HS256, or EdDSA, which other services can verify with the keys at \
         /.well-known/jwks.json",
    ),
    setting(
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "15",
        "Lifetime of an access token, in minutes (1 to 1440)",
    ),
    setting(
        "REFRESH_TOKEN_EXPIRE_DAYS",
        "180",
        "Lifetime of a session from sign-in, in days (1 to 3650)",
    ),
    setting(
        "PASSWORD_RESET_TOKEN_EXPIRE_HOURS",
        "1",
        "Lifetime of a password reset link, in hours (1 to 24)",
    ),
    setting(
        "EMAIL_VERIFICATION_TOKEN_EXPIRE_HOURS",
        "24",
        "Lifetime of an e-mail verification link, in hours (1 to 720)",
    ),
    setting(
        "SCRYPT_LOG_N",
        "15",
        "Password hashing: base-2 logarithm of scrypt's N",
    ),
    setting("SCRYPT_R", "8", "Password hashing: scrypt's r"),
    setting("SCRYPT_P", "3", "Password hashing: scrypt's p"),
    setting(
        "PASSWORD_MIN_SCORE",
        "",
        "Minimum strength of a new password: a zxcvbn score from 0 (any) to 4 (strongest) [default: 2; in development 0]",
    ),
    setting(
        "LOGIN_RATE",
        "5/minute",
        "Limit for sign-in attempts, per address and per account; off only in development",
    ),
    setting(
        "REGISTER_RATE",
        "20/minute",
        "Limit for registrations, per address; off only in development",
    ),
    setting(
        "MAIL_RATE",
        "5/hour",
        "Limit for requested mails, per address and per account; off only in development",
    ),
    setting(
        "ACCOUNT_RATE",
        "60/minute",
        "Limit for writes, lists, events and exports, per account; off only in development",
    ),
    setting(
        "REGISTRATION",
        "open",
        "Who may register: open (everybody), invite (with an invitation), or closed (the same, and forms do not offer it)",
    ),
    setting(
        "WEBAUTHN_RP_ID",
        "",
        "Domain to which passkeys are bound [default: the host of PUBLIC_URL, if it is no IP address; in development localhost]",
    ),
    setting(
        "WEBAUTHN_ORIGINS",
        "",
        "Origins from which passkeys are used, separated by commas, such as chrome-extension://ID [default: the server's own and ALLOWED_ORIGINS]",
    ),
    setting(
        "USER_DIRECTORY",
        "",
        "Who may list users: admins or members [default: admins; in development members]",
    ),
    setting(
        "SMTP_HOST",
        "",
        "Host name of the mail server [default: no mail; in development a folder]",
    ),
    setting(
        "SMTP_PORT",
        "",
        "Port of the mail server [default: 587; with SMTP_TLS=tls 465, with off 25]",
    ),
    setting(
        "SMTP_TLS",
        "starttls",
        "Encryption to the mail server: starttls, tls, or off (only for a local server or in development)",
    ),
    setting(
        "SMTP_CA_FILE",
        "",
        "PEM file with the CA certificates to trust for the mail server [default: the system's]",
    ),
    setting("SMTP_USERNAME", "", "User name for the mail server"),
    Setting {
        name: "SMTP_PASSWORD",
        default: "",
        help: "Password for the mail server",
        secret: true,
    },
    setting(
        "SMTP_FROM",
        "",
        "Sender of the mail, such as \"Example <auth@example.org>\"",
    ),
    setting(
        "TLS_CERT",
        "",
        "PEM file with the server's certificate and those that lead to its root; read again at SIGHUP [default: no TLS]",
    ),
    setting("TLS_KEY", "", "PEM file with the certificate's private key"),
    setting(
        "METRICS_ADDR",
        "",
        "Address and port of a listener of its own for /metrics, such as 127.0.0.1:9100; keep it away from the internet [default: none]",
    ),
    setting("LOG_FORMAT", "text", "Log format: text or json"),
    setting(
        "RUST_LOG",
        "info",
        "Log filter, in the syntax of tracing-subscriber's EnvFilter",
    ),
];

impl Setting {
    /// The setting of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// The flag, without its dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.to_ascii_lowercase().replace('_', "-")
    }
}
