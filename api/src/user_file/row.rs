//! One user as the file has him, and as the store has him.

use password_auth_core::passwords::import_hash;
use password_auth_model::{EmailAddress, FullName, PasswordHash, Role, Timestamp, User, Username};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The fields, in the order in which they are written.
pub(super) const FIELDS: [&str; 8] = [
    "username",
    "email",
    "email_verified",
    "full_name",
    "role",
    "is_active",
    "created_at",
    "password_hash",
];

#[derive(Default, Serialize)]
pub(super) struct Row {
    pub(super) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) full_name: Option<String>,
    pub(super) role: Option<String>,
    pub(super) is_active: Option<bool>,
    pub(super) created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) password_hash: Option<String>,
}

impl Row {
    pub(super) fn of(user: &User) -> Self {
        Self {
            username: Some(user.username.to_string()),
            email: user.email.as_ref().map(ToString::to_string),
            email_verified: user.email.as_ref().map(|_| user.is_verified),
            full_name: user.full_name.as_ref().map(ToString::to_string),
            role: Some(user.role.to_string()),
            is_active: Some(user.is_active),
            created_at: Some(user.created_at.to_rfc3339()),
            password_hash: user
                .password
                .is_some()
                .then(|| user.password.as_str().to_owned()),
        }
    }

    /// The user, or the first thing that is wrong. `now` is when he comes, if the row does not say.
    pub(super) fn user(self, now: Timestamp) -> Result<User, String> {
        let username = self.username.ok_or("username: is missing")?;
        let username = Username::parse(&username)
            .map_err(|violation| format!("username: {}", violation.message()))?;
        let password = match given(self.password_hash) {
            Some(hash) => import_hash(&hash)
                .map_err(|reason| format!("password_hash: can not be used: {reason}"))?,
            None => PasswordHash::none(),
        };
        let created_at = match given(self.created_at) {
            Some(text) => read(&text).ok_or("created_at: is no moment as 2026-01-31T12:00:00Z")?,
            None => now,
        };
        if created_at > now {
            return Err("created_at: lies in the future".to_owned());
        }
        let email = given(self.email)
            .map(|text| EmailAddress::parse(&text))
            .transpose()
            .map_err(|_| "email: is no e-mail address")?;
        let is_verified = self.email_verified.unwrap_or(false);
        if is_verified && email.is_none() {
            return Err("email_verified: there is no address".to_owned());
        }
        let full_name = FullName::parse(&self.full_name.unwrap_or_default())
            .map_err(|violation| format!("full_name: {}", violation.message()))?;
        let role = match given(self.role) {
            Some(text) => text
                .parse::<Role>()
                .map_err(|unknown| format!("role: {unknown}"))?,
            None => Role::default(),
        };
        Ok(User {
            email,
            is_verified,
            full_name,
            role,
            is_active: self.is_active.unwrap_or(true),
            ..User::new(username, password, created_at)
        })
    }
}

/// What is there and not blank.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// RFC 3339, or as PostgreSQL writes it: `2026-01-31 12:00:00+00`, the minutes of the offset only where there are any.
fn read(text: &str) -> Option<Timestamp> {
    let mut text = text.trim().replacen(' ', "T", 1);
    let offset = text
        .len()
        .checked_sub(3)
        .and_then(|start| text.get(start..));
    if offset.is_some_and(|offset| offset.starts_with(['+', '-']) && text.contains(':')) {
        text.push_str(":00");
    }
    let moment = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::read;
    use password_auth_model::Timestamp;

    #[test]
    fn a_moment_is_read_as_rfc_3339_and_as_postgresql_write_it() {
        for (text, moment) in [
            ("2024-05-01T09:30:00Z", "2024-05-01T09:30:00.000Z"),
            ("2024-05-01 09:30:00+00", "2024-05-01T09:30:00.000Z"),
            ("2024-05-01 09:30:00.123456+00", "2024-05-01T09:30:00.123Z"),
            ("2024-05-01 09:30:00+05:30", "2024-05-01T04:00:00.000Z"),
            ("2024-05-01 09:30:00-03", "2024-05-01T12:30:00.000Z"),
        ] {
            let read = read(text).map(Timestamp::to_rfc3339);
            assert_eq!(read.as_deref(), Some(moment), "{text}");
        }
        for text in [
            "",
            "infinity",
            "2024-05-01",
            // In whose time?
            "2024-05-01 09:30:00",
            "2024-05-01 09:30:00+",
            "0044-03-15 12:00:00+00 BC",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
