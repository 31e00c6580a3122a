//! A server that a test can have databases in, and end in every way.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, OnceCell};
use tokio::task::spawn_blocking;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::folder::Folder;
use crate::port::free_port;
use crate::server::{End, Server};

/// How often another port is tried.
const TRIES: usize = 10;

/// How long something that a test waits for may take.
const UNTIL: Duration = Duration::from_secs(60);

/// `fsync` and the like stay as they are in production.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
# From the folder with the data: a longer path may be too long for a socket.
unix_socket_directories = '..'
max_connections = 200
shared_buffers = 16MB
# In the folder, and not in /dev/shm, where a server that is killed would leave it behind.
dynamic_shared_memory_type = mmap
max_wal_size = 256MB
# A standby that comes back finds what it missed.
wal_keep_size = 256MB
log_checkpoints = off
";

/// A PostgreSQL server of one's own; ended, and its folder removed, when dropped, or when this process is
/// gone.
///
/// It belongs to no runtime, so that tests can share it.
pub struct Cluster {
    pub(crate) server: Mutex<Option<Server>>,
    pub(crate) port: u16,
    databases: AtomicU64,
    // Last: it waits until everything in it has ended.
    pub(crate) folder: Folder,
}

impl Cluster {
    /// An empty server.
    pub async fn start() -> Self {
        let making = spawn_blocking(|| {
            let folder = Folder::new();
            let data = folder.data();
            let data = data.to_str().expect("a readable path");
            folder.run(
                "initdb",
                &[
                    "--pgdata",
                    data,
                    "--auth=trust",
                    "--username=postgres",
                    "--encoding=UTF8",
                    "--locale=C",
                    // Whatever becomes of it now, it is made anew.
                    "--no-sync",
                ],
            );
            let conf = folder.data().join("postgresql.conf");
            let conf = OpenOptions::new().append(true).open(conf);
            conf.and_then(|mut conf| conf.write_all(SETTINGS.as_bytes()))
                .expect("postgresql.conf");
            folder
        });
        Self::serve(making.await.expect("a cluster"), None).await
    }

    /// One for all tests of this process that only want a database.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Serves what is in `folder`, on a free port unless one is given.
    pub(crate) async fn serve(folder: Folder, port: Option<u16>) -> Self {
        let mut tries = 0;
        loop {
            let port = port.unwrap_or_else(free_port);
            match Server::start(&folder, port).await {
                Ok(server) => {
                    return Self {
                        server: Mutex::new(Some(server)),
                        port,
                        databases: AtomicU64::new(0),
                        folder,
                    };
                }
                // Somebody took it since we looked.
                Err(log) if log.contains("Address already in use") && tries < TRIES => tries += 1,
                Err(log) => panic!("PostgreSQL does not start: {log}"),
            }
        }
    }

    /// The TCP port, on 127.0.0.1; the same after a restart.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How a database of this server is reached.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// A new, empty database; how it is reached.
    pub async fn create_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.sql(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// Runs statements in the database `postgres`, over a connection of their own; the rows, as texts,
    /// where NULL is empty.
    pub async fn sql(&self, statements: &str) -> Vec<Vec<String>> {
        self.sql_in("postgres", statements).await
    }

    /// As [`sql`](Self::sql), in another database.
    pub async fn sql_in(&self, database: &str, statements: &str) -> Vec<Vec<String>> {
        let connected = tokio_postgres::connect(&self.url(database), NoTls).await;
        let (client, connection) = connected.expect("the server answers");
        let connection = tokio::spawn(connection);
        let answer = client.simple_query(statements).await;
        let answer = answer.unwrap_or_else(|error| panic!("{statements}: {error:?}"));
        drop(client);
        connection.await.expect("it ends").ok();
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).unwrap_or_default().to_owned())
                    .collect(),
            ),
            _ => None,
        });
        rows.collect()
    }

    /// Waits until `query` finds a row. Nobody is told when that changes: it is asked again and again.
    pub async fn until(&self, query: &str) {
        let finding = async {
            while self.sql(query).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = tokio::time::timeout(UNTIL, finding).await;
        assert!(found.is_ok(), "not within {UNTIL:?}: {query}");
    }

    /// Ends every connection of a client's.
    pub async fn cut_connections(&self) {
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
        .await;
    }

    /// As when the machine fails: nothing of the server is left, and nothing was told to anybody. What it
    /// had written stays.
    pub async fn kill(&self) {
        self.end(End::Kill).await;
    }

    /// As when the machine hangs, or its disk does: connections stay open, and nothing is answered any more. It
    /// can only be killed then.
    pub async fn freeze(&self) {
        if let Some(server) = self.server.lock().await.as_mut() {
            server.freeze(&self.folder);
        }
    }

    /// The same, of one of its processes: one connection.
    pub async fn freeze_connection(&self, pid: &str) {
        if let Some(server) = self.server.lock().await.as_mut() {
            server.freeze_one(pid);
        }
    }

    /// Stops in order, without waiting for clients to go.
    pub async fn stop_fast(&self) {
        self.end(End::Fast).await;
    }

    /// Stops, if it runs, and starts again on the same port.
    pub async fn restart(&self) {
        let mut server = self.server.lock().await;
        if let Some(server) = server.take() {
            server.end(End::Fast).await;
        }
        match Server::start(&self.folder, self.port).await {
            Ok(started) => *server = Some(started),
            Err(log) => panic!("PostgreSQL does not start again: {log}"),
        }
    }

    /// What the server that runs has written to its log.
    pub async fn log(&self) -> String {
        let server = self.server.lock().await;
        server.as_ref().map(Server::log).unwrap_or_default()
    }

    /// What it has written up to now: it is told to write a line, and all before that line has come then.
    pub async fn log_so_far(&self) -> String {
        const MARK: &str = "up to now";
        self.sql(&format!("DO $$ BEGIN RAISE LOG '{MARK}'; END $$"))
            .await;
        let server = self.server.lock().await;
        let server = server.as_ref().expect("it runs");
        assert!(server.logs(0, MARK).await, "it ended: {}", server.log());
        server.log()
    }

    async fn end(&self, how: End) {
        if let Some(server) = self.server.lock().await.take() {
            server.end(how).await;
        }
    }
}
