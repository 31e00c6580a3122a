//! Bounds how many counters are in memory.

use std::collections::HashMap;

use password_auth_model::Timestamp;

/// The most counters of one purpose.
pub(super) const MAX_COUNTS: usize = 100_000;

/// One attempt counts for up to this many keys.
const KEYS: usize = 4;

/// Makes room for another attempt. A full map first loses the counters that have run out, then the quarter that owes
/// least, so that all of them are looked at seldom. A flood from very many addresses owes one attempt for each: whoever
/// has used up theirs is not forgotten.
pub(super) fn make_room<K>(theoretical_arrival: &mut HashMap<K, Timestamp>, now: Timestamp) {
    if theoretical_arrival.len() + KEYS <= MAX_COUNTS {
        return;
    }
    theoretical_arrival.retain(|_, at| *at > now);
    let surplus = theoretical_arrival.len().saturating_sub(MAX_COUNTS / 4 * 3);
    if surplus == 0 {
        return;
    }
    let mut debts: Vec<Timestamp> = theoretical_arrival.values().copied().collect();
    let (_, least, _) = debts.select_nth_unstable(surplus - 1);
    theoretical_arrival.retain(|_, at| *at > *least);
}
