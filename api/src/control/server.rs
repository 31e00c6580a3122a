//! The server's side of the socket.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use password_auth_core::tokens::{SigningKeys, WrittenKeys};
use password_auth_store::{Store, StoreError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Greeting, Message, Request, Response, VERSION, socket_file};
use crate::operator::Operator;

/// For a request to arrive.
const ASKING: Duration = Duration::from_secs(10);

/// The longest request.
const MAX_REQUEST: u64 = 64 << 10;

/// A client that takes nothing for so long is given up: what it asked for may cost memory meanwhile.
const STALLED: Duration = Duration::from_secs(60);

/// Once told to stop: for the last words to arrive.
const STOPPING: Duration = Duration::from_secs(2);

/// After the system refused a connection.
const PAUSE: Duration = Duration::from_secs(1);

/// The socket, bound.
pub struct ControlSocket {
    listener: UnixListener,
    socket_file: SocketFile,
    /// Whom the server runs as.
    uid: u32,
}

/// The socket's file, while it is there.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // One that stays is removed at the next start.
        fs::remove_file(&self.0).ok();
    }
}

/// What requests are answered with.
pub struct ControlHandler {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// What signs the tokens.
    pub keys: SigningKeys,
    /// Who carries out commands about people.
    pub operator: Operator,
}

impl ControlSocket {
    /// Binds the socket in `data_dir`, which must be this process's alone: one that another left is removed.
    ///
    /// # Errors
    /// If the system refuses; not every file system has sockets.
    pub fn bind(data_dir: &Path) -> io::Result<Self> {
        let path = socket_file::path(data_dir);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let listener = socket_file::with_short_path(data_dir, |short| UnixListener::bind(short))?;
        let socket_file = SocketFile(path);
        fs::set_permissions(&socket_file.0, Permissions::from_mode(0o600))?;
        // It was made a moment ago, by this process.
        let uid = fs::metadata(&socket_file.0)?.uid();
        Ok(Self {
            listener,
            socket_file,
            uid,
        })
    }

    /// Answers requests until `stop` turns true; then says so to whoever still waits.
    pub async fn serve(self, handler: ControlHandler, stop: watch::Receiver<bool>) {
        let Self {
            listener,
            socket_file,
            uid,
        } = self;
        let handler = Arc::new(handler);
        let mut connections = JoinSet::new();
        let mut stopping = stop.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (handler, stop) = (Arc::clone(&handler), stop.clone());
                        connections.spawn(async move { answer(stream, uid, &handler, stop).await });
                    }
                    Err(error) => {
                        // Descriptors or memory ran out. No event tells when there are more.
                        tracing::warn!(%error, "can not accept an operator's connection for now");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = told_to_stop(&mut stopping) => break,
            }
        }
        // From here on nobody finds it. Whoever has found it is answered, and need not wonder what was done.
        drop(socket_file);
        for stream in waiting(listener) {
            let (handler, stop) = (Arc::clone(&handler), stop.clone());
            connections.spawn(async move { answer(stream, uid, &handler, stop).await });
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        tokio::time::timeout(STOPPING, ended).await.ok();
    }
}

/// Those who have connected and were not accepted yet.
fn waiting(listener: UnixListener) -> Vec<UnixStream> {
    let mut streams = Vec::new();
    // Not asked through the runtime, which may not have heard of them yet.
    if let Ok(listener) = listener.into_std() {
        while let Ok((stream, _)) = listener.accept() {
            let stream = stream
                .set_nonblocking(true)
                .and_then(|()| UnixStream::from_std(stream));
            streams.extend(stream);
        }
    }
    streams
}

