//! The texts of mails, in plain text and HTML. The templates are in `text/`, a pair for each kind. In HTML, askama
//! escapes everything that users have typed. Subjects contain nothing that users have typed.

use askama::Template;
use password_auth_model::{EmailKind, QueuedEmail, Timestamp};
use time::OffsetDateTime;

use super::{LinkLifetimes, Site};

/// The subject and parts of a mail.
pub(super) struct Text {
    pub(super) subject: &'static str,
    pub(super) plain: String,
    pub(super) html: String,
}

/// An account that a mail is about, and its link.
pub(super) struct Link {
    pub(super) username: String,
    /// Empty in a notice.
    pub(super) url: String,
}

/// The data for the templates.
struct Shown<'a> {
    /// One link, unless several accounts have the same unverified address.
    links: &'a [Link],
    site: &'a Site,
    /// How long the links are valid.
    lasting: String,
    /// When the reported event happened.
    when: String,
}

impl Shown<'_> {
    fn username(&self) -> &str {
        self.links.first().map_or("", |link| &link.username)
    }

    fn url(&self) -> &str {
        self.links.first().map_or("", |link| &link.url)
    }
}

/// The subject of each kind of mail, and its pair of templates, which askama wants to be told whole.
macro_rules! texts {
    ($($kind:ident: $subject:literal, $plain:literal, $html:literal;)+) => {
        fn rendered(kind: EmailKind, shown: &Shown<'_>) -> Result<Text, askama::Error> {
            match kind {
                $(EmailKind::$kind => {
                    #[derive(Template)]
                    #[template(path = $plain)]
                    struct Plain<'a> {
                        it: &'a Shown<'a>,
                    }
                    #[derive(Template)]
                    #[template(path = $html)]
                    struct Html<'a> {
                        subject: &'static str,
                        it: &'a Shown<'a>,
                    }
                    let (subject, it) = ($subject, shown);
                    Ok(Text {
                        subject,
                        plain: Plain { it }.render()?,
                        html: Html { subject, it }.render()?,
                    })
                })+
            }
        }
    };
}

texts! {
    ResetPassword: "Reset your password",
        "mail/text/reset_password.txt", "mail/text/reset_password.html";
    VerifyEmail: "Confirm your e-mail address",
        "mail/text/verify_email.txt", "mail/text/verify_email.html";
    ChangeEmail: "Confirm your new e-mail address",
        "mail/text/change_email.txt", "mail/text/change_email.html";
    EmailChangeRequested: "A new e-mail address was requested",
        "mail/text/email_change_requested.txt", "mail/text/email_change_requested.html";
    EmailChanged: "Your e-mail address was changed",
        "mail/text/email_changed.txt", "mail/text/email_changed.html";
    PasswordChanged: "Your password was changed",
        "mail/text/password_changed.txt", "mail/text/password_changed.html";
    Deactivated: "Your account was deactivated",
        "mail/text/deactivated.txt", "mail/text/deactivated.html";
    TokenReused: "A session was ended for your safety",
        "mail/text/token_reused.txt", "mail/text/token_reused.html";
    Invitation: "You are invited",
        "mail/text/invitation.txt", "mail/text/invitation.html";
    FactorAdded: "A second factor was added",
        "mail/text/factor_added.txt", "mail/text/factor_added.html";
    FactorRemoved: "A second factor was removed",
        "mail/text/factor_removed.txt", "mail/text/factor_removed.html";
    RecoveryCodesReplaced: "New recovery codes were made",
        "mail/text/recovery_codes_replaced.txt", "mail/text/recovery_codes_replaced.html";
    RecoveryCodeUsed: "A recovery code was used",
        "mail/text/recovery_code_used.txt", "mail/text/recovery_code_used.html";
}

/// Renders a mail about these accounts.
pub(super) fn write(
    queued_email: &QueuedEmail,
    links: &[Link],
    site: &Site,
    lifetimes: LinkLifetimes,
) -> Result<Text, askama::Error> {
    let lasting = match queued_email.kind {
        EmailKind::ResetPassword => lifetimes.password_reset,
        _ => lifetimes.email_verification,
    };
    let shown = Shown {
        links,
        site,
        lasting: match lasting.as_secs() / 3600 {
            1 => "1 hour".to_owned(),
            hours => format!("{hours} hours"),
        },
        when: to_the_minute(queued_email.created),
    };
    rendered(queued_email.kind, &shown)
}

