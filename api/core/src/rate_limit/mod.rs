//! Rate limits against guessing, per address and per account.
//!
//! A counter is a single time per key (GCRA, the generic cell rate algorithm of ITU-T I.371): the theoretical arrival
//! time. It slows attempts down but never locks anybody out: attempts from a network where somebody
//! lately proved that the account is theirs are only counted by address, so that a stranger who uses up the account's limit does not lock out its owner.
//! Addresses are counted in memory, accounts in the store, so that their counters are shared by all nodes and survive
//! restarts.

mod allowance;
mod counts;
mod ip_limiter;

pub use allowance::{Allowance, Spender};
pub use ip_limiter::{Counted, IpLimiter};
