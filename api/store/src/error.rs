//! Why the store could not do what it was asked.

/// A failure of the store, for the log. `http::error` decides what a client is told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Too many calls are waiting. Nothing was done; try again soon.
    #[error("the store is busy")]
    Busy,
    /// The engine cannot write, or is closed. The call may or may not have had an effect.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A dump or a load failed; the store itself works.
    #[error("{0}")]
    BrokeOff(String),
    /// A record cannot be read.
    #[error("the store contains a record that cannot be read: {0}")]
    Corrupt(String),
}
