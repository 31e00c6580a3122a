//! One run of a server, held by a shell that outlives neither it nor us.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStderr, ChildStdin, Stdio};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use crate::folder::Folder;
use crate::programs::program;

/// Holds the server, and ends it as we say, or at once when we are gone.
///
/// `KILL` is for all of its processes: a first one that is stopped starts no more of them. It also takes
/// away the segment of shared memory that a server which is killed leaves behind for good.
const KEEPER: &str = r#"
"$@" </dev/null &
server=$!
exec 2>/dev/null
all() { kill -s "$1" "$server" $(cat "/proc/$server/task/$server/children"); }
while read -r how || how=QUIT; do
    case $how in
        STOP)
            kill -s STOP "$server"
            all STOP
            ;;
        STOP\ *)
            kill -s STOP "${how#STOP }"
            ;;
        KILL)
            segment=$(awk 'NR == 7 { print $2 }' data/postmaster.pid)
            kill -s STOP "$server"
            all KILL
            wait
            ipcrm -m "$segment"
            exit
            ;;
        *)
            kill -s "$how" "$server"
            all CONT
            wait
            exit
            ;;
    esac
done
"#;

/// How long a start may take, on a machine that does a lot besides.
const START: Duration = Duration::from_secs(120);

/// How a server ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// In order, without waiting for its clients: PostgreSQL's "fast".
    Fast,
    /// As when the machine fails.
    Kill,
}

/// What a server has written to standard error so far.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    ended: bool,
}

pub(crate) struct Server {
    keeper: Child,
    orders: Option<ChildStdin>,
    log: watch::Receiver<Log>,
}

impl Server {
    /// Starts and waits until it accepts connections; `Err` with what it wrote if it ends before.
    pub(crate) async fn start(folder: &Folder, port: u16) -> Result<Self, String> {
        let mut keeper = folder.command("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(program("postgres"));
        keeper.arg("-D").arg(folder.data());
        keeper.args(["-p", &port.to_string()]);
        let mut keeper = keeper.stdin(Stdio::piped()).spawn().expect("sh runs");
        let (writer, log) = watch::channel(Log::default());
        let errors = keeper.stderr.take().expect("piped");
        thread::spawn(move || read_log(errors, &writer));
        let server = Self {
            orders: keeper.stdin.take(),
            keeper,
            log,
        };
        // A standby says "… read-only connections".
        let ready = server.logs(0, "database system is ready to accept");
        match tokio::time::timeout(START, ready).await {
            Ok(true) => Ok(server),
            Ok(false) | Err(_) => Err(server.log()),
        }
    }

    pub(crate) async fn end(mut self, how: End) {
        let order = match how {
            End::Fast => "INT\n",
            End::Kill => "KILL\n",
        };
        self.order(order);
        let mut log = self.log.clone();
        let ended = tokio::task::spawn_blocking(move || drop(self)).await;
        ended.expect("it ended");
        // The keeper has waited for the first process alone. While others that were killed still have the shared
        // memory, the data cannot be served again.
        let all_ended = log.wait_for(|log| log.ended).await;
        all_ended.expect("its log is read to the end");
    }

    /// Stops all of its processes where they are. They stay, and their connections, too.
    pub(crate) fn freeze(&mut self, folder: &Folder) {
        self.order("STOP\n");
        let pid = fs::read_to_string(folder.data().join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().expect("its number").to_owned();
        // No event tells that a process has stopped.
        while !stopped_with_children(&pid) {
            thread::yield_now();
        }
    }

    /// Stops one of its processes.
    pub(crate) fn freeze_one(&mut self, pid: &str) {
        self.order(&format!("STOP {pid}\n"));
        while !stopped(pid) {
            thread::yield_now();
        }
    }

    fn order(&mut self, order: &str) {
        if let Some(orders) = &mut self.orders {
            orders.write_all(order.as_bytes()).expect("it is there");
        }
    }

    /// How many lines it has written.
    pub(crate) fn logged(&self) -> usize {
        self.log.borrow().lines.len()
    }

    /// Waits for a line with that in it, after the first so many; `false` if the server ends before.
    pub(crate) async fn logs(&self, after: usize, part: &str) -> bool {
        let is_there = |log: &Log| log.lines.iter().skip(after).any(|line| line.contains(part));
        let mut log = self.log.clone();
        let met = log.wait_for(|log| log.ended || is_there(log)).await;
        met.is_ok_and(|log| is_there(&log))
    }

    pub(crate) fn log(&self) -> String {
        self.log.borrow().lines.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.orders = None;
        self.keeper.wait().ok();
    }
}

/// To the end, which comes when the last of its processes is gone.
fn read_log(errors: ChildStderr, log: &watch::Sender<Log>) {
    for line in BufReader::new(errors).lines() {
        let Ok(line) = line else { break };
        log.send_modify(|log| log.lines.push(line));
    }
    log.send_modify(|log| log.ended = true);
}

fn stopped_with_children(pid: &str) -> bool {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.expect("it is there");
    std::iter::once(pid)
        .chain(children.split_whitespace())
        .all(stopped)
}

fn stopped(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status"));
    // One that has ended meanwhile answers nobody either.
    status.map_or(true, |status| {
        status.contains("State:\tT") || status.contains("State:\tZ")
    })
}
