//! Transactions. Each has a connection of its own while it lasts.
//!
//! A transaction runs in its own task: even if its caller gives up, it ends before its connection returns to the pool.
//! A transaction that takes too long is given up together with its connection, so that a database that hangs does not
//! block the use of its successor.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, TimeoutType};
use password_auth_model::measure::Histogram;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::connect::{Connection, Connector, Parameters, Purpose};
use super::error::{DatabaseError, describe};
use super::{MAX_WAIT, OpenError};
use crate::StoreError;

/// A closure for [`PostgresStore::durable`](super::PostgresStore) and `relaxed`, which may call it twice: it has copies of
/// what it takes.
macro_rules! work {
    ($($taken:ident),*; |$transaction:ident| $work:expr) => {
        move |$transaction| {
            $(let $taken = $taken.clone();)*
            Box::pin(async move { $work.await })
        }
    };
}

pub(super) use work;

/// How long a caller waits for a transaction and its commit: less than any client waits for the server. A commit takes
/// long if the standby does not respond.
const ANSWER: Duration = Duration::from_secs(8);

/// How long a transaction may keep its connection. Nobody waits longer than that.
const HELD: Duration = ANSWER;

/// How long a rollback may take before the connection is dropped instead of returned to the pool.
const ROLL_BACK: Duration = Duration::from_secs(2);

const NO_ANSWER: &str = "the database or its standby does not respond";

/// The work of a transaction. It may run twice: again if the connection was lost before the commit.
pub(super) type Work<T> = Arc<dyn for<'a> Fn(&'a Transaction<'a>) -> Pending<'a, T> + Send + Sync>;

pub(super) type Pending<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, DatabaseError>> + Send + 'a>>;

/// A transaction that has begun.
pub(super) struct Transaction<'a> {
    connection: &'a Connection,
    asked: Instant,
    /// The result of the COMMIT, if it was sent with the last statement.
    committed: OnceLock<Result<(), tokio_postgres::Error>>,
}

impl Transaction<'_> {
    pub(super) async fn row(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, DatabaseError> {
        Ok(self.connection.row(sql, parameters).await?)
    }

    pub(super) async fn rows(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, DatabaseError> {
        Ok(self.connection.rows(sql, parameters).await?)
    }

    pub(super) async fn rows_of_both(
        &self,
        first: (&'static str, Parameters<'_>),
        second: (&'static str, Parameters<'_>),
    ) -> Result<(Option<Row>, Option<Row>), DatabaseError> {
        Ok(self.connection.rows_of_both(first, second).await?)
    }

    pub(super) async fn execute(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, DatabaseError> {
        Ok(self.connection.execute(sql, parameters).await?)
    }

    /// Like [`execute`](Self::execute), together with the COMMIT: one round trip less, and shorter locks. Only for the
    /// last statement of the work: if it fails, the COMMIT rolls back. Not for the first one: it may meet a broken
    /// connection, and a statement that was sent with a COMMIT is not tried again.
    pub(super) async fn execute_and_commit(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<u64, DatabaseError> {
        let statement = self.connection.statement(sql).await?;
        self.connection.take_warning();
        let (changed, committed) = tokio::join!(
            self.connection.client.execute(&statement, parameters),
            self.connection.client.batch_execute("COMMIT"),
        );
        self.committed.set(committed).ok();
        Ok(changed?)
    }

    /// How long the work has waited. `Err` if it has waited so long that its client no longer expects it.
    pub(super) fn waited(&self) -> Result<Duration, DatabaseError> {
        let waited = self.asked.elapsed();
        if waited > MAX_WAIT {
            return Err(DatabaseError::Store(StoreError::Busy));
        }
        Ok(waited)
    }

    /// For a result that depends on another transaction: makes the commit wait for the standby like that one. What is
    /// visible here may be missing on the standby if the other wait was cancelled.
    pub(super) async fn wait_for_what_was_read(&self) -> Result<(), DatabaseError> {
        const MARK: &str = "SELECT pg_logical_emit_message(true, 'password-auth', '')";
        self.execute(MARK, &[]).await?;
        Ok(())
    }
}

/// A pool of connections for transactions of one purpose.
#[derive(Clone)]
pub(super) struct Pool {
    connections: managed::Pool<Manager>,
    pub(super) times: Arc<Histogram>,
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        purpose: Purpose,
        size: usize,
    ) -> Result<Self, OpenError> {
        managed::Pool::builder(Manager { connector, purpose })
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(MAX_WAIT))
            // The last used connection first, so that connections that are not needed stay idle.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map(|connections| Self {
                connections,
                times: Arc::new(Histogram::of_times()),
            })
            .map_err(|error| OpenError::Pool(error.to_string()))
    }

    /// Runs `work` in a transaction. Returns `Ok` once it is committed, as durably as the pool's purpose promises.
    pub(super) async fn run<T: Send + 'static>(&self, work: Work<T>) -> Result<T, StoreError> {
        let _timer = self.times.timer();
        let (pool, asked) = (self.clone(), Instant::now());
        let running = tokio::spawn(async move { pool.run_to_its_end(&work, asked).await });
        match timeout(ANSWER, running).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panicked)) => Err(StoreError::Unavailable("a transaction panicked".to_owned())),
            Err(_elapsed) => Err(StoreError::Unavailable(NO_ANSWER.to_owned())),
        }
    }

    async fn run_to_its_end<T>(&self, work: &Work<T>, asked: Instant) -> Result<T, StoreError> {
        let first = match self.try_once(work, asked).await {
            Err(Attempt::NothingDone(failure)) if failure.is_lost_connection() => {
                self.try_once(work, asked).await
            }
            result => result,
        };
        first.map_err(|attempt| match attempt {
            Attempt::NothingDone(failure) => failure.into(),
            Attempt::Unknown(why) => StoreError::Unavailable(why),
        })
    }

    async fn try_once<T>(&self, work: &Work<T>, asked: Instant) -> Result<T, Attempt> {
        let connection = self.get().await.map_err(Attempt::NothingDone)?;
        let Ok(ended) = timeout(HELD, transact(&connection, work, asked)).await else {
            self.give_up(connection);
            return Err(Attempt::Unknown(NO_ANSWER.to_owned()));
        };
        if !ended.cleanly {
            drop(Object::take(connection));
        }
        ended.result
    }

    /// Idle connections lead to the same server and are not used again.
    fn give_up(&self, connection: Object<Manager>) {
        let connector = &self.connections.manager().connector;
        connector.give_up(Object::take(connection));
    }

    async fn get(&self) -> Result<Object<Manager>, DatabaseError> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Timeout(TimeoutType::Wait) => DatabaseError::Store(StoreError::Busy),
            PoolError::Backend(why) => DatabaseError::Unreachable(why),
            other => DatabaseError::Unreachable(other.to_string()),
        })
    }

    pub(super) fn close(&self) {
        self.connections.close();
    }
}

