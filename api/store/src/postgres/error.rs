//! Errors of the database, and what they mean for the caller.

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Why work failed.
#[derive(Debug)]
pub(super) enum DatabaseError {
    /// The database returned an error, or the connection broke.
    Database(tokio_postgres::Error),
    /// No host could be reached.
    Unreachable(String),
    /// The work itself decided to fail.
    Store(StoreError),
}

impl DatabaseError {
    /// Whether another connection may succeed: this one is broken, or the server is shutting down.
    pub(super) fn is_lost_connection(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error.code() {
            None => true,
            Some(code) => [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                // The server has become a standby.
                SqlState::READ_ONLY_SQL_TRANSACTION,
            ]
            .contains(code),
        }
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for DatabaseError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(failure: DatabaseError) -> Self {
        match failure {
            DatabaseError::Store(error) => error,
            DatabaseError::Unreachable(why) => {
                Self::Unavailable(format!("no database can be reached ({why})"))
            }
            DatabaseError::Database(error) => match error.code() {
                Some(code) if means_busy(code) => Self::Busy,
                _ => Self::Unavailable(describe(&error)),
            },
        }
    }
}

/// Nothing was done, and a retry may succeed.
fn means_busy(code: &SqlState) -> bool {
    [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
}

/// For the log and the operator. Leaves out the detail of a database error, which quotes rows.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
