//! What is kept: the traits that every engine implements, one for each concern, and what goes in and out.
//!
//! A method is a whole intention and atomic: nobody reads, decides and writes in three steps. Absent is
//! `Ok(None)`; a conflict is a named variant. Unless a method says otherwise, its answer, also that
//! nothing had to change, comes after everything that it depends on has reached the disk.
//!
//! Calls that overlap, on one node or on several, act as if they had come one after the other in some order.
//! The identifier of a record that is added is new, and no text in a record holds a NUL. `arrival` and `now` are
//! for engines without a clock. One that nodes share goes by its server's, and takes a request to have come as
//! much earlier as it waited.
//!
//! `tests/` holds every engine to what is written here.

mod attempts;
mod dump;
mod email_queue;
mod error;
mod events;
mod gate;
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
mod tokens;
mod users;

pub use attempts::AttemptStore;
pub use dump::{Backup, LoadError, Loaded, Record, Records};
pub use email_queue::EmailQueue;
pub use error::StoreError;
pub use events::EventStore;
pub use lifecycle::Lifecycle;
pub use outcomes::{
    ChangePassword, ChangeUser, ConfirmEmail, CreateUser, DeleteUser, NewSession, UserChange,
    UserFilter,
};
pub use sessions::SessionStore;
pub use tokens::OneTimeTokenStore;
pub use users::{MAX_NAMESAKES, UserStore};

/// What is said of two accounts that verified one address, as an older version compared two.
pub const SAME_ADDRESS: &str = "two accounts have verified what is one e-mail address: the later one keeps it \
     unverified, and can verify another";

/// Everything that an engine keeps.
pub trait Store:
    UserStore
    + SessionStore
    + OneTimeTokenStore
    + EmailQueue
    + EventStore
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
        + EventStore
        + AttemptStore
        + Backup
        + Lifecycle
{
}