async fn answer(
    stream: UnixStream,
    uid: u32,
    handler: &ControlHandler,
    stop: watch::Receiver<bool>,
) {
    // The folder's mode keeps others out; this is for a folder whose mode was changed.
    let allowed = match stream.peer_cred() {
        Ok(peer) => peer.uid() == uid || peer.uid() == 0,
        Err(_) => false,
    };
    let (reading, writing) = stream.into_split();
    let mut client = Peer { writing };
    let outcome = match listen(reading).await {
        Ok(_) if !allowed => Err(Interrupted::Refused(
            "only the user whom the server runs as, and root, may ask it".to_owned(),
        )),
        Ok(line) => converse(&line, &mut client, handler, stop).await,
        Err(cause) => Err(Interrupted::Gone(cause)),
    };
    match outcome {
        Ok(()) => {}
        Err(Interrupted::Gone(cause)) => {
            tracing::debug!(%cause, "an operator's command went away");
        }
        Err(Interrupted::Refused(sentence)) => {
            client.say(&Response::Refused(sentence)).await.ok();
        }
    }
}

/// Why a request has no regular end.
enum Interrupted {
    /// Nobody listens.
    Gone(io::Error),
    /// The client is told why.
    Refused(String),
}

impl From<StoreError> for Interrupted {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// The request, as it came.
async fn listen(reading: OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bounded = BufReader::new(reading.take(MAX_REQUEST));
    in_time(ASKING, bounded.read_until(b'\n', &mut line)).await?;
    Ok(line)
}

async fn converse(
    line: &[u8],
    client: &mut Peer,
    handler: &ControlHandler,
    stop: watch::Receiver<bool>,
) -> Result<(), Interrupted> {
    match request(line).map_err(Interrupted::Refused)? {
        Request::Backup { with_keys } => backup(client, handler, stop, with_keys).await,
        Request::User(command) => match handler.operator.carry_out(command).await {
            Ok(reply) => client.say(&Response::Reply(reply)).await,
            Err(error) => Err(Interrupted::Refused(error.to_string())),
        },
    }
}

fn request(line: &[u8]) -> Result<Request, String> {
    let unknown = |_| "the server does not understand the request".to_owned();
    let greeting: Greeting = serde_json::from_slice(line).map_err(unknown)?;
    if greeting.version != VERSION {
        return Err(format!(
            "the server is of version {VERSION}, this command of {}: use the same (after an update, restart the server)",
            greeting.version
        ));
    }
    let message: Message = serde_json::from_slice(line).map_err(unknown)?;
    Ok(message.request)
}

async fn backup(
    client: &mut Peer,
    handler: &ControlHandler,
    mut stop: watch::Receiver<bool>,
    with_keys: bool,
) -> Result<(), Interrupted> {
    let mut records = handler.store.dump().await.map_err(|error| match error {
        StoreError::Busy => Interrupted::Refused(
            "another backup is under way, or the server has too much to do: try again soon"
                .to_owned(),
        ),
        other => other.into(),
    })?;
    tracing::info!(with_keys, "a backup begins");
    let keys = with_keys.then(|| WrittenKeys::of(&handler.keys));
    client.say(&Response::Keys(keys)).await?;
    let mut count = 0;
    loop {
        // Between two lines, so that the last one arrives whole.
        let batch = tokio::select! {
            biased;
            () = told_to_stop(&mut stop) => return Err(Interrupted::Refused(
                "the server is stopping, and the backup is not finished".to_owned(),
            )),
            batch = records.next() => batch,
        };
        let Some(batch) = batch.transpose()? else {
            break;
        };
        count += batch.len();
        client.say(&Response::Records(batch)).await?;
    }
    client.say(&Response::Done).await?;
    tracing::info!(records = count, "a backup was handed over");
    Ok(())
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

struct Peer {
    writing: OwnedWriteHalf,
}

impl Peer {
    async fn say(&mut self, answer: &Response) -> Result<(), Interrupted> {
        let mut line =
            serde_json::to_vec(answer).map_err(|error| Interrupted::Refused(error.to_string()))?;
        line.push(b'\n');
        for piece in line.chunks(1 << 16) {
            in_time(STALLED, self.writing.write_all(piece))
                .await
                .map_err(Interrupted::Gone)?;
        }
        Ok(())
    }
}

async fn in_time<T>(bound: Duration, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(bound, future).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
    }
}
