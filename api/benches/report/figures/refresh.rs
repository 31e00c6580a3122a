//! `POST /refresh` beside writing the same record to the same disk, flushed and synced.

use std::sync::atomic::{AtomicU64, Ordering};

use password_auth_core::tokens::RefreshTokens;
use password_auth_model::{Clock as _, Generation, SessionId, SystemClock};
use tokio::runtime::Runtime;

use crate::bare::{RawStore, RawWriter};
use crate::client::Connection;
use crate::load::{Chain, drive, drive_threads};
use crate::process::{Hashing, Process, credentials_of, register, sign_in};
use crate::report::{Figure, Goal};
use crate::stats::duel;
use crate::storage::Storage;
use crate::{Outcome, Settings};

pub(super) const ONE: &str = "refresh-1";
pub(super) const MANY: &str = "refresh-64";

const CONNECTIONS: u16 = 64;

pub(super) fn measure_one(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let server = Process::server(settings, Hashing::Cheap)?;
    let raw = RawStore::open()?;
    let mut chain = runtime.block_on(chains(&server, 1))?;
    let count = AtomicU64::new(0);
    let write = || raw.write_durably(count.fetch_add(1, Ordering::Relaxed));
    let duel = duel(
        settings,
        &mut || runtime.block_on(drive(&mut chain, settings.slice)),
        &mut || drive_threads(1, settings.slice, write),
    )?;
    Ok(Figure::duel(
        ONE,
        "POST /refresh, 1 connection".to_owned(),
        "/s",
        &duel,
        "sled, flush and sync of each",
        None,
    ))
}

/// Beside a server that does the least that could pass for it, and beside the store alone.
pub(super) fn measure_many(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    let server = Process::server(settings, Hashing::Cheap)?;
    let bare = Process::bare()?;
    let raw = RawStore::open()?;
    let mut ours = runtime.block_on(chains(&server, CONNECTIONS))?;
    let mut beside = runtime.block_on(bare_chains(&bare))?;
    let with_bare = duel(
        settings,
        &mut || runtime.block_on(drive(&mut ours, settings.slice)),
        &mut || runtime.block_on(drive(&mut beside, settings.slice)),
    )?;
    let mut writers = RawWriter::many(&raw, CONNECTIONS.into());
    let with_store = duel(
        settings,
        &mut || runtime.block_on(drive(&mut ours, settings.slice)),
        &mut || runtime.block_on(drive(&mut writers, settings.slice)),
    )?;
    let what = format!("POST /refresh, {CONNECTIONS} connections");
    let goal = Some(Goal::RatioAtLeast(0.6));
    Ok(vec![
        Figure::duel(MANY, what.clone(), "/s", &with_bare, "a bare server", goal).with_note(
            format!(
                "each connection rotates a session of its own; the bare server parses the same body, signs the same \
                 pair, and puts one record of {} bytes, committed in groups: it decides nothing",
                raw.record_len()
            ),
        ),
        Figure::duel(MANY, what, "/s", &with_store, "sled, group commit", None).with_note(format!(
            "{CONNECTIONS} writers in this process, without HTTP, tokens or transactions, each put a record and wait \
             for one thread, which flushes and syncs for all that wait"
        )),
    ])
}

async fn bare_chains(bare: &Process) -> Outcome<Vec<Chain>> {
    let tokens = RefreshTokens::new(&Storage::keys()?);
    let connections = Connection::open_many(bare.address, CONNECTIONS.into()).await?;
    let now = SystemClock.now();
    let chains = connections.into_iter().map(|connection| Chain {
        connection,
        token: tokens.issue(SessionId::new(now), Generation(0)),
    });
    Ok(chains.collect())
}

/// A user for each connection: one user has 50 sessions at most.
async fn chains(server: &Process, count: u16) -> Outcome<Vec<Chain>> {
    let connections = Connection::open_many(server.address, count.into()).await?;
    let mut chains = Vec::new();
    for (number, mut connection) in connections.into_iter().enumerate() {
        let user = credentials_of(&format!("user{number}"));
        register(&mut connection, &user).await?;
        let token = sign_in(&mut connection, &user).await?.refresh_token;
        chains.push(Chain { connection, token });
    }
    Ok(chains)
}
