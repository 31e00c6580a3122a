//! Records as rows of a binary COPY.

use std::pin::Pin;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use super::invites;
use super::row;
use super::token_keys::{self, token_key_columns};
use crate::Record;

/// A table to fill.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyTarget {
    Users,
    Sessions,
    Attempts,
    OneTimeTokens,
    Events,
    QueuedEmails,
    Factors,
    TokenKeys,
    Invites,
}

impl CopyTarget {
    pub(super) const fn of(record: &Record) -> Self {
        match record {
            Record::User(_) => Self::Users,
            Record::Session(_) => Self::Sessions,
            Record::Attempt { .. } => Self::Attempts,
            Record::OneTimeToken(_) => Self::OneTimeTokens,
            Record::Event(_) => Self::Events,
            Record::QueuedEmail(_) => Self::QueuedEmails,
            Record::Factors(_) => Self::Factors,
            Record::TokenKey(_) => Self::TokenKeys,
            Record::Invite(_) => Self::Invites,
        }
    }

    /// The statement, and the types of the columns that it names.
    pub(super) const fn copy(self) -> (&'static str, &'static [Type]) {
        match self {
            Self::Users => (
                "COPY users (id, username, username_key, password_hash, password_version, email, \
                 email_key, is_verified, full_name, role, is_active, created_at, last_login, deactivated_by_self) \
                 FROM STDIN (FORMAT binary)",
                &[
                    Type::UUID,
                    Type::TEXT,
                    Type::TEXT,
                    Type::TEXT,
                    Type::INT8,
                    Type::TEXT,
                    Type::TEXT,
                    Type::BOOL,
                    Type::TEXT,
                    Type::TEXT,
                    Type::BOOL,
                    Type::INT8,
                    Type::INT8,
                    Type::BOOL,
                ],
            ),
            Self::Sessions => (
                "COPY sessions (id, user_id, device, created_at, last_used, expires_at, generation, \
                 confirmed, epoch, retired, ended, trail) FROM STDIN (FORMAT binary)",
                &[
                    Type::UUID,
                    Type::UUID,
                    Type::TEXT,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                    Type::BOOL,
                    Type::INT8,
                    Type::JSONB,
                    Type::INT2,
                    Type::JSONB,
                ],
            ),
            Self::Attempts => (
                "COPY sign_in_attempts (key, until) FROM STDIN (FORMAT binary)",
                &[Type::BYTEA, Type::INT8],
            ),
            Self::OneTimeTokens => (
                "COPY one_time_tokens (hash, user_id, purpose, expires_at) \
                 FROM STDIN (FORMAT binary)",
                &[Type::BYTEA, Type::UUID, Type::JSONB, Type::INT8],
            ),
            Self::Events => (
                "COPY events (id, at, user_id, by_user, what, session_id, address, device, class) \
                 FROM STDIN (FORMAT binary)",
                &[
                    Type::UUID,
                    Type::INT8,
                    Type::UUID,
                    Type::UUID,
                    Type::JSONB,
                    Type::UUID,
                    Type::TEXT,
                    Type::TEXT,
                    Type::INT2,
                ],
            ),
            Self::QueuedEmails => (
                "COPY letters (id, created_at, due_at, tries, recipient, recipient_key, user_id, about) \
                 FROM STDIN (FORMAT binary)",
                &[
                    Type::UUID,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                    Type::TEXT,
                    Type::TEXT,
                    Type::UUID,
                    Type::JSONB,
                ],
            ),
            Self::Factors => (
                "COPY factors (user_id, body, expires_at) FROM STDIN (FORMAT binary)",
                &[Type::UUID, Type::JSONB, Type::INT8],
            ),
            Self::Invites => (
                "COPY invites (id, hashes, email, email_key, role, created_at, expires_at, invited_by) \
                 FROM STDIN (FORMAT binary)",
                &[
                    Type::UUID,
                    Type::BYTEA_ARRAY,
                    Type::TEXT,
                    Type::TEXT,
                    Type::TEXT,
                    Type::INT8,
                    Type::INT8,
                    Type::UUID,
                ],
            ),
            Self::TokenKeys => (
                concat!(
                    "COPY token_keys (",
                    token_key_columns!(),
                    ") FROM STDIN (FORMAT binary)"
                ),
                &[
                    Type::BYTEA,
                    Type::BYTEA,
                    Type::BYTEA,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                    Type::INT8,
                ],
            ),
        }
    }
}

