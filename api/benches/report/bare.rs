//! The minimal implementations that the server is compared with.

use std::fs::{File, OpenOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use password_auth_core::passwords::{ScryptParams, verify_nobody};
use password_auth_core::tokens::{
    AccessClaims, AccessTokens, CLIENT_ID, RefreshTokens, SigningAlg,
};
use password_auth_model::{
    Clock as _, Decision, Generation, MAX_RETIRED, Session, SystemClock, Timestamp, TokenId, UserId,
};
use password_auth_wire::{Message, Refresh, Status, Tokens};
use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Route, Server};
use poem_openapi::payload::Json;
use poem_openapi::{OpenApi, OpenApiService};
use tempfile::TempDir;
use tokio::sync::{Mutex, oneshot};

use crate::Outcome;
use crate::load::Step;
use crate::machine::folder;
use crate::population::PARTY;
use crate::storage::Storage;

/// Makes this program the bare server.
pub(crate) const SERVER_ARGUMENT: &str = "bare-server";

/// poem's own server, and poem-openapi routes with the same answers as the server's: nobody is authenticated, nothing
/// is looked up, decided, limited or logged.
struct BareApi {
    /// One for each key, so that each is free most of the time.
    writers: Vec<Mutex<RawWriter>>,
    next: AtomicUsize,
    tokens: AccessTokens,
    refresh_tokens: RefreshTokens,
}

#[OpenApi]
impl BareApi {
    #[oai(path = "/protected", method = "get")]
    async fn protected(&self) -> Json<Message> {
        Json(Message::ok("Hello, alice!"))
    }

    /// Parses the same body, puts one record and waits for the group commit, and signs the same pair.
    #[oai(path = "/refresh", method = "post")]
    async fn refresh(&self, body: Json<Refresh>) -> poem::Result<Json<Tokens>> {
        let wrong = |_| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR);
        let presented = self.refresh_tokens.read(body.0.refresh_token.expose());
        let presented = presented.ok_or(StatusCode::BAD_REQUEST);
        let presented = presented.map_err(poem::Error::from_status)?;
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.writers.len();
        let mut writer = self.writers[turn].lock().await;
        writer.step().await.map_err(wrong)?;
        drop(writer);
        let now = SystemClock.now();
        let claims = AccessClaims {
            iss: self.tokens.issuer().to_owned(),
            aud: self.tokens.issuer().to_owned(),
            client_id: CLIENT_ID.to_owned(),
            sub: UserId::new(now),
            preferred_username: "alice".to_owned(),
            sid: presented.session,
            generation: presented.generation,
            epoch: 0,
            party: Some(PARTY),
            jti: TokenId::new(now),
            iat: now.as_secs(),
            exp: now.as_secs() + 900,
        };
        let next = Generation(presented.generation.0.wrapping_add(1));
        Ok(Json(Tokens {
            status: Status::Ok,
            access_token: self
                .tokens
                .issue(&claims, now)
                .ok_or(())
                .map_err(|()| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR))?,
            refresh_token: self.refresh_tokens.issue(presented.session, next),
            token_type: "Bearer".to_owned(),
            expires_in: 900,
        }))
    }
}

/// How many requests can wait for the disk at once.
const WRITERS: u64 = 64;

pub(crate) fn serve() -> Outcome<()> {
    let store = RawStore::open()?;
    let keys = Storage::keys()?;
    let api = BareApi {
        writers: RawWriter::many(&store, WRITERS)
            .into_iter()
            .map(Mutex::new)
            .collect(),
        next: AtomicUsize::new(0),
        tokens: AccessTokens::new(&keys, SigningAlg::Hs256, "password-auth"),
        refresh_tokens: RefreshTokens::new(&keys),
    };
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
            for address in acceptor.local_addr() {
                let address = address.as_socket_addr().ok_or("no address")?;
                println!("listening on http://{address}");
            }
            let service = OpenApiService::new(api, "bare", "0");
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
    let mut session = Session::new(
        UserId::new(now),
        String::new(),
        now,
        now.plus(Duration::from_secs(180 * 24 * 60 * 60)),
    );
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