/// How an attempt failed.
enum Attempt {
    /// It had no effect.
    NothingDone(DatabaseError),
    /// The commit was sent and may or may not have succeeded.
    Unknown(String),
}

/// How a transaction ended.
struct Ended<T> {
    result: Result<T, Attempt>,
    /// Whether its connection may return to the pool.
    cleanly: bool,
}

async fn transact<T>(connection: &Connection, work: &Work<T>, asked: Instant) -> Ended<T> {
    let transaction = Transaction {
        connection,
        asked,
        committed: OnceLock::new(),
    };
    if let Err(failure) = transaction.waited() {
        return Ended {
            result: Err(Attempt::NothingDone(failure)),
            cleanly: true,
        };
    }
    // Pipelined: the first statement does not wait for the response to BEGIN.
    let begin = connection.client.batch_execute("BEGIN");
    let (begun, worked) = tokio::join!(begin, work(&transaction));
    let worked = begun.map_err(DatabaseError::from).and(worked);
    let committed = match (transaction.committed.into_inner(), worked.is_ok()) {
        // Also if the statement before it got no response: the outcome is unknown.
        (Some(committed), _) => committed,
        (None, true) => {
            connection.take_warning();
            connection.client.batch_execute("COMMIT").await
        }
        (None, false) => Ok(()),
    };
    let warned = connection.take_warning();
    let unknown = |why| Err(Attempt::Unknown(why));
    let cleanly = match (&committed, &worked) {
        (Ok(()), Err(_)) => roll_back(connection).await,
        (committed, _) => committed.is_ok(),
    };
    let result = match (committed, worked) {
        (Err(error), _) => unknown(format!("the commit failed: {}", describe(&error))),
        (Ok(()), Err(failure)) => Err(Attempt::NothingDone(failure)),
        (Ok(()), Ok(_)) if warned => {
            unknown("the commit was not confirmed by the standby".to_owned())
        }
        (Ok(()), Ok(value)) => Ok(value),
    };
    Ended { result, cleanly }
}

/// Returns whether it succeeded.
async fn roll_back(connection: &Connection) -> bool {
    let rolled_back = timeout(ROLL_BACK, connection.client.batch_execute("ROLLBACK")).await;
    matches!(rolled_back, Ok(Ok(())))
}

struct Manager {
    connector: Connector,
    purpose: Purpose,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = String;

    async fn create(&self) -> Result<Connection, String> {
        self.connector.connect(self.purpose).await
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        _: &Metrics,
    ) -> managed::RecycleResult<String> {
        if self.connector.trusts(connection) {
            Ok(())
        } else {
            Err(RecycleError::message("closed, or given up"))
        }
    }
}
