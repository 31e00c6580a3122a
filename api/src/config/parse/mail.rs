//! The settings for mail, which depend on each other.

use std::net::IpAddr;
use std::path::Path;

use lettre::message::Mailbox;
use password_auth_core::mail::{Delivery, SmtpSettings, SmtpTls};
use password_auth_wire::Secret;

use super::Reader;

/// The folder for mail in development, in the data folder.
const FOLDER: &str = "mail";

/// Settings that have no effect without `SMTP_HOST`.
const OF_THE_SERVER: [&str; 5] = [
    "SMTP_PORT",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "SMTP_FROM",
    "SMTP_CA_FILE",
];

impl Reader<'_> {
    /// How mail is delivered: to `SMTP_HOST`; without it, to a folder in development, otherwise not at all.
    pub(in crate::config) fn delivery(&mut self, data_dir: &Path) -> Delivery {
        let host = self.text("SMTP_HOST").to_owned();
        let tls = self.smtp_tls(&host);
        if host.is_empty() {
            for name in OF_THE_SERVER {
                if !self.text(name).is_empty() {
                    self.problem(name, "has no effect without SMTP_HOST");
                }
            }
            return if self.dev {
                Delivery::Folder(data_dir.join(FOLDER))
            } else {
                Delivery::Nowhere
            };
        }
        if self.text("PUBLIC_URL").is_empty() {
            self.problem(
                "PUBLIC_URL",
                "must be set when SMTP_HOST is set: links in mails lead to it",
            );
        }
        if host.contains(|c: char| c.is_whitespace() || c == '/' || c == '@') {
            self.problem(
                "SMTP_HOST",
                "expected a host name, such as smtp.example.org",
            );
        }
        let port = match self.text("SMTP_PORT") {
            "" => tls.default_port(),
            _ => u16::try_from(self.within("SMTP_PORT", 1..=65_535)).unwrap_or_default(),
        };
        let credentials = self.smtp_credentials();
        let ca_file = Some(self.path("SMTP_CA_FILE")).filter(|path| !path.as_os_str().is_empty());
        let Some(from) = self.smtp_from() else {
            return Delivery::Nowhere;
        };
        Delivery::Smtp(Box::new(SmtpSettings {
            host,
            port,
            tls,
            ca_file,
            credentials,
            from,
        }))
    }

    fn smtp_tls(&mut self, host: &str) -> SmtpTls {
        match self.text("SMTP_TLS") {
            "starttls" => SmtpTls::StartTls,
            "tls" => SmtpTls::Tls,
            "off" => {
                if !self.dev && !host.is_empty() && !is_loopback(host) {
                    self.problem(
                        "SMTP_TLS",
                        "off is only allowed for a mail server on this machine or in development (--dev)",
                    );
                }
                SmtpTls::Off
            }
            other => {
                self.problem(
                    "SMTP_TLS",
                    format!("expected starttls, tls or off, not {other:?}"),
                );
                SmtpTls::StartTls
            }
        }
    }

    fn smtp_credentials(&mut self) -> Option<(String, Secret)> {
        let (name, password) = (self.text("SMTP_USERNAME"), self.text("SMTP_PASSWORD"));
        match (name.is_empty(), password.is_empty()) {
            (true, true) => None,
            (false, false) => Some((name.to_owned(), Secret::new(password))),
            _ => {
                self.problem("SMTP_USERNAME, SMTP_PASSWORD", "expected both or neither");
                None
            }
        }
    }

    fn smtp_from(&mut self) -> Option<Mailbox> {
        let text = self.text("SMTP_FROM");
        let from = text.parse().ok();
        if from.is_none() {
            self.problem(
                "SMTP_FROM",
                format!("expected a sender, such as \"Example <auth@example.org>\", not {text:?}"),
            );
        }
        from
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Problem, Sources};
    use password_auth_core::mail::{Delivery, SmtpSettings};

    const SERVER: [(&str, &str); 3] = [
        ("SMTP_HOST", "smtp.example.org"),
        ("SMTP_FROM", "Example <auth@example.org>"),
        ("PUBLIC_URL", "https://auth.example.org"),
    ];

    fn delivery(
        settings: &[(&'static str, &'static str)],
        dev: bool,
    ) -> Result<Delivery, Vec<Problem>> {
        let sources = Sources::of(settings.iter().copied());
        Config::load(&sources, dev).map(|config| config.mail)
    }

    fn smtp(more: &[(&'static str, &'static str)]) -> SmtpSettings {
        match delivery(&[&SERVER[..], more].concat(), false) {
            Ok(Delivery::Smtp(settings)) => *settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_server_mail_goes_to_a_folder_in_development_and_nowhere_else() {
        assert!(matches!(delivery(&[], false), Ok(Delivery::Nowhere)));
        let folder = delivery(&[("DATA_DIR", "/srv/auth")], true);
        assert!(
            matches!(&folder, Ok(Delivery::Folder(path)) if path.ends_with("auth/mail")),
            "{folder:?}"
        );
    }

    #[test]
    fn the_port_is_the_one_of_the_way_to_encrypt() {
        assert_eq!(smtp(&[]).port, 587);
        assert_eq!(smtp(&[("SMTP_TLS", "tls")]).port, 465);
        assert_eq!(smtp(&[("SMTP_PORT", "2525")]).port, 2525);
    }

    #[test]
    fn what_is_missing_or_unsafe_is_named() {
        for (settings, expected) in [
            (
                vec![("SMTP_HOST", "smtp.example.org")],
                vec!["PUBLIC_URL", "SMTP_FROM"],
            ),
            (vec![("SMTP_PORT", "25")], vec!["SMTP_PORT"]),
            (
                [
                    &SERVER[..],
                    &[("SMTP_TLS", "off"), ("SMTP_PASSWORD", "geheim")],
                ]
                .concat(),
                vec!["SMTP_TLS", "SMTP_USERNAME, SMTP_PASSWORD"],
            ),
        ] {
            let problems = delivery(&settings, false).expect_err("mistakes");
            let named: Vec<&str> = problems.iter().map(|problem| &*problem.setting).collect();
            assert_eq!(named, expected);
            assert!(!format!("{problems:?}").contains("geheim"));
        }
    }

    #[test]
    fn a_server_on_this_machine_needs_no_encryption() {
        let mut settings = SERVER;
        settings[0].1 = "127.0.0.1";
        let settings = [&settings[..], &[("SMTP_TLS", "off")]].concat();
        assert!(delivery(&settings, false).is_ok());
    }

    #[test]
    fn debug_hides_the_password() {
        let settings = smtp(&[("SMTP_USERNAME", "auth"), ("SMTP_PASSWORD", "geheim")]);
        assert!(!format!("{settings:?}").contains("geheim"));
    }
}
