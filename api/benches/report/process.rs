//! Servers as processes, in their own folders, and what the system reports about them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use password_auth_wire::{Credentials, Secret, Tokens};
use tempfile::TempDir;

use crate::client::{Connection, get_with_token, post};
use crate::machine::{cpu_seconds_of, folder};
use crate::storage::Storage;
use crate::{Outcome, Settings, bare};

/// How expensive a sign-in is at the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// As in production.
    Default,
    /// Next to nothing: for figures that are not about it.
    Cheap,
}

/// A server; ended, and its folder removed, when dropped.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Process {
    /// The release binary, with an empty store.
    pub(crate) fn server(settings: &Settings, hashing: Hashing) -> Outcome<Self> {
        let mut command = serve(settings, hashing);
        command.args(["--data-dir", "data"]);
        Self::start(command)
    }

    /// The release binary on what is in that place.
    pub(crate) fn server_on(
        settings: &Settings,
        hashing: Hashing,
        storage: &Storage,
    ) -> Outcome<Self> {
        let mut command = serve(settings, hashing);
        storage.set(&mut command);
        Self::start(command)
    }

    /// This program itself, as the bare server.
    pub(crate) fn bare() -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(bare::SERVER_ARGUMENT);
        Self::start(command)
    }

    /// Waits for the line with the address.
    fn start(mut command: Command) -> Outcome<Self> {
        let folder = folder()?;
        let log = folder.path().join("log");
        let mut child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().rsplit("http://").next().map(str::parse);
        match address {
            Some(Ok(address)) => Ok(Self {
                address,
                child,
                _folder: folder,
            }),
            _ => {
                child.kill().ok();
                child.wait()?;
                let log = fs::read_to_string(log)?;
                Err(format!("a server did not start: {line}{log}").into())
            }
        }
    }

    /// Seconds of processor time that it has used.
    pub(crate) fn cpu_seconds(&self) -> Outcome<f64> {
        Ok(cpu_seconds_of(self.child.id())?.own)
    }

    /// MiB that it holds now.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        self.status("VmRSS:")
    }

    /// The most MiB that it has held.
    pub(crate) fn peak_memory(&self) -> Outcome<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: f64 = line
            .and_then(|line| line.trim().strip_suffix(" kB"))
            .ok_or("/proc/PID/status")?
            .parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing in its folder is needed any more.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The server's command, but for where its data is.
fn serve(settings: &Settings, hashing: Hashing) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_password-auth"));
    command.args(["serve", "--dev", "--port", "0"]);
    // Many sign-ins of one user from one address are what is measured.
    command.args(["--login-rate", "off", "--register-rate", "off"]);
    command.args(["--account-rate", "off"]);
    if hashing == Hashing::Cheap {
        command.args(["--scrypt-log-n", "4", "--scrypt-p", "1"]);
    }
    command.env_clear();
    if let Some(filter) = &settings.log {
        command.env("RUST_LOG", filter);
    }
    if let Some(cache) = settings.cache {
        command.env("STORE_CACHE_MB", cache.to_string());
    }
    command
}

/// The user of most figures.
pub(crate) fn credentials() -> Credentials {
    credentials_of("alice")
}

pub(crate) fn credentials_of(username: &str) -> Credentials {
    Credentials {
        username: username.to_owned(),
        password: Secret::new("correct horse battery"),
    }
}

/// Makes a user.
pub(crate) async fn register(connection: &mut Connection, user: &Credentials) -> Outcome<()> {
    let request = post("/register", user)?;
    connection.ask(&request).await?.ok().map(|_| ())
}

/// Signs a user in, and uses the access token once.
pub(crate) async fn sign_in(connection: &mut Connection, user: &Credentials) -> Outcome<Tokens> {
    let request = post("/authenticate", user)?;
    let tokens = connection.ask(&request).await?.tokens()?;
    let request = get_with_token("/protected", &tokens.access_token);
    connection.ask(&request).await?.ok()?;
    Ok(tokens)
}
