//! From starting the process to the first answer of `GET /ping`, with an empty store.

use std::time::Instant;

use tokio::runtime::Runtime;

use crate::client::{Connection, get};
use crate::process::{Hashing, Process};
use crate::report::{Figure, Goal};
use crate::stats::duel;
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "start";

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let duel = duel(
        settings,
        &mut || {
            let start = || Process::server(settings, Hashing::Default);
            first_answer(runtime, start, "/ping")
        },
        &mut || first_answer(runtime, Process::bare, "/protected"),
    )?;
    Ok(Figure::duel(
        NAME,
        "start to first answer, empty store".to_owned(),
        "ms",
        &duel,
        "a bare poem server",
        Some(Goal::AtMost(50.0)),
    ))
}

fn first_answer(
    runtime: &Runtime,
    start: impl FnOnce() -> Outcome<Process>,
    path: &str,
) -> Outcome<f64> {
    let started = Instant::now();
    let process = start()?;
    runtime.block_on(async {
        let mut connection = Connection::open(process.address).await?;
        connection.ask(&get(path)).await?.ok()?;
        Outcome::Ok(started.elapsed().as_secs_f64() * 1000.0)
    })
}
