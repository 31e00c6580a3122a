//! Against guessing: how often an address, or an account, may try.
//!
//! A rate is kept as a single number for each key (GCRA, the generic cell rate algorithm of ITU-T I.371):
//! the moment at which the key will have no debt left. It slows down and never locks out for good: from a
//! network from which somebody signed in to the account lately, tries are counted by address alone, so that
//! a stranger who uses up the account's count does not keep its owner out.
//! Addresses are counted in memory, accounts in the store, so that an account's count holds across nodes
//! and restarts.

mod allowance;
mod ip_limiter;

pub use allowance::{Allowance, Spender};
pub use ip_limiter::{Counted, IpLimiter};
