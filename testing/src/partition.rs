//! A network between a client and a server on this machine that can be cut.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Forwards connections to a port of 127.0.0.1, until it is cut: then not a byte passes, and neither side
/// is told, as when a cable is pulled. What was under way goes on once it is healed.
pub struct Partition {
    port: u16,
    open: watch::Sender<bool>,
    _forwarding: JoinSet<()>,
}

impl Partition {
    /// A network to `port`.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (open, is_open) = watch::channel(true);
        let mut forwarding = JoinSet::new();
        forwarding.spawn(accept(listener, port, is_open));
        Self {
            port: address.port(),
            open,
            _forwarding: forwarding,
        }
    }

    /// Where clients connect, on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Nothing passes any more. Connections, old and new, stay open and silent.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Everything passes again, also what was waiting.
    pub fn heal(&self) {
        self.open.send_replace(true);
    }
}

async fn accept(listener: TcpListener, port: u16, open: watch::Receiver<bool>) {
    // Ended with the task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                connections.spawn(forward(client, port, open.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn forward(client: TcpStream, port: u16, mut open: watch::Receiver<bool>) {
    if open.wait_for(|open| *open).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pass(from_client, to_server, open.clone()),
        pass(from_server, to_client, open),
    );
}

/// Passes bytes, and their end, in one direction.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            // The network itself is gone.
            () = async { while open.changed().await.is_ok() {} } => return,
        };
        // What is read while it is cut, at most a buffer full, waits here.
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        let written = match read {
            Ok(0) | Err(_) => return,
            Ok(count) => to.write_all(&buffer[..count]).await,
        };
        if written.is_err() {
            return;
        }
    }
}
