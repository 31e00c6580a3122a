//! The memory of the server: idle, and under many concurrent sign-ins.

use password_auth_core::passwords::ScryptParams;
use password_auth_wire::Logout;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::client::{Connection, get, post};
use crate::process::{Hashing, Process, credentials, register, sign_in};
use crate::report::{Figure, Goal};
use crate::stats::Spread;
use crate::{Outcome, Settings};

pub(super) const AT_REST: &str = "memory-at-rest";
pub(super) const UNDER_LOAD: &str = "memory-under-load";

const SIGN_INS: usize = 200;

/// What the server may hold at rest.
const REST_MIB: f64 = 16.0;

pub(super) fn at_rest(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let mut rounds = Vec::new();
    for _ in 0..settings.rounds {
        eprint!(".");
        let server = Process::server(settings, Hashing::Default)?;
        runtime.block_on(full_cycle(&server))?;
        rounds.push(server.memory()?);
    }
    Ok(Figure::alone(
        AT_REST,
        "memory at rest".to_owned(),
        "MiB",
        Spread::of(&rounds),
        Some(Goal::AtMost(REST_MIB)),
    )
    .with_note(
        "resident, after one registration, sign-in, refresh, sign-out and look at the documentation"
            .to_owned(),
    ))
}

pub(super) fn under_load(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let mut peaks = Vec::new();
    let mut rests = Vec::new();
    let mut answered = 0;
    for _ in 0..settings.rounds {
        eprint!(".");
        let server = Process::server(settings, Hashing::Default)?;
        runtime.block_on(full_cycle(&server))?;
        rests.push(server.memory()?);
        answered = runtime.block_on(sign_in_at_once(&server))?;
        peaks.push(server.peak_memory()?);
    }
    let one = u32::try_from(ScryptParams::DEFAULT.memory_bytes() >> 20)?;
    let pool = f64::from(u32::try_from(settings.cores)?) * f64::from(one);
    let (peaks, rest) = (Spread::of(&peaks), Spread::of(&rests).median);
    Ok(Figure::alone(
        UNDER_LOAD,
        format!("memory, {SIGN_INS} sign-ins at once"),
        "MiB",
        peaks,
        Some(Goal::AtMost(pool + REST_MIB)),
    )
    .with_note(format!(
        "the most ever resident; the goal is {pool} MiB, {one} for each of {} that hash at once, and the \
         goal at rest; these servers held {rest:.1} MiB before, so that {:.1} went to the connections; \
         {answered} of {SIGN_INS} were signed in, the others heard 503 at once",
        settings.cores,
        peaks.median - pool - rest,
    )))
}

/// What a person does in a day.
async fn full_cycle(server: &Process) -> Outcome<()> {
    let mut connection = Connection::open(server.address).await?;
    register(&mut connection, &credentials()).await?;
    let refresh_token = sign_in(&mut connection, &credentials())
        .await?
        .refresh_token;
    let request = post(
        "/refresh",
        &password_auth_wire::Refresh {
            refresh_token: refresh_token.clone(),
        },
    )?;
    connection.ask(&request).await?.ok()?;
    let refresh_token = Some(refresh_token);
    let request = post("/logout", &Logout { refresh_token })?;
    connection.ask(&request).await?.ok()?;
    for page in ["/docs", "/openapi.json"] {
        connection.ask(&get(page)).await?.ok()?;
    }
    Ok(())
}

/// How many of [`SIGN_INS`] were signed in; the others must have heard 503.
async fn sign_in_at_once(server: &Process) -> Outcome<usize> {
    let request = post("/authenticate", &credentials())?;
    let mut running = JoinSet::new();
    for mut connection in Connection::open_many(server.address, SIGN_INS).await? {
        let request = request.clone();
        running.spawn(async move {
            let answer = connection.ask(&request).await?;
            match answer.status {
                503 => Outcome::Ok(0),
                _ => answer.ok().map(|_| 1),
            }
        });
    }
    let mut signed_in = 0;
    while let Some(one) = running.join_next().await {
        signed_in += one??;
    }
    Ok(signed_in)
}
