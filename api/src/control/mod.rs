//! The operator's door to a running server: a socket in the data folder, which one process owns.
//!
//! The commands of the same binary speak over it, so its language is of one version: a client of another is
//! told so. A request is a line of JSON; its answers are lines of JSON, and the last one says that it is the
//! last. Nobody gets in but the user whom the server runs as, and root.

mod client;
mod server;
mod socket_file;

use password_auth_core::tokens::WrittenKeys;
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

pub use client::{ControlClient, ControlError};
pub use server::{ControlHandler, ControlSocket};

use crate::operator::{Command, Reply};

/// Client and server must be of the same.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What every request says first, in every version.
#[derive(Serialize, Deserialize)]
struct Greeting {
    version: String,
}

/// A line from the client.
#[derive(Serialize, Deserialize)]
struct Message {
    version: String,
    request: Request,
}

/// What an operator wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Everything that is kept: keys, then records, then done.
    Backup {
        /// Whether the signing keys come along.
        with_keys: bool,
    },
    /// Something about people: one reply.
    User(Command),
}

/// A line from the server.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Response {
    /// The signing keys, if they were asked for.
    Keys(Option<WrittenKeys>),
    /// Some records.
    Records(Vec<Record>),
    /// What became of a command about people, as the last line.
    Reply(Reply),
    /// The last line: all is well.
    Done,
    /// The last line: why there is no more. The same in every version.
    Refused(String),
}
