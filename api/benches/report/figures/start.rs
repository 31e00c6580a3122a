//! From starting the process to the first answer of `GET /ping`: the first start, which makes a store, and later ones.

use std::time::Instant;

use tokio::runtime::Runtime;

use crate::client::{Connection, get};
use crate::process::{Hashing, Process};
use crate::report::{Figure, Goal};
use crate::side::Side;
use crate::stats::duel;
use crate::storage::Engine;
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "start";

/// Users in the store of later starts.
const USERS: u32 = 1_000;

/// For a start on a store that is there. The first start makes it, and the key file.
const GOAL_MS: f64 = 10.0;

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    let side = Side::fill(runtime, Engine::Sled, USERS)?;
    let first = || Process::server(settings, Hashing::Default);
    let later = || Process::server_on(settings, Hashing::Default, &side.storage);
    Ok(vec![
        beside_bare(runtime, settings, "no store yet", &first, None)?,
        beside_bare(
            runtime,
            settings,
            "a thousand users",
            &later,
            Some(Goal::AtMost(GOAL_MS)),
        )?,
    ])
}

fn beside_bare(
    runtime: &Runtime,
    settings: &Settings,
    on: &str,
    start: &dyn Fn() -> Outcome<Process>,
    goal: Option<Goal>,
) -> Outcome<Figure> {
    let duel = duel(
        settings,
        &mut || first_answer(runtime, start, "/ping"),
        &mut || first_answer(runtime, Process::bare, "/protected"),
    )?;
    let what = format!("start to first answer, {on}");
    Ok(Figure::duel(
        NAME,
        what,
        "ms",
        &duel,
        "a bare poem server",
        goal,
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