/// Writes the record into the COPY of its table.
pub(super) async fn write(
    writer: Pin<&mut BinaryCopyInWriter>,
    record: &Record,
) -> Result<(), tokio_postgres::Error> {
    match record {
        Record::User(user) => {
            let key = user.email.as_ref().map(|email| email.key());
            writer
                .write(&[
                    &row::user_id(user.id),
                    &user.username.as_str(),
                    &user.username_key.as_str(),
                    &user.password.as_str(),
                    &i64::from(user.password_version),
                    &user.email.as_ref().map(|email| email.as_str()),
                    &key.as_ref().map(|key| key.as_str()),
                    &user.is_verified,
                    &user.full_name.as_ref().map(|name| name.as_str()),
                    &user.role.as_str(),
                    &user.is_active,
                    &row::millis(user.created_at),
                    &user.last_login.map(row::millis),
                    &user.deactivated_by_self,
                ])
                .await
        }
        Record::Session(session) => {
            writer
                .write(&[
                    &row::session_id(session.id),
                    &row::user_id(session.user),
                    &session.device,
                    &row::millis(session.created),
                    &row::millis(session.last_used),
                    &row::millis(session.expires),
                    &i64::from(session.generation.0),
                    &session.confirmed,
                    &i64::from(session.epoch),
                    &Json(&session.retired),
                    &session.ended.map(row::end_code),
                    &Json(&session.trail),
                ])
                .await
        }
        Record::Attempt { key, until } => writer.write(&[&&key[..], &row::millis(*until)]).await,
        Record::OneTimeToken(token) => {
            writer
                .write(&[
                    &&token.hash.as_bytes()[..],
                    &row::user_id(token.user),
                    &Json(&token.purpose),
                    &row::millis(token.expires),
                ])
                .await
        }
        Record::Event(event) => {
            writer
                .write(&[
                    &Uuid::from_bytes(*event.id.as_bytes()),
                    &row::millis(event.at),
                    &row::user_id(event.user),
                    &event.by.map(row::user_id),
                    &Json(event.what),
                    &event.session.map(row::session_id),
                    &event.address,
                    &event.device,
                    &i16::from(event.what.class().number()),
                ])
                .await
        }
        Record::QueuedEmail(queued_email) => {
            writer
                .write(&[
                    &Uuid::from_bytes(*queued_email.id.as_bytes()),
                    &row::millis(queued_email.created),
                    &row::millis(queued_email.due),
                    &i64::from(queued_email.tries),
                    &queued_email.to.as_str(),
                    &queued_email.to.key().as_str(),
                    &queued_email.user.map(row::user_id),
                    &Json(queued_email.kind),
                ])
                .await
        }
        Record::Factors(factors) => {
            writer
                .write(&[
                    &row::user_id(factors.user),
                    &Json(factors),
                    &factors.next_expiry().map(row::millis),
                ])
                .await
        }
        Record::Invite(invite) => {
            let key = invite.email.as_ref().map(|email| email.key());
            writer
                .write(&[
                    &Uuid::from_bytes(*invite.id.as_bytes()),
                    &invites::hashes(invite),
                    &invite.email.as_ref().map(|email| email.as_str()),
                    &key.as_ref().map(|key| key.as_str()),
                    &invite.role.as_str(),
                    &row::millis(invite.created),
                    &row::millis(invite.expires),
                    &invite.by.map(row::user_id),
                ])
                .await
        }
        Record::TokenKey(key) => {
            writer
                .write(&[
                    &&key.salt[..],
                    &&key.secret[..],
                    &&key.public[..],
                    &row::millis(key.created),
                    &row::millis(key.signs_from),
                    &key.stops.map(row::millis),
                    &token_keys::stored(key.token_lifetime),
                ])
                .await
        }
    }
}
