//! Runs a command: a running server does it, or, if none runs, this process on the store itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth_core::app::App;
use password_auth_core::tokens::{self, SigningKey, SigningKeys};
use password_auth_model::SystemClock;
use password_auth_store::Store;

use crate::cli::output;
use crate::cli::store::{self, Opened};
use crate::config::Config;
use crate::control::ControlClient;
use crate::operator::{Command, Operator, Reply};

/// How long to wait for a folder that is in use without a server to ask: a server starts or stops (which may take ten
/// seconds), or another command runs.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Backend<'a> {
    config: &'a Config,
    /// Whether the command needs the server's secret.
    with_keys: bool,
    ours: Option<(Operator, Arc<dyn Store>)>,
}

impl<'a> Backend<'a> {
    pub(super) const fn to(config: &'a Config) -> Self {
        Self {
            config,
            with_keys: false,
            ours: None,
        }
    }

    /// For commands that need the server's secret.
    pub(super) const fn with_keys(config: &'a Config) -> Self {
        Self {
            config,
            with_keys: true,
            ours: None,
        }
    }

    /// Runs the command on the server, or in this process.
    pub(super) async fn carry_out(&mut self, command: Command) -> Result<Reply, String> {
        let began = Instant::now();
        let mut waits = false;
        loop {
            if let Some((operator, _)) = &self.ours {
                let done = operator.carry_out(command).await;
                return done.map_err(|error| error.to_string());
            }
            if let Some(server) = self.server().await? {
                let done = server.carry_out(command).await;
                return done.map_err(|error| error.to_string());
            }
            match self.open(&command).await? {
                Opened::Store(store) => self.ours = Some((self.operator(&store)?, store)),
                Opened::InUse(sentence) if began.elapsed() > PATIENCE => return Err(sentence),
                Opened::InUse(_) => {
                    if !std::mem::replace(&mut waits, true) {
                        output::tell(format_args!(
                            "password-auth: {} is in use by a server that starts or stops: waiting",
                            self.config.data_dir.display()
                        ));
                    }
                    tokio::time::sleep(store::PAUSE).await;
                }
            }
        }
    }

    /// Closes the store, if it was opened.
    pub(super) async fn close(self) {
        if let Some((_, store)) = self.ours {
            store.close().await;
        }
    }

    async fn server(&self) -> Result<Option<ControlClient>, String> {
        match store::folder(self.config) {
            Some(folder) => ControlClient::connect(folder)
                .await
                .map_err(|error| error.to_string()),
            None => Ok(None),
        }
    }

    async fn open(&self, command: &Command) -> Result<Opened, String> {
        // The first admin may be created before the server starts for the first time.
        if !matches!(command, Command::Create(_) | Command::Invite(_)) {
            store::must_exist(self.config)?;
        }
        store::must_be_ours(self.config)?;
        store::try_open(self.config).await
    }

    /// The same use cases as in the server. Nothing is signed here, so any key will do for most.
    fn operator(&self, store: &Arc<dyn Store>) -> Result<Operator, String> {
        let keys = if self.with_keys {
            keys_in_force(self.config)?
        } else {
            let key = SigningKey::random()
                .map_err(|error| format!("the system provides no random bytes: {error}"))?;
            SigningKeys::new(key, Vec::new())
        };
        let app = App::new(
            &self.config.app(self.config.listen),
            &keys,
            Arc::clone(store),
            Arc::new(SystemClock),
        );
        Ok(Operator::new(&app, Arc::clone(store)))
    }
}

/// The keys that a server with these settings would use.
pub(super) fn keys_in_force(config: &Config) -> Result<SigningKeys, String> {
    let keys = match (config.signing_key.clone(), store::folder(config)) {
        (Some(key), _) => Some(SigningKeys::new(key, Vec::new())),
        (None, Some(folder)) => tokens::load(folder).map_err(|error| error.to_string())?,
        (None, None) => None,
    };
    keys.ok_or_else(|| {
        "there are no signing keys: JWT_SECRET is not set, and there is no data folder with a key"
            .to_owned()
    })
}
