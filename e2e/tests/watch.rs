//! `./build.sh run --watch`, on a copy of the sources: a change is served, a mistake leaves the old server running, and
//! Ctrl-C leaves nothing behind.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use password_auth_e2e::workspace;

/// A build on a busy machine. Nothing is measured here.
const PATIENCE: Duration = Duration::from_secs(900);

/// The handler that is changed.
const SOURCE: &str = "api/http/src/demo/docs.rs";

struct Watch {
    child: Child,
    output: Receiver<String>,
    seen: Vec<String>,
}

impl Watch {
    fn start(checkout: &Path) -> Self {
        // A script that is started with SIGINT ignored, as in the background of another one, cannot take it back.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", "./build.sh"])
            .args(["run", "--watch", "--", "--port", "0"])
            .current_dir(checkout)
            .env("DATA_DIR", checkout.join("data"))
            .env_remove("PORT")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // As a terminal does it: Ctrl-C goes to the whole group.
            .process_group(0)
            .spawn()
            .expect("build.sh");
        let (lines, output) = channel();
        let streams: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("a pipe")),
            Box::new(child.stderr.take().expect("a pipe")),
        ];
        for stream in streams {
            let lines = lines.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    lines.send(line).ok();
                }
            });
        }
        Self {
            child,
            output,
            seen: Vec::new(),
        }
    }

    /// Waits for a line that contains this, and returns what stands behind it.
    fn wait_for(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.output.recv_timeout(left) else {
                panic!("no {text:?} in:\n{}", self.seen.join("\n"));
            };
            let behind = line.split_once(text).map(|(_, behind)| behind.to_owned());
            self.seen.push(line);
            if let Some(behind) = behind {
                return behind;
            }
        }
    }

    fn interrupt(mut self) {
        let group = format!("-{}", self.child.id());
        let told = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(told.expect("kill").success());
        // The pipes close with the last process that holds them: the script, the server, the watchers and what they started.
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("something still runs:\n{}", self.seen.join("\n"))
                }
            }
        }
        self.child.wait().expect("it ends");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status()
            .ok();
    }
}

/// The sources, beside links to what is compiled of other people's crates already.
fn copy_of_the_checkout() -> tempfile::TempDir {
    let root = workspace();
    let target = root.join("target");
    // On the same disk, for the links.
    let copy = tempfile::tempdir_in(&target).expect("a folder");
    let script = r#"
        set -eu
        tar -c --exclude=./target --exclude=./data --exclude=./.git --exclude=./.env . | tar -x -C "$1"
        mkdir -p "$1/target/debug" "$1/target/wasm"
        for part in debug/deps debug/build debug/.fingerprint wasm; do
            cp -al --no-target-directory "target/$part" "$1/target/$part"
        done
        find "$1/target" -name .cargo-lock -delete
    "#;
    let status = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(copy.path())
        .current_dir(&root)
        .status();
    assert!(status.expect("sh").success(), "the copy");
    copy
}

fn ping(address: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime
        .block_on(async { reqwest::get(format!("{address}/ping")).await?.text().await })
        .expect("an answer")
}

#[test]
fn a_change_is_served_a_mistake_is_not_and_ctrl_c_ends_everything() {
    let copy = copy_of_the_checkout();
    let source = copy.path().join(SOURCE);
    let text = std::fs::read_to_string(&source).expect("the source");
    let write = |text: &str| std::fs::write(&source, text).expect("written");
    let mut watch = Watch::start(copy.path());

    let first = watch.wait_for("listening on ");
    assert!(ping(&first).contains("\"pong\""));
    watch.wait_for("Watching for changes");

    let changed = text.replace("\"pong\"", "\"pong of today\"");
    assert_ne!(changed, text);
    write(&changed);
    let second = watch.wait_for("listening on ");
    watch.wait_for("Serving again after ");
    assert!(ping(&second).contains("pong of today"));

    write("a mistake");
    watch.wait_for("The build failed: the server that runs is the one from before.");
    assert!(ping(&second).contains("pong of today"));

    write(&text);
    let third = watch.wait_for("listening on ");
    assert!(ping(&third).contains("\"pong\""));
    watch.interrupt();
}
