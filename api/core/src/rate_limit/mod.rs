//! Rate limits against guessing, per address and per account.
//!
//! A counter is one or two times per key (`model/rate.rs`): when its allowance is whole again (GCRA, the generic cell
//! rate algorithm of ITU-T I.371), and how long failures are remembered, which double the wait. It slows attempts down but
//! never locks anybody out: attempts from a network where somebody lately proved that the account is theirs are only
//! counted by address, and without doubling, so that a stranger who uses up the account's limit, or fails from the same
//! address, does not keep its owner out.
//! Addresses are counted in memory, accounts in the store, so that their counters are shared by all nodes and survive
//! restarts.

mod allowance;
mod counts;
mod failures;
mod ip_limiter;

pub use allowance::{Allowance, Spender};
pub(crate) use failures::{Failure, FailureLimiter};
pub(crate) use ip_limiter::{Counted, IpLimiter};
