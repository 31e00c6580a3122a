//! Reads: a few shared connections, each with many pipelined queries.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use password_auth_model::measure::Histogram;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Row;

use super::connect::{Connection, Connector, Parameters, Purpose};
use super::error::DatabaseError;
use crate::StoreError;

/// How long a read may take. After that, the connection is given up: the server hangs.
pub(super) const READ: Duration = Duration::from_secs(5);

pub(super) struct Reads {
    connector: Connector,
    purpose: Purpose,
    slots: Vec<Slot>,
    closed: AtomicBool,
    pub(super) times: Histogram,
}

pub(super) fn does_not_respond() -> StoreError {
    StoreError::Unavailable("the database does not respond".to_owned())
}

#[derive(Default)]
struct Slot {
    current: RwLock<Option<Arc<Connection>>>,
    /// Queries that were sent and are not answered.
    under_way: AtomicUsize,
    /// Held while connecting, so that only one caller connects.
    connecting: Mutex<()>,
}

impl Reads {
    /// How many connections there are at most.
    pub(super) const fn connections(&self) -> usize {
        self.slots.len()
    }

    /// With this many connections for this purpose.
    pub(super) fn new(connector: Connector, purpose: Purpose, connections: usize) -> Self {
        Self {
            connector,
            purpose,
            slots: std::iter::repeat_with(Slot::default)
                .take(connections)
                .collect(),
            closed: AtomicBool::new(false),
            times: Histogram::of_times(),
        }
    }

    /// The first row, if there is one.
    pub(super) async fn row(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, parameters).await?.into_iter().next())
    }

    pub(super) async fn rows(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let _timer = self.times.timer();
        // A connection that hangs is one that answers nothing.
        let under_way = |number: &usize| self.slots[*number].under_way.load(Ordering::Relaxed);
        let idlest = (0..self.slots.len()).min_by_key(under_way);
        self.rows_on(idlest.unwrap_or_default(), sql, parameters)
            .await
    }

    /// The same, on the connection with this number, and not timed. A broken connection fails its next query, which is
    /// then tried once more on a new connection.
    pub(super) async fn rows_on(
        &self,
        connection: usize,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let slot = &self.slots[connection];
        let _under_way = UnderWay::of(slot);
        match self.try_rows(slot, sql, parameters).await {
            Err(failure) if failure.is_lost_connection() => {
                Ok(self.try_rows(slot, sql, parameters).await?)
            }
            result => Ok(result?),
        }
    }

    async fn try_rows(
        &self,
        slot: &Slot,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, DatabaseError> {
        let connection = self.connection(slot).await?;
        let result = match timeout(READ, connection.rows(sql, parameters)).await {
            Ok(result) => result.map_err(DatabaseError::from),
            Err(_elapsed) => {
                self.connector.doubt(&connection);
                slot.forget(&connection);
                return Err(DatabaseError::Store(does_not_respond()));
            }
        };
        if let Err(failure) = &result
            && failure.is_lost_connection()
        {
            slot.forget(&connection);
        }
        result
    }

    /// The connector, until the store is closed.
    pub(super) fn connector(&self) -> Result<&Connector, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the store was closed".to_owned()));
        }
        Ok(&self.connector)
    }

    fn trusted(&self, slot: &Slot) -> Option<Arc<Connection>> {
        slot.get()
            .filter(|connection| self.connector.trusts(connection))
    }

    async fn connection(&self, slot: &Slot) -> Result<Arc<Connection>, DatabaseError> {
        self.connector()?;
        if let Some(connection) = self.trusted(slot) {
            return Ok(connection);
        }
        let _one_at_a_time = slot.connecting.lock().await;
        if let Some(connection) = self.trusted(slot) {
            return Ok(connection);
        }
        let connection = self
            .connector
            .connect(self.purpose)
            .await
            .map_err(DatabaseError::Unreachable)?;
        let connection = Arc::new(connection);
        slot.set(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for slot in &self.slots {
            slot.set(None);
        }
    }
}

impl Slot {
    fn get(&self) -> Option<Arc<Connection>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    fn set(&self, connection: Option<Arc<Connection>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    /// Drops the connection, unless it has already been replaced.
    fn forget(&self, connection: &Arc<Connection>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, connection))
        {
            *current = None;
        }
    }
}

/// Counts a query until it is dropped, also when whoever asked gives up.
struct UnderWay<'a>(&'a Slot);

impl<'a> UnderWay<'a> {
    fn of(slot: &'a Slot) -> Self {
        slot.under_way.fetch_add(1, Ordering::Relaxed);
        Self(slot)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
