//! `kill -9` at any moment: what was acknowledged is there again after the next start.
//!
//! Kills the process, not the machine: what the kernel had taken survives here even without a sync, which
//! `sync_trace.rs` watches instead, and `power_loss.rs` takes away.

mod aimed;

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::actor::{Actor, Server, Servers, Tally, check_all};
use crate::support::{Random, ServerProcess, everyday_or_long};

/// Every day.
const KILLS: usize = 40;
const FIRST_STARTS: usize = 12;

/// With `PASSWORD_AUTH_LONG=1`.
const LONG_KILLS: usize = 1_000;
const LONG_FIRST_STARTS: usize = 200;

/// Actors at once.
const ACTORS: usize = 16;

/// A kill under load comes after so many acknowledged writes at most.
const LOAD: usize = 400;

/// And then within so many microseconds.
const JITTER_MICROS: usize = 5_000;

const SIGKILL: i32 = 9;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_at_any_moment() {
    let (seed, kills) = (Random::seed(), everyday_or_long(KILLS, LONG_KILLS));
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these {kills} kills");
    let mut run = Run::new(seed);
    // A kill may come too late for a phase; it is tried again then.
    while run.kills.sum() < kills || !run.kills.hit_every_phase() {
        assert!(
            run.rounds < 10 * kills,
            "a phase is not hit: {:#?}",
            run.kills
        );
        run.round().await;
    }
    let tally = run.finish().await;
    println!("{:#?}\n{tally:?}", run.kills);
    let Tally {
        registered,
        contended,
        signed_in,
        refreshed,
        refreshed_twice_at_once,
        signed_out,
        ..
    } = tally;
    for acknowledged in [
        registered,
        contended,
        signed_in,
        refreshed,
        refreshed_twice_at_once,
        signed_out,
    ] {
        assert!(acknowledged > 0, "no load: {tally:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_is_killed_at_any_moment_leaves_a_folder_that_serves() {
    let (seed, folders) = (
        Random::seed(),
        everyday_or_long(FIRST_STARTS, LONG_FIRST_STARTS),
    );
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices in these {folders} folders");
    let mut random = Random::new(seed);
    let mut usual_start = Duration::ZERO;
    for _ in 0..folders {
        let folder = tempfile::tempdir().expect("a folder");
        if usual_start != Duration::ZERO {
            for _ in 0..=random.below(3) {
                kill_while_starting(folder.path(), random_part(&mut random, usual_start)).await;
            }
        }
        let (server, took) = start(folder.path()).await;
        usual_start = took;
        server.client().sign_up("Alice").await;
        assert_eq!(server.kill().await, "", "the server complained");
    }
}

/// How often the server was killed, and when.
#[derive(Debug, Default)]
struct Kills {
    under_load: usize,
    between_a_write_and_its_sync: usize,
    while_sweeping: usize,
    while_stopping: usize,
    while_starting: usize,
    while_starting_at_a_call: usize,
    /// It had done what it was to be killed in before the kill came.
    too_late: usize,
}

impl Kills {
    /// Of each phase.
    const fn phases(&self) -> [usize; 6] {
        [
            self.under_load,
            self.between_a_write_and_its_sync,
            self.while_sweeping,
            self.while_stopping,
            self.while_starting,
            self.while_starting_at_a_call,
        ]
    }

    fn sum(&self) -> usize {
        self.phases().iter().sum()
    }

    fn hit_every_phase(&self) -> bool {
        !self.phases().contains(&0)
    }
}

/// What a round's kill is aimed at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Load,
    Sync,
    Sweep,
    Stop,
}

impl Aim {
    /// In turn, so that each is hit also in a short run.
    const TURNS: [Self; 7] = [
        Self::Load,
        Self::Sync,
        Self::Load,
        Self::Sweep,
        Self::Stop,
        Self::Load,
        Self::Sweep,
    ];
}

struct Run {
    random: Random,
    folder: TempDir,
    servers: Servers,
    actors: Vec<Actor>,
    acknowledged: Arc<Semaphore>,
    usual_start: Duration,
    rounds: usize,
    kills: Kills,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let acknowledged = Arc::new(Semaphore::new(0));
        let servers = Servers::default();
        let actors = (0..ACTORS)
            .map(|number| {
                Actor::new(
                    format!("Actor {number}"),
                    random.fork(),
                    servers.clone(),
                    Arc::clone(&acknowledged),
                )
            })
            .collect();
        Self {
            random,
            folder: tempfile::tempdir().expect("a folder"),
            servers,
            actors,
            acknowledged,
            usual_start: Duration::ZERO,
            rounds: 0,
            kills: Kills::default(),
        }
    }

    /// A start, a look at what the last round acknowledged, load, a kill; some starts that are killed.
    async fn round(&mut self) {
        let server = self.start().await;
        self.check(false).await;
        let unavailable = self.tally().unavailable;
        let aim = Aim::TURNS[self.rounds % Aim::TURNS.len()];
        self.rounds += 1;
        match aim {
            Aim::Load | Aim::Stop => self.load_and_kill(server, aim == Aim::Stop).await,
            Aim::Sync => self.kill_before_a_sync(server).await,
            Aim::Sweep => self.kill_while_sweeping(server).await,
        }
        assert!(
            aim == Aim::Stop || self.tally().unavailable == unavailable,
            "503 without need"
        );
        for _ in 0..self.random.below(3) {
            if self.random.percent(50) {
                self.kill_while_starting_at_a_call().await;
            } else {
                let moment = random_part(&mut self.random, self.usual_start);
                kill_while_starting(self.folder.path(), moment).await;
                self.kills.while_starting += 1;
            }
        }
    }

    /// Holds the server to everything, once more.
    async fn finish(&mut self) -> Tally {
        let server = self.start().await;
        self.check(false).await;
        self.check(true).await;
        let (status, log) = {
            server.tell_to_stop().await;
            server.ended().await
        };
        assert!(status.success(), "{status}: {log}");
        assert_eq!(log, "", "the server complained");
        self.tally()
    }

    async fn start(&mut self) -> ServerProcess {
        let (server, took) = start(self.folder.path()).await;
        self.usual_start = took;
        self.meet(&server);
        server
    }

    /// From now on everybody uses this server, which may go at any moment.
    fn meet(&self, server: &ServerProcess) {
        let one = Server::new(server.client().with_many_addresses());
        one.doom();
        self.servers.replace(one);
    }

    async fn check(&mut self, everything: bool) {
        let actors = std::mem::take(&mut self.actors);
        self.actors = check_all(actors, everything).await;
    }

    /// Everybody uses the server until it is gone.
    fn load(&mut self) -> JoinSet<Actor> {
        self.acknowledged.forget_permits(usize::MAX >> 4);
        let mut acting = JoinSet::new();
        for mut actor in self.actors.drain(..) {
            acting.spawn(async move {
                actor.act().await;
                actor
            });
        }
        acting
    }

    async fn load_and_kill(&mut self, server: ServerProcess, stopping: bool) {
        let mut acting = self.load();
        let enough = u32::try_from(1 + self.random.below(LOAD)).expect("fits");
        let acknowledged = Arc::clone(&self.acknowledged);
        tokio::select! {
            taken = acknowledged.acquire_many(enough) => taken.expect("it stays open").forget(),
            _ = acting.join_next() => panic!("the server went by itself: {}", server.kill().await),
        }
        if stopping {
            server.tell_to_stop().await;
        }
        self.wait_out_of_step().await;
        if stopping {
            let (status, log) = server.kill_if_it_runs().await;
            assert_eq!(log, "", "the server complained");
            match status.signal() {
                Some(SIGKILL) => self.kills.while_stopping += 1,
                _ => {
                    assert!(status.success(), "{status}");
                    self.kills.too_late += 1;
                }
            }
        } else {
            assert_eq!(server.kill().await, "", "the server complained");
            self.kills.under_load += 1;
        }
        self.actors = acting.join_all().await;
    }

    /// An answer is an event, and kills must not fall in step with answers: so a timer, on purpose.
    async fn wait_out_of_step(&mut self) {
        let micros = u64::try_from(self.random.below(JITTER_MICROS)).expect("fits");
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }

    fn tally(&self) -> Tally {
        let all = self.actors.iter().map(|actor| actor.tally);
        all.fold(Tally::default(), Tally::plus)
    }
}

/// The server, and how long it took to start.
async fn start(folder: &Path) -> (ServerProcess, Duration) {
    let mut command = ServerProcess::command(folder);
    // However slow the machine: the last look uses tokens of the first round.
    command.args(["--access-token-expire-minutes", "1440"]);
    let begun = Instant::now();
    let server = ServerProcess::start(command).await;
    (server, begun.elapsed())
}

/// Nothing tells from outside how far a start is: so a timer, within the time that starts take here.
async fn kill_while_starting(folder: &Path, moment: Duration) {
    let mut server = ServerProcess::command(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    tokio::time::sleep(moment).await;
    server.start_kill().expect("killed");
    let ended = server.wait_with_output().await.expect("it ended");
    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(
        ended.status.signal(),
        Some(SIGKILL),
        "it ended by itself: {log}"
    );
    assert_eq!(log, "", "the server complained");
}

fn random_part(random: &mut Random, whole: Duration) -> Duration {
    whole.mul_f64(f64::from(u32::try_from(random.below(1000)).expect("fits")) / 1000.0)
}
