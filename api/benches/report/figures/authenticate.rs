//! `POST /authenticate` beside the hashing alone.

use tokio::runtime::Runtime;

use crate::bare::hash_once;
use crate::client::{Connection, post};
use crate::load::{Repeat, drive, drive_threads};
use crate::process::{Hashing, Process, credentials, register};
use crate::report::{Figure, Goal};
use crate::stats::duel;
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "authenticate";

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Figure> {
    let server = Process::server(settings, Hashing::Default)?;
    let request = post("/authenticate", &credentials())?;
    let mut clients = runtime.block_on(async {
        let mut connections = Connection::open_many(server.address, settings.cores).await?;
        if let Some(first) = connections.first_mut() {
            register(first, &credentials()).await?;
        }
        let clients = connections
            .into_iter()
            .map(|connection| Repeat::new(connection, vec![request.clone()]));
        Outcome::Ok(clients.collect())
    })?;
    let duel = duel(
        settings,
        &mut || runtime.block_on(drive(&mut clients, settings.slice)),
        &mut || drive_threads(settings.cores, settings.slice, hash_once),
    )?;
    Ok(Figure::duel(
        NAME,
        format!("POST /authenticate, {} at once", settings.cores),
        "/s",
        &duel,
        "bare scrypt, as many threads",
        Some(Goal::RatioAtLeast(0.97)),
    ))
}
