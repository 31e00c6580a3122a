//! A server inside the test: a fresh folder, a free port, the test's own clock.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth::config::{Config, Sources};
use password_auth_core::app::App;
use password_auth_core::mail::{MailSender, Mailer, Pacing, Site, Transport};
use password_auth_core::token_keys::TokenKeys;
use password_auth_core::tokens::load_or_create;
use password_auth_http as http;
use password_auth_http::measures::Measures;
use password_auth_http::server::{Limits, Listener, Tls, serve};
use password_auth_model::{Clock as _, User, UsernameKey};
use password_auth_store::Store;
use password_auth_store::sled::{MAX_WAIT, OpenError, SledStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{TestClient, TestClock};
use crate::database::Database;

/// How long threads of sled's may hold a folder after it was closed.
const LET_GO: Duration = Duration::from_secs(20);

/// A store on a folder that another may have closed just before: no event tells when sled's threads let go of it.
pub async fn open_sled(folder: &Path, max_wait: Duration) -> SledStore {
    let begun = Instant::now();
    loop {
        match SledStore::open_with_max_wait(folder, max_wait) {
            Err(OpenError::Io { .. }) if begun.elapsed() < LET_GO => tokio::task::yield_now().await,
            opened => return opened.expect("a store"),
        }
    }
}

/// What a server keeps its records in.
#[derive(Clone, Copy)]
pub enum Engine {
    /// In its folder.
    Sled,
    /// In a database of the test's own.
    Postgres,
}

/// Cheap hashes, no limits: what most tests are not about.
const DEFAULTS: [(&str, &str); 8] = [
    ("PORT", "0"),
    ("SCRYPT_LOG_N", "4"),
    ("SCRYPT_P", "1"),
    ("LOGIN_RATE", "off"),
    ("REGISTER_RATE", "off"),
    ("MAIL_RATE", "off"),
    ("ACCOUNT_RATE", "off"),
    ("RUST_LOG", "off"),
];

/// What a server is started with.
pub struct TestServerBuilder {
    settings: Vec<(String, String)>,
    dev: bool,
    limits: Limits,
    max_wait: Duration,
    engine: Engine,
    mail_sender: Option<Pacing>,
}

impl TestServerBuilder {
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Sends its mails to the mail server at that port of this machine, at this pace.
    pub fn mail(self, port: u16, pacing: Pacing) -> Self {
        Self {
            mail_sender: Some(pacing),
            ..self
        }
        .setting("SMTP_HOST", "localhost")
        .setting("SMTP_PORT", &port.to_string())
        .setting("SMTP_TLS", "off")
        .setting("SMTP_FROM", "Example <auth@example.org>")
        .setting("PUBLIC_URL", "https://auth.example.org")
    }

    /// How long a write may wait for sled.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Production mode: the settings that only development allows go back to their defaults.
    pub fn production(mut self) -> Self {
        self.dev = false;
        self.settings
            .retain(|(name, _)| name == "PORT" || name == "RUST_LOG");
        self
    }

    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub async fn start(self) -> TestServer {
        self.start_in(tempfile::tempdir().expect("a folder")).await
    }

    /// Starts on a folder that another server left.
    pub async fn start_in(self, folder: TempDir) -> TestServer {
        let clock = Arc::new(TestClock::new());
        let (store, database) = match self.engine {
            Engine::Sled => {
                let store = open_sled(folder.path(), self.max_wait).await;
                (Arc::new(store) as Arc<dyn Store>, None)
            }
            Engine::Postgres => {
                let database = Database::new().await;
                let store = database.node().await;
                database.turn_clock_to(clock.now()).await;
                (store, Some(database))
            }
        };
        self.serve(folder, store, database, clock).await
    }

    /// Starts another node on the store of `first`.
    pub async fn start_beside(self, first: &TestServer) -> TestServer {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, clock) = (Arc::clone(&first.store), Arc::clone(&first.clock));
        self.serve(folder, store, None, clock).await
    }

    async fn serve(
        self,
        folder: TempDir,
        store: Arc<dyn Store>,
        database: Option<Database>,
        clock: Arc<TestClock>,
    ) -> TestServer {
        let pairs = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let config = Config::load(&Sources::of(pairs), self.dev).expect("valid settings");
        let listener = TcpListener::bind(config.listen).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let keys = match config.signing_key.clone() {
            Some(key) => password_auth_core::tokens::SigningKeys::new(key, Vec::new()),
            None => load_or_create(folder.path()).expect("keys"),
        };
        let app = App::new(&config.app(address), &keys, store.clone(), clock.clone());
        app.token_keys.prepare().await.expect("signing keys");
        let (stop, stopped) = watch::channel(false);
        let settings = config.http(address);
        let tls = config.tls.clone();
        let tls = tls.map(|files| Arc::new(Tls::load(files).expect("a certificate")));
        let measures = Arc::clone(&settings.measures);
        let serving = tokio::spawn(serve(
            Listener::new(listener, Arc::clone(&measures)).with_tls(tls),
            http::endpoint(&app, &settings),
            self.limits,
            settings.proxies.clone(),
            stopped,
        ));
        let mut server = TestServer {
            address,
            clock,
            store,
            database,
            mailer: Arc::clone(&app.mailer),
            measures,
            app,
            config,
            stop,
            serving,
            mail_sender: None,
            folder,
        };
        if let Some(pacing) = self.mail_sender {
            server.start_mail_sender(pacing);
        }
        server
    }
}

