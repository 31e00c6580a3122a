//! Power loss at any moment: what was acknowledged is there again after the next start.
//!
//! A real server runs under strace, which writes down every call that changes a file and every answer that
//! leaves. From that the data folder is built as a power loss at some moment could have left it (see `disk`),
//! a server is started on it, and held to every answer that had left before that moment (see `ledger`).

mod calls;
mod check;
mod disk;
mod ledger;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::check::hold_to;
use self::disk::{Disk, Left};
use self::ledger::Ledger;
use crate::actor::{Actor, Server, Servers, check_all};
use crate::support::strace::{self, Call, Trace, traced};
use crate::support::{Random, ServerProcess, everyday_or_long};

/// Recorded loads, images of each, and acknowledged writes in each of a load's runs.
const RECORDINGS: (usize, usize) = (1, 5);
const IMAGES: (usize, usize) = (32, 240);
const LOAD: (usize, usize) = (250, 1_500);

const ACTORS: usize = 12;

/// Servers at once that are held to something.
const CHECKS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_power_loss_at_any_moment() {
    let seed = Random::seed();
    println!("PASSWORD_AUTH_SEED={seed} repeats the choices of these power losses");
    let mut random = Random::new(seed);
    let load = everyday_or_long(LOAD.0, LOAD.1);
    for _ in 0..everyday_or_long(RECORDINGS.0, RECORDINGS.1) {
        let recording = Recording::make(&mut random, load).await;
        let images = everyday_or_long(IMAGES.0, IMAGES.1);
        let held = recording.lose_power(images, &mut random).await;
        println!("{images} power losses, {held} acknowledged facts looked at after them");
        assert!(held > images, "no load");
    }
}

/// What some servers did, one after the other, on one folder.
struct Recording {
    root: PathBuf,
    /// Of each server, lines counted through.
    runs: Vec<Vec<Call>>,
}

impl Recording {
    /// Three runs: stopped, killed, stopped.
    async fn make(random: &mut Random, load: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let acknowledged = Arc::new(Semaphore::new(0));
        let servers = Servers::default();
        let mut actors: Vec<_> = (0..ACTORS)
            .map(|number| {
                let name = format!("Actor {number}");
                Actor::new(
                    name,
                    random.fork(),
                    servers.clone(),
                    Arc::clone(&acknowledged),
                )
            })
            .collect();
        let (mut runs, mut lines) = (Vec::new(), 0);
        let mut disk = Disk::new(folder.path());
        for killed in [false, true, false] {
            let trace = tempfile::NamedTempFile::new().expect("a file");
            let options = calls::options();
            let options = options.each_ref().map(String::as_str);
            let mut command = traced(folder.path(), trace.path(), &options).await;
            // However slow the machine: the tokens of the record are used long after it.
            command.args(["--access-token-expire-minutes", "1440"]);
            let server = ServerProcess::start(command).await;
            let one = Server::new(server.client().with_many_addresses());
            servers.replace(one.clone());
            // All of it before the load begins, at whose end the server goes.
            actors = check_all(actors, false).await;
            acknowledged.forget_permits(usize::MAX >> 4);
            one.doom();
            let mut acting = JoinSet::new();
            for mut actor in actors.drain(..) {
                acting.spawn(async move {
                    actor.act().await;
                    actor
                });
            }
            let enough = u32::try_from(load).expect("fits");
            let taken = acknowledged.acquire_many(enough).await;
            taken.expect("it stays open").forget();
            let id = server.id();
            let log = if killed {
                server.kill().await
            } else {
                server.tell_to_stop().await;
                server.ended().await.1
            };
            assert_eq!(log, "", "the server complained");
            actors = acting.join_all().await;
            let text = strace::whole(trace.path(), id).await;
            let mut run = Trace::parse(&text).calls;
            for call in &mut run {
                call.begun += lines;
                call.ended += lines;
            }
            calls::settle(&mut run, folder.path());
            disk.next_process();
            for (_, event) in events(&run) {
                event.tell(&mut disk);
            }
            expect_same(&disk, folder.path(), random);
            lines += text.lines().count();
            runs.push(run);
        }
        let root = folder.path().to_owned();
        Self { root, runs }
    }

    /// Loses power at so many moments; how many acknowledged facts were looked at.
    async fn lose_power(&self, images: usize, random: &mut Random) -> usize {
        let ledger = Arc::new(self.ledger());
        let mut moments = self.moments(images, &ledger, random);
        let mut disk = Disk::new(&self.root);
        let places = Arc::new(Semaphore::new(CHECKS));
        let mut checks = JoinSet::new();
        for run in &self.runs {
            disk.next_process();
            for (line, event) in events(run) {
                while let Some(moment) = moments.pop_if(|moment| *moment < line) {
                    let left = Left([0, 0, 30, 50, 80, 100][random.below(6)]);
                    let image = tempfile::tempdir().expect("a folder");
                    disk.after_power_loss(image.path(), left, random);
                    let place = Arc::clone(&places).acquire_owned().await;
                    let ledger = Arc::clone(&ledger);
                    checks.spawn(async move {
                        let _place = place.expect("it stays open");
                        expect_service(image, moment, left, &ledger).await
                    });
                }
                event.tell(&mut disk);
            }
        }
        checks.join_all().await.into_iter().sum()
    }

    fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        for run in &self.runs {
            ledger.next_process();
            for (_, event) in events(run) {
                match event {
                    Event::Begun(call) => ledger.begun(call),
                    Event::Ended(call) => ledger.ended(call),
                }
            }
        }
        ledger
    }

    /// Lines after which power is lost, last first: half of them right after an answer began to leave, the
    /// others around calls that concern files.
    fn moments(&self, images: usize, ledger: &Ledger, random: &mut Random) -> Vec<usize> {
        let answers = ledger.answers();
        let mut disk = Disk::new(&self.root);
        let (mut starts, mut others) = (Vec::new(), Vec::new());
        for run in &self.runs {
            disk.next_process();
            let mut concerned = Vec::new();
            for (line, event) in events(run) {
                event.tell(&mut disk);
                let (Event::Begun(call) | Event::Ended(call)) = event;
                if disk.concerns(call) {
                    concerned.push(line);
                }
            }
            others.extend(concerned.split_off(concerned.len().min(60)));
            starts.extend(concerned);
        }
        let mut moments: Vec<_> = (0..images)
            .map(|number| {
                let from = match number % 4 {
                    0 => &starts,
                    1 => &others,
                    _ => &answers,
                };
                from[random.below(from.len())]
            })
            .collect();
        moments.sort_unstable();
        moments.reverse();
        moments
    }
}

#[derive(Clone, Copy)]
enum Event<'a> {
    Begun(&'a Call),
    Ended(&'a Call),
}

impl Event<'_> {
    fn tell(self, disk: &mut Disk) {
        match self {
            Self::Begun(call) => disk.begun(call),
            Self::Ended(call) => disk.ended(call),
        }
    }
}

/// When calls began and came back, in the order of what happened.
fn events(run: &[Call]) -> Vec<(usize, Event<'_>)> {
    let begun = run.iter().map(|call| (call.begun, 0, Event::Begun(call)));
    let ended = run.iter().map(|call| (call.ended, 1, Event::Ended(call)));
    let mut events: Vec<_> = begun.chain(ended).collect();
    events.sort_by_key(|(line, order, _)| (*line, *order));
    events
        .into_iter()
        .map(|(line, _, event)| (line, event))
        .collect()
}

/// That nothing was missed: with everything that was not synced, the image is the folder.
fn expect_same(disk: &Disk, folder: &Path, random: &mut Random) {
    let image = tempfile::tempdir().expect("a folder");
    disk.after_power_loss(image.path(), Left(100), random);
    let (found, expected) = (files(image.path()), files(folder));
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "the trace misses files");
    for (name, content) in expected {
        let found = &found[&name];
        let place = found.iter().zip(&content).position(|(a, b)| a != b);
        assert!(
            *found == content,
            "the trace misses changes of {}, of {} bytes, in the trace {}, from {place:?}",
            name.display(),
            content.len(),
            found.len(),
        );
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("a kind");
        let path = entry.path();
        let name = PathBuf::from(path.file_name().expect("a name"));
        if kind.is_dir() {
            let below = files(&path).into_iter();
            all.extend(below.map(|(below, content)| (name.join(below), content)));
        } else if kind.is_file() {
            // The admin's socket of a server that was killed is none.
            all.insert(name, fs::read(&path).expect("a file"));
        }
    }
    all
}

async fn expect_service(image: TempDir, moment: usize, left: Left, ledger: &Ledger) -> usize {
    let acknowledged = ledger.at(moment);
    let path = image.path().to_owned();
    let held = tokio::spawn(async move {
        let mut command = ServerProcess::command(&path);
        command.args(["--access-token-expire-minutes", "1440"]);
        let server = ServerProcess::start(command).await;
        let client = server.client().with_many_addresses();
        let held = tokio::spawn(async move {
            let held = hold_to(&client, &acknowledged).await;
            client.sign_up("Somebody new").await;
            held
        });
        let held = held.await;
        assert_eq!(server.kill().await, "", "the server complained; {held:?}");
        held.expect("it has what it acknowledged")
    });
    match held.await {
        Ok(held) => held,
        Err(failure) => panic!(
            "power was lost after line {moment}, {left:?} % of what was not synced: {failure}; image: {}",
            image.keep().display()
        ),
    }
}
