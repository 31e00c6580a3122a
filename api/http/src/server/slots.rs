//! Limits connections: a total, and a share for each client network, so that a single host cannot take all of them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use password_auth_model::NetworkShares;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{LOOK, Limits};
use crate::client::ProxyTrust;

/// All connection slots.
pub(super) struct ConnectionSlots {
    free: Arc<Semaphore>,
    limits: Limits,
    /// There are many clients behind a proxy, so it has no limit.
    proxies: ProxyTrust,
    by_clients: Mutex<NetworkShares>,
}

/// A slot, which is free again when this is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    /// `None` if it is a proxy.
    peer: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl ConnectionSlots {
    pub(super) fn new(limits: Limits, proxies: ProxyTrust) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            limits,
            proxies,
            by_clients: Mutex::new(NetworkShares::of(limits.connections)),
        })
    }

    fn by_clients(&self) -> MutexGuard<'_, NetworkShares> {
        self.by_clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a free slot. Never returns `None`.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Gives the slot to `peer`. `None` if it already has its share.
    pub(super) fn give(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        peer: IpAddr,
    ) -> Option<ConnectionSlot> {
        let counted = (!self.proxies.trusts(peer.to_canonical())).then_some(peer);
        if counted.is_some_and(|peer| !self.by_clients().take(peer)) {
            return None;
        }
        Some(ConnectionSlot {
            slots: Arc::clone(self),
            peer: counted,
            _permit: permit,
        })
    }

    /// Waits until all slots are free, at most for this time. Returns how many are still taken.
    pub(super) async fn all_left(&self, patience: Duration) -> usize {
        let all = u32::try_from(self.limits.connections).unwrap_or(u32::MAX);
        match tokio::time::timeout(patience, self.free.acquire_many(all)).await {
            Ok(_) => 0,
            Err(_elapsed) => self.limits.connections - self.free.available_permits(),
        }
    }
}

impl ConnectionSlot {
    /// Whether a response may wait on this connection. A peer's own connections cost it its share. A proxy has no share:
    /// what its clients are refused must not make slots run short.
    pub(super) fn can_rest(&self) -> bool {
        let half = self.slots.limits.connections / 2;
        self.peer.is_some() || self.slots.free.available_permits() >= half
    }

    /// Whether slots run short: less than a quarter is free, of all slots or of the network's share.
    pub(super) fn is_contested(&self) -> bool {
        let slots = &self.slots;
        slots.free.available_permits() < slots.limits.connections / 4
            || self
                .peer
                .is_some_and(|peer| slots.by_clients().run_short(peer))
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if let Some(peer) = self.peer {
            self.slots.by_clients().give_back(peer);
        }
    }
}

/// The time limit for the body of a request.
#[derive(Clone)]
pub(crate) struct BodyTime {
    slot: Arc<ConnectionSlot>,
}

impl BodyTime {
    pub(super) const fn new(slot: Arc<ConnectionSlot>) -> Self {
        Self { slot }
    }

    /// Waits until the time has passed. The limit is shorter while slots run short.
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
        assert!(slots.by_clients().are_unused());
    }

    #[tokio::test]
    async fn the_64s_of_ipv6_have_a_share_together_in_their_56_and_48() {
        let slots = ConnectionSlots::new(Limits::of_connections(24), ProxyTrust::new(Vec::new()));
        let mut held = Vec::new();
        let mut taken = Vec::new();
        for prefix in ["2001:db8:0:1", "2001:db8:0:", "2001:db8:1:1"] {
            let before = held.len();
            for number in 0..16 {
                let peer = match prefix {
                    "2001:db8:0:" => format!("{prefix}{number:x}00::1"),
                    _ => format!("{prefix}{number:02x}::1"),
                };
                let Ok(permit) = slots.free.clone().try_acquire_owned() else {
                    break;
                };
                held.extend(slots.give(permit, peer.parse().expect("an address")));
            }
            taken.push(held.len() - before);
        }
        assert_eq!(taken, [8, 4, 8], "a /56, its /48, and another");
        assert!(held[0].is_contested());
        held.clear();
        assert!(slots.by_clients().are_unused());
    }
}
