//! Limits long reads, which look at many records: a few run at once, some more wait, and the rest are refused as busy.
//! So they only delay each other.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::StoreError;

/// How many may wait.
const WAITING: usize = 256;

/// How long one may wait.
const MAX_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Gate {
    /// Reads that run or wait.
    places: Arc<Semaphore>,
    /// Reads that run.
    turns: Arc<Semaphore>,
}

impl Gate {
    /// At most `at_once` at once.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(at_once + WAITING)),
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Runs the read when its turn comes, and to its end even if its caller has gone: the next one runs after it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_full| StoreError::Busy)?;
        let turn = timeout(MAX_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(StoreError::Busy);
        };
        let reading = tokio::spawn(async move {
            let result = read.await;
            drop((turn, place));
            result
        });
        reading
            .await
            .unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::{Gate, WAITING};
    use crate::StoreError;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_is_told_at_once_and_who_gets_no_turn_in_time() {
        let gate = Gate::new(1);
        let reading = gate.run(pending::<Result<(), _>>());
        let waiting = (0..WAITING).map(|_| gate.run(async { Ok(()) }));
        let crowd = futures_util::future::join(reading, futures_util::future::join_all(waiting));
        tokio::pin!(crowd);
        tokio::select! {
            biased;
            _ = &mut crowd => unreachable!("the first one never ends"),
            () = tokio::task::yield_now() => {}
        }
        let refused = gate.run(async { Ok(()) }).await;
        assert!(matches!(refused, Err(StoreError::Busy)));
        tokio::select! {
            _ = &mut crowd => unreachable!("the first one never ends"),
            () = tokio::time::sleep(super::MAX_WAIT * 2) => {}
        }
        let late = gate.run(async { Ok(()) }).await;
        assert!(
            matches!(late, Err(StoreError::Busy)),
            "its turn never comes"
        );
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_any_more_keeps_its_turn_until_it_ends() {
        let gate = Gate::new(1);
        let (end, ended) = oneshot::channel::<()>();
        {
            let reading = gate.run(async move {
                ended.await.ok();
                Ok(())
            });
            tokio::pin!(reading);
            tokio::select! {
                biased;
                _ = &mut reading => unreachable!("it waits"),
                () = tokio::task::yield_now() => {}
            }
        }
        assert_eq!(gate.turns.available_permits(), 0);
        end.send(()).expect("it is still read");
        gate.run(async { Ok(()) }).await.expect("its turn comes");
    }
}
