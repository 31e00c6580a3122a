//! The command's side of the socket.

use std::io;
use std::path::Path;

use futures_util::stream;
use password_auth_core::tokens::SigningKeys;
use password_auth_store::{Records, StoreError};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::{Message, Request, Response, VERSION, socket_file};
use crate::operator::{Command, Reply};

/// A server that runs.
pub struct ControlClient {
    lines: BufReader<OwnedReadHalf>,
    /// Held: a server takes a client that closed its half for one that went away.
    writing: OwnedWriteHalf,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The server says why.
    #[error("{0}")]
    Refused(String),
    /// The connection broke.
    #[error("the server does not answer: {0}")]
    Io(#[from] io::Error),
    /// It ended.
    #[error("the server ended before it was finished")]
    Ended,
    /// It says something else than what it was asked.
    #[error("the server answers something else than it was asked")]
    Confused,
}

impl ControlClient {
    /// Connects to the server that runs on `data_dir`; `None` if none does.
    ///
    /// # Errors
    /// If one does and refuses.
    pub async fn connect(data_dir: &Path) -> Result<Option<Self>, ControlError> {
        let connected = socket_file::with_short_path(data_dir, |short| {
            std::os::unix::net::UnixStream::connect(short)
        });
        let stream = match connected {
            Ok(stream) => stream,
            Err(cause)
                if matches!(
                    cause.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(None);
            }
            Err(cause) => return Err(cause.into()),
        };
        stream.set_nonblocking(true)?;
        let (reading, writing) = UnixStream::from_std(stream)?.into_split();
        Ok(Some(Self {
            lines: BufReader::with_capacity(1 << 16, reading),
            writing,
        }))
    }

    /// Asks for everything that is kept.
    ///
    /// # Errors
    /// If the server refuses, or ends.
    pub async fn backup(
        mut self,
        with_keys: bool,
    ) -> Result<(Option<SigningKeys>, Records), ControlError> {
        self.ask(Request::Backup { with_keys }).await?;
        let keys = match self.answer().await? {
            Response::Keys(None) => None,
            Response::Keys(Some(keys)) => Some(keys.read().ok_or(ControlError::Confused)?),
            Response::Refused(sentence) => return Err(ControlError::Refused(sentence)),
            Response::Records(_) | Response::Reply(_) | Response::Done => {
                return Err(ControlError::Confused);
            }
        };
        let records = stream::try_unfold(self, async |mut server| {
            let broke_off = |error: ControlError| StoreError::BrokeOff(error.to_string());
            match server.answer().await.map_err(broke_off)? {
                Response::Records(batch) => Ok(Some((batch, server))),
                Response::Done => Ok(None),
                Response::Refused(sentence) => Err(StoreError::BrokeOff(sentence)),
                Response::Keys(_) | Response::Reply(_) => Err(broke_off(ControlError::Confused)),
            }
        });
        Ok((keys, Box::pin(records)))
    }

    /// Has a command about people carried out.
    ///
    /// # Errors
    /// If the server refuses, or ends.
    pub async fn carry_out(mut self, command: Command) -> Result<Reply, ControlError> {
        self.ask(Request::User(command)).await?;
        match self.answer().await? {
            Response::Reply(reply) => Ok(reply),
            Response::Refused(sentence) => Err(ControlError::Refused(sentence)),
            Response::Keys(_) | Response::Records(_) | Response::Done => {
                Err(ControlError::Confused)
            }
        }
    }

    async fn ask(&mut self, request: Request) -> Result<(), ControlError> {
        let message = Message {
            version: VERSION.to_owned(),
            request,
        };
        let mut line = serde_json::to_vec(&message).map_err(io::Error::from)?;
        line.push(b'\n');
        self.writing.write_all(&line).await?;
        Ok(())
    }

    async fn answer(&mut self) -> Result<Response, ControlError> {
        let mut line = Vec::new();
        self.lines.read_until(b'\n', &mut line).await?;
        if !line.ends_with(b"\n") {
            return Err(ControlError::Ended);
        }
        serde_json::from_slice(&line).map_err(|_| ControlError::Confused)
    }
}