fn to_the_minute(moment: Timestamp) -> String {
    let seconds = i64::try_from(moment.as_secs()).unwrap_or_default();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{} {:02}:{:02} UTC",
        moment.date(),
        moment.hour(),
        moment.minute()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Link, write};
    use crate::mail::{LinkLifetimes, Site};
    use password_auth_model::{
        EmailAddress, EmailClass, EmailKind, QueuedEmail, QueuedEmailId, Timestamp,
    };

    const MOMENT: Timestamp = Timestamp::from_millis(1_795_274_329_000);

    fn about_an_account() -> impl Iterator<Item = EmailKind> {
        let all = EmailKind::ALL.into_iter();
        all.filter(|kind| *kind != EmailKind::Invitation)
    }

    #[test]
    fn an_invitation_has_a_link_and_names_nobody() {
        let text = written(EmailKind::Invitation, &[""]);
        let link = "https://auth.example.org/page?token=0";
        assert!(text.plain.lines().any(|line| line.trim() == link));
        assert!(text.html.contains(&format!("href=\"{link}\"")));
        assert!(!text.plain.contains('"') && !text.plain.contains("24 hours"));
    }

    fn written(kind: EmailKind, names: &[&str]) -> super::Text {
        let queued_email = QueuedEmail {
            id: QueuedEmailId::new(MOMENT),
            created: MOMENT,
            due: MOMENT,
            tries: 1,
            to: EmailAddress::parse("alice@example.org").expect("an address"),
            user: None,
            kind,
        };
        let links: Vec<Link> = names
            .iter()
            .map(|name| Link {
                username: (*name).to_owned(),
                url: format!("https://auth.example.org/page?token={}", name.len()),
            })
            .collect();
        let lifetimes = LinkLifetimes {
            password_reset: Duration::from_secs(3600),
            email_verification: Duration::from_secs(24 * 3600),
        };
        let site = Site {
            name: "Notes & <co>".to_owned(),
            url: "https://auth.example.org".to_owned(),
        };
        write(&queued_email, &links, &site, lifetimes).expect("written")
    }

    #[test]
    fn both_parts_of_every_mail_say_whose_account_it_is_about_and_where() {
        for kind in about_an_account() {
            let text = written(kind, &["Alice"]);
            for part in [&text.plain, &text.html] {
                assert!(part.contains("Alice"), "{kind:?}: {part}");
                assert!(
                    part.contains("https://auth.example.org"),
                    "{kind:?}: {part}"
                );
            }
            assert!(text.plain.contains("Notes & <co> at "), "{}", text.plain);
            assert!(!text.html.contains("<co>"), "{}", text.html);
            assert!(text.html.contains(text.subject));
        }
    }

    #[test]
    fn a_link_stands_in_both_parts_with_how_long_it_is_good() {
        for (kind, lasting) in [
            (EmailKind::ResetPassword, "1 hour"),
            (EmailKind::VerifyEmail, "24 hours"),
            (EmailKind::ChangeEmail, "24 hours"),
        ] {
            let text = written(kind, &["Alice"]);
            let link = "https://auth.example.org/page?token=5";
            assert!(
                text.html.contains(&format!("href=\"{link}\"")),
                "{}",
                text.html
            );
            assert!(
                text.plain.lines().any(|line| line.trim() == link),
                "{}",
                text.plain
            );
            assert!(text.plain.contains(lasting) && text.html.contains(lasting));
        }
    }

    #[test]
    fn a_notice_says_when_it_happened_and_has_no_link_to_use() {
        let mut notices = EmailKind::ALL.to_vec();
        notices.retain(|kind| kind.class() == EmailClass::Notice);
        for kind in notices {
            let text = written(kind, &["Alice"]);
            for part in [text.plain, text.html] {
                assert!(part.contains("2026-11-21 15:18 UTC"), "{part}");
                assert!(!part.contains("token="), "{part}");
            }
        }
    }

    #[test]
    fn each_account_of_an_address_has_a_link_of_its_own() {
        let text = written(EmailKind::ResetPassword, &["Al", "Alice"]);
        for part in [text.plain, text.html] {
            for expected in ["Al", "Alice", "token=2", "token=5"] {
                assert!(part.contains(expected), "{part}");
            }
        }
    }

    #[test]
    fn a_name_is_text_in_html() {
        for kind in about_an_account() {
            let html = written(kind, &["<img src=x> & \"co\""]).html;
            assert!(!html.contains("<img"), "{html}");
            assert!(html.contains("&#60;img src=x&#62; &#38; "), "{html}");
        }
    }
}