pub struct TestServer {
    pub address: SocketAddr,
    pub clock: Arc<TestClock>,
    pub store: Arc<dyn Store>,
    pub mailer: Arc<Mailer>,
    pub measures: Arc<Measures>,
    app: App,
    config: Config,
    pub database: Option<Database>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    mail_sender: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl TestServer {
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder {
            settings: DEFAULTS
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            dev: true,
            limits: Limits::DEFAULT,
            max_wait: MAX_WAIT,
            engine: Engine::Sled,
            mail_sender: None,
        }
    }

    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub async fn start_on(engine: Engine) -> Self {
        Self::builder().engine(engine).start().await
    }

    /// Moves the server's clock, and its database's if it has one.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.turn_database_s_clock().await;
    }

    /// As [`advance`](Self::advance), in the other direction.
    pub async fn set_back(&self, by: Duration) {
        self.clock.set_back(by);
        self.turn_database_s_clock().await;
    }

    async fn turn_database_s_clock(&self) {
        if let Some(database) = &self.database {
            database.turn_clock_to(self.clock.now()).await;
        }
    }

    pub fn token_keys(&self) -> &TokenKeys {
        &self.app.token_keys
    }

    pub fn client(&self) -> TestClient {
        TestClient::new(&format!("http://{}", self.address))
    }

    /// The user of that name, read from the store itself.
    pub async fn user(&self, name: &str) -> User {
        self.store
            .user_by_name(&UsernameKey::of(name))
            .await
            .expect("the store answers")
            .expect("the user is there")
    }

    pub fn start_mail_sender(&mut self, pacing: Pacing) {
        let url = &self.app.public_url;
        let transport = Transport::new(&self.config.mail, url).expect("a way out");
        let mail_sender = MailSender::new(
            self.store.clone(),
            self.clock.clone(),
            &self.mailer,
            transport.expect("one that is configured"),
            Site {
                name: self.app.site_name.clone(),
                url: url.clone(),
            },
            self.config.links,
            pacing,
        );
        self.mail_sender = Some(tokio::spawn(mail_sender.run(self.stop.subscribe())));
    }

    /// Ends the sender as a crash would: in the middle of whatever it does.
    pub async fn kill_sender(&mut self) {
        let mail_sender = self.mail_sender.take().expect("it runs");
        mail_sender.abort();
        mail_sender.await.expect_err("it was aborted");
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn tell_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops as on SIGTERM and gives the folder back.
    pub async fn stop(self) -> TempDir {
        self.tell_to_stop();
        self.serving.await.expect("served until the end");
        if let Some(mail_sender) = self.mail_sender {
            mail_sender.await.expect("sent until the end");
        }
        self.store.close().await;
        self.folder
    }
}
