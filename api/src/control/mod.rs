//! The control socket of a running server, in its data folder, which one process owns.
//!
//! Commands of the same binary use it, so client and server must have the same version; other clients are refused with
//! a message. A request is a line of JSON. The response is lines of JSON, and the last one says that it is the last.
//! Only root and the user that the server runs as have access.

mod client;
mod server;
mod socket_file;

use password_auth_core::tokens::WrittenKeys;
use password_auth_store::Record;
use serde::{Deserialize, Serialize};

pub use client::{ControlClient, ControlError};
pub use server::{ControlHandler, ControlSocket};

use crate::operator::{Command, Reply};

/// Client and server must have the same version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The start of every request, in all versions.
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

/// The request of an operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A backup: keys, then records, then done.
    Backup {
        /// Whether to include the signing keys.
        with_keys: bool,
    },
    /// A command about users: one reply.
    User(Command),
}

/// A line from the server.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Response {
    /// The signing keys, if they were requested.
    Keys(Option<WrittenKeys>),
    /// Some records.
    Records(Vec<Record>),
    /// The result of a command about users, as the last line.
    Reply(Reply),
    /// The last line: success.
    Done,
    /// The last line: the reason of a failure. The same in all versions.
    Refused(String),
}
