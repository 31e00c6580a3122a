//! `GET /protected` beside a bare poem-openapi route with the same answer.

use std::cell::Cell;

use tokio::runtime::Runtime;

use crate::client::{Connection, get, get_with_token};
use crate::load::{Repeat, drive};
use crate::process::{Hashing, Process, credentials, register, sign_in};
use crate::report::{Figure, Goal};
use crate::stats::duel;
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "protected";

const CONNECTIONS: usize = 64;

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let server = Process::server(settings, Hashing::Cheap)?;
    let bare = Process::bare()?;
    let (mut ours, mut beside) = runtime.block_on(async {
        let mut first = Connection::open(server.address).await?;
        register(&mut first, &credentials()).await?;
        let token = sign_in(&mut first, &credentials()).await?.access_token;
        let request = get_with_token("/protected", &token);
        Outcome::Ok((
            repeat(&server, &request).await?,
            repeat(&bare, &get("/protected")).await?,
        ))
    })?;
    let (our_cpu, bare_cpu) = (CpuOf::new(&server), CpuOf::new(&bare));
    let duel = duel(
        settings,
        &mut || {
            our_cpu.during(settings, || {
                runtime.block_on(drive(&mut ours, settings.slice))
            })
        },
        &mut || {
            bare_cpu.during(settings, || {
                runtime.block_on(drive(&mut beside, settings.slice))
            })
        },
    )?;
    let (ours, bare) = (our_cpu.microseconds(), bare_cpu.microseconds());
    Ok(Figure::duel(
        NAME,
        format!("GET /protected, {CONNECTIONS} connections"),
        "/s",
        &duel,
        "a bare poem-openapi route",
        Some(Goal::RatioAtLeast(0.6)),
    )
    .with_note(format!(
        "processor time of the server alone: {ours:.1} µs a request, the bare route {bare:.1} µs, \
         ratio {:.2}; the load's own share is left out of these",
        bare / ours
    )))
}

async fn repeat(server: &Process, request: &[u8]) -> Outcome<Vec<Repeat>> {
    let connections = Connection::open_many(server.address, CONNECTIONS).await?;
    Ok(connections
        .into_iter()
        .map(|connection| Repeat {
            connection,
            request: request.to_vec(),
        })
        .collect())
}

/// What a server's requests cost it, over all rounds.
struct CpuOf<'a> {
    process: &'a Process,
    seconds: Cell<f64>,
    requests: Cell<f64>,
}

impl<'a> CpuOf<'a> {
    const fn new(process: &'a Process) -> Self {
        Self {
            process,
            seconds: Cell::new(0.0),
            requests: Cell::new(0.0),
        }
    }

    /// `load` says requests a second.
    fn during(&self, settings: &Settings, load: impl FnOnce() -> Outcome<f64>) -> Outcome<f64> {
        let before = self.process.cpu_seconds()?;
        let rate = load()?;
        let used = self.process.cpu_seconds()? - before;
        self.seconds.set(self.seconds.get() + used);
        let requests = rate * settings.slice.as_secs_f64();
        self.requests.set(self.requests.get() + requests);
        Ok(rate)
    }

    fn microseconds(&self) -> f64 {
        1e6 * self.seconds.get() / self.requests.get()
    }
}
