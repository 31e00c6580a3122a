//! Who has a place: so many connections at once, and of these one client network a share at most, so that no single
//! host can take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use password_auth_model::client_network;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{LOOK, Limits};
use crate::client::ProxyTrust;

/// All places.
pub(super) struct ConnectionSlots {
    free: Arc<Semaphore>,
    limits: Limits,
    /// Behind one of these are many clients: it has no share.
    proxies: ProxyTrust,
    by_network: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that somebody has, until it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    network: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlots {
    pub(super) fn new(limits: Limits, proxies: ProxyTrust) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            limits,
            proxies,
            by_network: Mutex::default(),
        })
    }

    /// Waits for a free place. `None` never happens.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Gives it to `peer`; `None` if that has its share already.
    pub(super) fn give(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        peer: IpAddr,
    ) -> Option<ConnectionSlot> {
        let network = (!self.proxies.trusts(peer.to_canonical())).then(|| client_network(peer));
        if let Some(network) = network {
            let mut by_network = self
                .by_network
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let taken = by_network.entry(network).or_default();
            if *taken >= self.limits.of_one_network {
                return None;
            }
            *taken += 1;
        }
        Some(ConnectionSlot {
            slots: Arc::clone(self),
            network,
            _permit: permit,
        })
    }

    /// Waits until nobody has a place, so long at most; how many still have one.
    pub(super) async fn all_left(&self, patience: Duration) -> usize {
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        match tokio::time::timeout(patience, self.free.acquire_many(all)).await {
            Ok(_) => 0,
            Err(_elapsed) => self.limits.connections - self.free.available_permits(),
        }
    }
}

impl ConnectionSlot {
    /// Whether places run short: fewer than a quarter are free of all, or of the network's share.
    pub(super) fn is_contested(&self) -> bool {
        let Limits {
            connections,
            of_one_network: share,
            ..
        } = self.slots.limits;
        if self.slots.free.available_permits() < connections / 4 {
            return true;
        }
        self.network.is_some_and(|network| {
            let by_network = self.slots.by_network.lock();
            let by_network = by_network.unwrap_or_else(PoisonError::into_inner);
            let taken = by_network.get(&network).copied().unwrap_or_default();
            share - taken.min(share) < share / 4
        })
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let by_network = self.slots.by_network.lock();
        let mut by_network = by_network.unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = by_network.get_mut(&network) {
            *taken -= 1;
            if *taken == 0 {
                by_network.remove(&network);
            }
        }
    }
}

/// The time that the body of a request has to arrive: it goes with each request that has one.
#[derive(Clone)]
pub(crate) struct BodyTime {
    slot: Arc<ConnectionSlot>,
}

impl BodyTime {
    pub(super) const fn new(slot: Arc<ConnectionSlot>) -> Self {
        Self { slot }
    }

    /// Waits until it has passed. It gets shorter while places run short.
    pub(crate) async fn passes(self) {
        let began = Instant::now();
        let limits = self.slot.slots.limits;
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            let limit = limits.shortened(limits.body, self.slot.is_contested());
            if began.elapsed() >= limit {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionSlots, Limits, ProxyTrust};

    #[tokio::test]
    async fn one_network_gets_its_share_and_a_trusted_proxy_all() {
        let limits = Limits::of_connections(8);
        let proxies = ProxyTrust::new(vec!["10.0.0.0/8".parse().expect("a network")]);
        let slots = ConnectionSlots::new(limits, proxies);
        let mut held = Vec::new();
        for (peer, gets) in [
            ("192.0.2.1", true),
            ("192.0.2.1", true),
            ("192.0.2.1", false),
            ("::ffff:192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::2", true),
            ("2001:db8::3", false),
            ("10.0.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("10.0.0.1", true),
        ] {
            let permit = slots.free().await.expect("one is free");
            let slot = slots.give(permit, peer.parse().expect("an address"));
            assert_eq!(slot.is_some(), gets, "{peer}");
            held.extend(slot);
        }
        held.remove(0);
        let permit = slots.free().await.expect("one is free");
        let again = slots.give(permit, "192.0.2.1".parse().expect("an address"));
        assert!(again.is_some(), "what was given back counts no more");
        drop((held, again));
        assert!(slots.by_network.lock().expect("not poisoned").is_empty());
    }
}
