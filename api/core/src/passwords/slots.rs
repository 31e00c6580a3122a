//! The slots of the hashing pool, and how many of them one client, or one network, may use at a time.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use password_auth_model::{NetworkShares, NetworkWidth};

/// Slots for running and waiting jobs.
#[derive(Debug)]
pub(super) struct Slots {
    all: usize,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    all: usize,
    by_clients: NetworkShares,
    by_operator: usize,
}

/// A slot, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    client: Option<IpAddr>,
}

impl Slots {
    pub(super) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self {
            all,
            held: Mutex::new(Held {
                all: 0,
                by_clients: NetworkShares::of(all),
                by_operator: 0,
            }),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for this client (`None` is the operator), if one is free and each of its networks uses less than its share.
    pub(super) fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Slot> {
        let mut held = self.held();
        if held.all == self.all {
            return None;
        }
        match client {
            Some(client) if held.by_clients.take(client) => {}
            None if held.by_operator < NetworkWidth::Client.share_of(self.all) => {
                held.by_operator += 1;
            }
            Some(_) | None => return None,
        }
        held.all += 1;
        Some(Slot {
            slots: Arc::clone(self),
            client,
        })
    }

    /// How many slots are taken.
    pub(super) fn taken(&self) -> usize {
        self.held().all
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.held();
        held.all -= 1;
        match self.client {
            Some(client) => held.by_clients.give_back(client),
            None => held.by_operator -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Slot, Slots};
    use std::net::{IpAddr, Ipv4Addr};

    fn client(number: u8) -> Option<IpAddr> {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)))
    }

    #[test]
    fn one_client_holds_a_quarter_and_leaves_the_rest_to_others() {
        let slots = Slots::new(34);
        let take_all =
            |client| -> Vec<Slot> { std::iter::from_fn(|| slots.take(client)).collect() };
        let flood = take_all(client(1));
        assert_eq!(flood.len(), 8);
        let mut others: Vec<usize> = Vec::new();
        let mut held = Vec::new();
        for number in 2..6 {
            let taken = take_all(client(number));
            others.push(taken.len());
            held.push(taken);
        }
        // The last one gets what is left.
        assert_eq!(others, [8, 8, 8, 2]);
        assert!(
            slots.take(None).is_none(),
            "there is no place for the operator"
        );
        drop(flood);
        assert_eq!(take_all(client(1)).len(), 8, "what was left is free again");
    }

    #[test]
    fn nobody_is_remembered_who_holds_nothing_and_everybody_may_hold_one() {
        let slots = Slots::new(1);
        for number in 0..100 {
            let slot = slots.take(client(number)).expect("a place");
            assert!(slots.take(client(number)).is_none());
            drop(slot);
        }
        let held = slots.held.lock().expect("nobody panicked");
        assert!(held.all == 0 && held.by_clients.are_unused(), "{held:?}");
    }

    #[test]
    fn one_56_of_ipv6_holds_a_third_and_one_48_half() {
        let slots = Slots::new(48);
        let held_by = |networks: &mut dyn Iterator<Item = String>| -> Vec<Slot> {
            let clients = networks.map(|address| Some(address.parse().expect("an address")));
            clients.filter_map(|client| slots.take(client)).collect()
        };
        let of_56 = held_by(&mut (0..256).map(|n| format!("2001:db8:0:1{n:02x}::1")));
        assert_eq!(of_56.len(), 16);
        let of_48 = held_by(&mut (0..256).map(|n| format!("2001:db8:0:{n:02x}00::1")));
        assert_eq!(of_56.len() + of_48.len(), 24);
        let others = held_by(&mut (0..99).map(|n| format!("192.0.2.{n}")));
        assert_eq!(others.len(), 24, "others find the rest");
    }
}
