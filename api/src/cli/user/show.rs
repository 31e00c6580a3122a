//! What a command prints: for people, or as JSON.

use password_auth_model::visible;
use serde::Serialize;

use super::table::Table;
use crate::cli::output;
use crate::operator::{Person, SignIn};

pub(super) fn json(value: &impl Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    output::answer(|out| writeln!(out, "{}", output::json(&text)))
}

/// Users, page by page: `next` for each page, `end` after the last.
pub(super) enum People {
    Json { begun: bool },
    Table(Box<Table<7>>),
}

impl People {
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

    pub(super) fn next(&mut self, people: &[Person]) -> Result<(), String> {
        match self {
            Self::Table(table) => {
                let rows: Vec<_> = people.iter().map(row).collect();
                output::answer(|out| table.write(out, &rows))
            }
            Self::Json { begun } => output::answer(|out| {
                for person in people {
                    let comma = if std::mem::replace(begun, true) {
                        ","
                    } else {
                        "["
                    };
                    let person = serde_json::to_string(person)?;
                    write!(out, "{comma}\n  {}", output::json(&person))?;
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

fn row(person: &Person) -> [String; 7] {
    [
        person.username.clone(),
        person.role.to_string(),
        active(person),
        email(person),
        last_login(person),
        minute(&person.created_at),
        person.id.to_string(),
    ]
}

pub(super) fn person(person: &Person) -> Result<(), String> {
    let known = [
        ("name", person.username.clone()),
        ("id", person.id.to_string()),
        ("role", person.role.to_string()),
        ("active", active(person)),
        ("e-mail", email(person)),
        ("full name", person.full_name.clone().unwrap_or_default()),
        ("created", minute(&person.created_at)),
        ("last login", last_login(person)),
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

pub(super) fn sign_ins(sign_ins: &[SignIn]) -> Result<(), String> {
    let rows: Vec<_> = sign_ins
        .iter()
        .map(|sign_in| {
            [
                sign_in.id.to_string(),
                minute(&sign_in.created_at),
                minute(&sign_in.last_used),
                sign_in
                    .replayed_elsewhere
                    .as_deref()
                    .map_or_else(String::new, minute),
                minute(&sign_in.expires_at),
                sign_in.device.clone(),
            ]
        })
        .collect();
    let heads = ["id", "created", "last used", "replayed", "ends", "device"];
    let mut table = Table::new(heads);
    output::answer(|out| table.write(out, &rows))
}

fn email(person: &Person) -> String {
    match &person.email {
        None => String::new(),
        Some(email) if person.is_verified => email.clone(),
        Some(email) => format!("{email} (not verified)"),
    }
}

fn last_login(person: &Person) -> String {
    person
        .last_login
        .as_deref()
        .map_or_else(|| "never".to_owned(), minute)
}

fn active(person: &Person) -> String {
    let said = match (person.is_active, person.deactivated_by_self) {
        (true, _) => "yes",
        (false, true) => "no (by the user)",
        (false, false) => "no",
    };
    said.to_owned()
}

/// `2026-01-01T12:00:00.123Z` -> `2026-01-01 12:00Z`.
fn minute(moment: &str) -> String {
    moment.get(..16).map_or_else(
        || moment.to_owned(),
        |minute| minute.replace('T', " ") + "Z",
    )
}
