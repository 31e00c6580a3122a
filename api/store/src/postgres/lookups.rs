//! What every request reads: its session and its user, or what it needs of them. Those that are asked for while others
//! are being read are then read together, by one statement: a statement costs the database and us several times what a
//! row costs.
//!
//! The statement begins after everybody who gets its rows has asked, so it sees whatever was acknowledged before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use password_auth_model::SessionId;
use tokio::sync::{Semaphore, oneshot};
use tokio_postgres::Row;
use uuid::Uuid;

use super::reads::{READ, Reads, does_not_respond};
use super::row;
use crate::StoreError;

/// Where the session's id is, in the rows of each statement.
const SESSION_ID: usize = 0;
/// Where the rest begins.
pub(super) const REST: usize = 1;

/// Reads these columns for each session of a list.
macro_rules! select_sessions {
    ($columns:expr) => {
        concat!(
            "SELECT s.id, ",
            $columns,
            " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1)"
        )
    };
}

pub(super) use select_sessions;

pub(super) struct Lookups {
    queue: Arc<Queue>,
}

struct Queue {
    reads: Arc<Reads>,
    select: &'static str,
    waiting: Mutex<Vec<Lookup>>,
    /// One for each connection, so that one that hangs leaves the others to those who wait.
    turns: Vec<Arc<Semaphore>>,
}

struct Lookup {
    session: Uuid,
    asked: Instant,
    /// The row, if there is one. Others may have asked for the same.
    answer: oneshot::Sender<Result<Option<Arc<Row>>, StoreError>>,
}

impl Lookups {
    /// By this statement, at most one at once on each connection.
    pub(super) fn new(reads: Arc<Reads>, select: &'static str) -> Self {
        let turns = (0..reads.connections()).map(|_| Arc::new(Semaphore::new(1)));
        Self {
            queue: Arc::new(Queue {
                turns: turns.collect(),
                reads,
                select,
                waiting: Mutex::default(),
            }),
        }
    }

    pub(super) async fn row(&self, id: SessionId) -> Result<Option<Arc<Row>>, StoreError> {
        let _timer = self.queue.reads.times.timer();
        let (answer, answered) = oneshot::channel();
        self.queue.add(Lookup {
            session: row::session_id(id),
            asked: Instant::now(),
            answer,
        });
        self.queue.read_what_waits();
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("a read was given up".to_owned())))
    }
}

impl Queue {
    fn add(&self, lookup: Lookup) {
        self.lookups().push(lookup);
    }

    /// In a task of its own: whoever asked may go away. Without a turn, one of those who have one comes back here.
    fn read_what_waits(self: &Arc<Self>) {
        let mut turns = self.turns.iter().enumerate();
        let free = turns.find_map(|(connection, turns)| {
            let turn = Arc::clone(turns).try_acquire_owned().ok()?;
            Some((connection, turn))
        });
        let Some((connection, turn)) = free else {
            return;
        };
        let queue = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let lookups = std::mem::take(&mut *queue.lookups());
                if lookups.is_empty() {
                    break;
                }
                queue.read(connection, lookups).await;
            }
            drop(turn);
            // What was added a moment ago found no turn.
            if !queue.lookups().is_empty() {
                queue.read_what_waits();
            }
        });
    }

    async fn read(&self, connection: usize, mut lookups: Vec<Lookup>) {
        lookups.retain(|lookup| !lookup.answer.is_closed());
        for late in lookups.extract_if(.., |lookup| lookup.asked.elapsed() > READ) {
            late.answer.send(Err(does_not_respond())).ok();
        }
        let sessions: Vec<Uuid> = lookups.iter().map(|lookup| lookup.session).collect();
        let found = self.rows(connection, &sessions).await;
        for Lookup {
            session, answer, ..
        } in lookups
        {
            let row = match &found {
                Ok(rows) => Ok(rows.get(&session).cloned()),
                Err(error) => Err(error.clone()),
            };
            // Whoever asked may have gone.
            answer.send(row).ok();
        }
    }

    async fn rows(
        &self,
        connection: usize,
        sessions: &[Uuid],
    ) -> Result<HashMap<Uuid, Arc<Row>>, StoreError> {
        let reads = &self.reads;
        let rows = reads.rows_on(connection, self.select, &[&sessions]).await?;
        let by_session = |row: Row| Ok((row::get(&row, SESSION_ID)?, Arc::new(row)));
        rows.into_iter().map(by_session).collect()
    }

    fn lookups(&self) -> MutexGuard<'_, Vec<Lookup>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connect::Purpose;
    use super::super::plans::FilledDatabase;
    use super::super::sessions::{IDENTITIES, IDENTITIES_AND_USERS};

    #[tokio::test]
    async fn sessions_and_users_are_found_by_their_indexes_by_one_plan_however_few_they_are() {
        const FEW: &str = "INSERT INTO users (id, username, username_key, password_hash, is_active, created_at) \
             SELECT gen_random_uuid(), 'a', number, '', true, 0 FROM generate_series(1, 100) number; \
             INSERT INTO sessions (id, user_id, device, created_at, last_used, expires_at, generation, confirmed, \
                 epoch, retired) \
             SELECT gen_random_uuid(), id, '', 0, 0, 0, 0, true, 0, '[]' FROM users";
        let database = FilledDatabase::with(FEW).await;
        for select in [IDENTITIES, IDENTITIES_AND_USERS] {
            let plan = database
                .plan(Purpose::Reads.settings(), select, "'{}'")
                .await;
            for part in ["sessions_pkey", "users_pkey", "= ANY ($1)"] {
                assert!(plan.contains(part), "{part}: {plan}");
            }
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
