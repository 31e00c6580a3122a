//! Against guessing: how often an address, or an account, may try.
//!
//! A rate is kept as a single number for each key (GCRA, the generic cell rate algorithm of ITU-T I.371):
//! the moment at which the key will have no debt left. It slows down and never locks out for good.
//! Addresses are counted in memory, accounts in the store, so that an account's count holds across nodes
//! and restarts.

mod account;
mod addresses;
mod rate;

pub use account::AccountKey;
pub use addresses::{Addresses, client_network};
pub use rate::{ParseRateError, Rate, Verdict};
