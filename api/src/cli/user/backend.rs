//! The way to the users: a running server carries a command out, or this process does, on the store that nobody has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use password_auth_core::app::App;
use password_auth_core::tokens::{SigningKey, SigningKeys};
use password_auth_model::SystemClock;
use password_auth_store::Store;

use crate::cli::output;
use crate::cli::store::{self, Opened};
use crate::config::Config;
use crate::control::ControlClient;
use crate::operator::{Command, Operator, Reply};

/// A folder that is in use by nobody who can be asked belongs to a server that starts, one that stops (which may take it
/// its ten seconds), or another command.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Backend<'a> {
    config: &'a Config,
    ours: Option<(Operator, Arc<dyn Store>)>,
}

impl<'a> Backend<'a> {
    pub(super) const fn to(config: &'a Config) -> Self {
        Self { config, ours: None }
    }

    /// Has a command carried out by whoever can.
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
                            "password-auth: {} is in use by somebody who starts or stops: waiting",
                            self.config.data_dir.display()
                        ));
                    }
                    tokio::time::sleep(store::PAUSE).await;
                }
            }
        }
    }

    /// Lets go of what was opened.
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
        // The first admin may be there before the first start.
        if !matches!(command, Command::Create(_)) {
            store::must_exist(self.config)?;
        }
        store::must_be_ours(self.config)?;
        store::try_open(self.config).await
    }

    /// The use cases as the server has them, but that nothing is signed here.
    fn operator(&self, store: &Arc<dyn Store>) -> Result<Operator, String> {
        let key = SigningKey::random()
            .map_err(|error| format!("no random bytes from the system: {error}"))?;
        let app = App::new(
            &self.config.app(self.config.listen),
            &SigningKeys::new(key, Vec::new()),
            Arc::clone(store),
            Arc::new(SystemClock),
        );
        Ok(Operator::new(&app, Arc::clone(store)))
    }
}
