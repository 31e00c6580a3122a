//! `GET /protected` beside a bare poem-openapi route with the same answer.

use std::collections::BTreeSet;

use password_auth_core::tokens::{AccessTokens, SigningAlg};
use tokio::runtime::Runtime;

use crate::client::{Connection, get, get_with_token};
use crate::load::{Repeat, Step, drive};
use crate::population::{Population, Random};
use crate::process::{Hashing, Process};
use crate::report::{Figure, Goal};
use crate::side::{CpuOf, Side};
use crate::stats::duel;
use crate::storage::{Engine, Storage};
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "protected";

const CONNECTIONS: usize = 64;

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let side = Side::fill(runtime, Engine::Sled, u32::try_from(settings.tokens)?)?;
    let server = Process::server_on(settings, Hashing::Cheap, &side.storage)?;
    let bare = Process::bare()?;
    let (mut ours, mut beside) = runtime.block_on(async {
        let mut ours = repeat(&server, requests(&side.population, settings.tokens)?).await?;
        let beside = repeat(&bare, vec![get("/protected")]).await?;
        // Each token once, so that no round is about tokens that are new to the server.
        let each = settings.tokens.div_ceil(CONNECTIONS);
        for _ in 0..each {
            futures_util::future::try_join_all(ours.iter_mut().map(Step::step)).await?;
        }
        Outcome::Ok((ours, beside))
    })?;
    let our_cpu = CpuOf::new(|| server.cpu_seconds());
    let bare_cpu = CpuOf::new(|| bare.cpu_seconds());
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
        format!(
            "GET /protected, {} tokens, {CONNECTIONS} connections",
            settings.tokens
        ),
        "/s",
        &duel,
        "a bare poem-openapi route",
        Some(Goal::RatioAtLeast(0.8)),
    )
    .with_note(format!(
        "processor time of the server alone: {ours:.1} µs a request, the bare route {bare:.1} µs, \
         ratio {:.2}; the load's own share is left out of these",
        bare / ours
    )))
}

/// One request for each of so many sessions.
fn requests(population: &Population, count: usize) -> Outcome<Vec<Vec<u8>>> {
    let tokens = AccessTokens::new(&Storage::keys()?, SigningAlg::Hs256, "password-auth");
    let mut random = Random(0);
    let mut sessions = BTreeSet::new();
    while sessions.len() < count {
        sessions.insert(population.live_session(&mut random));
    }
    let request = |session| {
        let token = population.access_token(&tokens, session)?;
        Ok(get_with_token("/protected", &token))
    };
    sessions.into_iter().map(request).collect()
}

/// Each connection sends its share of the requests, in turn.
async fn repeat(server: &Process, requests: Vec<Vec<u8>>) -> Outcome<Vec<Repeat>> {
    let connections = Connection::open_many(server.address, CONNECTIONS).await?;
    let shares = connections.into_iter().enumerate();
    Ok(shares
        .map(|(number, connection)| {
            let share = requests.iter().skip(number).step_by(CONNECTIONS);
            let mut share: Vec<_> = share.cloned().collect();
            if share.is_empty() {
                share.clone_from(&requests);
            }
            Repeat::new(connection, share)
        })
        .collect())
}
