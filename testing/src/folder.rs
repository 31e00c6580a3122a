//! A server's folder, which is removed when the last process that uses it is gone.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::account::Account;
use crate::programs::program;

/// Reads a pipe to its end. Whatever is started in the folder has the other end as its standard output, as
/// we have ours: it ends when nobody is left, also when we were killed.
const REMOVER: &str = r#"cat >/dev/null; exec rm -rf -- "$1""#;

pub(crate) struct Folder {
    path: PathBuf,
    account: Option<Account>,
    pipe: Option<ChildStdin>,
    remover: Child,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("pg-").tempdir();
        // The remover removes it, and not `TempDir`, which does nothing for us once we were killed.
        let path = folder.expect("a temporary folder").keep();
        let account = Account::to_become();
        if let Some(account) = account {
            account.give(&path);
        }
        let mut remover = Command::new("sh");
        // It keeps our standard output: who waits for that to end waits for this, too.
        remover.args(["-c", REMOVER, "sh"]).arg(&path);
        remover.current_dir("/").process_group(0);
        if let Some(account) = account {
            account.run(&mut remover);
        }
        let mut remover = remover.stdin(Stdio::piped()).spawn().expect("sh runs");
        let pipe = remover.stdin.take();
        Self {
            path,
            account,
            pipe,
            remover,
        }
    }

    /// The server's own folder in this one.
    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// A command in this folder, as who may run a server. Its standard output goes nowhere.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let pipe = self.pipe.as_ref().expect("open until dropped");
        let pipe = pipe.as_fd().try_clone_to_owned().expect("a descriptor");
        let mut command = Command::new(program);
        command
            .current_dir(&self.path)
            // Messages that can be recognised.
            .env("LC_ALL", "C")
            // A Ctrl-C is for us; what we started ends in order, after us.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(pipe)
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            // `PGHOST`, `PGOPTIONS` and so on, which are the developer's.
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    /// Runs one of PostgreSQL's programs to its end.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) {
        let mut command = self.command(program(name));
        let ended = command.args(arguments).output().expect("it runs");
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{name} failed: {errors}");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.pipe = None;
        self.remover.wait().ok();
        // What is in it was not ours; a folder that holds it may be, and then only we can do this.
        fs::remove_dir(&self.path).ok();
    }
}
