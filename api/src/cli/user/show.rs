//! What a command prints: for people, or as JSON.

use password_auth_model::visible;
use serde::Serialize;

use crate::cli::output;
use crate::cli::table::Table;
use crate::operator::{FactorsView, InviteView, SessionView, UserView};

pub(in crate::cli) fn json(value: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    output::answer(|out| writeln!(out, "{}", output::json(&text)))
}

/// Users, page by page: `next` for each page, `end` after the last.
pub(super) enum UserList {
    Json { begun: bool },
    Table(Box<Table<7>>),
}

impl UserList {
    pub(super) fn new(json: bool) -> Self {
        if json {
            Self::Json { begun: false }
        } else {
            let heads = [
                "name",
                "role",
                "active",
                "e-mail",
                "last login",
                "created",
                "id",
            ];
            Self::Table(Box::new(Table::new(heads)))
        }
    }

    pub(super) fn next(&mut self, users: &[UserView]) -> Result<(), String> {
        match self {
            Self::Table(table) => {
                let rows: Vec<_> = users.iter().map(row).collect();
                output::answer(|out| table.write(out, &rows))
            }
            Self::Json { begun } => output::answer(|out| {
                for user in users {
                    let comma = if std::mem::replace(begun, true) {
                        ","
                    } else {
                        "["
                    };
                    let user = serde_json::to_string(user)?;
                    write!(out, "{comma}\n  {}", output::json(&user))?;
                }
                Ok(())
            }),
        }
    }

    pub(super) fn end(self) -> Result<(), String> {
        match self {
            Self::Table(_) => Ok(()),
            Self::Json { begun: true } => output::answer(|out| writeln!(out, "\n]")),
            Self::Json { begun: false } => output::answer(|out| writeln!(out, "[]")),
        }
    }
}

fn row(user: &UserView) -> [String; 7] {
    [
        user.username.clone(),
        user.role.to_string(),
        active(user),
        email(user),
        last_login(user),
        minute(&user.created_at),
        user.id.to_string(),
    ]
}

pub(super) fn user(user: &UserView) -> Result<(), String> {
    let known = [
        ("name", user.username.clone()),
        ("id", user.id.to_string()),
        ("role", user.role.to_string()),
        ("active", active(user)),
        ("e-mail", email(user)),
        ("full name", user.full_name.clone().unwrap_or_default()),
        ("created", minute(&user.created_at)),
        ("last login", last_login(user)),
    ];
    output::answer(|out| {
        known.iter().try_for_each(|(what, value)| {
            writeln!(
                out,
                "{}",
                format!("{what:<12}{}", visible(value)).trim_end()
            )
        })
    })
}

/// The link alone on standard output, for scripts.
pub(super) fn invite(invite: &InviteView) -> Result<(), String> {
    output::tell(match &invite.email {
        Some(email) => format!("The invitation is mailed to {email}."),
        None => "Hand this link over. It works once, and is not shown again.".to_owned(),
    });
    output::tell(format_args!(
        "It is valid until {}.",
        minute(&invite.expires_at)
    ));
    output::answer(|out| writeln!(out, "{}", visible(invite.url.expose())))
}

pub(super) fn sessions(sessions: &[SessionView]) -> Result<(), String> {
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            [
                session.id.to_string(),
                minute(&session.created_at),
                minute(&session.last_used),
                session
                    .replayed_elsewhere
                    .as_deref()
                    .map_or_else(String::new, minute),
                minute(&session.expires_at),
                session.device.clone(),
            ]
        })
        .collect();
    let heads = ["id", "created", "last used", "replayed", "ends", "device"];
    let mut table = Table::new(heads);
    output::answer(|out| table.write(out, &rows))
}

pub(super) fn factors(factors: &FactorsView) -> Result<(), String> {
    let app = if factors.totp { "yes" } else { "no" };
    let known = [
        ("name", factors.user.username.clone()),
        ("id", factors.user.id.to_string()),
        ("authenticator app", app.to_owned()),
        ("recovery codes", factors.recovery_codes_left.to_string()),
        ("passkeys", factors.passkeys.join(", ")),
    ];
    output::answer(|out| {
        known.iter().try_for_each(|(what, value)| {
            let line = format!("{what:<19}{}", visible(value));
            writeln!(out, "{}", line.trim_end())
        })
    })
}

fn email(user: &UserView) -> String {
    match &user.email {
        None => String::new(),
        Some(email) if user.is_verified => email.clone(),
        Some(email) => format!("{email} (not verified)"),
    }
}

fn last_login(user: &UserView) -> String {
    user.last_login
        .as_deref()
        .map_or_else(|| "never".to_owned(), minute)
}

fn active(user: &UserView) -> String {
    let said = match (user.is_active, user.deactivated_by_self) {
        (true, _) => "yes",
        (false, true) => "no (by the user)",
        (false, false) => "no",
    };
    said.to_owned()
}

/// `2026-01-01T12:00:00.123Z` -> `2026-01-01 12:00Z`.
pub(in crate::cli) fn minute(moment: &str) -> String {
    moment.get(..16).map_or_else(
        || moment.to_owned(),
        |minute| minute.replace('T', " ") + "Z",
    )
}
