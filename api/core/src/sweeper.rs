//! Removes expired records periodically.

use std::sync::Arc;
use std::time::Duration;

use password_auth_model::SharedClock;
use password_auth_store::Store;

/// The pause between two sweeps.
const REST: Duration = Duration::from_secs(60);

/// Sweeps until it is dropped. A sweep that fails is logged, and tried again after the pause.
pub async fn run_sweeper(store: Arc<dyn Store>, clock: SharedClock) {
    let mut rest = tokio::time::interval(REST);
    rest.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rest.tick().await;
        match store.sweep(clock.now()).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "swept what had expired"),
            Err(error) => tracing::warn!(%error, "the sweep failed"),
        }
    }
}
