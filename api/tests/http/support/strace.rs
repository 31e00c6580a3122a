//! A server under strace, and what strace wrote, read: the calls in the order in which they began and ended,
//! and the requests in them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::ServerProcess;

/// The server on `folder` under strace with these options, which writes to `trace`. `-D`: the server stays the
/// test's own child, and strace ends with it.
pub async fn traced(folder: &Path, trace: &Path, options: &[&str]) -> Command {
    let version = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if let Err(error) = version.await {
        assert_ne!(
            error.kind(),
            ErrorKind::NotFound,
            "this test watches system calls and needs strace: `apt-get install strace`, or `./build.sh test`, which does"
        );
        panic!("strace does not run: {error}");
    }
    let server = ServerProcess::command(folder);
    let server = server.as_std();
    let mut command = Command::new("strace");
    command
        .args(["-D", "-f", "-e", "signal=KILL"])
        .args(options)
        .arg("-o")
        .arg(trace)
        .arg("--")
        .arg(server.get_program())
        .args(server.get_args())
        .current_dir(folder)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    for (name, value) in server.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

/// How long strace may take to write the rest of its trace.
const ENDS: Duration = Duration::from_secs(60);

/// What strace wrote about the server that had this process id, which has ended. strace may end a moment later, and no event
/// tells: its last line is about the end of the server's first thread.
pub async fn whole(trace: &Path, id: u32) -> String {
    let (begun, id) = (Instant::now(), format!("{id} "));
    loop {
        assert!(begun.elapsed() < ENDS, "strace wrote no end");
        let text = std::fs::read_to_string(trace).expect("a trace");
        let is_end = |last: &str| last.starts_with(&id) && last.contains(" +++ ");
        if text.lines().last().is_some_and(is_end) {
            return text;
        }
        tokio::task::yield_now().await;
    }
}

/// A system call. `begun` and `ended` are lines of the trace, which is in the order of what happened.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    pub arguments: String,
    /// `None` for `?`: it never came back, and may have had its effect.
    pub result: Option<i64>,
    pub begun: usize,
    pub ended: usize,
}

/// A request and its answer, as they crossed the socket.
#[derive(Debug)]
pub struct Exchange {
    /// `POST /register`
    pub request: String,
    pub status: u16,
    /// The line at which the first bytes of the request had been read.
    arrived: usize,
    /// The line at which writing the answer began.
    answered: usize,
}

pub struct Trace {
    pub calls: Vec<Call>,
}

impl Trace {
    /// Reads the format of `strace -f -o FILE`. A call that another thread's interrupts stands on two
    /// lines: `fdatasync(3</db> <unfinished ...>` and `<... fdatasync resumed>) = 0`. If its thread is killed, the
    /// second one may say `= ?`, or be missing.
    pub fn parse(text: &str) -> Self {
        let mut calls = Vec::new();
        let mut unfinished = HashMap::new();
        for (line, content) in text.lines().enumerate() {
            let Some((thread, content)) = content.split_once(char::is_whitespace) else {
                continue;
            };
            let content = content.trim_start();
            if let Some(resumed) = content.strip_prefix("<... ") {
                let (Some((_, rest)), Some((begun, start))) =
                    (resumed.split_once(" resumed>"), unfinished.remove(thread))
                else {
                    continue;
                };
                calls.extend(Call::parse(&format!("{start}{rest}"), begun, line));
            } else if let Some(start) = content.strip_suffix("<unfinished ...>") {
                unfinished.insert(thread, (line, start.to_owned()));
            } else {
                calls.extend(Call::parse(content, line, line));
            }
        }
        let end = text.lines().count();
        for (begun, start) in unfinished.into_values() {
            calls.extend(Call::parse(&format!("{start}) = ?"), begun, end));
        }
        Self { calls }
    }

    /// Every request that was answered, in the order of arrival.
    pub fn exchanges(&self) -> Vec<Exchange> {
        let arrivals = self.calls.iter().filter_map(|call| {
            let read = ["read", "readv", "recvfrom", "recvmsg"].contains(&&*call.name);
            let request = ["GET ", "POST "].iter().find_map(|method| {
                let (_, rest) = call.arguments.split_once(&format!("\"{method}/"))?;
                let (path, _) = rest.split_once(' ')?;
                Some(format!("{method}/{path}"))
            })?;
            (read && call.is_on_a_socket()).then_some((call, request))
        });
        arrivals
            .filter_map(|(arrival, request)| {
                let answer = self.calls.iter().find(|call| {
                    call.begun > arrival.ended
                        && ["write", "writev", "sendto", "sendmsg"].contains(&&*call.name)
                        && call.descriptor() == arrival.descriptor()
                })?;
                let (_, status) = answer.arguments.split_once("\"HTTP/1.1 ")?;
                Some(Exchange {
                    request,
                    status: status.get(..3)?.parse().ok()?,
                    arrived: arrival.ended,
                    answered: answer.begun,
                })
            })
            .collect()
    }

    /// A sync of `file` that began after the request had arrived, and had succeeded before the answer
    /// began to leave.
    pub fn sync_before_answer(&self, exchange: &Exchange, file: &str) -> Option<&Call> {
        self.calls.iter().find(|call| {
            call.is_sync_of(file) && call.begun > exchange.arrived && call.ended < exchange.answered
        })
    }

    /// Whether something was written to `file` after the request had arrived, and a sync that began only
    /// then had succeeded before the answer began to leave.
    pub fn write_and_sync_before_answer(&self, exchange: &Exchange, file: &str) -> bool {
        let written = self.calls.iter().filter(|call| {
            call.name.contains("write")
                && call.is_of(file)
                && call.result.is_some_and(|written| written > 0)
                && call.begun > exchange.arrived
        });
        written.into_iter().any(|write| {
            self.calls.iter().any(|call| {
                call.is_sync_of(file) && call.begun > write.ended && call.ended < exchange.answered
            })
        })
    }
}

impl Call {
    fn parse(text: &str, begun: usize, ended: usize) -> Option<Self> {
        let (call, result) = text.rsplit_once(" = ")?;
        let (name, arguments) = call.split_once('(')?;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        plain.then(|| Self {
            name: name.to_owned(),
            arguments: arguments.trim_end().trim_end_matches(')').to_owned(),
            result: result
                .split_whitespace()
                .next()
                .and_then(|number| number.parse().ok()),
            begun,
            ended,
        })
    }

    /// `3</data/sled/db>` or `13<TCP:[127.0.0.1:1->127.0.0.1:2]>`
    fn descriptor(&self) -> &str {
        self.arguments
            .split_once(", ")
            .map_or(&*self.arguments, |(first, _)| first)
            .trim_end()
    }

    fn is_on_a_socket(&self) -> bool {
        self.descriptor().contains("<TCP")
    }

    /// Whether its descriptor is of a file whose path ends so.
    pub fn is_of(&self, file: &str) -> bool {
        self.descriptor().ends_with(&format!("/{file}>"))
    }

    /// `sync_file_range` is none: it leaves the disk's own cache and the file's size as they are.
    pub fn is_sync_of(&self, file: &str) -> bool {
        ["fsync", "fdatasync"].contains(&&*self.name) && self.is_of(file) && self.result == Some(0)
    }

    pub fn says(&self, text: &str) -> bool {
        self.arguments.contains(text)
    }
}
