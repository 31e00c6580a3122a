//! The minimal implementations that the server is compared with.

use std::fs::{File, OpenOptions};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use password_auth_core::passwords::{ScryptParams, verify_nobody};
use password_auth_model::{
    Decision, Generation, MAX_RETIRED, Session, SessionId, Timestamp, Trail, UserId,
};
use password_auth_wire::Message;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Route, Server};
use poem_openapi::payload::Json;
use poem_openapi::{OpenApi, OpenApiService};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::Outcome;
use crate::load::Step;
use crate::machine::folder;
use crate::population::PARTY;

/// Makes this program the bare server.
pub(crate) const SERVER_ARGUMENT: &str = "bare-server";

struct BareApi;

#[OpenApi]
impl BareApi {
    #[oai(path = "/protected", method = "get")]
    async fn protected(&self) -> Json<Message> {
        Json(Message::ok("Hello, alice!"))
    }
}

/// poem's own server, and a poem-openapi route with the same answer as `GET /protected`: nobody is
/// authenticated, nothing is looked up, limited or logged.
pub(crate) fn serve() -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
            for address in acceptor.local_addr() {
                let address = address.as_socket_addr().ok_or("no address")?;
                println!("listening on http://{address}");
            }
            let service = OpenApiService::new(BareApi, "bare", "0");
            Server::new_with_acceptor(acceptor)
                .run(Route::new().nest("/", service))
                .await?;
            Ok(())
        })
}

/// sled as the server sets it up, with a second descriptor of its file to sync.
pub(crate) struct RawStore {
    db: sled::Db,
    disk: File,
    record: Vec<u8>,
    _folder: TempDir,
}

impl RawStore {
    pub(crate) fn open() -> Outcome<Arc<Self>> {
        let folder = folder()?;
        let db = sled::Config::new()
            .path(folder.path())
            .cache_capacity(64 << 20)
            .flush_every_ms(None)
            .open()?;
        db.flush()?;
        Ok(Arc::new(Self {
            db,
            disk: OpenOptions::new()
                .write(true)
                .open(folder.path().join("db"))?,
            record: session_record()?,
            _folder: folder,
        }))
    }

    /// Bytes of the record that is written.
    pub(crate) fn record_len(&self) -> usize {
        self.record.len()
    }

    /// `count` goes into the record: sled writes nothing where the value is there already.
    fn write(&self, key: u64, count: u64) -> Outcome<()> {
        let mut record = self.record.clone();
        let storage = record.last_chunk_mut().ok_or("a record too short")?;
        *storage = count.to_be_bytes();
        self.db.insert(key.to_be_bytes(), record)?;
        Ok(())
    }

    fn flush_and_sync(&self) -> Outcome<()> {
        self.db.flush()?;
        Ok(self.disk.sync_data()?)
    }

    /// One record, on disk when it returns.
    pub(crate) fn write_durably(&self, count: u64) -> Outcome<()> {
        self.write(0, count)?;
        self.flush_and_sync()
    }
}

/// A session that is refreshed all the time, in the bytes in which the store keeps it: a byte of format
/// version, then postcard.
fn session_record() -> Outcome<Vec<u8>> {
    let now = Timestamp::from_millis(1_767_225_600_000);
    let mut session = Session {
        id: SessionId::new(now),
        user: UserId::new(now),
        device: String::new(),
        created: now,
        last_used: now,
        expires: now.plus(Duration::from_secs(180 * 24 * 60 * 60)),
        generation: Generation(0),
        confirmed: false,
        epoch: 0,
        retired: Vec::new(),
        ended: None,
        trail: Trail::default(),
    };
    // Generations of two bytes in postcard, as they are soon.
    while session.retired.len() < MAX_RETIRED || session.generation.0 < 200 {
        session = Decision::Rotate
            .apply(&session, session.generation, PARTY, now)
            .ok_or("a session that does not rotate")?;
    }
    Ok(postcard::to_extend(&session, vec![2])?)
}

/// Group commit at its plainest: writers insert and wait, one thread flushes and syncs for all that wait.
pub(crate) struct RawWriter {
    store: Arc<RawStore>,
    key: u64,
    count: u64,
    flusher: mpsc::Sender<oneshot::Sender<()>>,
}

impl RawWriter {
    pub(crate) fn many(store: &Arc<RawStore>, count: u64) -> Vec<Self> {
        let (flusher, waiting) = mpsc::channel::<oneshot::Sender<()>>();
        let flushed = Arc::clone(store);
        // Ends with the last writer.
        std::thread::spawn(move || {
            while let Ok(first) = waiting.recv() {
                let group: Vec<_> = std::iter::once(first).chain(waiting.try_iter()).collect();
                if flushed.flush_and_sync().is_err() {
                    return;
                }
                for answer in group {
                    answer.send(()).ok();
                }
            }
        });
        (0..count)
            .map(|key| Self {
                store: Arc::clone(store),
                key,
                count: 0,
                flusher: flusher.clone(),
            })
            .collect()
    }
}

impl Step for RawWriter {
    async fn step(&mut self) -> Outcome<()> {
        self.count += 1;
        self.store.write(self.key, self.count)?;
        let (answer, flushed) = oneshot::channel();
        self.flusher.send(answer)?;
        Ok(flushed.await?)
    }
}

/// One hash as the server computes it by default, and nothing around it.
pub(crate) fn hash_once() -> Outcome<()> {
    verify_nobody(b"correct horse battery", ScryptParams::DEFAULT)?;
    Ok(())
}
