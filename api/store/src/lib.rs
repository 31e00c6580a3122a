//! What is kept: the traits that every engine implements, one for each concern, and what goes in and out.
//!
//! A method is a whole intention and atomic: callers never read, decide and write in three steps. Absent is `Ok(None)`;
//! a conflict is a named variant. Unless a method says otherwise, it returns after everything that its result depends
//! on is on disk, also if it changed nothing.
//!
//! Overlapping calls, on one node or several, have the same effect as if they came one after the other in some order
//! (linearizability). The id of an added record is new, and no text in a record contains a NUL. `arrival` and `now` are
//! for engines without a clock. An engine that nodes share uses the clock of its server and subtracts the time that a
//! request waited.
//!
//! `tests/` holds every engine to what is written here.

mod attempts;
mod dump;
mod email_queue;
mod error;
mod events;
mod factors;
#[cfg(any(feature = "postgres", feature = "sled"))]
mod gate;
mod invites;
mod lifecycle;
mod outcomes;
#[cfg(feature = "sled")]
pub mod panics;
#[cfg(feature = "postgres")]
pub mod postgres;
mod sessions;
#[cfg(feature = "sled")]
pub mod sled;
pub mod threads;
mod token_keys;
mod tokens;
mod users;

pub use attempts::AttemptStore;
pub use dump::{Backup, LoadError, Loaded, Record, Records};
pub use email_queue::EmailQueue;
pub use error::StoreError;
pub use events::EventStore;
pub use factors::FactorStore;
pub use invites::InviteStore;
pub use lifecycle::{Lifecycle, Measures};
pub use outcomes::{
    ChangeFactors, ChangePassword, ChangeUser, ConfirmEmail, CreateInvited, CreateUser, DeleteUser,
    NewSession, UserChange, UserFilter,
};
pub use sessions::SessionStore;
pub use token_keys::TokenKeyStore;
pub use tokens::OneTimeTokenStore;
pub use users::{MAX_NAMESAKES, UserStore};

/// Logged if two accounts have verified the same address, which an older version could allow.
pub const SAME_ADDRESS: &str = "two accounts have verified the same e-mail address: it is now \
                                unverified for the later account, which can verify another";

/// Everything that an engine keeps.
pub trait Store:
    UserStore
    + SessionStore
    + OneTimeTokenStore
    + EmailQueue
    + TokenKeyStore
    + InviteStore
    + EventStore
    + FactorStore
    + AttemptStore
    + Backup
    + Lifecycle
{
}

impl<T> Store for T where
    T: UserStore
        + SessionStore
        + OneTimeTokenStore
        + EmailQueue
        + TokenKeyStore
        + InviteStore
        + EventStore
        + FactorStore
        + AttemptStore
        + Backup
        + Lifecycle
{
}
