//! The list of settings: each one's name, default and help stand here once, for the environment, the
//! `.env` file, the flags, `check-config` and the help texts.

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the environment and in `.env`; `DATA_DIR` is the flag `--data-dir`.
    pub name: &'static str,
    /// What counts if nobody sets it, as text; empty where that is computed or off.
    pub default: &'static str,
    /// For the help text.
    pub help: &'static str,
    /// Whether it must not be shown, nor given as an argument, which other users of the machine see.
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

/// Every setting, in the order in which `check-config` prints them.
pub const SETTINGS: &[Setting] = &[
    setting("HOST", "127.0.0.1", "Address to listen on"),
    setting("PORT", "8000", "Port to listen on; 0 takes a free one"),
    setting(
        "DATA_DIR",
        "./data",
        "Folder of the embedded store and of the key that the server makes",
    ),
    setting(
        "STORE_CACHE_MB",
        "64",
        "Memory for what the embedded store has read, in MiB (16 to 65536)",
    ),
    Setting {
        name: "DATABASE_URL",
        default: "",
        help: "PostgreSQL instead of the embedded store: postgres://USER:PASSWORD@HOST:PORT/DATABASE, several HOST:PORT separated by commas",
        secret: true,
    },
    setting(
        "DATABASE_REQUIRE_STANDBY",
        "off",
        "Whether to start only on a PostgreSQL that commits to a synchronous standby: on or off",
    ),
    setting(
        "PUBLIC_URL",
        "",
        "Where people reach the server, as https://auth.example.org [default: http://HOST:PORT]",
    ),
    setting(
        "ALLOWED_ORIGINS",
        "",
        "Origins that may call from a browser, separated by commas, as chrome-extension://ID",
    ),
    setting(
        "TRUSTED_PROXIES",
        "",
        "Addresses or networks, separated by commas, whose X-Forwarded-For is believed",
    ),
    Setting {
        name: "JWT_SECRET",
        default: "",
        help: "Secret that signs the tokens, 32 bytes or more [default: one made in the data folder]",
        secret: true,
    },
    setting(
        "ISSUER",
        "password-auth",
        "Whom the access tokens name as issuer and audience",
    ),
    setting(
        "SIGNING_ALG",
        "HS256",
        "How access tokens are signed: HS256",
    ),
    setting(
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        "15",
        "Minutes that an access token lasts (1 to 1440)",
    ),
    setting(
        "REFRESH_TOKEN_EXPIRE_DAYS",
        "180",
        "Days that a session lasts from sign-in (1 to 3650)",
    ),
    setting(
        "PASSWORD_RESET_TOKEN_EXPIRE_HOURS",
        "1",
        "Hours that a link for a new password is good (1 to 24)",
    ),
    setting(
        "EMAIL_VERIFICATION_TOKEN_EXPIRE_HOURS",
        "24",
        "Hours that a link that confirms an e-mail address is good (1 to 720)",
    ),
    setting(
        "SCRYPT_LOG_N",
        "15",
        "Password hashing: the logarithm of scrypt's N",
    ),
    setting("SCRYPT_R", "8", "Password hashing: scrypt's r"),
    setting("SCRYPT_P", "3", "Password hashing: scrypt's p"),
    setting(
        "PASSWORD_MIN_SCORE",
        "",
        "How hard to guess a new password must be, by zxcvbn's score from 0 (anything) to 4 [default: 2, in development 0]",
    ),
    setting(
        "LOGIN_RATE",
        "5/minute",
        "Sign-ins by address, and by account; off in development only",
    ),
    setting(
        "REGISTER_RATE",
        "20/minute",
        "Registrations by address; off in development only",
    ),
    setting(
        "MAIL_RATE",
        "5/hour",
        "Letters that somebody asks for, by address, and by account; off in development only",
    ),
    setting(
        "ACCOUNT_RATE",
        "60/minute",
        "What one account may write, and ask of lists, events and exports; off in development only",
    ),
    setting(
        "USER_DIRECTORY",
        "",
        "Who may list users: admins, or members [default: admins, in development members]",
    ),
    setting(
        "SMTP_HOST",
        "",
        "Mail server that takes the mail [default: none, and a folder in development]",
    ),
    setting(
        "SMTP_PORT",
        "",
        "Its port [default: 587; with SMTP_TLS=tls 465, with off 25]",
    ),
    setting(
        "SMTP_TLS",
        "starttls",
        "How the connection to it is encrypted: starttls, tls, or off (on this machine, or in development)",
    ),
    setting(
        "SMTP_CA_FILE",
        "",
        "Certificates, as PEM, of the authorities that it is checked against [default: the system's]",
    ),
    setting("SMTP_USERNAME", "", "Name to sign in to it"),
    Setting {
        name: "SMTP_PASSWORD",
        default: "",
        help: "Password to sign in to it",
        secret: true,
    },
    setting(
        "SMTP_FROM",
        "",
        "Whom the mail is from, as \"Example <auth@example.org>\"",
    ),
    setting("LOG_FORMAT", "text", "How the log is written: text or json"),
    setting(
        "RUST_LOG",
        "info",
        "What is logged, as tracing-subscriber's EnvFilter reads it",
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
