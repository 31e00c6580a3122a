//! Why an operation of the session failed.

use crate::{
    browser::BrowserError,
    response::{Failure, Refusal},
    server::InvalidAddress,
};

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// Nobody is signed in at the configured server.
    NotSignedIn,
    /// The server refused to refresh. Storage tells whether the session has ended.
    RefreshRefused(Box<Refusal>),
    /// The server refused the request itself, or gave no usable answer.
    Failed(Failure),
    /// The configured address is invalid.
    InvalidAddress,
    /// The browser's storage or its locks failed.
    Browser(BrowserError),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<BrowserError> for Error {
    fn from(error: BrowserError) -> Self {
        Self::Browser(error)
    }
}

impl From<InvalidAddress> for Error {
    fn from(InvalidAddress: InvalidAddress) -> Self {
        Self::InvalidAddress
    }
}
