//! The slots of the hashing pool, and how many of them one client may use at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// One client may use one in this many slots.
const ONE_OF: usize = 4;

/// Slots for running and waiting jobs.
#[derive(Debug)]
pub(super) struct Slots {
    all: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// Entries with zero slots are removed, so the map has at most one entry per slot.
    by_client: HashMap<Option<IpAddr>, usize>,
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
            held: Mutex::default(),
        })
    }

    /// A slot for this client, if one is free and the client uses less than its share.
    pub(super) fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Slot> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let its_own = held.by_client.get(&client).copied().unwrap_or_default();
        if held.all >= self.all || its_own >= self.share() {
            return None;
        }
        held.all += 1;
        held.by_client.insert(client, its_own + 1);
        Some(Slot {
            slots: Arc::clone(self),
            client,
        })
    }

    /// How many slots are taken.
    pub(super) fn taken(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.all
    }

    fn share(&self) -> usize {
        (self.all / ONE_OF).max(1)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self
            .slots
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.all -= 1;
        if let Some(its_own) = held.by_client.get_mut(&self.client) {
            *its_own -= 1;
            if *its_own == 0 {
                held.by_client.remove(&self.client);
            }
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
        assert!(held.all == 0 && held.by_client.is_empty(), "{held:?}");
    }
}
