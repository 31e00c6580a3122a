//! `GET /protected` while others hammer `/authenticate`, beside its quiet value.
//!
//! The user whose times are measured has a thread of its own, and the others have one of a low priority: elsewhere they
//! would take nothing of the server's processors, and nobody would wait for their turn at a client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::client::{Connection, get_with_token, post};
use crate::process::{Hashing, Process, credentials, credentials_of, register, sign_in};
use crate::report::{Figure, Goal};
use crate::stats::{Spread, duel};
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "isolation";

const CLIENTS: u16 = 500;

/// The niceness of the clients that hammer (`sched(7)`).
const NICENESS: i32 = 10;

/// Between two requests of the user whose times are measured.
const PAUSE: Duration = Duration::from_millis(2);

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let server = Process::server(settings, Hashing::Default)?;
    let request = runtime.block_on(async {
        let mut user = Connection::open(server.address).await?;
        register(&mut user, &credentials()).await?;
        let tokens = sign_in(&mut user, &credentials()).await?;
        Outcome::Ok(get_with_token("/protected", &tokens.access_token))
    })?;
    let user = Builder::new_current_thread().enable_all().build()?;
    let others = others()?;
    let time = || {
        let times = user.block_on(probe(server.address, &request, settings.slice))?;
        Outcome::Ok(p99(times))
    };
    let rest = server.memory()?;
    let (mut refusals, mut refused, mut hashed) = (Vec::new(), 0, 0);
    let duel = duel(
        settings,
        &mut || {
            let over = Arc::new(AtomicBool::new(false));
            let mut flood = others.block_on(hammer(server.address, &over))?;
            let slow = time()?;
            over.store(true, Ordering::Relaxed);
            others.block_on(async {
                while let Some(one) = flood.join_next().await {
                    let one: Hammered = one??;
                    refusals.extend(one.refusals.iter().map(Duration::as_secs_f64));
                    refused += one.refusals.len();
                    hashed += one.hashed;
                }
                Outcome::Ok(slow)
            })
        },
        &mut || time(),
    )?;
    let peak = server.peak_memory()?;
    let refusal = Spread::of(&refusals).median * 1e3;
    Ok(Figure::duel(
        NAME,
        format!("GET /protected, p99, while {CLIENTS} clients hammer /authenticate"),
        "ms",
        &duel,
        "quiet",
        Some(Goal::RatioAtMost(3.0)),
    )
    .with_note(format!(
        "{refused} attempts were refused with 503 and Retry-After, after {refusal:.1} ms (median), and \
         {hashed} were answered 401; the clients ran on the same {} cores, at a low priority; \
         memory {rest:.1} MiB before, at most {peak:.1} MiB",
        settings.cores,
    )))
}

/// Runs the clients that hammer.
fn others() -> Outcome<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(|| {
            // As far as the system lets it.
            rustix::process::setpriority_process(None, NICENESS).ok();
        })
        .enable_all()
        .build()?)
}

/// What one client has seen.
#[derive(Default)]
struct Hammered {
    refusals: Vec<Duration>,
    hashed: usize,
}

/// Clients with an address of their own each, which ask again as soon as they are answered.
async fn hammer(server: SocketAddr, over: &Arc<AtomicBool>) -> Outcome<JoinSet<Outcome<Hammered>>> {
    let mut flood = JoinSet::new();
    for number in 0..CLIENTS {
        let [high, low] = number.to_be_bytes();
        let from = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
        let mut connection = Connection::open_from(from, server).await?;
        let request = post(
            "/authenticate",
            &credentials_of(&format!("nobody {number}")),
        )?;
        let over = Arc::clone(over);
        flood.spawn(async move {
            let mut seen = Hammered::default();
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                match connection.ask(&request).await?.status {
                    503 => seen.refusals.push(asked.elapsed()),
                    401 => seen.hashed += 1,
                    other => return Err(format!("the server answered {other}").into()),
                }
            }
            Ok(seen)
        });
    }
    Ok(flood)
}

/// How long each of many requests takes, in milliseconds.
async fn probe(server: SocketAddr, request: &[u8], slice: Duration) -> Outcome<Vec<f64>> {
    // A new one each time: the server closes what is silent for long.
    let mut user = Connection::open(server).await?;
    let started = Instant::now();
    let mut times = Vec::new();
    while started.elapsed() < slice {
        let asked = Instant::now();
        user.ask(request).await?.ok()?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(times)
}

fn p99(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times
        .get(times.len() * 99 / 100)
        .copied()
        .unwrap_or(f64::NAN)
}
