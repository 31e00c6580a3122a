//! The values in force: the text of a setting, or what is derived if it is not set.

use password_auth_core::accounts::Directory;
use password_auth_core::mail::Delivery;

use super::{Config, Setting};

impl Config {
    /// The value in force of a setting. `text` is its text, which is empty if it is not set.
    #[must_use]
    pub fn in_force(&self, setting: &Setting, text: &str) -> String {
        let own = self.own_origin();
        let none = || "none".to_owned();
        let smtp = match &self.mail {
            Delivery::Smtp(smtp) => Some(smtp),
            Delivery::Folder(_) | Delivery::Nowhere => None,
        };
        match (setting.name, text) {
            ("ALLOWED_ORIGINS", _) if self.dev => "any".to_owned(),
            ("ALLOWED_ORIGINS", "") => own,
            ("ALLOWED_ORIGINS", listed) => format!("{listed}, {own}"),
            (_, text) if !text.is_empty() => text.to_owned(),
            ("PUBLIC_URL", _) => own,
            ("DATABASE_URL", _) => "none: the embedded store".to_owned(),
            ("JWT_SECRET", _) => {
                format!("the key in {}", self.data_dir.join("keys.json").display())
            }
            ("PASSWORD_MIN_SCORE", _) => self.password_policy.min_score().to_string(),
            ("WEBAUTHN_RP_ID", _) => self.party(self.listen).map_or_else(none, |party| party.id),
            ("WEBAUTHN_ORIGINS", _) => {
                let party = self.party(self.listen);
                party.map_or_else(none, |party| party.origins.join(", "))
            }
            ("USER_DIRECTORY", _) => match self.directory {
                Directory::Members => "members".to_owned(),
                Directory::Admins => "admins".to_owned(),
            },
            ("SMTP_HOST", _) => match &self.mail {
                Delivery::Folder(folder) => format!("none: mail goes to {}", folder.display()),
                Delivery::Smtp(_) | Delivery::Nowhere => "none: no mail is sent".to_owned(),
            },
            ("SMTP_PORT", _) => smtp.map_or_else(none, |smtp| smtp.port.to_string()),
            ("SMTP_CA_FILE", _) => smtp.map_or_else(none, |_| "the system's".to_owned()),
            _ => none(),
        }
    }

    /// The URL at which users reach the server, as far as it is known before the server listens.
    fn own_origin(&self) -> String {
        let (address, port) = (self.listen, self.listen.port());
        match &self.public_url {
            None if port == 0 => format!("{} with the free port", self.reached_at(address)),
            _ => self.reached_at(address),
        }
    }
}
