//! Why the store could not do what it was asked.

/// A failure of the store, for the log; what a client hears of it is `http::error`'s decision.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting: nothing was done, and asking again soon is right.
    #[error("the store is busy")]
    Busy,
    /// The engine can not write, or is closed. What was asked may or may not be done.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A dump, or what was to be loaded, broke off; the store itself is well.
    #[error("{0}")]
    BrokeOff(String),
    /// A record can not be read.
    #[error("the store holds a record that can not be read: {0}")]
    Corrupt(String),
}
