//! What keeping everything in PostgreSQL costs: the same requests on the same thousand users, beside sled, and
//! beside PostgreSQL asked without a server of ours in between.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

use crate::load::{Step, drive};
use crate::report::{Figure, Goal};
use crate::side::{Asked, Side};
use crate::stats::{Short, duel};
use crate::storage::{Engine, Storage};
use crate::traffic::{CONNECTIONS, Lookup, Rotation, Traffic};
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "postgres";

const USERS: u32 = 1_000;

/// As many connections as the server has for reads, and for writes that must be durable.
const READ_CONNECTIONS: usize = 2;
const WRITE_CONNECTIONS: usize = 16;

const LOOK_UP: &str = "SELECT s.*, u.* FROM sessions s JOIN users u ON u.id = s.user_id \
     WHERE s.id = (SELECT id FROM bare_sessions WHERE number = $1)";
/// On a copy: what the server presents must stay the session's generation.
const WRITE: &str = "UPDATE bare_sessions SET last_used = last_used + 1, generation = generation + 1 \
     WHERE number = $1";

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    let postgres = Side::fill(runtime, Engine::Postgres, USERS)?;
    let sled = Side::fill(runtime, Engine::Sled, USERS)?;
    postgres.start(settings)?;
    sled.start(settings)?;
    let lookups = Asked::<Lookup>::new(&postgres);
    // One for both comparisons: it knows how often each session was rotated.
    let rotations = Asked::<Rotation>::new(&postgres);
    Ok(vec![
        beside_sled(runtime, settings, &lookups, &sled)?,
        beside_sled(runtime, settings, &rotations, &sled)?,
        beside_bare(
            runtime,
            settings,
            &lookups,
            (READ_CONNECTIONS, LOOK_UP),
            Some(Goal::RatioAtLeast(0.8)),
        )?,
        beside_bare(
            runtime,
            settings,
            &rotations,
            (WRITE_CONNECTIONS, WRITE),
            None,
        )?,
    ])
}

fn beside_sled<T: Traffic>(
    runtime: &Runtime,
    settings: &Settings,
    ours: &Asked<'_, T>,
    sled: &Side,
) -> Outcome<Figure> {
    let beside = Asked::<T>::new(sled);
    let rates = duel(
        settings,
        &mut || Ok(ours.ask(runtime, settings)?.rate),
        &mut || Ok(beside.ask(runtime, settings)?.rate),
    )?;
    let what = format!("{} on PostgreSQL", T::WHAT);
    let (ours, beside) = (ours.cost().microseconds, beside.cost().microseconds);
    Ok(
        Figure::duel(NAME, what, "/s", &rates, "on sled", None).with_note(format!(
            "{}, {CONNECTIONS} connections: processor time of the server and its database {} µs a request, on \
             sled {} µs, ratio {:.2}; both share this machine",
            T::WHAT,
            Short(ours),
            Short(beside),
            ours / beside
        )),
    )
}

fn beside_bare<T: Traffic>(
    runtime: &Runtime,
    settings: &Settings,
    ours: &Asked<'_, T>,
    (connections, sql): (usize, &str),
    goal: Option<Goal>,
) -> Outcome<Figure> {
    let mut bare = runtime.block_on(Bare::many(&ours.side.storage, connections, sql))?;
    let rates = duel(
        settings,
        &mut || Ok(ours.ask(runtime, settings)?.rate),
        &mut || runtime.block_on(drive(&mut bare, settings.slice)),
    )?;
    let what = format!("{} on PostgreSQL", T::WHAT);
    Ok(
        Figure::duel(NAME, what, "/s", &rates, "one statement, no server", goal).with_note(format!(
            "{}: beside it {CONNECTIONS} clients in this process ask PostgreSQL over {connections} connections, one \
             prepared statement each time",
            T::WHAT
        )),
    )
}

/// One of the clients that ask PostgreSQL directly.
struct Bare {
    client: Arc<Client>,
    statement: Statement,
    number: i64,
}

impl Bare {
    async fn many(storage: &Storage, connections: usize, sql: &str) -> Outcome<Vec<Self>> {
        let url = storage.url().ok_or("PostgreSQL only")?;
        let mut clients = Vec::new();
        for _ in 0..connections {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            if clients.is_empty() {
                client
                    .batch_execute(
                        "CREATE TABLE IF NOT EXISTS bare_sessions AS \
                         SELECT row_number() OVER (ORDER BY s.id) AS number, s.* FROM sessions s; \
                         CREATE INDEX IF NOT EXISTS bare_sessions_by_number ON bare_sessions (number); \
                         ANALYZE bare_sessions",
                    )
                    .await?;
            }
            let statement = client.prepare(sql).await?;
            clients.push((Arc::new(client), statement));
        }
        let numbers = (1..).zip(clients.iter().cycle());
        Ok(numbers
            .take(usize::try_from(CONNECTIONS)?)
            .map(|(number, (client, statement))| Self {
                client: Arc::clone(client),
                statement: statement.clone(),
                number,
            })
            .collect())
    }
}

impl Step for Bare {
    async fn step(&mut self) -> Outcome<()> {
        self.client
            .execute(&self.statement, &[&self.number])
            .await?;
        // Another one each time, and none that another client has.
        self.number = (self.number + i64::try_from(CONNECTIONS)?) % 1_900;
        Ok(())
    }
}
