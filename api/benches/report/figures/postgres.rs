//! What keeping everything in PostgreSQL costs: the same requests on the same thousand users, beside sled, and
//! beside PostgreSQL asked without a server of ours in between.

use std::marker::PhantomData;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_postgres::types::{FromSql, ToSql};
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use crate::load::{Step, drive};
use crate::machine::cpu_seconds_of;
use crate::report::{Figure, Goal};
use crate::side::{Asked, CpuOf, Side};
use crate::stats::{Short, duel};
use crate::storage::{Engine, Storage};
use crate::traffic::{CONNECTIONS, Prepared, Rotation, Traffic};
use crate::{Outcome, Settings};

pub(super) const NAME: &str = "postgres";

const USERS: u32 = 1_000;

/// As many connections as the server has for reads, and for writes that must be durable.
const READ_CONNECTIONS: usize = 2;
const WRITE_CONNECTIONS: usize = 16;

/// A lookup as the server needs it: what it reads of a session and its user, and no more.
const LOOK_UP: Bare<Uuid> = Bare {
    connections: READ_CONNECTIONS,
    keys: "SELECT id FROM sessions ORDER BY id",
    sql: "SELECT s.id, s.user_id, s.generation, s.epoch, s.expires_at, s.ended, s.confirmed, s.trail -> 'elsewhere', \
          u.username, u.role, u.is_active FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1",
    rows: 1,
    key: PhantomData,
};
/// On a copy: what the server presents must stay the session's generation.
const WRITE: Bare<i64> = Bare {
    connections: WRITE_CONNECTIONS,
    keys: "SELECT number FROM bare_sessions ORDER BY number",
    sql: "UPDATE bare_sessions SET last_used = last_used + 1, generation = generation + 1 WHERE number = $1",
    rows: 0,
    key: PhantomData,
};

pub(super) fn measure(runtime: &Runtime, settings: &Settings) -> Outcome<Vec<Figure>> {
    let postgres = Side::fill(runtime, Engine::Postgres, USERS)?;
    let sled = Side::fill(runtime, Engine::Sled, USERS)?;
    postgres.start(settings)?;
    sled.start(settings)?;
    let lookups = Asked::<Prepared>::new(&postgres);
    // One for both comparisons: it knows how often each session was rotated.
    let rotations = Asked::<Rotation>::new(&postgres);
    Ok(vec![
        beside_sled(runtime, settings, &lookups, &sled)?,
        beside_sled(runtime, settings, &rotations, &sled)?,
        beside_bare(
            runtime,
            settings,
            &lookups,
            &LOOK_UP,
            Some(Goal::RatioAtLeast(0.8)),
        )?,
        beside_bare(runtime, settings, &rotations, &WRITE, None)?,
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

fn beside_bare<T: Traffic, K: Key>(
    runtime: &Runtime,
    settings: &Settings,
    ours: &Asked<'_, T>,
    bare: &Bare<K>,
    goal: Option<Goal>,
) -> Outcome<Figure> {
    let connections = bare.connections;
    let mut bare = runtime.block_on(bare.clients(&ours.side.storage))?;
    // The load has its share on both sides.
    let load = std::process::id();
    let all = || Ok(ours.side.cpu_seconds()? + cpu_seconds_of(load)?.own);
    let (our_cpu, bare_cpu) = (CpuOf::new(all), CpuOf::new(all));
    let rates = duel(
        settings,
        &mut || our_cpu.during(settings, || Ok(ours.ask(runtime, settings)?.rate)),
        &mut || {
            bare_cpu.during(settings, || {
                runtime.block_on(drive(&mut bare, settings.slice))
            })
        },
    )?;
    let what = format!("{} on PostgreSQL", T::WHAT);
    let (our_cpu, bare_cpu) = (our_cpu.microseconds(), bare_cpu.microseconds());
    Ok(
        Figure::duel(NAME, what, "/s", &rates, "one statement, no server", goal).with_note(format!(
            "{}: beside it {CONNECTIONS} clients in this process ask PostgreSQL over {connections} connections, one \
             prepared statement each time; processor time with the load's and the database's {} µs a request, beside \
             it {} µs, ratio {:.2}",
            T::WHAT,
            Short(our_cpu),
            Short(bare_cpu),
            bare_cpu / our_cpu
        )),
    )
}

/// What is asked without a server of ours in between: one prepared statement, for one key after the other.
struct Bare<K> {
    connections: usize,
    /// Reads the keys.
    keys: &'static str,
    sql: &'static str,
    /// How many rows the statement returns.
    rows: usize,
    key: PhantomData<K>,
}

/// A parameter of such a statement.
trait Key: ToSql + for<'a> FromSql<'a> + Send + Sync + 'static {}

impl<K: ToSql + for<'a> FromSql<'a> + Send + Sync + 'static> Key for K {}

const COPY: &str = "CREATE TABLE IF NOT EXISTS bare_sessions AS \
         SELECT row_number() OVER (ORDER BY s.id) AS number, s.* FROM sessions s; \
     CREATE INDEX IF NOT EXISTS bare_sessions_by_number ON bare_sessions (number); \
     ANALYZE bare_sessions";

impl<K: Key> Bare<K> {
    async fn clients(&self, storage: &Storage) -> Outcome<Vec<BareClient<K>>> {
        let url = storage.url().ok_or("PostgreSQL only")?;
        let mut clients = Vec::new();
        for _ in 0..self.connections {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            if clients.is_empty() {
                client.batch_execute(COPY).await?;
            }
            let statement = client.prepare(self.sql).await?;
            clients.push((Arc::new(client), statement));
        }
        let (first, _) = clients.first().ok_or("no connection")?;
        let mut keys = Vec::new();
        for row in first.query(self.keys, &[]).await? {
            keys.push(row.try_get(0)?);
        }
        let count = usize::try_from(CONNECTIONS)?;
        keys.truncate(keys.len() / count * count);
        let keys: Arc<[K]> = keys.into();
        let clients = clients.iter().cycle().take(count).enumerate();
        Ok(clients
            .map(|(next, (client, statement))| BareClient {
                client: Arc::clone(client),
                statement: statement.clone(),
                rows: self.rows,
                keys: Arc::clone(&keys),
                next,
            })
            .collect())
    }
}

/// One of the clients that ask PostgreSQL directly.
struct BareClient<K> {
    client: Arc<Client>,
    statement: Statement,
    rows: usize,
    keys: Arc<[K]>,
    next: usize,
}

impl<K: Key> Step for BareClient<K> {
    async fn step(&mut self) -> Outcome<()> {
        let key = &self.keys[self.next % self.keys.len()];
        let rows = self.client.query(&self.statement, &[key]).await?;
        // Another one each time, and none that another client has.
        self.next += usize::try_from(CONNECTIONS)?;
        if rows.len() != self.rows {
            return Err(format!("{} rows", rows.len()).into());
        }
        Ok(())
    }
}
