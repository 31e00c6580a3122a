//! Bounds how many counters are in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use password_auth_model::{ClientNetwork, Timestamp, Verdict, client_networks};

/// The most counters of one purpose.
pub(super) const MAX_COUNTS: usize = 100_000;

/// One attempt counts for up to this many keys.
const KEYS: usize = 4;

/// What is remembered about a key.
pub(super) trait Remembered {
    /// Until when it matters: the later, the more is owed.
    fn until(&self) -> Timestamp;
}

impl Remembered for Timestamp {
    fn until(&self) -> Timestamp {
        *self
    }
}

/// Makes room for another attempt. A full map first loses the counters that have run out, then the quarter that owes
/// least, so that all of them are looked at seldom. A flood from very many addresses owes one attempt for each: whoever
/// has used up theirs is not forgotten.
pub(super) fn make_room<K, V: Remembered>(counters: &mut HashMap<K, V>, now: Timestamp) {
    if counters.len() + KEYS <= MAX_COUNTS {
        return;
    }
    counters.retain(|_, counter| counter.until() > now);
    let surplus = counters.len().saturating_sub(MAX_COUNTS / 4 * 3);
    if surplus == 0 {
        return;
    }
    let mut debts: Vec<Timestamp> = counters.values().map(Remembered::until).collect();
    let (_, least, _) = debts.select_nth_unstable(surplus - 1);
    counters.retain(|_, counter| counter.until() > *least);
}

/// How long `address` has to wait, if `decide` says it for each network of the address: the longest. Zero if it need not.
pub(super) fn longest_wait(address: IpAddr, decide: impl Fn(ClientNetwork) -> Verdict) -> Duration {
    let waits = client_networks(address).filter_map(|network| match decide(network) {
        Verdict::Allowed => None,
        Verdict::Refused(wait) => Some(wait),
    });
    waits.max().unwrap_or_default()
}
