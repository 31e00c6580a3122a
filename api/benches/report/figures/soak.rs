//! Steady sign-in and sign-out on a small live set, until that has been replaced ten times over: what disk and
//! memory hold then, beside what they held after the first time. What was signed out must not pile up.

use std::collections::VecDeque;

use password_auth_wire::{Credentials, Logout, Refresh, Secret, Tokens};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::client::{Connection, get_with_token, post};
use crate::process::{Hashing, Process, credentials_of};
use crate::report::{Figure, Goal};
use crate::stats::Short;
use crate::storage::{Engine, Storage};
use crate::{Outcome, Settings, Soak};

pub(super) const SLED: &str = "soak-sled";
pub(super) const POSTGRES: &str = "soak-postgres";

const SESSIONS_EACH: usize = 2;
/// All of them sign in from one address, which has a share of the hashing pool's places.
const CONNECTIONS: usize = 8;
/// Refreshes in the life of a session.
const REFRESHES: usize = 3;

/// How much more there may be after the tenth turnover than after the fifth.
const LEVEL: Goal = Goal::RatioAtMost(1.2);

pub(super) fn sled(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    measure(SLED, Engine::Sled, runtime, settings)
}

pub(super) fn postgres(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    measure(POSTGRES, Engine::Postgres, runtime, settings)
}

fn measure(
    name: &'static str,
    engine: Engine,
    runtime: &Runtime,
    settings: &Settings,
) -> Outcome<Vec<Figure>> {
    let storage = Storage::new(runtime, engine)?;
    storage.hurry_housekeeping(runtime);
    let server = Process::server_on(settings, Hashing::Cheap, &storage)?;
    let Soak { users, turnovers } = settings.soak;
    let mut clients = runtime.block_on(SoakClient::many(&server, users))?;
    // The live set itself, and then each turnover.
    let mut disk = Vec::new();
    let mut memory = Vec::new();
    for turnover in 0..=turnovers {
        eprint!(".");
        let work = if turnover == 0 {
            Work::Fill
        } else {
            Work::TurnOver
        };
        runtime.block_on(each(&mut clients, work))?;
        disk.push(storage.bytes(runtime)? / f64::from(1 << 20));
        memory.push(server.memory()?);
    }
    let level = |what: &str, values: &[f64]| {
        let at = |turnover: usize| values.get(turnover).copied().unwrap_or(f64::NAN);
        let figure = Figure::beside(
            name,
            format!("{name}: {what} after {turnovers} turnovers"),
            "MiB",
            (at(turnovers), at(turnovers / 2)),
            "after half of them",
            Some(LEVEL),
        );
        let course: Vec<String> = values
            .iter()
            .map(|value| Short(*value).to_string())
            .collect();
        figure.with_note(format!(
            "{what}, with {} sessions, filled and then replaced {turnovers} times, each refreshed {REFRESHES} times \
             in its life; MiB after each: {}",
            users * SESSIONS_EACH,
            course.join(", ")
        ))
    };
    Ok(vec![level("disk", &disk), level("memory", &memory)])
}

#[derive(Clone, Copy)]
enum Work {
    Fill,
    TurnOver,
}

async fn each(clients: &mut Vec<SoakClient>, work: Work) -> Outcome<()> {
    let mut running = JoinSet::new();
    for mut client in clients.drain(..) {
        running.spawn(async move {
            match work {
                Work::Fill => client.fill().await?,
                Work::TurnOver => client.turn_over().await?,
            }
            Outcome::Ok(client)
        });
    }
    while let Some(client) = running.join_next().await {
        clients.push(client??);
    }
    Ok(())
}

/// Some of the users, who sign in and out over one connection.
struct SoakClient {
    connection: Connection,
    users: Vec<Credentials>,
    /// Whose they are, and their refresh tokens, the oldest first.
    sessions: VecDeque<(usize, Secret)>,
}

impl SoakClient {
    async fn many(server: &Process, users: usize) -> Outcome<Vec<Self>> {
        let connections = Connection::open_many(server.address, CONNECTIONS).await?;
        let clients = connections.into_iter().enumerate();
        Ok(clients
            .map(|(client, connection)| Self {
                connection,
                users: (client..users)
                    .step_by(CONNECTIONS)
                    .map(|number| credentials_of(&format!("soak{number}")))
                    .collect(),
                sessions: VecDeque::new(),
            })
            .collect())
    }

    async fn fill(&mut self) -> Outcome<()> {
        for user in 0..self.users.len() {
            let request = post("/register", &self.users[user])?;
            self.connection.ask(&request).await?.ok()?;
            for _ in 0..SESSIONS_EACH {
                self.sign_in(user).await?;
            }
        }
        Ok(())
    }

    /// Ends each session that there is, and puts another in its place.
    async fn turn_over(&mut self) -> Outcome<()> {
        for _ in 0..self.sessions.len() {
            let Some((user, refresh_token)) = self.sessions.pop_front() else {
                return Ok(());
            };
            let refresh_token = Some(refresh_token);
            let request = post("/logout", &Logout { refresh_token })?;
            self.connection.ask(&request).await?.ok()?;
            self.sign_in(user).await?;
        }
        Ok(())
    }

    /// Signs in, and uses the session.
    async fn sign_in(&mut self, user: usize) -> Outcome<()> {
        let request = post("/authenticate", &self.users[user])?;
        let mut tokens = self.tokens(&request).await?;
        for _ in 0..REFRESHES {
            let request = get_with_token("/protected", &tokens.access_token);
            self.connection.ask(&request).await?.ok()?;
            let refresh_token = tokens.refresh_token;
            tokens = self
                .tokens(&post("/refresh", &Refresh { refresh_token })?)
                .await?;
        }
        self.sessions.push_back((user, tokens.refresh_token));
        Ok(())
    }

    async fn tokens(&mut self, request: &[u8]) -> Outcome<Tokens> {
        self.connection.ask(request).await?.tokens()
    }
}
